"""What the buttons of the editor do to a form_schema: add, remove, move; and where the reader goes on afterwards."""

import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from msgspec.structs import replace

from kycmanager.backoffice.templates_draft import FORM, JSON, Draft, is_language
from kycmanager.backoffice.templates_fields import is_drawable
from kycmanager.domain.form_schema import Fault

_PATH = re.compile(r"sections\[(\d{1,4})\](?:\.fields\[(\d{1,4})\](?:\.options\[(\d{1,4})\])?)?")
_KEYS = ("sections", "fields", "options")

Place = tuple[int, ...]
"""Where a section, a field or a choice stands: (2,), (2, 0), (2, 0, 5)."""

Moved = tuple[str, str]
"""The path to go on at, and which of its inputs or buttons."""


def act(draft: Draft, do: str, language: str = "") -> tuple[Draft, str]:
    """Return the draft after a button, and the path of the input or button that takes the focus; "" for none.

    A button that means nothing here, such as one of an older page, changes nothing.
    """
    verb, _, rest = do.partition(" ")
    if verb == "view":
        return _viewed(draft, rest), "form_schema" if rest == JSON else ""
    if verb == "speak":
        return _spoken(draft, language.strip().lower())
    if draft.view != FORM:
        return draft, ""
    if verb == "unspeak":
        silent = tuple(each for each in draft.languages if each != rest)
        return replace(draft, languages=silent, schema=_without(draft.schema, rest)), "language"
    place = _place(rest) if rest else ()
    deed = _DEEDS.get(verb)
    if deed is None or place is None:
        return draft, ""
    schema = deepcopy(draft.schema)
    path, part = deed(schema, place)
    return replace(draft, schema=schema), f"{path}.{part}" if path else part


def _viewed(draft: Draft, view: str) -> Draft:
    if view == JSON:
        return replace(draft, view=JSON)
    if draft.raw:
        return draft
    if not is_drawable(draft.schema):
        told = Fault("form_schema", "type", "has parts that fields cannot show; correct them here first")
        return replace(draft, faults=(*draft.faults, told))
    return replace(draft, view=FORM)


def _spoken(draft: Draft, language: str) -> tuple[Draft, str]:
    if not is_language(language):
        told = Fault("language", "format", "must be a short code such as es or pt-br")
        return replace(draft, faults=(*draft.faults, told)), "language"
    return replace(draft, languages=tuple(dict.fromkeys((*draft.languages, language)))), "language"


def _without(value: Any, language: str) -> Any:
    if isinstance(value, list):
        return [_without(each, language) for each in value]
    if not isinstance(value, dict):
        return value
    found = {}
    for key, each in value.items():
        if key in {"titles", "labels", "hints"} and isinstance(each, dict):
            texts = {name: text for name, text in each.items() if name != language}
            if texts:
                found[key] = texts
        else:
            found[key] = _without(each, language) if key in _KEYS else each
    return found


def _place(path: str) -> Place | None:
    found = _PATH.fullmatch(path)
    return None if found is None else tuple(int(each) for each in found.groups() if each is not None)


def _path(place: Place) -> str:
    return ".".join(f"{key}[{number}]" for key, number in zip(_KEYS, place, strict=False))


def _inside(schema: dict[str, Any], place: Place) -> dict[str, Any] | None:
    """Return the section or field at a place, None where nothing is."""
    thing = schema
    for key, number in zip(_KEYS, place, strict=False):
        held = thing.get(key, [])
        if number >= len(held) or not isinstance(held[number], dict):
            return None
        thing = held[number]
    return thing


def _list(schema: dict[str, Any], place: Place) -> list[Any]:
    """Return the list in which a place stands; an empty one where it is not there."""
    above = _inside(schema, place[:-1])
    return [] if above is None or not place else above.get(_KEYS[len(place) - 1], [])


def _add_section(schema: dict[str, Any], _place: Place) -> Moved:
    sections = schema.setdefault("sections", [])
    sections.append({"fields": [_new_field(schema)]})
    return f"sections[{len(sections) - 1}]", "title"


def _new_field(schema: dict[str, Any]) -> dict[str, Any]:
    taken = {str(field.get("name")) for section in schema.get("sections", ()) for field in section.get("fields", ())}
    number = len(taken) + 1
    while f"field_{number}" in taken:
        number += 1
    return {"name": f"field_{number}", "type": "text"}


def _add_field(schema: dict[str, Any], place: Place) -> Moved:
    section = _inside(schema, place) if len(place) == 1 else None
    if section is None:
        return "", ""
    fields = section.setdefault("fields", [])
    fields.append(_new_field(schema))
    return _path((*place, len(fields) - 1)), "label"


def _add_choice(schema: dict[str, Any], place: Place) -> Moved:
    field = _inside(schema, place) if len(place) == 2 else None  # noqa: PLR2004 - a section and a field in it
    if field is None:
        return "", ""
    options = field.setdefault("options", [])
    options.append({"value": f"choice_{len(options) + 1}"})
    return _path((*place, len(options) - 1)), "value"


def _remove(schema: dict[str, Any], place: Place) -> Moved:
    held = _list(schema, place)
    if not place or place[-1] >= len(held):
        return "", ""
    del held[place[-1]]
    above = _inside(schema, place[:-1])
    key = _KEYS[len(place) - 1]
    if not held and key == "options" and above is not None:
        del above[key]  # an empty list would take no answer at all
    return _path(place[:-1]), f"add-{key}"


def _up(schema: dict[str, Any], place: Place) -> Moved:
    return _move(schema, place, -1, "up")


def _down(schema: dict[str, Any], place: Place) -> Moved:
    return _move(schema, place, 1, "down")


def _move(schema: dict[str, Any], place: Place, step: int, button: str) -> Moved:
    held = _list(schema, place)
    if not place or place[-1] >= len(held):
        return "", ""
    target = place[-1] + step
    if 0 <= target < len(held):
        held.insert(target, held.pop(place[-1]))
        return _path((*place[:-1], target)), button
    if _KEYS[len(place) - 1] != "fields":
        return _path(place), button
    # past the end of its section a field goes on into the next one
    section = place[0] + step
    above = _inside(schema, (section,)) if section >= 0 else None
    if above is None:
        return _path(place), button
    fields = above.setdefault("fields", [])
    new = len(fields) if step < 0 else 0
    fields.insert(new, held.pop(place[-1]))
    return _path((section, new)), button


_DEEDS: dict[str, Callable[[dict[str, Any], Place], Moved]] = {
    "add-section": _add_section,
    "add-field": _add_field,
    "add-choice": _add_choice,
    "remove": _remove,
    "up": _up,
    "down": _down,
}
