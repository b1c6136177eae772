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
    trail.audit_step(
        context,
        "step.required",
        step,
        held.status if held else StepStatus.REQUIRED,
        reason=request.reason,
        details={"code": step.code, "level": step.level, "reused": held is not None},
        source=request.source,
    )
    return ACCEPTED


def tell(
    context: WriteContext,
    kind: str,
    old: Step,
    step: Step,
    reason: str,
    comment: str = "",
    details: dict[str, Any] = NO_OBJECT,
) -> None:
    """Keep a decided step, recalculate its profile, and tell of both; the one way every decision takes."""
    trail.put_step(context, kind, step)
    trail.recalculate(context, trail.profile_of(context, step))
    trail.audit_step(context, kind, step, old.status, reason, comment, details)


def approve_step(context: WriteContext, request: ApproveStep, target: Step) -> Accepted:
    """Approve a pending step, or a manual one that is required."""
    expires = request.expire_time
    if expires and expires <= context.now:
        raise invalid("expire_time", "is not in the future")
    step = steps.move(
        target,
        StepStatus.APPROVED,
        now=context.now,
        reason=request.reason,
        comment=request.comment,
        reviewed_time=context.now,
        reviewed_by=context.session.sub,
        expire_time=expires,
    )
    details = {"expire_time": expires} if expires else NO_OBJECT
    tell(context, "step.approved", target, step, request.reason, request.comment, details)
    return ACCEPTED


def reject_step(context: WriteContext, request: RejectStep, target: Step) -> Accepted:
    """Reject a pending step; its customer may submit it again."""
    step = steps.move(
        target,
        StepStatus.REJECTED,
        now=context.now,
        reason=request.reason,
        comment=request.comment,
        reviewed_time=context.now,
        reviewed_by=context.session.sub,
    )
    tell(context, "step.rejected", target, step, request.reason, request.comment)
    return ACCEPTED


def skip_step(context: WriteContext, request: SkipStep, target: Step) -> Accepted:
    """Let a customer off a required step."""
    step = steps.move(
        target,
        StepStatus.SKIPPED,
        now=context.now,
        reason=request.reason,
        comment="",
        reviewed_time=context.now,
        reviewed_by=context.session.sub,
    )
    tell(context, "step.skipped", target, step, request.reason)
    return ACCEPTED


def reopen_step(context: WriteContext, request: ReopenStep, target: Step) -> Accepted:
    """Take the rejection of a step back: it waits for a decision as before, and its customer is told of no reason."""
    step = steps.reopened(target, now=context.now, reason="", comment="", reviewed_time=0, reviewed_by=0)
    tell(context, "step.reopened", target, step, request.reason, request.comment)
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
