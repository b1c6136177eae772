"""Request data into typed requests, with errors that name the field and the reason."""

import re
from enum import Enum
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import ValidationError

from kycmanager.commands.model import Command, Request
from kycmanager.domain.errors import Code, KycError, invalid

_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]+)`")
_NOT_ALLOWED = "is not one of the allowed values"
_CHOICES_MAX = 16
"""More values than these are not listed."""

_PLACE = re.compile(r"^(?P<reason>.*) - at `(?:key` in `)?\$(?P<where>[^`]*)`$", re.DOTALL)


def _reason(text: str) -> str:
    if "matching regex" in text:
        return "has a form that is not allowed"
    if text.startswith("Invalid enum value"):
        return _NOT_ALLOWED
    return (text[:1].lower() + text[1:]).replace("`", "").replace(" | ", " or ")


@cache
def _choices(request: type[Request], field: str) -> str:
    """Tell which values a field takes when it takes a few only; "" otherwise."""
    hint = get_type_hints(request).get(field)
    values: list[Any] = []
    for kind in (hint,) if get_origin(hint) is Literal else (hint, *get_args(hint)):
        if get_origin(kind) is Literal:
            values += get_args(kind)
        elif isinstance(kind, type) and issubclass(kind, Enum):
            values += [member.value for member in kind]
    if not 0 < len(values) <= _CHOICES_MAX:
        return ""
    if values == list(range(len(values))):
        return f"expected 0 to {values[-1]}"
    return f"expected one of {', '.join(map(str, values))}"


def explain(error: ValidationError) -> tuple[str, str]:
    """Return (field, reason) of a validation error; the field is a path like `answers.name` or `steps[0]`."""
    text = str(error)
    placed = _PLACE.match(text)
    where = placed["where"].lstrip(".").replace("[...]", "[]") if placed else ""
    reason = placed["reason"] if placed else text
    missing = _MISSING.search(reason)
    if missing:
        return (f"{where}.{missing['name']}" if where else missing["name"]), "is required"
    return where or "data", _reason(reason)


def decode(command: Command, data: dict[str, Any], *, texts: bool) -> Request:
    """Return the typed request; `texts` says that values came as text (a query string) and may be converted.

    Raises KycError INVALID_DATA. A bad `id` is "Invalid step id" and the like, as the first clients expect.
    """
    try:
        return msgspec.convert(data, command.request, strict=not texts)
    except ValidationError as error:
        field, reason = explain(error)
    if reason == _NOT_ALLOWED:
        reason = _choices(command.request, field) or reason
    if field == "id" and command.noun:
        raise KycError(
            Code.INVALID_DATA,
            f"Invalid {command.noun} id",
            {"errors": [{"field": "id", "code": "invalid", "message": reason}]},
        )
    raise invalid(field, reason)
