"""Erasing a customer: what stays of each record, and until when the law keeps it all."""

from collections.abc import Iterable
from datetime import UTC, datetime

from msgspec.structs import replace

from kycmanager.domain.enums import DocumentStatus, StepStatus
from kycmanager.domain.errors import Code, KycError
from kycmanager.domain.records import NO_OBJECT, Document, Profile, Step

REASON = "erased"


def ensure_erasable(profile: Profile, steps: Iterable[Step], *, retention_seconds: int, now: int) -> None:
    """Raise FORBIDDEN with the date where a customer somebody has decided on must be kept; times in Unix seconds."""
    if not retention_seconds or not any(step.reviewed_time for step in steps):
        return
    until = profile.updated_time + retention_seconds
    if now < until:
        day = datetime.fromtimestamp(until, UTC).date().isoformat()
        raise KycError(Code.FORBIDDEN, f"The law has this customer kept until {day}; ask again then", {"until": day})


def erased_step(step: Step, now: int) -> Step:
    """Give what stays of a step: that it was asked. It counts no more, whatever it was; no move of its life is this."""
    return replace(
        step,
        status=StepStatus.EXPIRED,
        required=0,
        answers=NO_OBJECT,
        reason=REASON,
        comment="",
        updated_time=now,
        version=step.version + 1,
    )


def erased_document(document: Document, now: int) -> Document:
    """Give what stays of a document: that there was one. Its file is gone."""
    return replace(
        document,
        status=DocumentStatus.DELETED,
        file_id="",
        file_name="",
        checksum="",
        reason=REASON,
        comment="",
        updated_time=now,
        version=document.version + 1,
    )


def erased_profile(profile: Profile) -> Profile:
    """Give the profile with nothing asked of it; the caller recalculates."""
    return replace(profile, required_level=0)
