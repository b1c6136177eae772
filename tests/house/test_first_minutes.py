"""The first five minutes of the README, word by word, against a daemon that was really started."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from house_tree import ROOT

START_SECONDS = 30
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HTTP, TCP = "http://127.0.0.1:7480", '("127.0.0.1", 7400)'


def blocks(readme, language):
    chapter = readme.partition("## The first five minutes\n")[2].partition("\n## ")[0]
    return [text for kind, text in BLOCK.findall(chapter) if kind == language]


@pytest.fixture
def folder(tmp_path):
    """A folder like the project's: the program where the README has it, the default settings, data beside them."""
    (tmp_path / ".venv").symlink_to(sys.prefix)
    assert (tmp_path / ".venv/bin/kycmanager").exists(), "install the product first: make install"
    (tmp_path / "config.toml").write_bytes((ROOT / "config.toml").read_bytes())
    return tmp_path


@pytest.fixture
def daemon(folder):
    """`make run` on free ports: ((tcp host, port), (http host, port))."""
    ready = folder / "ready.json"
    command = [".venv/bin/kycmanager", "serve", "--tcp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--ready-file", ready]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not ready.exists():
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.02)
        said = json.loads(ready.read_bytes())
        yield said["tcp"], said["http"]
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0


def run_shell(readme, folder, http):
    """Run all shell blocks in one shell; the one line that changes is the address. Then tell the two tokens."""
    script = "\n".join(blocks(readme, "sh"))
    assert script.count(HTTP) == 1
    script = script.replace(HTTP, f"http://{http[0]}:{http[1]}")
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", f'{script}\nprintf "\\n%s %s" "$MANAGER" "$CUSTOMER" >&2'],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *complaints, tokens = done.stderr.split("\n")
    assert "".join(complaints) == ""
    return done.stdout, tokens.split()


@contextlib.contextmanager
def interactive_python(folder, script, **environment):
    """What is pasted into `python3`."""
    process = subprocess.Popen(
        [sys.executable, "-i", "-q", "-u"],
        cwd=folder,
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        process.stdin.write(script)
        process.stdin.flush()
        yield process
    finally:
        process.kill()
        process.communicate()


def test_the_first_five_minutes_word_by_word(readme, folder, daemon):
    tcp, http = daemon
    said, (manager, _) = run_shell(readme, folder, http)
    assert '"ready":true' in said
    assert said.count('{"accepted":true}') == 3
    assert '"field":"country"' in said
    assert "image/png, 70 bytes" in said
    (promised,) = blocks(readme, "json")
    assert said.strip().endswith(promised.strip())
    assert "INVALID" not in said.replace('{"error":"INVALID_DATA","message":"country', "", 1)

    client, follower = blocks(readme, "python")
    script = client + follower
    assert script.count(TCP) == 1
    assert len([line for line in client.splitlines() if line]) <= 10
    script = script.replace(TCP, f"({tcp[0]!r}, {tcp[1]})")
    with interactive_python(folder, script, MANAGER=manager) as python:
        lines = iter(python.stdout.readline, "")
        assert "'customer_id': 1001" in next(lines)
        assert "'accepted': True" in next(lines)
        told = [next(lines).split() for _ in range(10)]
    assert [int(seq) for _, seq, *_ in told] == sorted(int(seq) for _, seq, *_ in told)
    kinds = [kind for _, _, *rest in told for kind in rest]
    assert kinds[:2] == ["template.added", "step.required"]
    assert {"step.submitted", "document.approved", "step.approved"} <= set(kinds)
    assert [event for event, *_ in told].count("kyc.step.approved") == 1


def test_make_run_names_the_addresses_of_the_settings():
    makefile, settings = (Path(ROOT / name).read_text("utf-8") for name in ("Makefile", "config.toml"))
    for address in ("127.0.0.1:7400", "127.0.0.1:7480"):
        assert address in makefile
        assert f'"{address}"' in settings
