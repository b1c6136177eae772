"""What happened to a case, as lines of a time line: audit rows in words."""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from kycmanager.backoffice.people import People
from kycmanager.domain.enums import SessionType
from kycmanager.pages.texts import label

LOOKS = frozenset({"access.view"})
SILENT = LOOKS | {
    *("access.download", "access.export", "access.search", "case.renewed", "note.added"),
    *("portal.link_made", "portal.link_used", "portal.signed_out"),
}
"""The actions that change nothing of what a reviewer decides on."""

_DONE = {
    "profile.created": "began the profile",
    "profile.required_level": "asked for level",
    "profile.risk": "set the risk to",
    "profile.erased": "had everything erased",
    "step.required": "asked for",
    "step.saved": "saved answers of",
    "step.submitted": "handed in",
    "step.approved": "approved",
    "step.rejected": "rejected",
    "step.reopened": "took back the rejection of",
    "step.skipped": "skipped",
    "step.expired": "ended the approval of",
    "document.added": "attached",
    "document.approved": "approved",
    "document.rejected": "rejected",
    "document.expired": "ended the approval of",
    "document.deleted": "deleted",
    "case.claimed": "claimed the case",
    "case.renewed": "kept the case",
    "case.taken_over": "took the case over",
    "case.released": "let the case go",
    "note.added": "wrote a note",
    "access.view": "looked at",
    "access.download": "downloaded",
    "access.export": "exported",
    "file.released": "released the file of",
    "file.refused": "refused the file of",
    "file.infected": "sent a file with malware, which was not kept",
    "identity.created": "came by a wallet",
    "identity.linked": "had a wallet stand for the customer",
    "identity.removed": "took a wallet away",
    "identity.callback": "named where a wallet is called",
    "verification.code": "was made a code for",
    "verification.confirmed": "gave the right code for",
    "verification.failed": "gave a wrong code for",
    "portal.link_made": "made a link for the customer",
    "portal.link_used": "came in by a link",
    "portal.signed_out": "signed out of the portal",
}
_RELEASED = {
    "done": "finished the case",
    "left": "left the case for another",
    "lapsed": "ended a claim that had run out",
}
"""How a case was let go, where it was not simply that."""

_MOVING = frozenset({"profile", "step", "document"})
"""The first words of actions whose rows tell of a status; its words go by the same name."""


class Names(Struct, frozen=True):
    """What is called how: steps and documents by id, reasons by code."""

    steps: Mapping[int, str]
    documents: Mapping[int, str]
    reasons: Mapping[str, str]


class Told(Struct, frozen=True, kw_only=True):
    """One line: who did what to what. `moved` are the statuses before and after, `times` how often in a row."""

    time: int
    who: str
    did: str
    what: str
    moved: tuple[str, str] | None
    reason: str
    comment: str
    times: int = 1


def names_of(found: Mapping[str, Any], reasons: Iterable[Mapping[str, Any]]) -> Names:
    """Return what the parts of a case, as MngGetKycProfile shows it, are called."""
    return Names(
        {step["id"]: step["name"] or step["code"] for step in found["steps"]},
        {document["id"]: document_name(document) for document in found["documents"]},
        {reason["code"]: reason["label"] for reason in reasons},
    )


def document_name(document: Mapping[str, Any]) -> str:
    """Return what a document is called: its type, or its file."""
    return str(document["type"] or document["file_name"] or "file")


def moved(row: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the statuses before and after an audit row in words, None where none moved or there are no words."""
    kind = row["action"].partition(".")[0]
    if kind not in _MOVING or row["old_status"] == row["new_status"]:
        return None
    try:
        return label(kind, row["old_status"]), label(kind, row["new_status"])
    except ValueError:
        return None


def told(rows: Iterable[Mapping[str, Any]], people: People, names: Names) -> list[Told]:
    """Return audit rows as lines, in their order; looks of one person in a row are one line."""
    lines: list[Told] = []
    is_look = False
    for row in rows:
        line = _line(row, people, names)
        again = is_look and row["action"] in LOOKS and lines[-1].who == line.who
        is_look = row["action"] in LOOKS
        if again:
            what = lines[-1].what if lines[-1].what == line.what else "the case and its files"
            lines[-1] = replace(lines[-1], times=lines[-1].times + 1, what=what)
        else:
            lines.append(line)
    return lines


def _line(row: Mapping[str, Any], people: People, names: Names) -> Told:
    action = row["action"]
    is_release = action == "case.released"
    did = _DONE.get(action, action)
    return Told(
        time=row["time"],
        who=_who(row, people),
        did=_RELEASED.get(row["reason"], did) if is_release else did,
        what=_what(row, names),
        moved=moved(row),
        reason="" if is_release else names.reasons.get(row["reason"], row["reason"]),
        comment=row["comment"],
    )


def _who(row: Mapping[str, Any], people: People) -> str:
    if row["actor_session"] == SessionType.CUSTOMER:
        return "the customer"
    if not row["actor_id"]:
        return "the daemon"
    return people.name(row["actor_session"], row["actor_id"])


def _what(row: Mapping[str, Any], names: Names) -> str:
    details = row["details"]
    if row["action"] == "profile.required_level":
        return str(details.get("requested_level", ""))
    if row["action"] == "profile.risk":
        return label("risk", details.get("new_risk", 0))
    if row["document_id"]:
        return names.documents.get(row["document_id"], f"document {row['document_id']}")
    if row["step_id"]:
        return names.steps.get(row["step_id"], f"step {row['step_id']}")
    if row["action"].startswith("access."):
        return "a file of the answers" if "file_id" in details else "the case"
    return str(details.get("field", "")).replace("_", " ")
