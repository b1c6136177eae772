"""The fields of requests and replies as plain facts: type, default, bounds, meaning."""

from enum import Enum
from typing import Any

from msgspec import NODEFAULT, UNSET, Struct, inspect

from kycmanager.commands.model import END, ID_MAX
from kycmanager.contract.glossary import meaning
from kycmanager.domain.json_text import json_text

_SIMPLE: dict[type[inspect.Type], str] = {
    inspect.IntType: "int",
    inspect.StrType: "str",
    inspect.BoolType: "bool",
    inspect.FloatType: "float",
    inspect.NoneType: "None",
    inspect.AnyType: "Any",
}


class Field(Struct, frozen=True):
    """One field. `default` is UNSET when leaving the field out means something no value says."""

    name: str
    type: inspect.Type
    required: bool
    default: Any
    doc: str


def fields_of(struct: type[Struct]) -> tuple[Field, ...]:
    """Return the fields of a struct, the required ones first."""
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)
    found = [
        Field(each.encode_name, each.type, each.required, _default(each), meaning(struct, each.name))
        for each in info.fields
    ]
    return tuple(sorted(found, key=lambda field: not field.required))


def _default(field: inspect.Field) -> Any:
    if field.default is not NODEFAULT:
        return field.default
    return UNSET if field.default_factory is NODEFAULT else field.default_factory()


def type_text(kind: inspect.Type) -> str:
    """Return the type as Python spells it, without its bounds; structs and enumerations by their names."""
    match kind:
        case inspect.EnumType(cls=cls) | inspect.StructType(cls=cls):
            return cls.__name__
        case inspect.ListType(item_type=item):
            return f"list[{type_text(item)}]"
        case inspect.DictType(key_type=key, value_type=value):
            return f"dict[{type_text(key)}, {type_text(value)}]"
        case inspect.LiteralType(values=values):
            return f"Literal[{', '.join(json_text(value) for value in values)}]"
        case inspect.UnionType(types=types):
            return _union(types)
    return _SIMPLE[type(kind)]


def _union(types: tuple[inspect.Type, ...]) -> str:
    texts = any(isinstance(each, inspect.StrType) for each in types)
    # a literal text beside any text only widens a pattern: it is a text all the same
    kept = [each for each in types if not (texts and isinstance(each, inspect.LiteralType))]
    return " | ".join(type_text(each) for each in kept)


def classes_in(kind: inspect.Type) -> list[type[Struct | Enum]]:
    """Return the structs and enumerations a type names, outermost first, without looking inside structs."""
    match kind:
        case inspect.EnumType(cls=cls) | inspect.StructType(cls=cls):
            return [cls]
        case inspect.ListType(item_type=item):
            return classes_in(item)
        case inspect.DictType(value_type=value):
            return classes_in(value)
        case inspect.UnionType(types=types):
            return [cls for each in types for cls in classes_in(each)]
    return []


def reachable(structs: list[type[Struct]]) -> list[type[Struct | Enum]]:
    """Return every struct and enumeration the fields of these lead to, without themselves, sorted by name."""
    seen: dict[type[Struct | Enum], None] = {}
    waiting: list[type[Struct | Enum]] = list(structs)
    while waiting:
        current = waiting.pop()
        if issubclass(current, Enum):
            continue
        for cls in (cls for field in fields_of(current) for cls in classes_in(field.type)):
            if cls not in seen:
                seen[cls] = None
                waiting.append(cls)
    return sorted(seen, key=lambda cls: cls.__name__)


def bounds_text(kind: inspect.Type) -> str:
    """Return what limits a value, as a reader says it; empty when nothing does."""
    text = ""
    match kind:
        case inspect.IntType(ge=low, le=high):
            text = _range(low, high)
        case inspect.StrType(min_length=low, max_length=high, pattern=pattern):
            text = _form(pattern) if pattern else _suffixed(_range(low, high), " characters")
        case inspect.ListType(item_type=item, min_length=low, max_length=high):
            text = _joined(_suffixed(_range(low, high), " items"), _suffixed(bounds_text(item), " each"))
        case inspect.EnumType(cls=cls):
            text = ", ".join(f"{member.value} {member.name.lower()}" for member in cls)
        case inspect.UnionType(types=types):
            text = _joined(*(bounds_text(each) for each in types))
        case inspect.LiteralType(values=("",)):
            text = "or empty"
    return text


def _form(pattern: str) -> str:
    return "form `" + pattern.replace(END, "$") + "`"


def _number(value: int) -> str:
    return {ID_MAX: "2^53-1", 2**31 - 1: "2^31-1", -(2**31): "-2^31"}.get(value, str(value))


def _range(low: int | None, high: int | None) -> str:
    if high is None:
        return "" if low is None else f"at least {_number(low)}"
    return f"at most {_number(high)}" if low is None else f"{_number(low)}..{_number(high)}"


def _suffixed(text: str, suffix: str) -> str:
    return text and text + suffix


def _joined(*texts: str) -> str:
    return ", ".join(text for text in texts if text)
