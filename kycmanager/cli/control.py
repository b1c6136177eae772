"""The operator's way in: local commands over the daemon's control socket, or on the base itself when none runs."""

import asyncio
import os
import socket
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from kycmanager.cli.audit import BASE
from kycmanager.cli.faults import CliError
from kycmanager.cli.progress import Report
from kycmanager.config import Config
from kycmanager.domain.errors import Code, KycError
from kycmanager.ports import StoreHeld

SOCKET = Path("bases") / "control.sock"
FIRST = frozenset({"SysAddUser", "SysAddSepTemplates", "SysCheck"})
"""The commands that may come where there is no base yet; with any other the folder is a wrong one."""
LISTED = {"SysSetUser": "user list", "SysRemoveUser": "user list", "SysReplayDelivery": "webhooks list"}
"""The command line that lists what a command names."""

SILENCE_SECONDS_MAX = 60.0
HANDOVER_SECONDS = 5.0
"""How long a daemon that starts or stops may hold the base without a socket before that is an error."""

_LINE_BYTES_MAX = 16 * 1024 * 1024
_SOCKET_PATH_BYTES_MAX = 100
_SUCCESS = 200

RunOnce = Callable[[Config, Path, str, dict[str, Any], Report], Coroutine[Any, Any, dict[str, Any]]]
"""`run_once(config, data_dir, command, data, report)`: open the base, run one local command, close."""


class DaemonAbsentError(Exception):
    """No daemon listens at the control socket."""


def perform(
    config: Config,
    data_dir: Path,
    command: str,
    data: dict[str, Any],
    report: Report,
    *,
    run_once: RunOnce | None = None,
    handover_seconds: float = HANDOVER_SECONDS,
) -> dict[str, Any]:
    """Run one local command wherever the base is open and return the data of its reply.

    Raises CliError for a refusal or a folder without a base, StoreRefused when the base is damaged or held by somebody
    who does not listen.
    """
    deadline = time.monotonic() + handover_seconds
    while True:
        try:
            return call(data_dir, command, data, report)
        except DaemonAbsentError:
            pass
        if command not in FIRST and not (data_dir / BASE).exists():
            raise CliError(f"{data_dir / BASE} is missing; name the data folder with --data")
        try:
            return asyncio.run((run_once or _app_run_once())(config, data_dir, command, data, report))
        except KycError as refused:
            raise _refusal(command, refused.message, refused.code.wire_name) from None
        except StoreHeld:
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.1)


def call(
    data_dir: Path,
    command: str,
    data: dict[str, Any],
    report: Report,
    *,
    silence_seconds_max: float = SILENCE_SECONDS_MAX,
) -> dict[str, Any]:
    """Send one command to the running daemon and return the data of its reply.

    One JSON line `{"command", "data"}` goes out; lines `{"progress": [what, done, total]}` may come back before the
    reply, `{"status", "data"}` or `{"status", "error", "message"}`. Raises DaemonAbsentError, CliError.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(silence_seconds_max)
        _connect(connection, data_dir)
        try:
            connection.sendall(msgspec.json.encode({"command": command, "data": data}) + b"\n")
            return _reply(command, connection, report)
        except (OSError, EOFError, msgspec.MsgspecError):
            raise CliError(
                f"the daemon of {data_dir} did not answer {command}; look into its log, then try again",
            ) from None


def _app_run_once() -> RunOnce:
    from kycmanager.app import run_once  # noqa: PLC0415 - the whole daemon is needed only here

    return run_once


def _connect(connection: socket.socket, data_dir: Path) -> None:
    try:
        with _short_path(data_dir / SOCKET) as path:
            connection.connect(path)
    except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
        raise DaemonAbsentError from None
    except OSError as fault:
        raise CliError(
            f"{data_dir / SOCKET}: {fault.strerror}; run this as the user of the daemon",
        ) from None


@contextmanager
def _short_path(path: Path) -> Iterator[str]:
    """Give a name for the socket that fits into the 108 bytes the system has for it."""
    if len(os.fsencode(path)) < _SOCKET_PATH_BYTES_MAX:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def _reply(command: str, connection: socket.socket, report: Report) -> dict[str, Any]:
    with connection.makefile("rb") as lines:
        while True:
            message = _message(lines.readline(_LINE_BYTES_MAX))
            if "progress" not in message:
                break
            what, done, total = message["progress"]
            report(str(what), int(done), int(total))
    if message.get("status") != _SUCCESS:
        raise _refusal(command, message.get("message", "refused"), message.get("error", "RET_ERROR"))
    answer: dict[str, Any] = message.get("data", {})
    return answer


def _refusal(command: str, message: str, code: str) -> CliError:
    """Build the error for a refusal; of what was not found it says where it is listed."""
    listed = LISTED.get(command, "") if code == Code.NOT_FOUND.wire_name else ""
    advice = f"; `kycmanager {listed}` names those there are" if listed else ""
    return CliError(f"{message} ({code}){advice}")


def _message(line: bytes) -> dict[str, Any]:
    """Decode one line; a line without an end means that the daemon went away."""
    if not line.endswith(b"\n"):
        raise EOFError
    message: dict[str, Any] = msgspec.json.decode(line, type=dict[str, Any])
    return message
