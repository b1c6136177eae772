"""Hot reads in front of the HTTP parser: only what is understood to the last byte, all else is handed over."""

import re
import time
from collections.abc import Iterable

from kycmanager.commands.execute import Executor
from kycmanager.commands.model import Command, Kind
from kycmanager.domain.errors import KycError
from kycmanager.transports.bearer import token_of
from kycmanager.transports.rest import answers
from kycmanager.transports.rest.commands import CODEC, SOURCE, Observe, routed

REQUEST_BYTES_MAX = 8000
"""Under the limits of the parser, which would refuse longer lines."""

_START = re.compile(rb"GET (/[a-z/-]{1,200})/([1-9][0-9]{0,14}) HTTP/1\.1\r\n")
_LINE = re.compile(rb"([A-Za-z-]{1,32}): ([!-~](?:[ -~]*[!-~])?)")
_HOST = re.compile(rb"[A-Za-z0-9.:\[\]-]{1,255}")
_KNOWN = frozenset(
    {b"host", b"authorization", b"user-agent", b"accept", b"accept-encoding", b"accept-language", b"connection"}
)
_END = b"\r\n\r\n"
_OK = 200
_ID_SUFFIX = "/{id}"


_FOREIGN = re.compile(rb"\r\n(?:transfer-encoding|upgrade)|(?<!\r)\n|\r(?!\n)")
_LENGTH = re.compile(rb"\r\ncontent-length: ([0-9]{1,15})\r\n")

LOST = -1
"""It is not known where the next request begins; only the parser knows."""


def owed_after(owed: int, data: bytes) -> int:
    """Return how many bytes of the request under way are still to come after `data`, or LOST.

    `owed` is what was still to come before; 0 means that `data` begins where a request begins. Without this a hot
    read could be seen where the parser sees the middle of another request.
    """
    if owed:
        return owed - len(data) if owed >= len(data) else LOST
    end = data.find(_END)
    if end < 0:
        return LOST
    head = data[: end + 2].lower()
    length = _LENGTH.search(head)
    if _FOREIGN.search(head) or head.count(b"content-length") != (length is not None):
        return LOST
    left = (int(length[1]) if length else 0) - (len(data) - end - len(_END))
    return left if left >= 0 else LOST


class HotReads:
    """Answers reads by id of the rows whose replies are kept ready.

    Each connection sends the same header lines again and again: what was understood once is compared from then on.
    """

    def __init__(self, executor: Executor, observe: Observe) -> None:
        self._executor = executor
        self._observe = observe
        self._commands = _by_path(executor.commands.values())

    def answer(self, data: bytes, known: tuple[bytes, str]) -> tuple[bytes, tuple[bytes, str]] | None:
        """Return the whole answer and what is known of the connection now; None where the parser has to look.

        `known` is the (header lines, token) understood last on the connection, (b"", "") at first.
        """
        start = _START.match(data)
        command = self._commands.get(start[1]) if start else None
        if start is None or command is None:
            return None
        lines = data[start.end() :]
        if lines != known[0]:
            token = _token(lines)
            if token is None:
                return None
            known = (lines, token)
        result = self._run(command, int(start[2]), known[1])
        return None if result is None else (answers.success(result), known)

    def _run(self, command: Command, target_id: int, token: str) -> bytes | None:
        """Return the reply data; every refusal is left to the parser's path, so that there is one of each."""
        started = time.perf_counter()
        results: list[bytes | KycError] = []
        try:
            session = self._executor.authenticate(token)
            call = self._executor.admit(command, session, {"id": target_id}, source=SOURCE)
        except KycError:
            return None
        self._executor.run(call, CODEC, results.append)
        (result,) = results
        if isinstance(result, KycError):
            return None
        self._observe(command.name, _OK, time.perf_counter() - started)
        return result


def _by_path(commands: Iterable[Command]) -> dict[bytes, Command]:
    """Return the hot rows by their path without the id."""
    return {
        command.route.path.removesuffix(_ID_SUFFIX).encode(): command
        for command in routed(commands)
        if command.route is not None
        and command.prepared
        and command.kind is Kind.READ
        and "GET" in command.route.methods
        and command.route.path.endswith(_ID_SUFFIX)
    }


def _token(lines: bytes) -> str | None:
    """Return the token where every header line is a plain one of a few known names and the request ends with them."""
    if not lines.endswith(_END) or len(lines) > REQUEST_BYTES_MAX:
        return None
    seen: dict[bytes, bytes] = {}
    for line in lines[: -len(_END)].split(b"\r\n"):
        match = _LINE.fullmatch(line)
        name = match[1].lower() if match else b""
        if match is None or name not in _KNOWN or name in seen:
            return None
        seen[name] = match[2]
    if not _HOST.fullmatch(seen.get(b"host", b"")) or seen.get(b"connection", b"keep-alive").lower() != b"keep-alive":
        return None
    return token_of(seen.get(b"authorization", b"").decode("ascii")) or None
