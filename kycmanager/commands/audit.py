"""The audit: who did what, when and why."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import asdict, replace

from kycmanager.commands import scopes
from kycmanager.commands.model import (
    Access,
    AnyId,
    Brand,
    Command,
    Kind,
    ListRequest,
    QueryContext,
    Reply,
    Route,
    Time,
    local_row,
)
from kycmanager.commands.pages import scope_of
from kycmanager.commands.system import Nothing
from kycmanager.commands.views import ListReply
from kycmanager.domain.errors import invalid
from kycmanager.domain.records import AuditRow
from kycmanager.domain.session import MANAGERS
from kycmanager.ports import AuditQuery


class GetAudit(ListRequest, frozen=True, kw_only=True):
    """Filters; one that is left out means "any", and so do 0 and an empty action."""

    brand: Brand | UnsetType = UNSET
    customer_id: AnyId = 0
    kyc_id: AnyId = 0
    step_id: AnyId = 0
    document_id: AnyId = 0
    action: Annotated[str, Meta(max_length=64)] = ""
    actor_id: AnyId = 0
    time_from: Time = 0
    time_to: Time = 0
    look: Annotated[int, Meta(ge=0, le=1_000_000)] = 0


class AuditList(ListReply, frozen=True, kw_only=True):
    """Audit rows, newest first."""

    rows: list[AuditRow]


class AuditHeadReply(Reply, frozen=True, kw_only=True):
    """The end of the chain of all brands: `hash` stands for every row up to `audit_id`; times are 0 for never."""

    link: int
    audit_id: int
    hash: str
    told_time: int
    agreed_time: int


def _customer_of(context: QueryContext, request: GetAudit) -> int:
    """Find whose rows are asked for, so that the base can use its one index."""
    records = context.records
    named = (
        records.profile(request.kyc_id) if request.kyc_id else None,
        records.step(request.step_id) if request.step_id else None,
        records.document(request.document_id) if request.document_id else None,
    )
    return request.customer_id or next((found.customer_id for found in named if found is not None), 0)


async def get_audit(context: QueryContext, request: GetAudit, _target: None) -> AuditList:
    """List audit rows, newest first; `after` is the id the page before ended with.

    With `look` a page may be short, even empty, and still have a next one: it has looked at so many rows and stopped.
    """
    if request.after and not (request.after.isascii() and request.after.isdigit()):
        raise invalid("after", "is not a cursor of this list")
    query = AuditQuery(
        brands=scope_of(context.session, request.brand),
        customer_id=_customer_of(context, request),
        kyc_id=request.kyc_id,
        step_id=request.step_id,
        document_id=request.document_id,
        action=request.action,
        actor_id=request.actor_id,
        time_from=request.time_from,
        time_to=request.time_to,
        before_id=int(request.after or 0),
        limit=request.limit + 1,
        offset=0 if request.after else request.offset,
    )
    stopped = 0
    if request.look and not query.customer_id:  # a customer has an index, and few rows
        begins, below = await context.store.audit_window(query, request.look)
        query = replace(query, from_id=begins)
        stopped = begins if below else 0
    found, count, capped = await context.store.audit(query)
    rows = list(found[: request.limit])
    more = rows[-1].id if len(found) > request.limit else stopped
    capped = capped or bool(stopped)
    return AuditList(rows=rows, count=count, next=str(more) if more else None, count_capped=True if capped else UNSET)


async def get_head(context: QueryContext, _request: Nothing, _target: None) -> AuditHeadReply:
    """Tell where the chain ends, and when it was last held against what is written down outside the base."""
    return AuditHeadReply(**asdict(context.store.audit_head()))


COMMANDS: tuple[Command, ...] = (
    Command(
        name="MngGetKycAudit",
        summary="Show who did what, newest first",
        request=GetAudit,
        reply=AuditList,
        access=Access(MANAGERS, scopes.anything),
        kind=Kind.QUERY,
        handler=get_audit,
        errors=(),
        route=Route(("GET",), "/manager/kyc/audit"),
    ),
    local_row(
        "SysGetAuditHead",
        "Pages: tell where the chain of the audit ends",
        Nothing,
        AuditHeadReply,
        get_head,
        scopes.anything,
        kind=Kind.QUERY,
    ),
)
