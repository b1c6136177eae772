"""What every write leaves behind: an audit row, the recalculated profile, and the events of both."""

from typing import Any

from kycmanager.commands.model import WriteContext
from kycmanager.domain import case as cases
from kycmanager.domain import profile as profiles
from kycmanager.domain.records import NO_OBJECT, AuditRow, Claim, Document, Profile, Step, Template


def audit(
    context: WriteContext,
    action: str,
    *,
    brand: str,
    customer_id: int = 0,
    kyc_id: int = 0,
    step_id: int = 0,
    document_id: int = 0,
    template_id: int = 0,
    source: str = "",
    reason: str = "",
    comment: str = "",
    old_status: int = 0,
    new_status: int = 0,
    details: dict[str, Any] = NO_OBJECT,
) -> None:
    """Write down who did what; `source` is the way in unless the request names one."""
    session = context.session
    context.changes.tell(
        AuditRow(
            context.changes.next_id("audit"),
            context.now,
            brand,
            customer_id,
            kyc_id,
            step_id,
            document_id,
            template_id,
            action,
            session.sub,
            session.type,
            source or context.source,
            reason,
            comment,
            old_status,
            new_status,
            details,
        ),
    )


def audit_step(
    context: WriteContext,
    action: str,
    step: Step,
    old_status: int,
    reason: str = "",
    comment: str = "",
    details: dict[str, Any] = NO_OBJECT,
    source: str = "",
) -> None:
    """Write down what became of a step; `step` is as it is now. Nearly every command ends here: no call more."""
    session, changes = context.session, context.changes
    changes.tell(
        AuditRow(
            changes.next_id("audit"),
            context.now,
            step.brand,
            step.customer_id,
            step.kyc_id,
            step.id,
            0,
            0,
            action,
            session.sub,
            session.type,
            source or context.source,
            reason,
            comment,
            old_status,
            step.status,
            details,
        ),
    )


def put_step(context: WriteContext, kind: str, step: Step) -> None:
    """Keep a step and tell its event."""
    changes = context.changes
    kept = changes.put_step(step)
    changes.emit(kind, kept, brand=step.brand, customer_id=step.customer_id, kyc_id=step.kyc_id)


def put_document(context: WriteContext, kind: str, document: Document) -> None:
    """Keep a document and tell its event."""
    context.changes.put_document(document)
    context.changes.emit(kind, document, brand=document.brand, customer_id=document.customer_id, kyc_id=document.kyc_id)


def put_template(context: WriteContext, kind: str, template: Template) -> None:
    """Keep a template and tell its event."""
    context.changes.put_template(template)
    context.changes.emit(kind, template, brand=template.brand, customer_id=0, kyc_id=0)


def recalculate(context: WriteContext, profile: Profile) -> Profile:
    """Recalculate a profile after its steps, level or risk changed, keep it and tell its event."""
    changes = context.changes
    held = changes.steps_of(profile.id)
    fresh = profiles.recalculate(
        profile,
        held,
        has_documents=not held and bool(changes.documents_of(profile.id)),  # says nothing more where there are steps
        review_due=False,
        now=context.now,
    )
    changes.put_profile(fresh)
    changes.emit("profile.updated", fresh, brand=fresh.brand, customer_id=fresh.customer_id, kyc_id=fresh.id)
    if changes.desk.claim(fresh.id) is not None:
        tend_claim(context, fresh)
    return fresh


def tend_claim(context: WriteContext, profile: Profile) -> None:
    """Let a case go that waits for nothing any more; else whoever works on it keeps it for another lease."""
    desk, claim = context.changes.desk, context.changes.desk.claim(profile.id)
    if claim is None:
        return
    if not cases.waits(profile, context.changes.steps_of(profile.id)):
        release(context, profile, claim, "done")
    elif cases.is_held_by(context.session, claim, context.now):
        desk.put_claim(cases.lease(context.session, profile.id, claim, now=context.now, seconds=desk.lease_seconds))


def release(context: WriteContext, profile: Profile, claim: Claim, reason: str, source: str = "") -> None:
    """Let a case go, and tell of it: `reason` is done, released, left or lapsed."""
    changes = context.changes
    changes.desk.remove_claim(profile.id)
    changes.emit(
        "case.released",
        Claim(profile.id, 0, 0, 0, 0),
        brand=profile.brand,
        customer_id=profile.customer_id,
        kyc_id=profile.id,
    )
    audit(
        context,
        "case.released",
        brand=profile.brand,
        customer_id=profile.customer_id,
        kyc_id=profile.id,
        source=source,
        reason=reason,
        details={"assignee": claim.assignee, "assignee_session": claim.assignee_session},
    )


def profile_for(
    context: WriteContext, found: Profile | None, customer_id: int, brand: str, source: str = ""
) -> Profile:
    """Reuse the customer's profile or make one; the caller recalculates, which keeps it."""
    if found is not None:
        return found
    kyc_id = context.changes.next_id("profile")
    made = profiles.new_profile(kyc_id, customer_id, brand, context.now)
    context.changes.put_profile(made)
    audit(context, "profile.created", brand=brand, customer_id=customer_id, kyc_id=kyc_id, source=source)
    return made


def profile_of(context: WriteContext, record: Step | Document) -> Profile:
    """Return the profile a step or document belongs to; every one has one."""
    found = context.changes.profile(record.kyc_id)
    assert found is not None
    return found
