"""A draft as the inputs that the editor shows."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from kycmanager.backoffice.templates_draft import Draft
from kycmanager.backoffice.templates_fields import (
    CONTROLS,
    LIMITS,
    PLAIN,
    condition_choices,
    is_drawable,
    option_text,
    walk,
)
from kycmanager.domain.form_schema import CHOICE_TYPES, FIELD_TYPES

TYPES = {
    "text": "one line of text",
    "textarea": "several lines of text",
    "date": "a date",
    "country": "a country",
    "file_reference": "a file",
    "number": "a number",
    "boolean": "yes or no",
    "select": "one choice of a list",
    "multi_select": "several choices of a list",
}
"""What the types of fields ask for, in words."""

_TITLES = {
    "min_length": "At least characters",
    "max_length": "At most characters",
    "pattern": "Pattern",
    "autocomplete": "Filled in by the browser as",
    "min": "Not before",
    "max": "Not after",
}
_HINTS = {
    "pattern": "a regular expression; browsers look at it",
    "autocomplete": "such as given-name, family-name, bday",
    "min": "such as 1900-01-01",
    "max": "such as 2030-12-31",
}


class Input(Struct, frozen=True, kw_only=True):
    """One input: `fixed` says that its value is of a kind that only the JSON view can change."""

    path: str
    title: str
    value: str = ""
    hint: str = ""
    area: bool = False
    number: bool = False
    fixed: bool = False


class Condition(Struct, frozen=True, kw_only=True):
    """On what a field hangs: `controls` are the names to choose from, `choices` are (path, word, on)."""

    path: str
    field: str
    controls: tuple[str, ...]
    choices: tuple[tuple[str, str, bool], ...]
    countries: Input | None


class OptionRow(Struct, frozen=True, kw_only=True):
    """A choice of a field."""

    path: str
    value: Input
    labels: tuple[Input, ...]


class FieldCard(Struct, frozen=True, kw_only=True):
    """A field of the form; `options` is None where it has no list of choices, `choice` says that it may have one."""

    path: str
    name: Input
    kind: str
    kinds: tuple[tuple[str, str], ...]
    required: bool
    labels: tuple[Input, ...]
    hints: tuple[Input, ...]
    more: tuple[Input, ...]
    choice: bool
    options: tuple[OptionRow, ...] | None
    condition: Condition


class SectionCard(Struct, frozen=True, kw_only=True):
    """A section of the form; each of its texts stands there once for every language."""

    path: str
    texts: tuple[tuple[Input, ...], ...]
    fields: tuple[FieldCard, ...]


class FormCards(Struct, frozen=True, kw_only=True):
    """The whole form; each of its texts stands there once for every language."""

    texts: tuple[tuple[Input, ...], ...]
    sections: tuple[SectionCard, ...]


def cards(draft: Draft) -> FormCards | None:
    """Return the form as inputs, None where only the JSON view can show it."""
    schema = draft.schema
    if not is_drawable(schema):
        return None
    spoken = draft.languages
    controls = {
        field["name"]: field
        for _, field in walk(schema)
        if isinstance(field.get("name"), str) and field.get("type") in CONTROLS
    }
    sections = []
    for number, section in enumerate(schema.get("sections", ())):
        path = f"sections[{number}]"
        fields = [
            _field(field, f"{path}.fields[{place}]", spoken, controls)
            for place, field in enumerate(section.get("fields", ()))
        ]
        sections.append(SectionCard(path=path, texts=_section_texts(section, path, spoken), fields=tuple(fields)))
    return FormCards(texts=_section_texts(schema, "form", spoken), sections=tuple(sections))


def _section_texts(thing: Mapping[str, Any], path: str, spoken: tuple[str, ...]) -> tuple[tuple[Input, ...], ...]:
    return _texts(thing, path, "title", "Title", spoken), _texts(thing, path, "hint", "Explanation", spoken)


def _texts(
    thing: Mapping[str, Any], path: str, key: str, title: str, spoken: tuple[str, ...], *, area: bool = False
) -> tuple[Input, ...]:
    found = [_input(thing, key, f"{path}.{key}", title, area=area)]
    held = thing.get(f"{key}s", {})
    if isinstance(held, dict):
        found += [_input(held, each, f"{path}.{key}s.{each}", f"{title} in {each}", area=area) for each in spoken]
    return tuple(found)


def _input(
    thing: Mapping[str, Any], key: str, path: str, title: str, *, area: bool = False, number: bool = False
) -> Input:
    value = thing.get(key, "")
    is_count = number and isinstance(value, int) and not isinstance(value, bool)
    return Input(
        path=path,
        title=title,
        value=str(value),
        hint=_HINTS.get(key, ""),
        area=area,
        number=number,
        fixed=not (isinstance(value, str) or is_count),
    )


def _field(
    field: Mapping[str, Any], path: str, spoken: tuple[str, ...], controls: Mapping[str, Mapping[str, Any]]
) -> FieldCard:
    kind = str(field.get("type", ""))
    kinds = [(each, TYPES[each]) for each in FIELD_TYPES]
    if kind not in TYPES:
        kinds.append((kind, kind or "nothing yet"))
    limits = [_input(field, key, f"{path}.{key}", _TITLES[key], number=True) for key in LIMITS.get(kind, ())]
    plain = [_input(field, key, f"{path}.{key}", _TITLES[key]) for key in PLAIN.get(kind, ())]
    name = field.get("name", "")
    return FieldCard(
        path=path,
        name=Input(path=f"{path}.name", title="Name in the answers", value=str(name) if name is not None else ""),
        kind=kind,
        kinds=tuple(kinds),
        required=field.get("required", False) is True,
        labels=_texts(field, path, "label", "Question", spoken),
        hints=_texts(field, path, "hint", "Explanation", spoken, area=True),
        more=(*limits, *plain),
        choice=kind in CHOICE_TYPES,
        options=_options(field, path, spoken) if kind in CHOICE_TYPES and "options" in field else None,
        condition=_condition(field, path, controls),
    )


def _options(field: Mapping[str, Any], path: str, spoken: tuple[str, ...]) -> tuple[OptionRow, ...]:
    rows = []
    for number, option in enumerate(field["options"]):
        place = f"{path}.options[{number}]"
        labelled = option if isinstance(option, dict) else {}
        rows.append(
            OptionRow(
                path=place,
                value=Input(path=f"{place}.value", title="Value", value=option_text(option)),
                labels=_texts(labelled, place, "label", "Shown as", spoken),
            )
        )
    return tuple(rows)


def _condition(field: Mapping[str, Any], path: str, controls: Mapping[str, Mapping[str, Any]]) -> Condition:
    held = field.get("shown_if")
    wanted = held if isinstance(held, dict) else {}
    name = wanted.get("field", "")
    control = controls.get(name, {}) if isinstance(name, str) else {}
    given = wanted.get("is")
    values = given if isinstance(given, list) else [given]
    place = f"{path}.shown_if"
    choices = [
        (f"{place}.is.{number}", word, any(type(value) is type(each) and value == each for each in values))
        for number, (value, word) in enumerate(condition_choices(control))
    ]
    countries = None
    if control.get("type") == "country":
        typed = " ".join([each for each in values if isinstance(each, str)])
        countries = Input(path=f"{place}.is", title="is one of", value=typed, hint="such as DE AT CH")
    return Condition(
        path=f"{place}.field",
        field=name if isinstance(name, str) else "",
        controls=tuple([each for each in controls if each != field.get("name")]),
        choices=tuple(choices),
        countries=countries,
    )
