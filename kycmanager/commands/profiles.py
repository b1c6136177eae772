"""Profiles: where a customer stands, which level is asked of it, how risky it is."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from kycmanager.commands import scopes, trail
from kycmanager.commands.model import (
    ACCEPTED,
    Accepted,
    Access,
    AnyId,
    Brand,
    Command,
    Id,
    Kind,
    Level,
    ListRequest,
    ReadContext,
    Reason,
    Reply,
    Request,
    Route,
    Source,
    Time,
    WriteContext,
    WriteRequest,
)
from kycmanager.commands.pages import list_query, page_fields
from kycmanager.commands.views import ProfileList, ProfileReply, StepView, step_view
from kycmanager.domain import profile as profiles
from kycmanager.domain import step as steps
from kycmanager.domain.enums import ProfileStatus, RiskLevel
from kycmanager.domain.errors import Code
from kycmanager.domain.records import Profile, Template
from kycmanager.domain.session import MANAGERS


class GetProfile(Request, frozen=True, kw_only=True):
    """A profile by its id, or by its customer and brand."""

    id: AnyId = 0
    customer_id: AnyId = 0
    brand: Brand | Literal[""] = ""


class GetProfiles(ListRequest, frozen=True, kw_only=True):
    """Filters; -1 means "any". `order` with a leading minus is descending."""

    customer_id: Id | UnsetType = UNSET
    brand: Brand | UnsetType = UNSET
    status: Annotated[int, Meta(ge=-1, le=int(max(ProfileStatus)))] = -1
    required_level: Annotated[int, Meta(ge=-1, le=100)] = -1
    current_level: Annotated[int, Meta(ge=-1, le=100)] = -1
    risk_level: Annotated[int, Meta(ge=-1, le=int(max(RiskLevel)))] = -1
    updated_from: Time = 0
    updated_to: Time = 0
    order: Literal["id", "-id", "updated_time", "-updated_time"] = "id"


class SetRequiredLevel(WriteRequest, frozen=True, kw_only=True):
    """The level to ask of a customer in a brand."""

    customer_id: Id
    brand: Brand
    level: Level
    reason: Reason = ""
    source: Source = ""


class SetRisk(WriteRequest, frozen=True, kw_only=True):
    """The risk level of a customer in a brand."""

    customer_id: Id
    brand: Brand
    risk_level: RiskLevel
    reason: Reason = ""


class GetGate(Request, frozen=True, kw_only=True):
    """The customer and brand to open an account for."""

    customer_id: Id
    brand: Brand


class GateReply(Reply, frozen=True, kw_only=True):
    """Whether a real account may be opened, and which steps stand in the way."""

    kyc_required: bool
    kyc_required_level: int
    kyc_status: ProfileStatus
    kyc_current_level: int
    kyc_profile_id: int
    allowed: bool
    missing: list[StepView]


def get_profile(context: ReadContext, _request: GetProfile, target: Profile) -> ProfileReply:
    """Show a profile whole."""
    records = context.records
    return ProfileReply(
        profile=target,
        steps=[step_view(records, step) for step in records.steps_of(target.id)],
        documents=list(records.documents_of(target.id)),
    )


def get_profiles(context: ReadContext, request: GetProfiles, _target: None) -> ProfileList:
    """List profiles."""
    page = context.records.list_profiles(
        list_query(
            context.session,
            request,
            brand=request.brand,
            updated_from=request.updated_from,
            updated_to=request.updated_to,
            order=request.order,
            customer_id=request.customer_id,
            status=request.status,
            required_level=request.required_level,
            current_level=request.current_level,
            risk_level=request.risk_level,
        ),
    )
    return ProfileList(rows=list(page.rows), **page_fields(page))


def _wanted(templates: Any, profile: Profile, level: int) -> list[Template]:
    if level < profile.required_level:
        return []
    return [template for template in templates if template.required and 0 < template.level <= level]


def set_required_level(context: WriteContext, request: SetRequiredLevel, target: Profile | None) -> Accepted:
    """Raise the level asked of a customer, or ask the same again, and attach what the brand asks for up to it.

    A lower level than the one held changes nothing: nothing is lowered, nothing is attached.
    """
    changes = context.changes
    profile = trail.profile_for(context, target, request.customer_id, request.brand, request.source)
    held = changes.steps_of(profile.id)
    attached = []
    for template in _wanted(changes.active_templates(request.brand), profile, request.level):
        if steps.active(held, template.code) is None:
            step = steps.required_step(
                template, profile, id=changes.next_id("step"), level=template.level, explicit=False, now=context.now
            )
            trail.put_step(context, "step.required", step)
            attached.append(step.id)
    raised: Profile = msgspec.structs.replace(profile, required_level=max(profile.required_level, request.level))
    fresh = trail.recalculate(context, raised)
    trail.audit(
        context,
        "profile.required_level",
        brand=profile.brand,
        customer_id=profile.customer_id,
        kyc_id=profile.id,
        source=request.source,
        reason=request.reason,
        old_status=profile.status,
        new_status=fresh.status,
        details={
            "requested_level": request.level,
            "old_level": profile.required_level,
            "new_level": fresh.required_level,
            "steps": attached,
        },
    )
    return ACCEPTED


def set_risk(context: WriteContext, request: SetRisk, target: Profile | None) -> Accepted:
    """Set the risk of a customer; PROHIBITED forces a review."""
    profile = trail.profile_for(context, target, request.customer_id, request.brand)
    changed: Profile = msgspec.structs.replace(profile, risk_level=request.risk_level)
    fresh = trail.recalculate(context, changed)
    trail.audit(
        context,
        "profile.risk",
        brand=profile.brand,
        customer_id=profile.customer_id,
        kyc_id=profile.id,
        reason=request.reason,
        old_status=profile.status,
        new_status=fresh.status,
        details={"old_risk": int(profile.risk_level), "new_risk": int(request.risk_level)},
    )
    return ACCEPTED


def get_gate(context: ReadContext, _request: GetGate, target: Profile | None) -> GateReply:
    """Tell whether a real account may be opened; a customer without a profile is not allowed one."""
    records = context.records
    held = records.steps_of(target.id) if target else ()
    facts = profiles.gate(target, held)
    missing = profiles.missing(target, held) if target else ()
    return GateReply(
        kyc_required=facts.kyc_required,
        kyc_required_level=facts.kyc_required_level,
        kyc_status=facts.kyc_status,
        kyc_current_level=facts.kyc_current_level,
        kyc_profile_id=facts.kyc_profile_id,
        allowed=facts.allowed,
        missing=[step_view(records, step) for step in missing],
    )


COMMANDS: tuple[Command, ...] = (
    Command(
        name="MngGetKycProfile",
        summary="Show a profile with its steps and documents",
        request=GetProfile,
        reply=ProfileReply,
        access=Access(MANAGERS, scopes.profile),
        kind=Kind.READ,
        handler=get_profile,
        errors=(Code.NOT_FOUND,),
        route=Route(("GET",), "/manager/kyc/profiles/{id}"),
        prepared=True,
        noun="profile",
    ),
    Command(
        name="MngGetKycProfiles",
        summary="List profiles",
        request=GetProfiles,
        reply=ProfileList,
        access=Access(MANAGERS, scopes.anything),
        kind=Kind.READ,
        handler=get_profiles,
        errors=(),
        route=Route(("GET",), "/manager/kyc/profiles"),
    ),
    Command(
        name="MngSetKycRequiredLevel",
        summary="Ask a level of a customer and attach the steps it takes",
        request=SetRequiredLevel,
        reply=Accepted,
        access=Access(MANAGERS, scopes.customer_profile("profile")),
        kind=Kind.WRITE,
        handler=set_required_level,
        errors=(Code.NOT_FOUND,),
        route=Route(("POST",), "/manager/kyc/required-level"),
    ),
    Command(
        name="MngSetKycRisk",
        summary="Set the risk level of a customer",
        request=SetRisk,
        reply=Accepted,
        access=Access(MANAGERS, scopes.customer_profile("profile")),
        kind=Kind.WRITE,
        handler=set_risk,
        errors=(Code.NOT_FOUND,),
        route=Route(("POST",), "/manager/kyc/risk"),
    ),
    Command(
        name="MngGetKycGate",
        summary="Tell whether a real account may be opened for a customer",
        request=GetGate,
        reply=GateReply,
        access=Access(MANAGERS, scopes.seen_profile),
        kind=Kind.READ,
        handler=get_gate,
        errors=(),
        route=Route(("GET",), "/manager/kyc/gate"),
    ),
)
