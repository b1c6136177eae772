"""What a step asks: the rules of a form_schema, and its fields in one flat tuple."""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from kycmanager.domain.errors import Code, KycError

FIELD_TYPES = (
    "text",
    "textarea",
    "date",
    "country",
    "file_reference",
    "number",
    "boolean",
    "select",
    "multi_select",
)
CHOICE_TYPES = ("select", "multi_select")
"""The types whose `options` count; on other types the key is not looked at."""

SECTIONS_MAX = 100
FIELDS_MAX = 1_000
"""Fields of one schema, over all its sections."""
OPTIONS_MAX = 1_000
NAME_CHARS_MAX = 128
OPTION_CHARS_MAX = 1_000
TEXT_BYTES_MAX = 256 * 1024
"""Bytes as JSON of a form_schema and its requirements together: every step and list shows them."""
FAULTS_MAX = 1_000
"""Faults told of one value: a hostile one must not grow into an answer many times its size."""
INTEGER_MIN = -(2**63)
INTEGER_MAX = 2**63 - 1
"""Whole numbers beyond 64 bits have no place in a msgpack reply or a database column."""

_FIELD_TYPE_SET = frozenset(FIELD_TYPES)

Scalar = str | int | float | bool
"""What an option may be worth."""


class Fault(Struct, frozen=True):
    """One thing wrong: the field (or the path in a schema), a stable code for machines, a reason for people."""

    field: str
    code: str
    message: str


class Field(Struct, frozen=True):
    """One field of a checked schema; `options` is the array as written, None when there is none."""

    name: str
    type: str
    required: bool
    options: list[Any] | None


def refusal(faults: list[Fault]) -> KycError:
    """Build INVALID_DATA from one fault or more: all of them in `data.errors`, the first one in the message."""
    first = faults[0]
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    errors = [{"field": fault.field, "code": fault.code, "message": fault.message} for fault in faults]
    return KycError(Code.INVALID_DATA, f"{first.field}: {first.message}{more}", {"errors": errors})


def ensure(form_schema: object) -> None:
    """Raise INVALID_DATA unless this is a form_schema (manager API, section 3); data.errors has every fault."""
    faults = check(form_schema)
    if faults:
        raise refusal(faults)


def ensure_requirements(requirements: object) -> None:
    """Raise INVALID_DATA unless `requirements` is a JSON object; its content is shown, not enforced."""
    if not isinstance(requirements, dict):
        raise refusal([Fault("requirements", "type", "must be a JSON object")])


def ensure_size(given: dict[str, Any], *, form_schema: dict[str, Any], requirements: dict[str, Any]) -> None:
    """Raise INVALID_DATA when both together are longer than TEXT_BYTES_MAX; it names the longer one of those given."""
    texts = {"form_schema": form_schema, "requirements": requirements}
    lengths = {name: len(msgspec.json.encode(text)) for name, text in texts.items()}
    if sum(lengths.values()) > TEXT_BYTES_MAX:
        field = max(lengths.keys() & given.keys(), key=lambda name: lengths[name])
        message = f"form_schema and requirements together have at most {TEXT_BYTES_MAX // 1024} KiB as JSON"
        raise refusal([Fault(field, "too_long", message)])


def check(form_schema: object) -> list[Fault]:
    """List what is wrong with a form_schema (manager API, section 3), in document order; an empty list is good.

    `field` of a fault is the path, such as `sections[0].fields[2].name`. Codes: type, required, option, repeated,
    too_long, range, too_many. Keys the rules do not name (titles, hints) may hold anything. At most FAULTS_MAX.
    """
    if not isinstance(form_schema, dict):
        return [Fault("form_schema", "type", "must be a JSON object")]
    faults: list[Fault] = []
    for fault in _faults(form_schema):
        faults.append(fault)
        if len(faults) == FAULTS_MAX:
            break
    return faults


def fields(form_schema: dict[str, Any]) -> tuple[Field, ...]:
    """Flatten the fields of a schema that passed `check`, in document order."""
    return tuple(
        [
            Field(field["name"], field["type"], field.get("required", False), field.get("options"))
            for section in form_schema.get("sections", ())
            for field in section.get("fields", ())
        ],
    )


def option_value(option: Any) -> Scalar:
    """Give the value of an option, which is `{value, label}` or the plain value itself."""
    value: Scalar = option["value"] if type(option) is dict else option
    return value


def is_scalar(value: object) -> bool:
    """Tell whether a value is text, a number or a boolean: what options and their answers may be."""
    return isinstance(value, str | int | float)


def _faults(form_schema: dict[str, Any]) -> Iterator[Fault]:
    if "sections" not in form_schema:
        return
    sections = form_schema["sections"]
    fault = _array_fault("sections", sections, SECTIONS_MAX)
    if fault:
        yield fault
        return
    names: set[str] = set()
    room = FIELDS_MAX
    for number, section in enumerate(sections):
        path = f"sections[{number}]"
        if not isinstance(section, dict):
            yield Fault(path, "type", "must be a JSON object")
        elif "fields" in section:
            given = section["fields"]
            yield from _fields_faults(f"{path}.fields", given, names, room)
            room -= len(given) if isinstance(given, list) else 0
            if room < 0:
                return


def _fields_faults(path: str, given: object, names: set[str], room: int) -> Iterator[Fault]:
    if not isinstance(given, list):
        yield Fault(path, "type", "must be an array")
        return
    if len(given) > room:
        yield Fault(path, "too_many", f"a schema has at most {FIELDS_MAX} fields")
        return
    for number, field in enumerate(given):
        field_path = f"{path}[{number}]"
        if not isinstance(field, dict):
            yield Fault(field_path, "type", "must be a JSON object")
            continue
        yield from _name_faults(f"{field_path}.name", field.get("name"), names)
        yield from _type_faults(f"{field_path}.type", field.get("type"))
        if not isinstance(field.get("required", False), bool):
            yield Fault(f"{field_path}.required", "type", "must be true or false")
        if "options" in field and field.get("type") in CHOICE_TYPES:
            yield from _options_faults(f"{field_path}.options", field["options"])


def _name_faults(path: str, name: object, names: set[str]) -> Iterator[Fault]:
    if name is None:
        yield Fault(path, "required", "is missing")
    elif not isinstance(name, str):
        yield Fault(path, "type", "must be text")
    elif not name.strip():
        yield Fault(path, "required", "must not be empty")
    elif len(name) > NAME_CHARS_MAX:
        yield Fault(path, "too_long", f"has at most {NAME_CHARS_MAX} characters")
    elif name in names:
        yield Fault(path, "repeated", "is the name of an earlier field")
    else:
        names.add(name)


def _type_faults(path: str, kind: object) -> Iterator[Fault]:
    if kind is None:
        yield Fault(path, "required", "is missing")
    elif not isinstance(kind, str):
        yield Fault(path, "type", "must be text")
    elif kind not in _FIELD_TYPE_SET:
        yield Fault(path, "option", f"must be one of {', '.join(FIELD_TYPES)}")


def _options_faults(path: str, options: object) -> Iterator[Fault]:
    fault = _array_fault(path, options, OPTIONS_MAX)
    if fault:
        yield fault
        return
    assert isinstance(options, list)
    for number, option in enumerate(options):
        option_path = f"{path}[{number}]"
        if not isinstance(option, dict):
            yield from _option_value_faults(option_path, option)
            continue
        yield from _option_value_faults(f"{option_path}.value", option.get("value"))
        if not isinstance(option.get("label", ""), str):
            yield Fault(f"{option_path}.label", "type", "must be text")


def _option_value_faults(path: str, value: object) -> Iterator[Fault]:
    if value is None:
        yield Fault(path, "required", "is missing")
    elif not is_scalar(value):
        yield Fault(path, "type", "must be text, a number, a boolean or {value, label}")
    elif isinstance(value, str) and len(value) > OPTION_CHARS_MAX:
        yield Fault(path, "too_long", f"has at most {OPTION_CHARS_MAX} characters")
    elif isinstance(value, int | float) and not is_storable_number(value):
        yield Fault(path, "range", "must be a finite number of at most 64 bits")


def is_storable_number(value: float) -> bool:
    """Tell whether a number survives JSON, msgpack and the base: finite, and of 64 bits when it is whole."""
    if isinstance(value, int):
        return INTEGER_MIN <= value <= INTEGER_MAX
    return value - value == 0  # NaN and the infinities give NaN


def _array_fault(path: str, value: object, items_max: int) -> Fault | None:
    if not isinstance(value, list):
        return Fault(path, "type", "must be an array")
    if len(value) > items_max:
        return Fault(path, "too_many", f"has at most {items_max} items")
    return None
