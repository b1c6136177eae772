"""The fields of a form_schema as inputs of the editor: each input is called by its path, as faults call it."""

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

import msgspec

from kycmanager.domain.form_schema import CHOICE_TYPES, Fault, option_value
from kycmanager.domain.json_text import json_text

TEXTS_OF_SECTION = ("title", "hint")
TEXTS_OF_FIELD = ("label", "hint")
PLAIN = {
    "text": ("pattern", "autocomplete"),
    "textarea": ("autocomplete",),
    "date": ("min", "max", "autocomplete"),
    "number": ("autocomplete",),
    "country": ("autocomplete",),
}
"""The texts a field of a type may have besides: who draws the form looks at them, nothing is enforced by them."""

LIMITS = {"text": ("min_length", "max_length"), "textarea": ("min_length", "max_length")}
"""The same for whole numbers."""

CONTROLS = ("boolean", "country", *CHOICE_TYPES)
"""The types of fields that another field may hang on."""

LIMIT = Fault("", "type", "must be a whole number from 1 on")

_WHOLE = re.compile(r"0*[1-9][0-9]{0,8}")
_TEXT_KEYS = {"titles", "labels", "hints"}


def is_drawable(schema: Any) -> bool:
    """Tell whether the editor can show this as fields; what it cannot show is edited as JSON."""
    return _all_dicts(schema, "sections", _is_section)


def _is_section(section: Any) -> bool:
    return _all_dicts(section, "fields", _is_field)


def _is_field(field: Any) -> bool:
    options = field.get("options")
    is_choice = field.get("type") in CHOICE_TYPES and "options" in field
    return not is_choice or (isinstance(options, list) and all(_is_option(each) for each in options))


def _is_option(option: Any) -> bool:
    return isinstance(option_value(option) if isinstance(option, dict) and "value" in option else option, _PLAIN)


_PLAIN = (str, int, float)


def _all_dicts(thing: Any, key: str, holds: Any) -> bool:
    if not isinstance(thing, dict):
        return False
    listed = thing.get(key, [])
    return isinstance(listed, list) and all(isinstance(each, dict) and holds(each) for each in listed)


def walk(schema: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each field of a schema that can be drawn, with its path, in the order of the document."""
    for number, section in enumerate(schema.get("sections", ())):
        for place, field in enumerate(section.get("fields", ())):
            yield f"sections[{number}].fields[{place}]", field


def languages(schema: Any) -> tuple[str, ...]:
    """Return the languages that any text of a schema has, in the order in which they come."""
    return tuple(dict.fromkeys(_spoken(schema)))


def _spoken(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _spoken(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key in _TEXT_KEYS and isinstance(each, dict):
                yield from [name for name in each if isinstance(name, str)]
            elif key in {"sections", "fields", "options"}:
                yield from _spoken(each)


def option_text(option: Any) -> str:
    """Return the value of an option as it is typed."""
    value = option_value(option) if isinstance(option, dict) and "value" in option else option
    return value if isinstance(value, str) else json_text(value)


def read(
    schema: dict[str, Any], form: Mapping[str, str], spoken: tuple[str, ...]
) -> tuple[dict[str, Any], list[Fault]]:
    """Return a drawable schema with what was typed into its inputs, and the faults of what cannot be read.

    What has no input stays as it is: the editor loses nothing it does not know.
    """
    changed, faults = deepcopy(schema), list[Fault]()
    renamed: dict[str, str] = {}
    _read_texts(changed, "form", form, TEXTS_OF_SECTION, spoken)
    for number, section in enumerate(changed.get("sections", ())):
        _read_texts(section, f"sections[{number}]", form, TEXTS_OF_SECTION, spoken)
    for path, field in walk(changed):
        if f"{path}.name" not in form:
            continue
        old = field.get("name")
        _read_field(field, path, form, spoken, faults)
        if isinstance(old, str):
            renamed.setdefault(old, field["name"])
    controls = {str(field.get("name")): field for _, field in walk(schema)}
    for path, field in walk(changed):
        _read_condition(field, path, form, controls, renamed)
    return changed, faults


def _read_field(
    field: dict[str, Any], path: str, form: Mapping[str, str], spoken: tuple[str, ...], faults: list[Fault]
) -> None:
    kind = field.get("type")
    field["name"] = form[f"{path}.name"].replace("\x00", "").strip()
    field["type"] = form.get(f"{path}.type", kind)
    if f"{path}.required" in form:
        field["required"] = True
    elif "required" in field:
        field["required"] = False
    _read_texts(field, path, form, TEXTS_OF_FIELD, spoken)
    for key in PLAIN.get(str(kind), ()):
        _put(field, key, form.get(f"{path}.{key}"))
    for key in LIMITS.get(str(kind), ()):
        _put(field, key, form.get(f"{path}.{key}"))
        typed = field.get(key)
        if isinstance(typed, str):
            if _WHOLE.fullmatch(typed):
                field[key] = int(typed)
            else:
                faults.append(msgspec.structs.replace(LIMIT, field=f"{path}.{key}"))
    if kind in CHOICE_TYPES and "options" in field:
        options = field["options"]
        field["options"] = [
            _read_option(option, f"{path}.options[{number}]", form, spoken) for number, option in enumerate(options)
        ]


def _read_option(option: Any, path: str, form: Mapping[str, str], spoken: tuple[str, ...]) -> Any:
    typed = form.get(f"{path}.value")
    if typed is None:
        return option
    changed = dict(option) if isinstance(option, dict) else {"value": option}
    if typed.strip() != option_text(option):
        changed["value"] = typed.replace("\x00", "").strip()
    _read_texts(changed, path, form, ("label",), spoken)
    return changed if isinstance(option, dict) or len(changed) > 1 else changed["value"]


def _read_texts(
    thing: dict[str, Any], path: str, form: Mapping[str, str], keys: tuple[str, ...], spoken: tuple[str, ...]
) -> None:
    for key in keys:
        _put(thing, key, form.get(f"{path}.{key}"))
        held = thing.get(f"{key}s", {})
        if not isinstance(held, dict):
            continue
        texts = dict(held)
        for language in spoken:
            _put(texts, language, form.get(f"{path}.{key}s.{language}"))
        if texts:
            thing[f"{key}s"] = texts
        elif held:
            del thing[f"{key}s"]


def _put(thing: dict[str, Any], key: str, typed: str | None) -> None:
    """Put a text where it was typed; an empty one takes the key away, one without an input stays."""
    if typed is None:
        return
    text = typed.replace("\r\n", "\n").replace("\x00", "")
    if text.strip():
        thing[key] = text if text != str(thing.get(key)) else thing[key]
    else:
        thing.pop(key, None)


def _read_condition(
    field: dict[str, Any],
    path: str,
    form: Mapping[str, str],
    controls: Mapping[str, dict[str, Any]],
    renamed: Mapping[str, str],
) -> None:
    held = field.get("shown_if")
    wanted = form.get(f"{path}.shown_if.field")
    if wanted is None:
        if isinstance(held, dict) and isinstance(held.get("field"), str):
            field["shown_if"] = {**held, "field": renamed.get(held["field"], held["field"])}
        return
    if not wanted:
        field.pop("shown_if", None)
        return
    before = held if isinstance(held, dict) else {}
    values: Any = []
    if before.get("field") == wanted:
        values = _conditions(controls.get(wanted, {}), f"{path}.shown_if.is", form)
        if not isinstance(before.get("is"), list) and values == [before.get("is")]:
            values = values[0]
    field["shown_if"] = {**before, "field": renamed.get(wanted, wanted), "is": values}


def _conditions(control: Mapping[str, Any], path: str, form: Mapping[str, str]) -> list[Any]:
    if control.get("type") == "country":
        return form.get(path, "").upper().split()
    return [value for number, (value, _) in enumerate(condition_choices(control)) if f"{path}.{number}" in form]


def condition_choices(control: Mapping[str, Any]) -> list[tuple[Any, str]]:
    """Return the values, with their words, that a field can hang on; none for a country, which is typed."""
    if control.get("type") == "boolean":
        return [(True, "yes"), (False, "no")]
    options = control.get("options") if control.get("type") in CHOICE_TYPES else None
    found = options if isinstance(options, list) else []
    return [(option_value(each), option_text(each)) for each in found if not isinstance(each, dict) or "value" in each]
