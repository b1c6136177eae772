"""What happens by rule: the hooks a CRM's workflow calls by name, and the expiry of steps and documents."""

import msgspec

from kycmanager.commands import documents, scopes, trail
from kycmanager.commands.model import (
    Accepted,
    Access,
    Brand,
    Command,
    Id,
    Kind,
    Level,
    Reason,
    Reply,
    Request,
    Route,
    StepCode,
    WriteContext,
    WriteRequest,
    local_row,
)
from kycmanager.commands.profiles import SetRequiredLevel, set_required_level
from kycmanager.commands.steps import RequireStep, require_step
from kycmanager.domain import step as steps
from kycmanager.domain.enums import DocumentStatus, StepStatus, TemplateStatus
from kycmanager.domain.errors import Code
from kycmanager.domain.records import NO_OBJECT, Profile, Step
from kycmanager.domain.session import HOOK_CALLERS

WORKFLOW = "workflow"


class RequireStepHook(WriteRequest, frozen=True, kw_only=True):
    """The step a workflow asks of a customer."""

    customer_id: Id
    brand: Brand
    step_code: StepCode
    level: Level | None = None
    reason: Reason = ""


class SetRequiredLevelHook(WriteRequest, frozen=True, kw_only=True):
    """The level a workflow asks of a customer."""

    customer_id: Id
    brand: Brand
    level: Level
    reason: Reason = ""


class ExpireDue(Request, frozen=True, kw_only=True):
    """The steps and documents whose time is up, as the timer found them."""

    steps: list[Id] = []
    documents: list[Id] = []


class Expired(Reply, frozen=True, kw_only=True):
    """How many were expired."""

    steps: int
    documents: int


def require_step_hook(context: WriteContext, request: RequireStepHook, target: Profile | None) -> Accepted:
    """Require a step in the name of the workflow."""
    return require_step(
        context,
        RequireStep(
            customer_id=request.customer_id,
            brand=request.brand,
            step_code=request.step_code,
            level=request.level,
            reason=request.reason,
            source=WORKFLOW,
        ),
        target,
    )


def set_required_level_hook(context: WriteContext, request: SetRequiredLevelHook, target: Profile | None) -> Accepted:
    """Ask a level in the name of the workflow."""
    return set_required_level(
        context,
        SetRequiredLevel(
            customer_id=request.customer_id,
            brand=request.brand,
            level=request.level,
            reason=request.reason,
            source=WORKFLOW,
        ),
        target,
    )


def _asked_again(old: Step, step_id: int, now: int) -> Step:
    return msgspec.structs.replace(
        old,
        id=step_id,
        status=StepStatus.REQUIRED,
        answers=NO_OBJECT,
        submitted_time=0,
        created_time=now,
        updated_time=now,
        reviewed_time=0,
        reviewed_by=0,
        reason="",
        comment="",
        expire_time=0,
        version=1,
    )


def _successor(context: WriteContext, old: Step, profile: Profile) -> None:
    """Ask an expired required step again: from its template as it is now, or as it was when that is gone."""
    changes = context.changes
    if not old.required or steps.active(changes.steps_of(profile.id), old.code) is not None:
        return
    step_id = changes.next_id("step")
    template = changes.template_by_code(old.brand, old.code)
    if template is not None and template.status is TemplateStatus.ACTIVE:
        fresh = steps.required_step(
            template, profile, id=step_id, level=old.level, explicit=bool(old.explicit), now=context.now
        )
        fresh = msgspec.structs.replace(fresh, required=1)
    else:
        fresh = _asked_again(old, step_id, context.now)
    trail.put_step(context, "step.required", fresh)
    trail.audit_step(context, "step.required", fresh, 0, reason="expired", details={"successor_of": old.id})


def _expire_step(context: WriteContext, old: Step) -> None:
    step = steps.move(old, StepStatus.EXPIRED, now=context.now)
    trail.put_step(context, "step.expired", step)
    profile = trail.profile_of(context, step)
    _successor(context, step, profile)
    trail.recalculate(context, profile)
    trail.audit_step(context, "step.expired", step, old.status, reason="expired")


def expire_due(context: WriteContext, request: ExpireDue, _target: None) -> Expired:
    """Expire what is due; what has moved on since the timer looked is left alone."""
    changes = context.changes
    expired_steps = expired_documents = 0
    for step_id in request.steps:
        step = changes.step(step_id)
        if step is not None and step.status is StepStatus.APPROVED and 0 < step.expire_time <= context.now:
            _expire_step(context, step)
            expired_steps += 1
    for document_id in request.documents:
        found = changes.document(document_id)
        if found is not None and found.status is DocumentStatus.APPROVED and 0 < found.expire_time <= context.now:
            documents.move_document(
                context,
                found,
                "document.expired",
                DocumentStatus.EXPIRED,
                reason="expired",
                comment=found.comment,
            )
            expired_documents += 1
    return Expired(steps=expired_steps, documents=expired_documents)


COMMANDS: tuple[Command, ...] = (
    Command(
        name="kyc.require_step",
        summary="Workflow hook: ask one step of a customer",
        request=RequireStepHook,
        reply=Accepted,
        access=Access(HOOK_CALLERS, scopes.customer_profile("template")),
        kind=Kind.WRITE,
        handler=require_step_hook,
        errors=(Code.NOT_FOUND,),
        route=Route(("POST",), "/manager/kyc/hooks/kyc.require_step"),
    ),
    Command(
        name="kyc.set_required_level",
        summary="Workflow hook: ask a level of a customer",
        request=SetRequiredLevelHook,
        reply=Accepted,
        access=Access(HOOK_CALLERS, scopes.customer_profile("profile")),
        kind=Kind.WRITE,
        handler=set_required_level_hook,
        errors=(Code.NOT_FOUND,),
        route=Route(("POST",), "/manager/kyc/hooks/kyc.set_required_level"),
    ),
    local_row(
        "SysExpireDue",
        "Timer: expire steps and documents whose time is up",
        ExpireDue,
        Expired,
        expire_due,
        scopes.anything,
    ),
)
