"""What a customer answers: every rule of a step's answers against its form_schema."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from msgspec import Struct

from kycmanager.domain.countries import COUNTRIES
from kycmanager.domain.files import is_file_id, is_of_customer
from kycmanager.domain.form_schema import (
    FIELDS_MAX,
    NAME_CHARS_MAX,
    OPTION_CHARS_MAX,
    OPTIONS_MAX,
    Fault,
    Field,
    Scalar,
    fields,
    is_scalar,
    is_storable_number,
    option_value,
    refusal,
)
from kycmanager.domain.records import FileFacts

TEXT_CHARS_MAX = 10_000
"""Characters of one text or textarea."""

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

Reason = tuple[str, str]
"""The code and the message of a fault, before its field is known."""

_REQUIRED: Reason = ("required", "is required")
_TEXT: Reason = ("type", "must be text")
_TOO_LONG: Reason = ("too_long", f"has at most {TEXT_CHARS_MAX} characters")
_CHARACTERS: Reason = ("format", "must not contain NUL characters")
_NUMBER: Reason = ("type", "must be a number")
_RANGE: Reason = ("range", "must be a finite number of at most 64 bits")
_BOOLEAN: Reason = ("type", "must be true or false")
_BAD_DATE: Reason = ("format", "must be a date such as 2000-12-31")
_COUNTRY: Reason = ("format", "must be a country code of two capital letters (ISO 3166-1 alpha-2)")
_SCALAR: Reason = ("type", "must be text, a number or a boolean")
_OPTION_TOO_LONG: Reason = ("too_long", f"has at most {OPTION_CHARS_MAX} characters")
_OPTION: Reason = ("option", "must be one of the options")
_LIST: Reason = ("type", "must be a list")
_TOO_MANY: Reason = ("too_long", f"has at most {OPTIONS_MAX} items")
_REPEATED: Reason = ("repeated", "must not name an option twice")
_FILE_ID: Reason = ("format", "must be the uuid of an uploaded file")
_FILE: Reason = ("file", "is no stored file of this customer")


class Owner(Struct, frozen=True):
    """Whose files may be referred to, and what is known of those the answers name."""

    customer_id: int
    brand: str
    files: Mapping[str, FileFacts]


def ensure(
    form_schema: dict[str, Any],
    answers: object,
    *,
    partial: bool,
    files: Mapping[str, FileFacts],
    customer_id: int,
    brand: str,
) -> None:
    """Raise INVALID_DATA with every fault in data.errors as {field, code, message} unless the answers are right."""
    faults = check(form_schema, answers, partial=partial, files=files, customer_id=customer_id, brand=brand)
    if faults:
        raise refusal(faults)


def check(
    form_schema: dict[str, Any],
    answers: object,
    *,
    partial: bool,
    files: Mapping[str, FileFacts],
    customer_id: int,
    brand: str,
) -> list[Fault]:
    """List what is wrong with the answers (manager API, section 3), one fault a field; an empty list is good.

    `partial` checks the given fields only and lets every one be cleared. `files` knows those of `file_references`
    that are stored, by uuid. A choice without `options` takes any text, number or boolean. Codes: required, type,
    option, format, unknown, repeated, file, too_long, too_many, range. No message repeats an answer: it is personal.
    """
    if not isinstance(answers, dict):
        return [Fault("answers", "type", "must be a JSON object")]
    if len(answers) > FIELDS_MAX:
        return [Fault("answers", "too_many", f"has at most {FIELDS_MAX} fields")]
    owner = Owner(customer_id, brand, files)
    asked = fields(form_schema)
    faults: list[Fault] = []
    for field in asked:
        reason = _reason(field, answers.get(field.name), owner, partial=partial)
        if reason:
            faults.append(Fault(field.name, *reason))
    names = {field.name for field in asked}
    unknown = [str(name) for name in answers if name not in names]
    faults.extend([Fault(name[:NAME_CHARS_MAX], "unknown", "is no field of this step") for name in unknown])
    return faults


def merge(saved: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Build the answers after a save: what is given replaces what was saved, null removes it."""
    return {name: value for name, value in {**saved, **given}.items() if value is not None}


def file_references(form_schema: dict[str, Any], answers: object) -> tuple[str, ...]:
    """Name the uuids among the answers of file_reference fields: what to look up before `check`, each once."""
    if not isinstance(answers, dict):
        return ()
    given = [answers.get(field.name) for field in fields(form_schema) if field.type == "file_reference"]
    return tuple(dict.fromkeys([value for value in given if is_file_id(value)]))


def _reason(field: Field, value: Any, owner: Owner, *, partial: bool) -> Reason | None:
    if field.required and not partial and is_empty(value):
        return _REQUIRED
    if value is None:
        return None
    return _REASONS[field.type](value, field, owner)


def is_empty(value: object) -> bool:
    """Tell whether a value answers nothing: null, text without a visible character, an empty list."""
    if isinstance(value, str):
        return not value or value.isspace()
    return value is None or value == []


def _text(value: Any, _field: Field, _owner: Owner) -> Reason | None:
    if not isinstance(value, str):
        return _TEXT
    if len(value) > TEXT_CHARS_MAX:
        return _TOO_LONG
    return _CHARACTERS if "\x00" in value else None


def _number(value: Any, _field: Field, _owner: Owner) -> Reason | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _NUMBER
    return None if is_storable_number(value) else _RANGE


def _boolean(value: Any, _field: Field, _owner: Owner) -> Reason | None:
    return None if isinstance(value, bool) else _BOOLEAN


def _date(value: Any, _field: Field, _owner: Owner) -> Reason | None:
    if not isinstance(value, str):
        return _TEXT
    if not _DATE.fullmatch(value):  # fromisoformat alone takes 20001231 and 2000-W52-7 too
        return _BAD_DATE
    try:
        date.fromisoformat(value)
    except ValueError:
        return _BAD_DATE
    return None


def _country(value: Any, _field: Field, _owner: Owner) -> Reason | None:
    if not isinstance(value, str):
        return _TEXT
    return None if value in COUNTRIES else _COUNTRY


def _select(value: Any, field: Field, _owner: Owner) -> Reason | None:
    fault = _scalar(value)
    if fault or field.options is None:
        return fault
    key = option_key(value)
    return None if any(option_key(option_value(option)) == key for option in field.options) else _OPTION


def _multi_select(value: Any, field: Field, _owner: Owner) -> Reason | None:
    if not isinstance(value, list):
        return _LIST
    if len(value) > OPTIONS_MAX:
        return _TOO_MANY
    for item in value:
        fault = _scalar(item)
        if fault:
            return fault
    keys = {option_key(item) for item in value}
    if len(keys) < len(value):
        return _REPEATED
    if field.options is None:
        return None
    return None if keys <= {option_key(option_value(option)) for option in field.options} else _OPTION


def _file_reference(value: Any, _field: Field, owner: Owner) -> Reason | None:
    if not isinstance(value, str):
        return _TEXT
    if not is_file_id(value):
        return _FILE_ID
    facts = owner.files.get(value)
    # One answer for a file that does not exist and for another's: nobody learns which uuids are stored.
    return None if facts and is_of_customer(facts, owner.customer_id, owner.brand) else _FILE


def _scalar(value: Any) -> Reason | None:
    if not is_scalar(value):
        return _SCALAR
    if isinstance(value, str):
        if len(value) > OPTION_CHARS_MAX:
            return _OPTION_TOO_LONG
        return _CHARACTERS if "\x00" in value else None
    return None if is_storable_number(value) else _RANGE


def option_key(value: Scalar) -> Scalar | tuple[bool]:
    """Give what two equal options share: 1 and 1.0 are one number in JSON, but 1 is not true."""
    return (value,) if isinstance(value, bool) else value


_REASONS: dict[str, Callable[[Any, Field, Owner], Reason | None]] = {
    "text": _text,
    "textarea": _text,
    "date": _date,
    "country": _country,
    "file_reference": _file_reference,
    "number": _number,
    "boolean": _boolean,
    "select": _select,
    "multi_select": _multi_select,
}
"""One rule a field type."""
