"""Writes JSON replies and pushes so that every known client reads them whole."""

import re
from collections.abc import Mapping

import msgspec

LINE_END = b"\r\n"

# The parts of a successful reply, for a transport that joins a whole batch at once:
# REPLY_EXT, extID, REPLY_DATA, prepared data, REPLY_END.
REPLY_EXT = b'{"extID":'
REPLY_DATA = b',"status":200,"data":'
REPLY_END = b"}" + LINE_END

_REPLY_DATA_ALONE = b'{"status":200,"data":'
_OK = 200
_APOSTROPHE = 0x27  # bytes are searched for a number far faster than for bytes

_encode = msgspec.json.Encoder().encode

# JSON without spaces has a comma before a space or a closing bracket only inside a string.
_COMMA_TRAP = re.compile(rb",( *+[\]}])")
_BEYOND_ASCII = re.compile("[^\x00-\x7f]+")


def encode(value: object) -> bytes:
    """Encode a value (structs, dicts, lists, scalars; msgspec.Raw without line breaks) for the JSON wire.

    The text is ASCII only, holds no `'`, and no comma followed by spaces and a closing bracket inside a string: one
    client splits UTF-8 between chunks, another rewrites the other two before it parses (manager API, section 1).
    NaN is written null; a lone surrogate in a string raises UnicodeEncodeError.
    """
    return wire_safe(_encode(value))


def wire_safe(text: bytes) -> bytes:
    """Rewrite compact JSON in UTF-8 to the form `encode` promises; the value it stands for stays the same."""
    if _APOSTROPHE in text:  # neither rewriting can meet a backslash before its character: JSON has no such escape
        text = text.replace(b"'", b"\\u0027")
    text = _COMMA_TRAP.sub(_comma_escaped, text)
    if text.isascii():
        return text
    return _BEYOND_ASCII.sub(_escaped, text.decode()).encode("ascii")


def reply(ext: bytes | None, status: int, data: bytes) -> bytes:
    """Return one reply line around prepared data, `{"extID":...,"status":200,"data":...}`; both parts from `encode`.

    Without extID (None) the reply has none. There is never a key `event`: clients would take it for a push.
    """
    if status == _OK:
        if ext is None:
            return b"".join((_REPLY_DATA_ALONE, data, REPLY_END))
        return b"".join((REPLY_EXT, ext, REPLY_DATA, data, REPLY_END))
    return b'%b"status":%d,"data":%b}\r\n' % (_opening(ext), status, data)


def error_reply(
    ext: bytes | None, status: int, error: str, message: str, data: Mapping[str, object] | None = None
) -> bytes:
    """Return one error line, `{"extID":...,"status":404,"error":"RET_NOT_FOUND","message":"...","data":{...}}`."""
    parts = (_opening(ext), status, encode(error), encode(message), encode(data or {}))
    return b'%b"status":%d,"error":%b,"message":%b,"data":%b}\r\n' % parts


def push(event: str, kind: int, data: object) -> bytes:
    """Return one push line, `{"event":"kyc:event","type":n,"data":{...}}`; prepared data may come as msgspec.Raw.

    Raises ValueError for the name `error`, which clients take for a fault of the connection.
    """
    if event == "error":
        raise ValueError("an event is never named error")
    return message({"event": event, "type": kind, "data": data})


def message(value: object) -> bytes:
    """Return any value, a notice for one, as one line."""
    return encode(value) + LINE_END


def _opening(ext: bytes | None) -> bytes:
    return b"{" if ext is None else b'{"extID":%b,' % ext


def _comma_escaped(trap: re.Match[bytes]) -> bytes:
    # a function, since a template costs its lookup even where nothing is found
    return b"\\u002c" + trap[1]


def _escaped(run: re.Match[str]) -> str:
    # UTF-16 units are what JSON escapes spell; beyond the basic plane they are the two halves of a pair
    return "\\u" + run[0].encode("utf-16-be").hex("|", 2).replace("|", "\\u")
