"""`kycmanager serve` around any daemon: ready file, signals, time limits, clean-up."""

import argparse
import asyncio
import errno
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kycmanager.cli import serve
from kycmanager.cli.faults import CliError, UsageError
from kycmanager.cli.settings import load_settings, make_data_folder
from kycmanager.config import Config
from kycmanager.ports import StoreRefused
from kycmanager.transports.listen import ListenError


class Daemon:
    """Opens and closes as it is told, and remembers it."""

    def __init__(self, report, *, opening=0.0, closing=0.0, fault=None):
        self.tcp_address = ("127.0.0.1", 1)
        self.http_address = ("127.0.0.1", 2)
        self.done = []
        self._opening, self._closing, self._fault = opening, closing, fault
        report("loading", 1, 1)

    async def open(self):
        await asyncio.sleep(self._opening)
        if self._fault:
            raise self._fault
        self.done.append("open")

    async def failed(self):
        await asyncio.Event().wait()

    async def close(self):
        await asyncio.sleep(self._closing)
        self.done.append("close")


def made(daemons, **behaviour):
    def make(report):
        daemons.append(Daemon(report, **behaviour))
        return daemons[-1]

    return make


class Broken(Daemon):
    async def failed(self):
        raise RuntimeError("the strand has ended")


async def test_a_daemon_that_cannot_go_on_is_closed_and_fails(tmp_path):
    daemons = []

    def make(report):
        daemons.append(Broken(report))
        return daemons[-1]

    assert await serve.serve(make, tmp_path / "ready", asyncio.Event()) == 1
    assert daemons[0].done == ["open", "close"]


async def test_ready_then_stopped(tmp_path):
    ready, daemons, stop = tmp_path / "ready", [], asyncio.Event()
    ready.write_text("of an earlier run")
    serving = asyncio.ensure_future(serve.serve(made(daemons, opening=0.05), ready, stop))
    await asyncio.sleep(0.02)
    assert not ready.exists()
    while not ready.exists():
        await asyncio.sleep(0.01)
    assert json.loads(ready.read_text()) == {"pid": os.getpid(), "tcp": ["127.0.0.1", 1], "http": ["127.0.0.1", 2]}
    stop.set()
    assert await serving == 0
    assert daemons[0].done == ["open", "close"]
    assert list(tmp_path.iterdir()) == []


async def test_no_ready_file_is_needed():
    stop = asyncio.Event()
    serving = asyncio.ensure_future(serve.serve(made([]), None, stop))
    await asyncio.sleep(0.01)
    stop.set()
    assert await serving == 0


async def test_a_stop_cuts_the_opening_off(tmp_path):
    daemons, stop = [], asyncio.Event()
    serving = asyncio.ensure_future(serve.serve(made(daemons, opening=60), tmp_path / "ready", stop))
    await asyncio.sleep(0.02)
    stop.set()
    assert await asyncio.wait_for(serving, 5) == 0
    assert daemons[0].done == ["close"]


@pytest.mark.parametrize("fault", [StoreRefused("held"), OSError(errno.EADDRINUSE, "in use"), ValueError("odd")])
async def test_a_failed_opening_is_closed_and_raised(tmp_path, fault):
    daemons = []
    with pytest.raises(type(fault)):
        await serve.serve(made(daemons, fault=fault), tmp_path / "ready", asyncio.Event())
    assert daemons[0].done == ["close"]
    assert list(tmp_path.iterdir()) == []


async def test_a_ready_file_that_cannot_be_written_closes_the_daemon(tmp_path):
    daemons = []
    with pytest.raises(FileNotFoundError):
        await serve.serve(made(daemons), tmp_path / "none" / "ready", asyncio.Event())
    assert daemons[0].done == ["open", "close"]


async def test_closing_has_an_end(monkeypatch):
    monkeypatch.setattr(serve, "CLOSE_SECONDS_MAX", 0.05)
    daemons, stop = [], asyncio.Event()
    stop.set()
    assert await asyncio.wait_for(serve.serve(made(daemons, closing=60), None, stop), 5) == 1


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (
            ListenError("--tcp", ("127.0.0.1", 80), OSError(errno.EACCES, "bind")),
            "--tcp 127.0.0.1:80 cannot be listened at (Permission denied); choose another address",
        ),
        (
            ListenError("--http", ("::1", 80), OSError(errno.EADDRINUSE, "bind")),
            "--http [::1]:80 is in use; choose another port, or stop what listens there",
        ),
        (OSError(errno.EACCES, "Permission denied"), "could not start (Permission denied); see its log"),
        (OSError(errno.EIO, "Input/output error"), "could not start (Input/output error); see its log"),
        (OSError("odd"), "could not start (OSError); see its log"),
    ],
)
def test_what_hinders_a_start_is_named(fault, words):
    with pytest.raises(CliError) as caught:
        serve.run(made([], fault=fault), None)
    assert words in str(caught.value)


SCRIPT = """
import asyncio, sys
from pathlib import Path
from kycmanager import log
from kycmanager.cli import serve
from kycmanager.config import Logging

class Daemon:
    def __init__(self, report):
        self.closed = False

    async def open(self):
        self.servers = [await asyncio.start_server(self.talk, "127.0.0.1", 0) for _ in range(2)]
        self.tcp_address, self.http_address = (each.sockets[0].getsockname() for each in self.servers)

    async def failed(self):
        await asyncio.Event().wait()

    async def talk(self, reader, writer):
        writer.close()

    async def close(self):
        for each in self.servers:
            each.close()
            await each.wait_closed()
        print("closed", flush=True)

log.configure(Logging())
sys.exit(serve.run(Daemon, Path(sys.argv[1])))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_cleanly(tmp_path, number):
    ready = tmp_path / "ready"
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(ready)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 20
    while not ready.exists():
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    told = json.loads(ready.read_text())
    assert told["pid"] == process.pid
    assert told["tcp"][0] == "127.0.0.1"
    assert told["tcp"][1] != told["http"][1] > 0
    process.send_signal(number)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out) == (0, b"closed\n")
    assert [json.loads(line)["event"] for line in err.splitlines()] == ["serving", "stopping", "stopped"]
    assert not ready.exists()


@pytest.mark.parametrize("option", ["--tcp", "--http"])
def test_a_port_in_use_is_told_in_one_line(tmp_path, option):
    free = {"--tcp": "127.0.0.1:0", "--http": "127.0.0.1:0"}
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        given = [word for pair in (free | {option: place}).items() for word in pair]
        done = subprocess.run(
            [sys.executable, "-m", "kycmanager", "serve", "--data", str(tmp_path / "data"), *given],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].endswith(
        f"{option} {place} is in use; choose another port, or stop what listens there"
    )
    assert '"exception"' not in done.stderr


def test_the_process_may_open_what_the_system_allows():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 256), hard))
        serve.allow_connections()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


KEEPING = """
import resource
from kycmanager.cli import serve

serve.keep_memory()
for turn in range(200):
    if turn == 100:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    pieces = [bytearray(300_000) for _ in range(4)]
    del pieces
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def test_memory_that_was_freed_is_used_again():
    done = subprocess.run([sys.executable, "-c", KEEPING], capture_output=True, text=True, timeout=60, check=True)
    assert int(done.stdout) < 100  # pages; asked for anew, they are three hundred at every turn


def arguments(**given):
    return argparse.Namespace(**{"config": None, "data": None, "tcp": None, "http": None, **given})


def test_options_go_before_the_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config, data_dir = load_settings(arguments(), {})
    assert (config, data_dir) == (Config(), Path())
    (tmp_path / "config.toml").write_text('[server]\ntcp = "10.0.0.1:1"\ndata = "there"\n')
    config, data_dir = load_settings(arguments(http="[::1]:0"), {})
    assert (config.server.tcp, config.server.http, data_dir) == ("10.0.0.1:1", "[::1]:0", Path("there"))
    config, data_dir = load_settings(arguments(tcp="127.0.0.1:0", data=tmp_path), {})
    assert (config.server.tcp, config.server.data, data_dir) == ("127.0.0.1:0", str(tmp_path), tmp_path)
    with pytest.raises(UsageError, match="--http: 'x' is no HOST:PORT"):
        load_settings(arguments(http="x"), {})


def test_the_data_folder_is_made_for_its_owner(tmp_path):
    made_folder = tmp_path / "a" / "b"
    for _ in range(2):
        make_data_folder(made_folder)
    assert made_folder.stat().st_mode & 0o777 == 0o700
    (tmp_path / "file").write_text("")
    with pytest.raises(CliError, match=r"file/d cannot be made.*--data"):
        make_data_folder(tmp_path / "file" / "d")
