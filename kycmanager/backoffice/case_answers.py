"""The answers of a step as people read them: in the order and with the labels of its form_schema."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from kycmanager.domain import answers as rules
from kycmanager.domain.enums import StepStatus
from kycmanager.domain.form_schema import Fault, fields
from kycmanager.domain.records import FileFacts
from kycmanager.pages.forms import is_option, label_of, number_text, option_label, said
from kycmanager.pages.messages import Words

_NEVER_CHECKED = frozenset({StepStatus.REQUIRED, StepStatus.SKIPPED})
"""In these nobody has handed the answers in: what is missing is no fault."""

_GROUP = "\u202f"
"""Stands between thousands, and is read as no comma or point."""


class Line(Struct, frozen=True, kw_only=True):
    """One field and its answer: `texts` below each other, none = not answered; `file_id` for a file."""

    label: str
    kind: str
    texts: tuple[str, ...]
    file_id: str = ""
    fault: str = ""


class Part(Struct, frozen=True, kw_only=True):
    """A section of the form; its title may be ""."""

    title: str
    lines: tuple[Line, ...]


def answered(step: Mapping[str, Any], names: Mapping[str, str], words: Words) -> tuple[Part, ...]:
    """Return the answers of a step as MngGetKycProfile shows it; `names` are the names of known files by uuid."""
    schema, answers = step["form_schema"], step["answers"]
    faults = {fault.field: fault.message for fault in _faults(step)}
    parts = [
        Part(
            title=said(section, "title", words.language),
            lines=tuple([_line(field, answers, faults, names, words) for field in section.get("fields", ())]),
        )
        for section in schema.get("sections", ())
    ]
    asked = {field.name for field in fields(schema)}
    left = [
        Line(label=name, kind="unknown", texts=(str(value),), fault=faults.get(name, ""))
        for name, value in answers.items()
        if name not in asked
    ]
    return (*[part for part in parts if part.lines], *([Part(title="", lines=tuple(left))] if left else []))


def files_of(step: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the uuids of the files the answers of a step name."""
    return rules.file_references(step["form_schema"], step["answers"])


def _faults(step: Mapping[str, Any]) -> list[Fault]:
    """Return what the rules of answers find now; whether a file is there is seen when it is opened."""
    owner = {"owner_kind": "customer", "owner_id": step["customer_id"], "brand": step["brand"]}
    files = {
        file_id: FileFacts(file_id=file_id, file_name="", content_type="", file_size=0, checksum="", **owner)
        for file_id in files_of(step)
    }
    return rules.check(
        step["form_schema"],
        step["answers"],
        partial=step["status"] in _NEVER_CHECKED,
        files=files,
        customer_id=step["customer_id"],
        brand=step["brand"],
    )


def _line(
    field: Mapping[str, Any],
    answers: Mapping[str, Any],
    faults: Mapping[str, str],
    names: Mapping[str, str],
    words: Words,
) -> Line:
    value, kind = answers.get(field["name"]), field["type"]
    is_file = kind == "file_reference" and isinstance(value, str)
    return Line(
        label=label_of(field, words.language),
        kind=kind,
        texts=(names.get(str(value), "Open the file"),) if is_file else tuple(_texts(field, value, words)),
        file_id=str(value) if is_file else "",
        fault=faults.get(field["name"], ""),
    )


def _texts(field: Mapping[str, Any], value: Any, words: Words) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _texts(field, each, words)
    elif rules.is_empty(value):
        return
    elif field["type"] in {"select", "multi_select"}:
        chosen = next((option for option in field.get("options") or () if is_option(option, value)), value)
        yield option_label(chosen, words)
    elif isinstance(value, bool):
        yield words("form.yes") if value else words("form.no")
    elif isinstance(value, int):
        yield f"{value:,}".replace(",", _GROUP)
    elif isinstance(value, float):
        yield number_text(value)
    elif field["type"] == "country" and f"country.{value}" in words:
        yield f"{words(f'country.{value}')} ({value})"
    else:
        yield str(value)
