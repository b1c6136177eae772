"""Steps: requiring, approving, rejecting and skipping them."""

from typing import Any

from kycmanager.commands import scopes, trail
from kycmanager.commands.model import (
    ACCEPTED,
    Accepted,
    Access,
    Brand,
    Command,
    Id,
    Kind,
    Level,
    ReadContext,
    Reason,
    Request,
    Route,
    Source,
    StepCode,
    Text,
    Time,
    WriteContext,
    WriteRequest,
)
from kycmanager.commands.views import StepReply, step_view
from kycmanager.domain import step as steps
from kycmanager.domain.enums import StepStatus, TemplateStatus
from kycmanager.domain.errors import Code, invalid, not_found
from kycmanager.domain.records import NO_OBJECT, Profile, Step
from kycmanager.domain.session import MANAGERS


class GetStep(Request, frozen=True, kw_only=True):
    """The step to show."""

    id: Id


class RequireStep(WriteRequest, frozen=True, kw_only=True):
    """The step to ask of a customer by the code of its template; `level` overrides the template's."""

    customer_id: Id
    brand: Brand
    step_code: StepCode
    level: Level | None = None
    reason: Reason = ""
    source: Source = ""


class ApproveStep(WriteRequest, frozen=True, kw_only=True):
    """The step to approve, until `expire_time` when that is not 0."""

    id: Id
    reason: Reason = ""
    comment: Text = ""
    expire_time: Time = 0


class RejectStep(WriteRequest, frozen=True, kw_only=True):
    """The step to reject; `reason` is a code the customer sees, `comment` is internal."""

    id: Id
    reason: Reason = ""
    comment: Text = ""


class SkipStep(WriteRequest, frozen=True, kw_only=True):
    """The step to skip."""

    id: Id
    reason: Reason = ""


class ReopenStep(WriteRequest, frozen=True, kw_only=True):
    """The rejected step to decide anew."""

    id: Id
    reason: Reason = ""
    comment: Text = ""


def get_step(context: ReadContext, _request: GetStep, target: Step) -> StepReply:
    """Show a step and the documents attached to it."""
    records = context.records
    documents = [document for document in records.documents_of(target.kyc_id) if document.step_id == target.id]
    return StepReply(step=step_view(records, target), documents=documents)


def require_step(context: WriteContext, request: RequireStep, target: Profile | None) -> Accepted:
    """Attach one required step by code; an active one is reused, its level overridden when one is given."""
    changes = context.changes
    template = changes.template_by_code(request.brand, request.step_code)
    if template is None or template.status is not TemplateStatus.ACTIVE:
        raise not_found("template")
    profile = trail.profile_for(context, target, request.customer_id, request.brand, request.source)
    held = steps.active(changes.steps_of(profile.id), request.step_code)
    if held is None:
        step = steps.required_step(
            template,
            profile,
            id=changes.next_id("step"),
            level=request.level or template.level,
            explicit=True,
            now=context.now,
        )
    else:
        step = steps.amend(held, now=context.now, required=1, explicit=1, level=request.level or held.level)
    trail.put_step(context, "step.required", step)
    trail.recalculate(context, profile)
    trail.audit(
        context,
        "step.required",
        brand=step.brand,
        customer_id=step.customer_id,
        kyc_id=step.kyc_id,
        step_id=step.id,
        source=request.source,
        reason=request.reason,
        old_status=held.status if held else StepStatus.REQUIRED,
        new_status=step.status,
        details={"code": step.code, "level": step.level, "reused": held is not None},
    )
    return ACCEPTED


def decide(
    context: WriteContext,
    old: Step,
    kind: str,
    to: StepStatus,
    *,
    reason: str,
    comment: str = "",
    details: dict[str, Any] = NO_OBJECT,
    **changes: Any,
) -> Step:
    """Move a step, recalculate its profile, and tell of both; the one way every decision takes."""
    step = steps.move(old, to, now=context.now, reason=reason, comment=comment, **changes)
    return _tell(context, old, step, kind, reason=reason, comment=comment, details=details)


def _tell(
    context: WriteContext, old: Step, step: Step, kind: str, *, reason: str, comment: str, details: dict[str, Any]
) -> Step:
    trail.put_step(context, kind, step)
    trail.recalculate(context, trail.profile_of(context, step))
    trail.audit(
        context,
        kind,
        brand=step.brand,
        customer_id=step.customer_id,
        kyc_id=step.kyc_id,
        step_id=step.id,
        reason=reason,
        comment=comment,
        old_status=old.status,
        new_status=step.status,
        details=details,
    )
    return step


def approve_step(context: WriteContext, request: ApproveStep, target: Step) -> Accepted:
    """Approve a pending step, or a manual one that is required."""
    if request.expire_time and request.expire_time <= context.now:
        raise invalid("expire_time", "is not in the future")
    decide(
        context,
        target,
        "step.approved",
        StepStatus.APPROVED,
        reason=request.reason,
        comment=request.comment,
        details={"expire_time": request.expire_time} if request.expire_time else NO_OBJECT,
        reviewed_time=context.now,
        reviewed_by=context.session.sub,
        expire_time=request.expire_time,
    )
    return ACCEPTED


def reject_step(context: WriteContext, request: RejectStep, target: Step) -> Accepted:
    """Reject a pending step; its customer may submit it again."""
    decide(
        context,
        target,
        "step.rejected",
        StepStatus.REJECTED,
        reason=request.reason,
        comment=request.comment,
        reviewed_time=context.now,
        reviewed_by=context.session.sub,
    )
    return ACCEPTED


def skip_step(context: WriteContext, request: SkipStep, target: Step) -> Accepted:
    """Let a customer off a required step."""
    decide(
        context,
        target,
        "step.skipped",
        StepStatus.SKIPPED,
        reason=request.reason,
        reviewed_time=context.now,
        reviewed_by=context.session.sub,
    )
    return ACCEPTED


def reopen_step(context: WriteContext, request: ReopenStep, target: Step) -> Accepted:
    """Take the rejection of a step back: it waits for a decision as before, and its customer is told of no reason."""
    step = steps.reopened(target, now=context.now, reason="", comment="", reviewed_time=0, reviewed_by=0)
    _tell(context, target, step, "step.reopened", reason=request.reason, comment=request.comment, details=NO_OBJECT)
    return ACCEPTED


COMMANDS: tuple[Command, ...] = (
    Command(
        name="MngGetKycStep",
        summary="Show a step with its documents",
        request=GetStep,
        reply=StepReply,
        access=Access(MANAGERS, scopes.step),
        kind=Kind.READ,
        handler=get_step,
        errors=(Code.NOT_FOUND,),
        route=Route(("GET",), "/manager/kyc/steps/{id}"),
        prepared=True,
        noun="step",
    ),
    Command(
        name="MngRequireKycStep",
        summary="Ask one step of a customer by its code",
        request=RequireStep,
        reply=Accepted,
        access=Access(MANAGERS, scopes.customer_profile("template")),
        kind=Kind.WRITE,
        handler=require_step,
        errors=(Code.NOT_FOUND,),
        route=Route(("POST",), "/manager/kyc/steps/require"),
    ),
    Command(
        name="MngApproveKycStep",
        summary="Approve a step",
        request=ApproveStep,
        reply=Accepted,
        access=Access(MANAGERS, scopes.step),
        kind=Kind.WRITE,
        handler=approve_step,
        errors=(Code.NOT_FOUND, Code.INVALID_STATE),
        route=Route(("POST",), "/manager/kyc/steps/{id}/approve"),
        noun="step",
    ),
    Command(
        name="MngRejectKycStep",
        summary="Reject a step",
        request=RejectStep,
        reply=Accepted,
        access=Access(MANAGERS, scopes.step),
        kind=Kind.WRITE,
        handler=reject_step,
        errors=(Code.NOT_FOUND, Code.INVALID_STATE),
        route=Route(("POST",), "/manager/kyc/steps/{id}/reject"),
        noun="step",
    ),
    Command(
        name="MngReopenKycStep",
        summary="Take the rejection of a step back",
        request=ReopenStep,
        reply=Accepted,
        access=Access(MANAGERS, scopes.step),
        kind=Kind.WRITE,
        handler=reopen_step,
        errors=(Code.NOT_FOUND, Code.INVALID_STATE),
        route=Route(("POST",), "/manager/kyc/steps/{id}/reopen"),
        noun="step",
    ),
    Command(
        name="MngSkipKycStep",
        summary="Let a customer off a required step",
        request=SkipStep,
        reply=Accepted,
        access=Access(MANAGERS, scopes.step),
        kind=Kind.WRITE,
        handler=skip_step,
        errors=(Code.NOT_FOUND, Code.INVALID_STATE),
        route=Route(("POST",), "/manager/kyc/steps/{id}/skip"),
        noun="step",
    ),
)
