"""What can be sent: values the daemon would refuse, or that would arrive as another value, are refused here."""

from math import isfinite
from typing import Any

import msgspec

from kycmanager.client.errors import BadRequest

REQUEST_BYTES_MAX = 1 << 20
"""What the daemon takes unless it is configured otherwise."""

DEPTH_MAX = 31
"""Containers inside one another; the request around them is the daemon's 32nd."""

INT_MIN, INT_MAX = -(1 << 63), (1 << 63) - 1


def check_data(data: dict[str, Any]) -> None:
    """Raise BadRequest for the first value inside that cannot be sent; it names the place as in `answers.scores[2]`.

    Refused: NaN and Infinity, integers outside 64 bit, NUL and lone surrogates in strings and keys, deep nesting, and
    objects that are no JSON.
    """
    _check(data, "", DEPTH_MAX)


def check_text(text: str, place: str) -> None:
    """Raise BadRequest for a text that holds NUL or a lone surrogate."""
    if "\0" in text:
        raise _refusal(place, "NUL is not accepted in a string")
    check_surrogates(text, place)


def check_surrogates(text: str, place: str) -> None:
    """Raise BadRequest for a text that holds a lone surrogate."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise _refusal(place, "a surrogate without its pair is not accepted") from None


def check_header(value: str, place: str) -> None:
    """Raise BadRequest for a text that cannot stand in a header."""
    check_text(value, place)
    if "\r" in value or "\n" in value:
        raise _refusal(place, "a line break is not accepted")


def check_size(size: int, size_max: int) -> None:
    """Raise BadRequest for a request that is too long."""
    if size > size_max:
        raise BadRequest(f"a request of {size} bytes is longer than {size_max} bytes")


def _check(value: object, place: str, depth: int) -> None:
    if isinstance(value, str):
        check_text(value, place)
    elif isinstance(value, float):
        if not isfinite(value):
            raise _refusal(place, "NaN and Infinity are not accepted")
    elif isinstance(value, int):
        if not INT_MIN <= value <= INT_MAX:
            raise _refusal(place, "an integer is outside 64 bit")
    elif isinstance(value, dict | list | tuple):
        if not depth:
            raise _refusal(place, "nested too deeply")
        _check_members(value, place, depth - 1)
    elif value is not None:
        _check(_plain(value, place), place, depth)


def _check_members(value: dict[Any, Any] | list[Any] | tuple[Any, ...], place: str, depth: int) -> None:
    if not isinstance(value, dict):
        for index, inner in enumerate(value):
            _check(inner, f"{place}[{index}]", depth)
        return
    for key, inner in value.items():
        inside = f"{place}.{key}" if place else f"{key}"
        if isinstance(key, str):
            check_text(key, inside)
        _check(inner, inside, depth)


def _plain(value: object, place: str) -> Any:
    """Return a struct, a date, or whatever else msgspec can write, as it is written."""
    try:
        return msgspec.to_builtins(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise _refusal(place, str(error)) from None


def _refusal(place: str, reason: str) -> BadRequest:
    # whoever prints the message may not be able to print the place
    return BadRequest(f"{place.encode('ascii', 'backslashreplace').decode()}: {reason}")
