"""A template while it is edited: what a form of the editor holds, read into one value, and the record it would make."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from kycmanager.backoffice import templates_fields
from kycmanager.domain.enums import StepType, TemplateStatus
from kycmanager.domain.form_schema import Fault
from kycmanager.domain.json_text import json_text
from kycmanager.transports.json_strict import DecodeError, decode_strictly

WORDED = ("brand", "code", "name", "description")
COUNTED = ("level", "step_type", "required", "sort_index")
TEXTS = (*WORDED, *COUNTED)
"""The fields of a template besides its two JSON objects."""

FORM, JSON = "form", "json"
VIEWS = (FORM, JSON)

NEW = {"step_type": "1", "required": "1", "sort_index": "0", "level": "1"}
"""What a new template begins with."""

_NUMBER = re.compile(r"-?[0-9]{1,16}")
_LANGUAGE = re.compile(r"[a-z]{2,8}(?:-[a-z0-9]{1,8}){0,3}")
_DIGEST_BYTES = 16


class Draft(Struct, frozen=True, kw_only=True):
    """A template as it stands in the editor.

    `id` and `version` are those of the template it began with, 0 for a new one; `origin` is what that held then.
    `texts` are the fields as typed, the two JSON objects are `schema` and `requirements`; in the view JSON their texts
    may be anything, and what cannot be read is among the `faults` and stands in `raw` by the name of its field.
    """

    id: int = 0
    version: int = 0
    view: str = FORM
    texts: dict[str, str]
    schema: Any = {}
    requirements: Any = {}
    raw: dict[str, str] = {}
    languages: tuple[str, ...] = ()
    origin: dict[str, Any] = {}
    faults: tuple[Fault, ...] = ()

    @property
    def schema_text(self) -> str:
        """The form as JSON for people."""
        return self.raw.get("form_schema", "") or shown(self.schema)

    @property
    def requirements_text(self) -> str:
        """The requirements as JSON for people."""
        return self.raw.get("requirements", "") or shown(self.requirements)

    @property
    def documents(self) -> str | None:
        """What is to be brought, one thing a line; None where the requirements say it in another way."""
        listed = self.requirements.get("documents", []) if isinstance(self.requirements, dict) else None
        is_plain = isinstance(listed, list) and all(isinstance(each, str) and "\n" not in each for each in listed)
        return "\n".join(listed or ()) if is_plain else None

    @property
    def data(self) -> dict[str, Any]:
        """The fields as the commands take them."""
        numbers = {name: _number(self.texts[name]) for name in COUNTED}
        words = {name: self.texts[name] for name in WORDED}
        return {**words, **numbers, "form_schema": self.schema, "requirements": self.requirements}

    @property
    def hidden(self) -> dict[str, str]:
        """What a form of the page carries besides the fields that are shown."""
        return {
            "id": str(self.id),
            "version": str(self.version),
            "view": self.view,
            "languages": " ".join(self.languages),
            "origin": json_text(self.origin),
        }


def shown(value: Any) -> str:
    """Return JSON as people read and type it."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def origin_of(template: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is kept of a template to tell later what has changed: its fields, of its JSON a digest."""
    kept = {name: template[name] for name in (*TEXTS, "status")}
    for name in ("form_schema", "requirements"):
        kept[name] = hashlib.blake2b(
            msgspec.json.encode(template[name], order="deterministic"), digest_size=_DIGEST_BYTES
        ).hexdigest()
    return kept


def of_template(template: Mapping[str, Any]) -> Draft:
    """Begin to change a template."""
    return Draft(
        id=template["id"],
        version=template["version"],
        texts={name: str(int(template[name]) if name in COUNTED else template[name]) for name in TEXTS},
        schema=template["form_schema"],
        requirements=template["requirements"],
        languages=templates_fields.languages(template["form_schema"]),
        origin=origin_of(template),
    )


def clone(template: Mapping[str, Any]) -> Draft:
    """Begin a new template that is like another; its code must become one of its own."""
    like = of_template(template)
    texts = {**like.texts, "code": f"{like.texts['code'][:59]}_copy"}
    return msgspec.structs.replace(like, id=0, version=0, texts=texts, origin={})


def fresh(brand: str) -> Draft:
    """Begin a new template."""
    return Draft(texts={**dict.fromkeys(TEXTS, ""), **NEW, "brand": brand})


def read(form: Mapping[str, str]) -> Draft:
    """Read what a form of the editor sent; nothing that was typed is lost, whatever it is."""
    texts = {name: _text(form, name) for name in TEXTS}
    faults: list[Fault] = []
    raw: dict[str, str] = {}
    objects: dict[str, Any] = {}
    for name in ("form_schema", "requirements"):
        objects[name] = _object(name, _text(form, name), raw, faults)
    view = JSON if form.get("view") == JSON else FORM
    spoken = [each for each in form.get("languages", "").split() if _LANGUAGE.fullmatch(each)]
    schema, requirements = objects["form_schema"], objects["requirements"]
    if raw or not templates_fields.is_drawable(schema):
        view = JSON  # only there can it be seen and corrected
    if view == FORM:
        known = tuple(dict.fromkeys((*spoken, *templates_fields.languages(schema))))
        schema, more = templates_fields.read(schema, form, known)
        requirements = _brought(requirements, form)
        faults += more
    return Draft(
        id=_count(form.get("id", "")),
        version=_count(form.get("version", "")),
        view=view,
        texts=texts,
        schema=schema,
        requirements=requirements,
        raw=raw,
        languages=tuple(dict.fromkeys((*spoken, *templates_fields.languages(schema)))),
        origin=read_origin(form.get("origin", "")),
        faults=tuple(faults),
    )


def is_language(text: str) -> bool:
    """Tell whether this names a language, such as es or pt-br."""
    return _LANGUAGE.fullmatch(text) is not None


def _text(form: Mapping[str, str], name: str) -> str:
    return form.get(name, "").replace("\r\n", "\n").replace("\x00", "")


def _number(text: str) -> int | str:
    """Return what is a number as one; anything else stays text, so that the command names it as a fault."""
    return int(text) if _NUMBER.fullmatch(text.strip()) else text


def _count(text: str) -> int:
    return int(text) if _NUMBER.fullmatch(text) and not text.startswith("-") else 0


def _object(name: str, text: str, raw: dict[str, str], faults: list[Fault]) -> Any:
    if not text.strip():
        return {}
    try:
        return decode_strictly(text.encode())
    except (DecodeError, UnicodeEncodeError) as error:
        raw[name] = text
        faults.append(Fault(name, "json", f"cannot be read as JSON: {error}"))
        return {}


def _brought(requirements: Any, form: Mapping[str, str]) -> Any:
    if "documents" not in form or not isinstance(requirements, dict):
        return requirements
    lines = [line.strip() for line in _text(form, "documents").split("\n") if line.strip()]
    if lines or "documents" in requirements:
        return {**requirements, "documents": lines}
    return requirements


def read_origin(text: str) -> dict[str, Any]:
    """Read what a form carried of the template it began with; what is not that is as if it were not there."""
    try:
        found = msgspec.json.decode(text.encode(errors="replace"), type=dict[str, str | int])
    except msgspec.DecodeError:
        return {}
    is_known = found.get("step_type") in list(StepType) and found.get("status") in list(TemplateStatus)
    return found if is_known and {*TEXTS, "form_schema", "requirements"} <= found.keys() else {}
