"""Decodes JSON from strangers: what two parsers could read differently is refused."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from math import isinf
from typing import Annotated, Any, Never

import msgspec

DEPTH_MAX = 32
INT_MIN, INT_MAX = -(1 << 63), (1 << 63) - 1

_BACKSLASH = 0x5C  # bytes are searched for a number far faster than for bytes
_INT_CHARS_MAX = 20  # "-9223372036854775808": longer ones are refused without being converted
_KEY_CHARS_SHOWN = 64


class DecodeError(ValueError):
    """The bytes are refused; the text says to a client what is wrong and roughly where."""


_Int64 = Annotated[int, msgspec.Meta(ge=INT_MIN, le=INT_MAX)]
_Scalar = str | _Int64 | bool | None
_Inner = dict[str, _Scalar] | list[_Scalar] | _Scalar
_Middle = dict[str, _Inner] | list[_Inner] | _Scalar

# An object with at most three containers inside one another and no floats: what nearly every request is.
# Deeper values go to the strict decoder: every level doubles the compiled type.
PlainObject = dict[str, dict[str, _Middle] | list[_Middle] | _Scalar]

_decode_plain = msgspec.json.Decoder(PlainObject).decode
_encode_plain = msgspec.json.Encoder().encode


def decode(line: bytes) -> Any:
    """Decode one JSON text.

    Refused: duplicate keys, lone surrogates, NaN and Infinity (also as 1e999), integers outside 64 bit signed, more
    than 32 containers inside one another, invalid UTF-8, a byte order mark, NUL (raw or escaped), anything after the
    value. Raises DecodeError (manager API, section 1).
    """
    value = decode_canonical(line)
    return decode_strictly(line) if value is None else value


def decode_canonical(line: bytes) -> dict[str, Any] | None:
    """Decode an object written in its one canonical form; None means the strict decoder has to look.

    The proof is a round trip: the decoder is lax, but where encoding its result gives the very bytes that came, the
    text has no duplicate key (the result has none), no space, nothing before or after, and no spelling of a number or
    string but the canonical one. What a canonical text may still hide is excluded beside it: integers and depth by the
    type, NUL and surrogates because their only spelling left is a backslash and u, invalid UTF-8 by the decoder itself.
    """
    if _BACKSLASH in line and line.find(b"\\u") >= 0:
        return None
    try:
        value = _decode_plain(line)
    except (msgspec.DecodeError, ValueError):
        return None
    return value if _encode_plain(value) == line else None


def decode_strictly(line: bytes) -> Any:
    """Decode one JSON text with every check made one by one; raises DecodeError."""
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        raise DecodeError(f"invalid UTF-8 at byte {error.start}") from None
    if text.startswith("\ufeff"):
        raise DecodeError("a byte order mark is not accepted")
    if text.count("{") + text.count("[") > DEPTH_MAX:
        _refuse_depth(text)
    try:
        value = _STRICT.decode(text)
    except json.JSONDecodeError as error:
        # the error holds the whole text: it must not travel on as a cause
        raise DecodeError(f"{error.msg} at character {error.pos}") from None
    if "\\u" in text:
        refuse_unsafe_text(value)
    return value


def refuse_unsafe_text(value: object) -> None:
    """Raise DecodeError when any string or key inside holds NUL or a lone surrogate."""
    for text in _strings(value):
        if "\0" in text:
            raise DecodeError("NUL is not accepted in a string")
        if not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError:
                raise DecodeError("a surrogate without its pair is not accepted") from None


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object from its members; raises DecodeError when a key comes twice."""
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
    raise DecodeError(f"duplicate key {twice[:_KEY_CHARS_SHOWN]!a}")


def _strings(value: object) -> Iterator[str]:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, dict):
            waiting.extend(item)
            waiting.extend(item.values())


# A whole string, or one bracket. A string that never ends matches nothing and its brackets count, which can only
# refuse a text that is malformed anyway.
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)


def _refuse_depth(text: str) -> None:
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        piece = match[0]
        if piece in "[{":
            depth += 1
            if depth > DEPTH_MAX:
                raise DecodeError(f"nested deeper than {DEPTH_MAX} at character {match.start()}")
        elif piece in "]}":
            depth -= 1


def _integer(text: str) -> int:
    if len(text) <= _INT_CHARS_MAX and INT_MIN <= (value := int(text)) <= INT_MAX:
        return value
    raise DecodeError("an integer is outside 64 bit")


def _number(text: str) -> float:
    value = float(text)
    if isinf(value):
        raise DecodeError("a number is too large")
    return value


def _constant(name: str) -> Never:
    raise DecodeError(f"{name} is no JSON value")


_STRICT = json.JSONDecoder(object_pairs_hook=unique, parse_int=_integer, parse_float=_number, parse_constant=_constant)
