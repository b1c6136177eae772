"""What a step asks of its customer: the documents of its requirements, its state, and what comes next."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from kycmanager.domain.enums import DocumentStatus, StepStatus, StepType
from kycmanager.pages.forms import numbered, said
from kycmanager.pages.messages import Words

SLOTS_MAX = 50
TYPE_CHARS_MAX = 64
SIDES = ("front", "back")

_OWN_WORK = frozenset({StepType.DOCUMENT, StepType.QUESTIONNAIRE, StepType.MIXED})
_WITH_DOCUMENTS = frozenset({StepType.DOCUMENT, StepType.MIXED})
_OPEN = frozenset({StepStatus.REQUIRED, StepStatus.REJECTED})
_USABLE = frozenset({DocumentStatus.UPLOADED, DocumentStatus.PENDING, DocumentStatus.APPROVED})
_STATES = {StepStatus.PENDING: "pending", StepStatus.APPROVED: "approved", StepStatus.REJECTED: "rejected"}


class Slot(Struct, frozen=True, kw_only=True):
    """One document that is asked, with those there are of its type; `is_face` wants the front camera."""

    type: str
    label: str
    hint: str
    required: bool
    is_face: bool
    documents: tuple[Mapping[str, Any], ...]

    @property
    def filled(self) -> bool:
        """Whether there is a document that counts."""
        return any(found["status"] in _USABLE for found in self.documents)


def is_open(step: Mapping[str, Any]) -> bool:
    """Tell whether the customer can work on a step now; some are done by others."""
    asks = step["step_type"] in _OWN_WORK or bool(fields_of(step))
    return asks and step["status"] in _OPEN


def takes_documents(step: Mapping[str, Any]) -> bool:
    """Tell whether a step asks for documents."""
    return step["step_type"] in _WITH_DOCUMENTS or bool(_wanted(step))


def fields_of(step: Mapping[str, Any]) -> Sequence[tuple[int, dict[str, Any]]]:
    """Return the fields of the step's form, numbered."""
    return list(numbered(step["form_schema"]))


def state(step: Mapping[str, Any], documents: Iterable[Mapping[str, Any]]) -> str:
    """Return where a step stands for its customer: todo, begun, elsewhere, pending, approved or rejected."""
    if step["status"] != StepStatus.REQUIRED:
        return _STATES[StepStatus(step["status"])]
    if not is_open(step):
        return "elsewhere"
    begun = step["answers"] or any(found["step_id"] == step["id"] for found in documents)
    return "begun" if begun else "todo"


def slots(step: Mapping[str, Any], documents: Iterable[Mapping[str, Any]], words: Words) -> list[Slot]:
    """Return the documents a step asks, in order.

    `requirements.documents` is a list of types, or of {type, label, hint, sides, required} with texts by language as in
    forms; `sides` true is front and back. Where nothing is listed any document will do. What fits no type comes last.
    """
    left = list(documents)
    made: list[Slot] = []
    for wanted in _wanted(step)[:SLOTS_MAX]:
        name = wanted.get("type", "")
        for side in _sides(wanted):
            kind = f"{name}_{side}"[:TYPE_CHARS_MAX] if side else name[:TYPE_CHARS_MAX]
            fitting = [found for found in left if found["type"] == kind]
            left = [found for found in left if found["type"] != kind]
            made.append(
                Slot(
                    type=kind,
                    label=_label(wanted, name, side, words),
                    hint=said(wanted, "hint", words.language),
                    required=wanted.get("required") is not False,
                    is_face=name in {"selfie", "face", "portrait"},
                    documents=tuple(fitting),
                )
            )
    if not made or left:
        label = words("documents.other") if made else words("documents.any")
        needed = not made and step["step_type"] in _WITH_DOCUMENTS
        rest = Slot(type="", label=label, hint="", required=needed, is_face=False, documents=tuple(left))
        made.append(rest)
    return made


def coming(states: Sequence[str]) -> str:
    """Return what comes next: rejected, todo, pending, done or nothing."""
    if "rejected" in states:
        return "rejected"
    if {"todo", "begun"} & set(states):
        return "todo"
    if {"pending", "elsewhere"} & set(states):
        return "pending"
    return "done" if states else "nothing"


def _wanted(step: Mapping[str, Any]) -> list[dict[str, Any]]:
    given = step["requirements"].get("documents")
    listed = given if isinstance(given, list) else []
    found = [{"type": each} if isinstance(each, str) else each for each in listed]
    return [each for each in found if isinstance(each, dict) and isinstance(each.get("type", ""), str)]


def _sides(wanted: Mapping[str, Any]) -> tuple[str, ...]:
    given = wanted.get("sides")
    if given is True:
        return SIDES
    named = [side for side in given if isinstance(side, str) and side] if isinstance(given, list) else []
    return tuple(dict.fromkeys(named[: len(SIDES) * 2])) or ("",)


def _label(wanted: Mapping[str, Any], name: str, side: str, words: Words) -> str:
    spelt = name.replace("_", " ")
    label = said(wanted, "label", words.language) or words.first(f"document.{name}")
    label = label or spelt[:1].upper() + spelt[1:] or words("documents.any")
    return f"{label}: {words.first(f'side.{side}') or side}" if side else label
