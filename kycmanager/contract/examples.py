"""Example values of requests and replies, made from their types."""

from typing import Any

import msgspec
from msgspec import UNSET, Struct, ValidationError, inspect

from kycmanager.contract.fields import Field, fields_of
from kycmanager.contract.glossary import entry_of

_BY_TYPE: dict[type[inspect.Type], Any] = {
    inspect.IntType: 1,
    inspect.StrType: "text",
    inspect.BoolType: True,
    inspect.FloatType: 1.5,
    inspect.DictType: {},
}


def request_example(struct: type[Struct]) -> dict[str, Any]:
    """Return data for a request: what is required, and the first of what may be given besides."""
    fields = fields_of(struct)
    optional = [field for field in fields if not field.required and field.name != "version"]
    shown = [*(field for field in fields if field.required), *optional[:1]]
    return {field.name: _value(struct, field) for field in shown}


def full_example(struct: type[Struct]) -> dict[str, Any]:
    """Return a value for every field that is always there."""
    shown = (field for field in fields_of(struct) if field.required or field.default is not UNSET)
    return {field.name: _value(struct, field) for field in shown}


def field_example(struct: type[Struct], name: str) -> Any:
    """Return a value for one field of a struct."""
    return next(_value(struct, field) for field in fields_of(struct) if field.name == name)


def _value(struct: type[Struct], field: Field) -> Any:
    entry = entry_of(struct, field.name)
    if entry is not None and entry.example is not UNSET and _fits(struct, field.name, entry.example):
        return entry.example
    return by_type(field.type)


def _fits(struct: type[Struct], name: str, example: Any) -> bool:
    """Tell whether the struct takes this value; only the complaint about this very field counts."""
    try:
        msgspec.convert({name: example}, struct)
    except ValidationError as error:
        return f"`$.{name}" not in str(error)
    return True


def by_type(kind: inspect.Type) -> Any:
    """Return a value that any field of this type could have."""
    match kind:
        case inspect.StructType(cls=cls):
            return full_example(cls)
        case inspect.EnumType(cls=cls):
            return next(iter(cls)).value
        case inspect.ListType(item_type=item):
            return [by_type(item)]
        case inspect.LiteralType(values=values):
            return values[0]
        case inspect.UnionType(types=types):
            return by_type(types[0])
    return _BY_TYPE.get(type(kind))
