"""Finds the extID of a request that is refused, so that its client need not wait for an answer it cannot match."""

import json
from math import isfinite
from typing import Any

import msgpack  # type: ignore[import-untyped]  # the package carries no types

from kycmanager.transports.json_strict import INT_MAX, INT_MIN, DecodeError, refuse_unsafe_text

_NAME = b"extID"
_INT_CHARS_MAX = 20


def from_line(line: bytes) -> str | float | None:
    """Return the clean extID of a refused JSON line; None where there is none to be sure of.

    Clean is one string or number that would have been taken on its own. Never raises; costs about as much as the
    strict decoding that came before.
    """
    if _NAME not in line:
        return None
    try:
        return _clean(_LAX.decode(line.decode(errors="surrogateescape").removeprefix("\ufeff")))
    except (ValueError, RecursionError):
        return None


def from_frame(frame: bytes, items_max: int) -> str | float | None:
    """Return the clean extID of a refused msgpack frame, within the same bounds as the strict decoding; see above."""
    if _NAME not in frame:
        return None
    try:
        value = msgpack.unpackb(
            frame,
            raw=False,
            unicode_errors="surrogateescape",
            strict_map_key=False,
            object_pairs_hook=_ext_ids,
            ext_hook=_no_extension,
            max_str_len=len(frame),
            max_bin_len=len(frame),
            max_ext_len=len(frame),
            max_array_len=items_max,
            max_map_len=items_max,
        )
        return _clean(value)
    except (ValueError, RecursionError):
        return None


def _clean(found: object) -> str | float | None:
    """Return the one extID that the outermost object held, if it may be echoed."""
    if not isinstance(found, tuple) or len(found) != 1:
        return None
    (ext,) = found
    if isinstance(ext, str):
        try:
            refuse_unsafe_text(ext)
        except DecodeError:
            return None
        return ext
    if isinstance(ext, bool) or not isinstance(ext, int | float):
        return None
    return ext if (INT_MIN <= ext <= INT_MAX if isinstance(ext, int) else isfinite(ext)) else None


def _ext_ids(pairs: list[tuple[Any, Any]]) -> tuple[Any, ...]:
    """Stand for an object: a tuple, which no list becomes, of what its members named extID are."""
    return tuple(value for key, value in pairs if key == "extID")


def _integer(text: str) -> int | None:
    # int() itself is slow for many digits
    return int(text) if len(text) <= _INT_CHARS_MAX else None


def _no_constant(_name: str) -> None: ...


def _no_extension(_code: int, _data: bytes) -> None: ...


_LAX = json.JSONDecoder(object_pairs_hook=_ext_ids, parse_int=_integer, parse_constant=_no_constant, strict=False)
