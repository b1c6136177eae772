"""The queue of cases that wait for a reviewer, and the claims by which two of them never work on the same one.

A claim is a lease: it ends by itself, is renewed by every decision, note and look of its holder, and ends with the case
when nothing waits any more. Deciding needs no claim.
"""

from itertools import chain
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

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
    ListRequest,
    ReadContext,
    Replay,
    Reply,
    Request,
    Route,
    StepCode,
    Time,
    WriteContext,
    WriteRequest,
    local_row,
)
from kycmanager.commands.pages import scope_of
from kycmanager.commands.views import ListReply
from kycmanager.desk_ports import CaseQuery
from kycmanager.domain import case as cases
from kycmanager.domain.case import ANY, CaseFilter
from kycmanager.domain.enums import ProfileStatus, RiskLevel, SessionType, StepStatus
from kycmanager.domain.errors import Code
from kycmanager.domain.records import Claim, Profile
from kycmanager.domain.session import MANAGERS, Session
from kycmanager.ports import Records

LevelOrAny = Annotated[int, Meta(ge=ANY, le=100)]
StepStatusOrAny = Annotated[int, Meta(ge=ANY, le=int(max(StepStatus)))]
SessionOrAny = Annotated[int, Meta(ge=ANY, le=int(max(SessionType)))]
RiskOrAny = Annotated[int, Meta(ge=ANY, le=int(max(RiskLevel)))]


class GetQueue(ListRequest, frozen=True, kw_only=True):
    """Filters; -1 means "any". `step_code` alone asks for cases in which that step is pending.

    `assignee` 0 is nobody; the same number in another type of session is somebody else: `assignee_session` is the type.
    `order` "risk": the riskiest first, of those the longest waiting; "age": the longest waiting first.
    """

    brand: Brand | UnsetType = UNSET
    level: LevelOrAny = ANY
    step_code: StepCode | Literal[""] = ""
    step_status: StepStatusOrAny = ANY
    risk_level: RiskOrAny = ANY
    assignee: AnyId | UnsetType = UNSET
    assignee_session: SessionOrAny = ANY
    waiting_from: Time = 0
    waiting_to: Time = 0
    order: Literal["risk", "age"] = "risk"


class NextCase(Request, frozen=True, kw_only=True):
    """The filters of the queue. `leaving` is a case the caller is done looking at: it is let go of, and not given."""

    brand: Brand | UnsetType = UNSET
    level: LevelOrAny = ANY
    step_code: StepCode | Literal[""] = ""
    step_status: StepStatusOrAny = ANY
    risk_level: RiskOrAny = ANY
    waiting_from: Time = 0
    waiting_to: Time = 0
    order: Literal["risk", "age"] = "risk"
    leaving: AnyId = 0


class ClaimCase(WriteRequest, frozen=True, kw_only=True):
    """The case to work on; `take_over` takes it from whoever holds it, which only ADMIN and CRM_ADMIN may."""

    kyc_id: Id
    take_over: bool = False


class NameCase(WriteRequest, frozen=True, kw_only=True):
    """The case the caller works on."""

    kyc_id: Id


class ReleaseLapsed(Request, frozen=True, kw_only=True):
    """The cases whose lease is over, as the timer found them."""

    cases: list[Id]


class CaseView(Struct, frozen=True, kw_only=True, gc=False):
    """A case that waits, and who holds it now; without anybody `assignee` and `lease_until` are 0."""

    kyc_id: int
    customer_id: int
    brand: str
    level: int
    current_level: int
    status: ProfileStatus
    risk_level: RiskLevel
    waiting_since: int
    steps_pending: int
    documents_pending: int
    step_codes: list[str]
    assignee: int
    assignee_session: int
    lease_until: int
    version: int


class CaseList(ListReply, frozen=True, kw_only=True):
    """Cases, in the order asked for; `count` is exact."""

    rows: list[CaseView]


class CaseReply(Reply, frozen=True, kw_only=True):
    """One case, held by the caller."""

    case: CaseView


class NextReply(Reply, frozen=True, kw_only=True):
    """The case the caller holds now; null when none is free."""

    case: CaseView | None


class Released(Reply, frozen=True, kw_only=True):
    """How many claims were ended."""

    cases: int


def case_view(records: Records, profile: Profile, now: int) -> CaseView:
    """Show a case as it is at `now`."""
    steps = records.steps_of(profile.id)
    found = cases.facets(profile, steps)
    waiting = cases.pending(steps)
    claim = cases.running(records.desk.claim(profile.id), now)
    return CaseView(
        kyc_id=profile.id,
        customer_id=profile.customer_id,
        brand=profile.brand,
        level=profile.required_level,
        current_level=profile.current_level,
        status=profile.status,
        risk_level=profile.risk_level,
        waiting_since=found.since if found else 0,
        steps_pending=len(waiting),
        documents_pending=cases.open_documents(steps, records.documents_of(profile.id)),
        step_codes=[step.code for step in waiting],
        assignee=claim.assignee if claim else 0,
        assignee_session=claim.assignee_session if claim else 0,
        lease_until=claim.lease_until if claim else 0,
        version=profile.version,
    )


def _filter(
    session: Session, request: GetQueue | NextCase, assignee: int = ANY, assignee_session: int = ANY
) -> CaseFilter:
    return CaseFilter(
        brands=scope_of(session, request.brand),
        level=request.level,
        step_code=request.step_code,
        step_status=request.step_status,
        risk_level=request.risk_level,
        assignee=assignee,
        assignee_session=assignee_session,
        waiting_from=request.waiting_from,
        waiting_to=request.waiting_to,
    )


def get_queue(context: ReadContext, request: GetQueue, _target: None) -> CaseList:
    """List the cases that wait."""
    page = context.records.desk.queue(
        CaseQuery(
            filter=_filter(
                context.session,
                request,
                ANY if request.assignee is UNSET else request.assignee,
                request.assignee_session,
            ),
            now=context.now,
            order=request.order,
            limit=request.limit,
            offset=request.offset,
            after=request.after,
        )
    )
    rows = [case_view(context.records, profile, context.now) for profile in page.rows]
    return CaseList(rows=rows, count=page.count, next=page.next)


def _take(context: WriteContext, profile: Profile, action: str) -> CaseView:
    """Have the caller hold the case from now on, and tell of it; a mere renewal is no event."""
    desk, session = context.changes.desk, context.session
    old = desk.claim(profile.id)
    fresh = cases.lease(session, profile.id, old, now=context.now, seconds=desk.lease_seconds)
    desk.put_claim(fresh)
    if action != "case.renewed":
        context.changes.emit(
            "case.claimed", fresh, brand=profile.brand, customer_id=profile.customer_id, kyc_id=profile.id
        )
    details = {"lease_until": fresh.lease_until}
    if action == "case.taken_over" and old is not None:
        details |= {"assignee": old.assignee, "assignee_session": old.assignee_session}
    trail.audit(
        context,
        action,
        brand=profile.brand,
        customer_id=profile.customer_id,
        kyc_id=profile.id,
        details=details,
    )
    return case_view(context.changes, profile, context.now)


def _claim(context: WriteContext, profile: Profile) -> CaseView:
    """Claim a case that is free, or renew the caller's own claim."""
    mine = cases.is_held_by(context.session, context.changes.desk.claim(profile.id), context.now)
    return _take(context, profile, "case.renewed" if mine else "case.claimed")


def next_case(context: WriteContext, request: NextCase, _target: None) -> NextReply:
    """Give the caller a case to work on: first one the caller holds already, else the first that nobody holds."""
    changes, session = context.changes, context.session
    _leave(context, request.leaving)
    wanted = _filter(session, request)
    query = CaseQuery(filter=wanted, now=context.now, order=request.order)
    for kyc_id in chain(_own(context, query), changes.desk.free(query)):
        profile = changes.profile(kyc_id)
        assert profile is not None
        found = cases.facets(profile, changes.steps_of(kyc_id))
        if kyc_id != request.leaving and cases.fits(wanted, found, 0):
            return NextReply(case=_claim(context, profile))
    return NextReply(case=None)


def _own(context: WriteContext, query: CaseQuery) -> list[int]:
    """Return the cases the caller holds now, in the order of the queue."""
    changes, session = context.changes, context.session
    found = []
    for kyc_id in changes.desk.claims_of(session.type, session.sub):
        profile = changes.profile(kyc_id)
        if profile is not None and cases.is_held_by(session, changes.desk.claim(kyc_id), context.now):
            facets = cases.facets(profile, changes.steps_of(kyc_id))
            if facets is not None:
                found.append(cases.place(query.order, facets, kyc_id))
    return [kyc_id for _, _, kyc_id in sorted(found)]


def _leave(context: WriteContext, kyc_id: int) -> None:
    """Let go of a case the caller holds; anything else is no fault."""
    claim, profile = context.changes.desk.claim(kyc_id), context.changes.profile(kyc_id)
    if profile is not None and claim is not None and cases.is_held_by(context.session, claim, context.now):
        trail.release(context, profile, claim, "left")


def claim_case(context: WriteContext, request: ClaimCase, target: Profile) -> CaseReply:
    """Claim a case that waits; one that somebody else holds is refused, or taken over."""
    changes, session = context.changes, context.session
    cases.ensure_waiting(target, changes.steps_of(target.id))
    claim = changes.desk.claim(target.id)
    held = cases.holder(claim, context.now) and not cases.is_held_by(session, claim, context.now)
    if held and request.take_over:
        return CaseReply(case=_take(context, target, "case.taken_over"))
    cases.ensure_free(session, claim, context.now)
    return CaseReply(case=_claim(context, target))


def renew_case(context: WriteContext, _request: NameCase, target: Profile) -> CaseReply:
    """Hold a case for another lease; one whose lease is over is claimed again if nobody else has."""
    cases.ensure_waiting(target, context.changes.steps_of(target.id))
    cases.ensure_free(context.session, context.changes.desk.claim(target.id), context.now)
    return CaseReply(case=_claim(context, target))


def release_case(context: WriteContext, _request: NameCase, target: Profile) -> Accepted:
    """Let a case go; one that nobody holds stays so."""
    claim = context.changes.desk.claim(target.id)
    cases.ensure_free(context.session, claim, context.now)
    if claim is not None and cases.is_held_by(context.session, claim, context.now):
        trail.release(context, target, claim, "released")
    return ACCEPTED


def release_lapsed(context: WriteContext, request: ReleaseLapsed, _target: None) -> Released:
    """End the claims whose lease is over; one that was renewed since the timer looked is left alone."""
    changes, ended = context.changes, 0
    for kyc_id in request.cases:
        claim, profile = changes.desk.claim(kyc_id), changes.profile(kyc_id)
        if claim is not None and profile is not None and cases.running(claim, context.now) is None:
            trail.release(context, profile, claim, "lapsed")
            ended += 1
    return Released(cases=ended)


def _recall(records: Records, kyc_id: int) -> CaseReply:
    profile = records.profile(kyc_id)
    assert profile is not None
    return CaseReply(case=case_view(records, profile, 0))


def _recall_next(records: Records, kyc_id: int) -> NextReply:
    return NextReply(case=_recall(records, kyc_id).case if kyc_id else None)


def _record(reply: CaseReply | NextReply) -> Claim | None:
    case = reply.case
    return Claim(case.kyc_id, case.assignee, case.assignee_session, 0, case.lease_until) if case else None


CASE = Replay(record=_record, answer=_recall)

COMMANDS: tuple[Command, ...] = (
    Command(
        name="MngGetKycQueue",
        summary="List the cases that wait for a reviewer",
        request=GetQueue,
        reply=CaseList,
        access=Access(MANAGERS, scopes.anything),
        kind=Kind.READ,
        handler=get_queue,
        errors=(),
        route=Route(("GET",), "/manager/kyc/queue"),
    ),
    Command(
        name="MngNextKycCase",
        summary="Claim the next case nobody works on",
        request=NextCase,
        reply=NextReply,
        access=Access(MANAGERS, scopes.named_brand("case")),
        kind=Kind.WRITE,
        handler=next_case,
        errors=(Code.NOT_FOUND,),
        route=Route(("POST",), "/manager/kyc/queue/next"),
        replay=Replay(record=_record, answer=_recall_next, reach=scopes.reached_profile),
    ),
    Command(
        name="MngClaimKycCase",
        summary="Claim a case",
        request=ClaimCase,
        reply=CaseReply,
        access=Access(MANAGERS, scopes.claimable),
        kind=Kind.WRITE,
        handler=claim_case,
        errors=(Code.NOT_FOUND, Code.INVALID_STATE),
        route=Route(("POST",), "/manager/kyc/queue/claim"),
        replay=CASE,
    ),
    Command(
        name="MngRenewKycCase",
        summary="Keep a case for another lease",
        request=NameCase,
        reply=CaseReply,
        access=Access(MANAGERS, scopes.profile_named),
        kind=Kind.WRITE,
        handler=renew_case,
        errors=(Code.NOT_FOUND, Code.INVALID_STATE),
        route=Route(("POST",), "/manager/kyc/queue/renew"),
        replay=CASE,
    ),
    Command(
        name="MngReleaseKycCase",
        summary="Let a case go",
        request=NameCase,
        reply=Accepted,
        access=Access(MANAGERS, scopes.profile_named),
        kind=Kind.WRITE,
        handler=release_case,
        errors=(Code.NOT_FOUND, Code.INVALID_STATE),
        route=Route(("POST",), "/manager/kyc/queue/release"),
    ),
    local_row(
        "SysReleaseCases",
        "Timer: end the claims whose lease is over",
        ReleaseLapsed,
        Released,
        release_lapsed,
        scopes.anything,
    ),
)
