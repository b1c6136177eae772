"""The audit: who did what, when and why."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from kycmanager.commands import scopes
from kycmanager.commands.model import (
    Access,
    AnyId,
    Brand,
    Command,
    Kind,
    ListRequest,
    QueryContext,
    Route,
    Time,
)
from kycmanager.commands.pages import scope_of
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


class AuditList(ListReply, frozen=True, kw_only=True):
    """Audit rows, newest first."""

    rows: list[AuditRow]


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
    """List audit rows, newest first; `after` is the id the page before ended with."""
    if request.after and not (request.after.isascii() and request.after.isdigit()):
        raise invalid("after", "is not a cursor of this list")
    found, count, capped = await context.store.audit(
        AuditQuery(
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
        ),
    )
    rows = list(found[: request.limit])
    more = str(rows[-1].id) if len(found) > request.limit else None
    return AuditList(rows=rows, count=count, next=more, count_capped=True if capped else UNSET)


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
)
