"""Finding answers without opening them: what the spellings of a value share, and the keyed hash that stands for it.

Only what was handed in is found, never a draft; a step that was handed in again takes the place of those before it.
"""

import hmac
import re
from collections.abc import Collection, Iterable, Iterator
from hashlib import sha256
from typing import Any
from unicodedata import normalize

import msgspec
from msgspec import Struct

from kycmanager.domain.enums import StepStatus
from kycmanager.domain.records import Step

VERSION = 1
"""Of what is hashed, and how: with another one everything is indexed anew."""

DIGEST_BYTES = 16
VALUE_CHARS_MAX = 1_000
"""Characters of a text that can be found; a longer one is no name or number of anything."""

WHOLE = -1
"""The cursor of an index that knows every profile."""

_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
_DATE = re.compile(r"([0-9]{4})[-./]([0-9]{1,2})[-./]([0-9]{1,2})")
_AS_HANDED_IN = frozenset({StepStatus.PENDING, StepStatus.APPROVED, StepStatus.EXPIRED})

_encode = msgspec.msgpack.Encoder().encode


class LookupMark(Struct, frozen=True):
    """What an index holds: answers to which fields (sorted), hashed by which key, of the profiles up to which id.

    An empty `key` is the one of installations that keep answers in clear.
    """

    version: int
    key: bytes
    fields: tuple[str, ...]
    cursor: int


def normal(text: str) -> str:
    """Return what the spellings of a text share: NFKC, no case, single spaces, none around."""
    return " ".join(normalize("NFKC", normalize("NFKC", text).casefold()).split())


def words_of(answer: Any) -> Iterator[str]:
    """Yield what is hashed of an answer, for a list each of its items; texts begin with `t:`, numbers with `n:`."""
    if isinstance(answer, bool):
        yield "t:true" if answer else "t:false"
    elif isinstance(answer, int | float):
        yield f"n:{_number(answer)}"
    elif isinstance(answer, str):
        text = normal(answer)
        if text and len(text) <= VALUE_CHARS_MAX:
            yield f"t:{text}"
    elif isinstance(answer, list):
        for item in answer:
            yield from words_of(item)


def words_for(value: str) -> list[str]:
    """Return what a value that is searched for may have been hashed as: a text, a number, a date; of "" nothing."""
    text = normal(value)
    found = [f"t:{text}"] if text else []
    if _NUMBER.fullmatch(text):
        found.append(f"n:{_number(float(text) if '.' in text else int(text))}")
    if date := _DATE.fullmatch(text):
        year, month, day = date.groups()
        found.append(f"t:{year}-{month:0>2}-{day:0>2}")
    return list(dict.fromkeys(found))


def secret_of(material: bytes) -> bytes:
    """Derive from a key what answers are hashed with, and nothing else is done with."""
    return hmac.digest(material, b"kycmanager: lookup of answers", sha256)


def digest(secret: bytes, brand: str, field: str, word: str) -> bytes:
    """Return the hash of one value: nothing tells two brands or two fields with the same value."""
    return hmac.digest(secret, _encode((brand, field, word)), "sha256")[:DIGEST_BYTES]


def digests(secret: bytes, brand: str, fields: Iterable[str], answers: dict[str, Any]) -> bytes:
    """Return the hashes of the answers to these fields one behind the other, sorted: their order tells no field."""
    found = {digest(secret, brand, name, word) for name in fields for word in words_of(answers.get(name))}
    return b"".join(sorted(found))


def parts(joined: bytes) -> list[bytes]:
    """Return the hashes that `digests` has joined."""
    return [joined[at : at + DIGEST_BYTES] for at in range(0, len(joined), DIGEST_BYTES)]


def findable(steps: Collection[Step]) -> set[int]:
    """Return which steps of one profile can be found by their answers: the last handed in of each code.

    One that is required again hides nothing before it is handed in. A rejected one that its customer has changed since
    is a draft.
    """
    newest: dict[str, Step] = {}
    for step in steps:
        if step.submitted_time and (step.code not in newest or newest[step.code].id < step.id):
            newest[step.code] = step
    return {step.id for step in newest.values() if _is_as_handed_in(step)}


def _is_as_handed_in(step: Step) -> bool:
    if step.status is StepStatus.REJECTED:
        return step.updated_time <= step.reviewed_time
    return step.status in _AS_HANDED_IN


def _number(value: float) -> str:
    """Spell a number in the one way all equal ones share: 1, 1.0 and 1.00 are 1."""
    return str(int(value) if isinstance(value, int) or value.is_integer() else value)
