"""Refuses writes at a glance while too many wait: saying no must cost next to nothing, or nothing else gets done."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from kycmanager.commands.model import Command, Kind
from kycmanager.domain.errors import Code, KycError
from kycmanager.transports import json_wire

CROWDED = KycError(Code.OVERLOADED, "Too many writes are waiting; try again later")

_COMMAND = b'{"command":"'
_EXT = b',"extID":'
_BACKSLASH = 0x5C  # bytes are searched for a number far faster than for bytes
# The members behind `data`: where no backslash is, a quote ends its string, and one bracket closes the request.
_EXT_PATTERN = rb'"[A-Za-z0-9_.:\-]{0,64}"|[1-9][0-9]{0,14}'
_PLAIN_EXT = re.compile(_EXT_PATTERN)
_TAIL = re.compile(rb',"extID":(%b),"__token":"[^"{}]*"\}' % _EXT_PATTERN)
_START = b'{"extID":'
_END = json_wire.error_reply(None, CROWDED.code.status, CROWDED.code.wire_name, CROWDED.message).replace(b"{", b",", 1)
_BETWEEN = _END + _START


class Sifted(NamedTuple):
    """Lines that were not recognised, the answers to the others as bytes, and how many of each command these were."""

    kept: list[bytes]
    answers: bytes
    counts: dict[str, int]


class Shed:
    """Recognises writes as clients spell them: compact, command first, extID and token last, no backslash.

    What it does not recognise goes the way of all requests and is refused there. What it does is not looked at any
    further: whether it is a good request, and whose, makes no difference to the answer.
    """

    def __init__(self, commands: Iterable[Command]) -> None:
        self._writes = {command.name.encode(): command.name for command in commands if command.kind is Kind.WRITE}

    def sift(self, lines: Iterable[bytes]) -> Sifted:
        """Refuse what is recognised among JSON lines without their ends."""
        kept: list[bytes] = []
        exts: list[bytes] = []
        counts: dict[str, int] = {}
        head, tail, name = b"\n", b"", ""  # of the line understood last: a client's lines differ in between, if at all
        for line in lines:
            if line.startswith(head) and line.endswith(tail) and _BACKSLASH not in line:
                ext = line[line.rfind(_EXT, 0, -len(tail)) + len(_EXT) : -len(tail)]
                if _PLAIN_EXT.fullmatch(ext):
                    exts.append(ext)
                    counts[name] += 1
                    continue
            found = self._understood(line)
            if found is None:
                kept.append(line)
                continue
            name, head, ext, tail = found
            exts.append(ext)
            counts[name] = counts.get(name, 0) + 1
        return Sifted(kept, _START + _BETWEEN.join(exts) + _END if exts else b"", counts)

    def _understood(self, line: bytes) -> tuple[str, bytes, bytes, bytes] | None:
        """Return the name of the write in a line, the line up to it, its extID, and what follows that; else None."""
        if not line.startswith(_COMMAND) or _BACKSLASH in line:
            return None
        stop = line.find(b'"', len(_COMMAND)) + 1
        name = self._writes.get(line[len(_COMMAND) : stop - 1])
        place = line.rfind(_EXT)
        ending = _TAIL.fullmatch(line, place)
        if name is None or ending is None:
            return None
        return name, line[:stop], ending[1], line[ending.end(1) :]
