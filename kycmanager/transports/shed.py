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
_TAIL = re.compile(rb',"extID":("[A-Za-z0-9_.:\-]{0,64}"|[1-9][0-9]{0,14}),"__token":"[^"{}]*"\}')
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
        writes, match, start = self._writes.get, _TAIL.fullmatch, len(_COMMAND)
        kept: list[bytes] = []
        exts: list[bytes] = []
        counts: dict[str, int] = {}
        for line in lines:
            name = writes(line[start : line.find(b'"', start)]) if line.startswith(_COMMAND) else None
            tail = None if name is None or _BACKSLASH in line else match(line, line.rfind(_EXT))
            if name is None or tail is None:
                kept.append(line)
            else:
                exts.append(tail[1])
                counts[name] = counts.get(name, 0) + 1
        return Sifted(kept, _START + _BETWEEN.join(exts) + _END if exts else b"", counts)
