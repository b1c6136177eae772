"""Reads and writes the msgpack wire: the same maps as JSON, with the same refusals."""

from collections.abc import Mapping
from math import isfinite
from typing import Any, Never

import msgpack  # type: ignore[import-untyped]  # the package carries no types
import msgspec

from kycmanager.transports.json_strict import (
    DEPTH_MAX,
    INT_MAX,
    INT_MIN,
    DecodeError,
    PlainObject,
    refuse_unsafe_text,
    unique,
)

# Room for a list or map is made from the length it claims, before its members are seen, and 1,024 of them may be
# open at once: the bound keeps a small frame of large claims under 80 MB for the moment it lives.
ITEMS_MAX = 10_000

_MAP_FIRST_BYTES = frozenset((*range(0x80, 0x90), 0xDE, 0xDF))
_BACKSLASH = 0x5C
_OK = 200
_STATUS = b"\xa6status"
_STATUS_OK = b"\xa6status\xcc\xc8\xa4data"

_decode_plain = msgspec.msgpack.Decoder(PlainObject).decode
# Measured for a profile of 2 KB: msgspec packs structs as they are in a third of the time the msgpack package takes
# for the same dicts, and both write the same shortest forms. Requests from strangers go through the package's limits.
_encode_json = msgspec.json.Encoder().encode
encode = msgspec.msgpack.Encoder().encode


def decode(frame: bytes, *, items_max: int = ITEMS_MAX) -> dict[str, Any]:
    """Decode the content of one frame, a map with string keys.

    Refused: what JSON refuses (duplicate keys, NUL, NaN, integers outside 64 bit signed, more than 32 containers
    inside one another, invalid UTF-8), and what JSON cannot say (bin keys and values, extension types, timestamps,
    keys that are no strings), so that both wires accept the same requests. A list or map holds at most `items_max`
    members. Raises DecodeError (manager API, section 1).
    """
    if not frame or frame[0] not in _MAP_FIRST_BYTES:
        raise DecodeError("a frame must hold one map")
    value = decode_canonical(frame)
    return decode_strictly(frame, items_max=items_max) if value is None else value


def decode_canonical(frame: bytes) -> dict[str, Any] | None:
    """Decode a map written in its shortest form; None means the strict decoder has to look.

    The same round trip as in JSON: equal bytes prove that no key came twice. The type excludes floats, bin, extension
    types, deep nesting and large integers. Zero bytes belong to numbers mostly; one in a string would show as an escape
    in JSON, which C code writes faster than a loop here could look at every string.
    """
    try:
        value = _decode_plain(frame)
    except (msgspec.DecodeError, ValueError):
        return None
    if 0 in frame and _BACKSLASH in _encode_json(value):
        return None
    return value if encode(value) == frame else None


def decode_strictly(frame: bytes, *, items_max: int = ITEMS_MAX) -> dict[str, Any]:
    """Decode one frame with every check made one by one; raises DecodeError."""
    try:
        value = msgpack.unpackb(
            frame,
            raw=False,
            strict_map_key=True,
            object_pairs_hook=_members,
            ext_hook=_extension,
            max_str_len=len(frame),
            max_bin_len=len(frame),
            max_ext_len=len(frame),
            max_array_len=items_max,
            max_map_len=items_max,
        )
    except DecodeError:
        raise
    except msgpack.StackError:
        raise DecodeError(f"nested deeper than {DEPTH_MAX}") from None
    except UnicodeDecodeError:
        raise DecodeError("invalid UTF-8 in a string") from None
    except ValueError as error:
        raise DecodeError(f"malformed msgpack: {error}") from None
    if not isinstance(value, dict):
        raise DecodeError("a frame must hold one map")
    _refuse_unsafe(value)
    return value


def reply(ext: bytes | None, status: int, data: bytes) -> bytes:
    """Return one reply frame around prepared data, the map {extID, status, data}; both parts from `encode`."""
    if status == _OK:
        return _frame(_opening(ext, 2), _STATUS_OK, data)
    return _frame(_opening(ext, 2), _STATUS, encode(status), b"\xa4data", data)


def error_reply(
    ext: bytes | None, status: int, error: str, message: str, data: Mapping[str, object] | None = None
) -> bytes:
    """Return one error frame, the map {extID, status, error, message, data}."""
    members = {"error": error, "message": message, "data": data or {}}
    # what follows the status is packed as a map of its own; its one-byte header is dropped
    return _frame(_opening(ext, 4), _STATUS, encode(status), encode(members)[1:])


def push(event: str, kind: int, data: object) -> bytes:
    """Return one push frame, the map {event, type, data}; prepared data may come as msgspec.Raw.

    Raises ValueError for the name `error`, which clients take for a fault of the connection.
    """
    if event == "error":
        raise ValueError("an event is never named error")
    return message({"event": event, "type": kind, "data": data})


def message(value: object) -> bytes:
    """Return any value, a notice for one, as one frame."""
    return _frame(encode(value))


def _frame(*parts: bytes) -> bytes:
    length = sum(map(len, parts))
    return b"".join((length.to_bytes(4), *parts))


def _opening(ext: bytes | None, members: int) -> bytes:
    if ext is None:
        return bytes((0x80 + members,))
    return b"%c\xa5extID%b" % (0x81 + members, ext)


def _members(pairs: list[tuple[Any, Any]]) -> dict[str, Any]:
    if all(type(key) is str for key, _ in pairs):
        return unique(pairs)
    raise DecodeError("the keys of a map must be strings")


def _extension(code: int, _data: bytes) -> Never:
    raise DecodeError(f"extension type {code} is not accepted")


def _refuse_unsafe(root: dict[str, Any]) -> None:
    waiting: list[tuple[object, int]] = [(root, 1)]
    while waiting:
        item, depth = waiting.pop()
        if isinstance(item, dict | list):
            if depth > DEPTH_MAX:
                raise DecodeError(f"nested deeper than {DEPTH_MAX}")
            waiting.extend((inner, depth + 1) for inner in (item.values() if isinstance(item, dict) else item))
        else:
            _refuse_scalar(item)
    refuse_unsafe_text(root)


def _refuse_scalar(item: object) -> None:
    if isinstance(item, int):
        if not INT_MIN <= item <= INT_MAX:
            raise DecodeError("an integer is outside 64 bit")
    elif isinstance(item, float):
        if not isfinite(item):
            raise DecodeError("NaN and Infinity are not accepted")
    elif isinstance(item, bytes):
        raise DecodeError("binary values are not accepted")
    elif item is not None and not isinstance(item, str):
        raise DecodeError("timestamps are not accepted")
