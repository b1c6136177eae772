"""A case: a profile that waits for a reviewer, the lease of who works on it, and what a filter of the queue asks.

A case waits while one of its steps is pending (with the documents handed in for it), or while its profile is in
review_required. Nothing of it is kept: it follows from the profile and its steps.
"""

from collections.abc import Sequence

from msgspec import Struct

from kycmanager.domain.enums import DocumentStatus, ProfileStatus, RiskLevel, StepStatus
from kycmanager.domain.errors import Code, KycError
from kycmanager.domain.records import Claim, Document, Profile, Step
from kycmanager.domain.session import DECIDERS, Session

ANY = -1
NOBODY = 0

OPEN_DOCUMENTS = frozenset({DocumentStatus.UPLOADED, DocumentStatus.PENDING})
"""The statuses of documents nobody has decided."""

FILTERS_MAX = 50
"""Filters one reviewer may keep."""

StepMark = tuple[str, int]
"""(code, status) of a step: what a filter can ask of it."""


class CaseFilter(Struct, frozen=True, kw_only=True, gc=False):
    """What a case must be to be shown; -1 and "" mean "any", and so do `brands` None and times of 0.

    `level` is the level asked for. `step_code` alone: such a step is pending; with `step_status`: it has that status;
    `step_status` alone: any step has it. `assignee` 0 is nobody; `assignee_session` tells two of one number apart.
    Times are Unix seconds, both ends included.
    """

    brands: frozenset[str] | None = None
    level: int = ANY
    step_code: str = ""
    step_status: int = ANY
    risk_level: int = ANY
    assignee: int = ANY
    assignee_session: int = ANY
    waiting_from: int = 0
    waiting_to: int = 0


class Facets(Struct, frozen=True, gc=False):
    """What the queue knows of a case that waits: all that filters and orders ask."""

    brand: str
    level: int
    risk_level: RiskLevel
    since: int
    steps: frozenset[StepMark]


def pending(steps: Sequence[Step]) -> list[Step]:
    """Keep the steps that wait for a decision."""
    return [step for step in steps if step.status is StepStatus.PENDING]


def facets(profile: Profile, steps: Sequence[Step]) -> Facets | None:
    """Return what the queue knows of a case; None when it waits for nothing.

    It waits since its oldest pending step was handed in; a review without one, since the profile changed last.
    """
    waiting = pending(steps)
    if waiting:
        since = min([step.submitted_time or step.updated_time for step in waiting])
    elif profile.status is ProfileStatus.REVIEW_REQUIRED:
        since = profile.updated_time
    else:
        return None
    marks = frozenset([(step.code, step.status) for step in steps])
    return Facets(profile.brand, profile.required_level, profile.risk_level, since, marks)


def waits(profile: Profile, steps: Sequence[Step]) -> bool:
    """Tell whether the case waits for a reviewer."""
    return profile.status is ProfileStatus.REVIEW_REQUIRED or any(step.status is StepStatus.PENDING for step in steps)


def open_documents(steps: Sequence[Step], documents: Sequence[Document]) -> int:
    """Count the undecided documents of pending steps."""
    waiting = {step.id for step in pending(steps)}
    return sum(found.step_id in waiting and found.status in OPEN_DOCUMENTS for found in documents)


def fits(wanted: CaseFilter, found: Facets | None, assignee: int) -> bool:
    """Tell whether a case is one the filter asks for; `assignee` is who holds it now, 0 = nobody."""
    return (
        found is not None
        and (wanted.brands is None or found.brand in wanted.brands)
        and wanted.level in {ANY, found.level}
        and wanted.risk_level in {ANY, found.risk_level}
        and wanted.assignee in {ANY, assignee}
        and wanted.waiting_from <= found.since
        and (not wanted.waiting_to or found.since <= wanted.waiting_to)
        and _has_step(wanted, found)
    )


def _has_step(wanted: CaseFilter, found: Facets) -> bool:
    code, status = wanted.step_code, wanted.step_status
    if code:
        return (code, StepStatus.PENDING if status == ANY else status) in found.steps
    return status == ANY or any(mark[1] == status for mark in found.steps)


def place(order: str, found: Facets, kyc_id: int) -> tuple[int, int, int]:
    """Return where a case stands in the queue: the riskiest first unless the order is "age", then the oldest."""
    return (0 if order == "age" else -found.risk_level, found.since, kyc_id)


def running(claim: Claim | None, now: int) -> Claim | None:
    """Return the claim on a case while its lease lasts, else None."""
    return claim if claim is not None and now < claim.lease_until else None


def holder(claim: Claim | None, now: int) -> int:
    """Return who works on a case: the sub, 0 when there is no claim or its lease is over."""
    held = running(claim, now)
    return held.assignee if held else NOBODY


def is_held_by(session: Session, claim: Claim | None, now: int) -> bool:
    """Tell whether the caller holds the case now; the same number in another type of session is somebody else."""
    held = running(claim, now)
    return held is not None and (held.assignee, held.assignee_session) == (session.sub, session.type)


def lease(session: Session, kyc_id: int, claim: Claim | None, *, now: int, seconds: int) -> Claim:
    """Return the caller's claim on a case from now on; one the caller holds already keeps its beginning."""
    begun = claim.claimed_time if claim is not None and is_held_by(session, claim, now) else now
    return Claim(kyc_id, session.sub, int(session.type), begun, now + seconds)


def ensure_free(session: Session, claim: Claim | None, now: int) -> None:
    """Raise INVALID_STATE, naming who holds the case and until when, when somebody else does."""
    held = running(claim, now)
    if held is None or is_held_by(session, held, now):
        return
    raise KycError(
        Code.INVALID_STATE,
        f"Case is held by {held.assignee} (session type {held.assignee_session}) until {held.lease_until}; "
        "take another, wait, or have an ADMIN take it over",
        {
            "assignee": held.assignee,
            "assignee_session": held.assignee_session,
            "lease_until": held.lease_until,
        },
    )


def ensure_waiting(profile: Profile, steps: Sequence[Step]) -> None:
    """Raise INVALID_STATE when there is nothing to work on."""
    if not waits(profile, steps):
        raise KycError(Code.INVALID_STATE, "Case waits for nothing: no step is pending and no review is due")


def may_take_over(session: Session) -> bool:
    """Tell whether the caller may take a case from somebody who holds it."""
    return session.type in DECIDERS
