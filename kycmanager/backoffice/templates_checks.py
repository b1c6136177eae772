"""What is wrong with a template in the editor, whom it would concern, and the form as the customer would see it.

Every fault comes from the commands and the domain, under its own path; here they are only asked.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from kycmanager.backoffice.templates_changes import TITLES
from kycmanager.backoffice.templates_draft import Draft
from kycmanager.backoffice.templates_list import ADD, IMPACT
from kycmanager.domain import answers, form_schema
from kycmanager.domain.errors import KycError
from kycmanager.domain.form_schema import Fault
from kycmanager.domain.session import Session
from kycmanager.pages import forms
from kycmanager.pages.gateway import Gateway
from kycmanager.pages.messages import Messages

UPDATE = "MngUpdateKycStepTemplate"

_PART = re.compile(r"(section|field|option)s\[(\d+)\]")
_NOT_OF_PATH = re.compile(r"[^A-Za-z0-9]+")
_WORDS = {"option": "choice"}


@lru_cache(maxsize=8192)
def slot(path: str) -> str:
    """Return the id of the input of a path: letters, digits and dashes."""
    return _NOT_OF_PATH.sub("-", path).strip("-")


def title(path: str) -> str:
    """Return what people call a path: "Section 1, field 2: name"."""
    if path in TITLES:
        return TITLES[path]
    parts = [f"{_WORDS.get(kind, kind)} {int(number) + 1}" for kind, number in _PART.findall(path)]
    last = path.rpartition(".")[2]
    named = ", ".join(parts)
    ending = "" if "[" in last else last.replace("_", " ")
    return (f"{named}: {ending}" if named and ending else named or ending).capitalize()


def of_refusal(error: KycError) -> list[Fault]:
    """Return the faults of a refusal that names fields."""
    told = (error.data or {}).get("errors", ())
    return [Fault(each["field"], each["code"], each["message"]) for each in told]


def faults_of(gateway: Gateway, who: Session, draft: Draft) -> list[Fault]:
    """List everything wrong with a draft: each field alone as the commands read it, the form as the domain does."""
    found = list(draft.faults)
    data = draft.data
    for name, value in data.items():
        if name in draft.raw:
            continue
        try:
            gateway.check(who, UPDATE if gateway.may(who, UPDATE) else ADD, {**_LEAST, name: value})
            if name == "form_schema":
                form_schema.ensure(value)
        except KycError as error:
            found += of_refusal(error)
    if not found:
        both = {name: data[name] for name in ("form_schema", "requirements")}
        try:
            form_schema.ensure_size(both, **both)
        except KycError as error:
            found += of_refusal(error)
    return found


_LEAST = {"id": 1, "brand": "any", "code": "any", "level": 1}
"""What makes one field alone into data of the commands."""


def told(faults: Iterable[Fault]) -> list[dict[str, str]]:
    """Return faults for the page: each with the input it is about."""
    return [
        {"slot": slot(_input_of(each.field)), "title": title(each.field) or "Template", "message": each.message}
        for each in faults
    ]


def _input_of(path: str) -> str:
    """Return the path of the input a fault is about: a choice that is a plain value has one for its value."""
    return f"{path}.value" if path.endswith("]") and ".options[" in path else path


async def impact_of(
    gateway: Gateway, who: Session, data: Mapping[str, Any], template_id: int, status: int
) -> dict[str, Any] | None:
    """Return whom a template would concern once it is saved, None while its brand or level is none."""
    asked = {name: data[name] for name in ("brand", "level", "required")}
    try:
        return await gateway.run(who, IMPACT, {**asked, "id": template_id, "status": status})
    except KycError:
        return None


def sound(schema: Any, faults: Iterable[Fault]) -> dict[str, Any]:
    """Return a schema without the sections and fields that have faults: what can be drawn meanwhile."""
    if not isinstance(schema, dict) or not isinstance(schema.get("sections", []), list):
        return {}
    wrong = [fault.field for fault in faults]
    if "sections" in wrong:
        return {}
    kept = []
    for number, section in enumerate(schema.get("sections", ())):
        path = f"sections[{number}]"
        if path in wrong or f"{path}.fields" in wrong:
            continue
        fields = [
            field
            for place, field in enumerate(section.get("fields", ()))
            if not any(_is_in(each, f"{path}.fields[{place}]") for each in wrong)
        ]
        kept.append({**section, "fields": fields})
    return {**schema, "sections": kept}


def _sections(schema: Any) -> list[dict[str, Any]]:
    """Return the sections that have a list of fields."""
    held = schema.get("sections") if isinstance(schema, dict) else None
    listed = held if isinstance(held, list) else []
    return [each for each in listed if isinstance(each, dict) and isinstance(each.get("fields"), list)]


def _is_in(path: str, field: str) -> bool:
    return path == field or path.startswith((f"{field}.", f"{field}["))


class Preview:
    """Draws the form of a draft as its customers will see it, and checks what is typed into it; nothing is kept."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages there are."""
        return tuple(self._messages.by_language)

    def drawn(self, draft: Draft, form: Mapping[str, str], *, handed_in: bool) -> dict[str, Any]:
        """Return what to render: the form with what was typed, the faults of that, and what is left out."""
        schema = sound(draft.schema, form_schema.check(draft.schema))
        words = self._messages.of(form.get("preview_language", ""))
        given = forms.read(schema, form)
        faults = [
            {"field": fault.field, "code": fault.code}
            for fault in answers.check(schema, given, partial=not handed_in, files={}, customer_id=0, brand="")
            if not self._is_file(schema, fault.field)
        ]
        asked = sum(len(section["fields"]) for section in schema.get("sections", ()))
        whole = sum(len(section["fields"]) for section in _sections(draft.schema))
        return {
            "form": forms.draw(schema, given, words, faults=faults),
            "empty": not asked,
            "left_out": whole - asked,
            "handed_in": handed_in,
            "good": handed_in and not faults and bool(asked),
            "language": words.language,
            "languages": self.languages,
        }

    @staticmethod
    def _is_file(schema: Mapping[str, Any], name: str) -> bool:
        """Tell whether a field takes a file, which cannot be tried here."""
        return any(field["name"] == name and field["type"] == "file_reference" for _, field in forms.numbered(schema))
