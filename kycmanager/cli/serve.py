"""`kycmanager serve`: open the daemon, tell that it is ready, and close it in time when asked to stop."""

import argparse
import asyncio
import contextlib
import ctypes
import errno
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec
import uvloop

from kycmanager import log
from kycmanager.cli.faults import CliError
from kycmanager.cli.progress import Report, show_progress
from kycmanager.cli.settings import load_settings, make_data_folder
from kycmanager.transports.listen import ListenError

CLOSE_SECONDS_MAX = 9.0
"""Closing takes less than this, so that the process is gone within ten seconds."""

KEPT_BYTES_MAX = 8 * 1024 * 1024
"""Free memory that stays with the process."""

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3


class Daemon(Protocol):
    """What is served; `close` may be called after a failed or cut-off `open`."""

    @property
    def tcp_address(self) -> tuple[str, int]:
        """Where the TCP door listens."""
        ...

    @property
    def http_address(self) -> tuple[str, int]:
        """Where the HTTP door listens."""
        ...

    async def open(self) -> None:
        """Open the bases and the doors."""
        ...

    async def failed(self) -> None:
        """Wait for as long as it can go on; raise what ended it."""
        ...

    async def close(self) -> None:
        """Answer what was taken, then close doors and bases."""
        ...


MakeDaemon = Callable[[Report], Daemon]
"""`make_daemon(report)`: the daemon, not yet open; it reports the progress of its opening."""


def main(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT."""
    from kycmanager.app import App  # noqa: PLC0415 - only this sub-command pays for loading the whole daemon

    config, data_dir = load_settings(args, os.environ)
    make_data_folder(data_dir)
    log.configure(config.logging)
    sys.excepthook = log.tell_uncaught
    allow_connections()
    keep_memory()
    return run(lambda report: App(config, data_dir, report), args.ready_file)


def run(make_daemon: MakeDaemon, ready_file: Path | None) -> int:
    """Serve on a loop of its own, with the signals of the process. Raises CliError when it cannot listen."""
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_serve_until_signal(make_daemon, ready_file))
    except ListenError as fault:
        log.get_logger("serve").debug("could not listen", exc_info=fault)
        raise CliError(_cannot_listen(fault)) from fault
    except OSError as fault:
        log.get_logger("serve").error("could not serve", exc_info=fault)
        raise CliError(_cannot_serve(fault)) from fault


async def serve(make_daemon: MakeDaemon, ready_file: Path | None, stop: asyncio.Event) -> int:
    """Open the daemon, serve until `stop` is set, close it; 0 when it closed in time.

    A stop while it is opening cuts the opening off. Errors of `open` are raised after the clean-up.
    """
    logger = log.get_logger("serve")
    _forget(ready_file)
    with show_progress(tell=_log_progress) as report:
        daemon = make_daemon(report)
        opened = await _open(daemon, stop)
    broken = False
    try:
        if opened:
            if ready_file is not None:
                write_ready(ready_file, daemon.tcp_address, daemon.http_address)
            logger.info("serving", tcp=list(daemon.tcp_address), http=list(daemon.http_address), pid=os.getpid())
            broken = not await _until_stopped(daemon, stop)
        logger.info("stopping")
    finally:
        _forget(ready_file)
        closed = await _close(daemon)
    logger.info("stopped", in_time=closed)
    return 0 if closed and not broken else 1


async def _until_stopped(daemon: Daemon, stop: asyncio.Event) -> bool:
    """Wait for the stop; False when the daemon has to end before it: its supervisor starts it anew."""
    stopping, failing = asyncio.ensure_future(stop.wait()), asyncio.ensure_future(daemon.failed())
    await asyncio.wait({stopping, failing}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not failing.done():
        failing.cancel()
        return True
    fault = failing.exception()
    log.get_logger("serve").critical("cannot go on; start the daemon again", exc_info=fault)
    return False


def write_ready(path: Path, tcp: tuple[str, int], http: tuple[str, int]) -> None:
    """Write the ready file in one step: whoever waits for it never reads half of it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_bytes(msgspec.json.encode({"pid": os.getpid(), "tcp": tcp[:2], "http": http[:2]}) + b"\n")
    temporary.chmod(0o644)  # unlike the data, this is for whoever waits for it
    temporary.replace(path)


def _log_progress(what: str, done: int, total: int) -> None:
    log.get_logger("serve").info("loading", what=what, done=done, total=total)


def allow_connections() -> None:
    """Let the process open as many files as the system allows it: every connection is one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def keep_memory() -> None:
    """Let glibc keep freed memory: to give it back and have it again costs an upload a tenth of its time."""
    with contextlib.suppress(AttributeError, OSError):  # another C library has no such settings
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_THRESHOLD, KEPT_BYTES_MAX // 2)
        mallopt(_TRIM_THRESHOLD, KEPT_BYTES_MAX)


async def _serve_until_signal(make_daemon: MakeDaemon, ready_file: Path | None) -> int:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(log.tell_loop_fault)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return await serve(make_daemon, ready_file, stop)


async def _open(daemon: Daemon, stop: asyncio.Event) -> bool:
    """Open unless stopped meanwhile; tell whether it is open. What a failed opening leaves is closed."""
    opening = asyncio.ensure_future(daemon.open())
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait({opening, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not opening.done():
        opening.cancel()
        await asyncio.wait({opening})
    if opening.cancelled():
        return False
    if fault := opening.exception():
        await _close(daemon)
        raise fault
    return True


async def _close(daemon: Daemon) -> bool:
    try:
        await asyncio.wait_for(daemon.close(), CLOSE_SECONDS_MAX)
    except TimeoutError:
        log.get_logger("serve").error("closing took too long; the next start repairs what is left", exc_info=True)
        return False
    return True


def _cannot_listen(fault: ListenError) -> str:
    host, port = fault.address
    place = f"{fault.option} {f'[{host}]' if ':' in host else host}:{port}"
    if fault.errno == errno.EADDRINUSE:
        return f"{place} is in use; choose another port, or stop what listens there"
    return f"{place} cannot be listened at ({fault.strerror}); choose another address"


def _cannot_serve(fault: OSError) -> str:
    return f"the daemon could not start ({fault.strerror or type(fault).__name__}); see its log, then start it again"


def _forget(ready_file: Path | None) -> None:
    """Remove the ready file: nobody may take that of an earlier run for ours."""
    if ready_file is not None:
        ready_file.unlink(missing_ok=True)
