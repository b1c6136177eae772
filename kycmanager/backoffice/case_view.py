"""A case as its page shows it: what was asked, answered and handed in, what is marked, and which moves there are."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from kycmanager.backoffice.case_answers import answered, files_of
from kycmanager.backoffice.case_story import document_name
from kycmanager.domain import document as documents
from kycmanager.domain import step as steps
from kycmanager.domain.case import OPEN_DOCUMENTS
from kycmanager.domain.enums import DocumentStatus, StepStatus, StepType
from kycmanager.pages.messages import Words

_MARK_BYTES = 8
_DRAWN = ("image/", "application/pdf")
"""The types of content that have a thumbnail."""


class Move(Struct, frozen=True):
    """A decision that is allowed now: where its form goes, what its button says, its key, and what is asked before."""

    name: str
    title: str
    key: str = ""
    dialog: str = ""


APPROVE = Move("approve", "Approve", "a")
APPROVE_UNTIL = Move("approve", "Approve until", "e", "approve")
REJECT = Move("reject", "Reject", "r", "reject")
SKIP = Move("skip", "Skip", "", "skip")
REOPEN = Move("reopen", "Undo the rejection", "u")


def step_moves(status: int, step_type: int) -> list[Move]:
    """Return what a reviewer may do with a step, as the table of its moves allows."""
    kind = StepType(step_type)
    allowed = {to for to, kinds in steps.TRANSITIONS[StepStatus(status)].items() if kind in kinds}
    found = {
        StepStatus.APPROVED: (APPROVE, APPROVE_UNTIL),
        StepStatus.REJECTED: (REJECT,),
        StepStatus.SKIPPED: (SKIP,),
    }
    moves = [move for to, ways in found.items() if to in allowed for move in ways]
    if status == StepStatus.REJECTED and StepStatus.PENDING in allowed:
        moves.append(REOPEN)
    return moves


def document_moves(status: int) -> list[Move]:
    """Return what a reviewer may do with a document, as the table of its moves allows."""
    allowed = documents.TRANSITIONS[DocumentStatus(status)]
    found = {DocumentStatus.APPROVED: (APPROVE, APPROVE_UNTIL), DocumentStatus.REJECTED: (REJECT,)}
    return [move for to, ways in found.items() if to in allowed for move in ways]


def mark_of(found: Mapping[str, Any]) -> str:
    """Return another text whenever anything of a case, as MngGetKycProfile shows it, has changed."""
    parts = [str(found["profile"]["version"])]
    for name in ("steps", "documents"):
        parts += [f"{each['id']}.{each['version']}" for each in found[name]]
        parts.append(name)
    return hashlib.blake2b(" ".join(parts).encode(), digest_size=_MARK_BYTES).hexdigest()


def holder_mark(case: Mapping[str, Any]) -> str:
    """Return another text whenever somebody else holds a case."""
    return f"{case['assignee']}.{case['assignee_session']}"


def file_ids(found: Mapping[str, Any]) -> dict[str, int]:
    """Return every file of a case, and the id of its document, 0 for one that only an answer names."""
    named = {file_id: 0 for step in found["steps"] for file_id in files_of(step)}
    return named | {document["file_id"]: document["id"] for document in found["documents"]}


def beside(found: Mapping[str, Any], file_id: str) -> str:
    """Return the file that belongs beside another, as the back of a card beside its front; "" for none.

    It is the next one of the same step, or the one before the last.
    """
    step_id = next((each["step_id"] for each in found["documents"] if each["file_id"] == file_id), -1)
    together = list(dict.fromkeys([each["file_id"] for each in found["documents"] if each["step_id"] == step_id]))
    if len(together) < 2:  # noqa: PLR2004 - two sides
        return ""
    place = together.index(file_id)
    return str(together[place + 1] if place + 1 < len(together) else together[place - 1])


def step_rows(
    found: Mapping[str, Any],
    duplicates: Iterable[Mapping[str, Any]],
    reasons: Iterable[Mapping[str, Any]],
    words: Words,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the steps with their documents, and the documents of no step."""
    known = {reason["code"]: reason for reason in reasons}
    shared = {row["document_id"]: row for row in duplicates}
    names = {document["file_id"]: document["file_name"] for document in found["documents"]}
    decided = {step["id"]: step["reviewed_time"] for step in found["steps"]}
    handed_in: dict[int, list[dict[str, Any]]] = {}
    for document in found["documents"]:
        held = document["step_id"] if document["step_id"] in decided else 0
        handed_in.setdefault(held, []).append(
            _document_row(document, decided.get(held, 0), shared.get(document["id"]), known)
        )
    rows = [
        {
            **step,
            "title": step["name"] or step["code"],
            "parts": answered(step, names, words),
            "documents": handed_in.get(step["id"], []),
            "moves": step_moves(step["status"], step["step_type"]),
            "waits": step["status"] == StepStatus.PENDING,
            "changed": _step_changed(step),
            "told": _told(step, known),
        }
        for step in sorted(found["steps"], key=lambda each: (each["level"], each["id"]))
    ]
    return rows, handed_in.get(0, [])


def _document_row(
    document: Mapping[str, Any],
    decided: int,
    shared: Mapping[str, Any] | None,
    known: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    is_open = document["status"] in OPEN_DOCUMENTS
    return {
        **document,
        "title": document_name(document),
        "moves": document_moves(document["status"]),
        "changed": "new since the last decision" if decided and is_open and document["created_time"] >= decided else "",
        "shared": shared,
        "told": _told(document, known),
        "thumb": document["content_type"].startswith(_DRAWN),
    }


def _step_changed(step: Mapping[str, Any]) -> str:
    """Return how a step has changed since it was decided last, "" where it has not."""
    if not step["reviewed_time"] or step["status"] == StepStatus.EXPIRED:
        return ""
    if step["status"] == StepStatus.PENDING:
        return "handed in again since the last decision"
    return "changed since the last decision" if step["updated_time"] > step["reviewed_time"] else ""


def _told(record: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return what a decision says: the reason for reviewers, what the customer reads, the internal comment."""
    reason = known.get(record["reason"], {})
    return {
        "reason": reason.get("label", record["reason"]),
        "kind": reason.get("kind", ""),
        "customer": reason.get("told", "") if record["status"] == StepStatus.REJECTED else "",
        "comment": record["comment"],
    }
