"""What is different between two states of a template, in words."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from kycmanager.backoffice.templates_draft import TEXTS, origin_of
from kycmanager.backoffice.templates_fields import walk
from kycmanager.pages import texts

TITLES = {
    "brand": "Brand",
    "code": "Code",
    "level": "Level",
    "name": "Name",
    "description": "Description",
    "step_type": "Kind",
    "required": "Required",
    "status": "Status",
    "sort_index": "Place in the order",
    "form_schema": "Form",
    "requirements": "What to bring",
}
"""What the fields of a template are called."""

_FLAGS = ("no", "yes")


class Change(Struct, frozen=True):
    """One difference: what it is about, before and after; both are "" where only the fact is known."""

    what: str
    before: str = ""
    after: str = ""


def since(origin: Mapping[str, Any], now: Mapping[str, Any]) -> list[Change]:
    """Return what has changed since a form was opened; of its JSON only the fact is known."""
    current = origin_of(now)
    found = []
    for name, title in TITLES.items():
        if name in origin and origin[name] != current[name]:
            is_text = name not in {"form_schema", "requirements"}
            said = (worded(name, origin[name]), worded(name, current[name])) if is_text else ()
            found.append(Change(title, *said))
    return found


def between(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Return what saving `new`, checked data of an editor, changes in a template."""
    found = [
        Change(TITLES[name], worded(name, old[name]), worded(name, new[name]))
        for name in TEXTS
        if old[name] != new[name]
    ]
    if old["requirements"] != new["requirements"]:
        found.append(Change(TITLES["requirements"]))
    if old["form_schema"] != new["form_schema"]:
        found += _in_forms(old["form_schema"], new["form_schema"])
    return found


def worded(name: str, value: Any) -> str:
    """Return the value of a field of a template as people read it."""
    kinds = {"step_type": "kind", "status": "template"}
    if name in kinds:
        return texts.label(kinds[name], value)
    if name == "required":
        return _FLAGS[bool(value)]
    return str(value)


def _in_forms(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    before = {field["name"]: field for _, field in walk(old)}
    after = {field["name"]: field for _, field in walk(new)}
    told = False
    for name in [*before, *(name for name in after if name not in before)]:
        if name not in after:
            yield Change(f"Field {name}", "there", "removed")
        elif name not in before:
            yield Change(f"Field {name}", "", "added")
        elif before[name] != after[name]:
            keys = sorted(key for key in before[name] | after[name] if before[name].get(key) != after[name].get(key))
            yield Change(f"Field {name}", "", f"changed: {', '.join(keys)}")
        else:
            continue
        told = True
    if [name for name in before if name in after] != [name for name in after if name in before]:
        yield Change("Fields", "", "in another order")
        told = True
    if not told:
        yield Change("Form", "", "its titles, sections or other texts")
