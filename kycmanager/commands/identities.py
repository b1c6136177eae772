"""What managers do with the identities of wallets: list them, and link one to a customer of the CRM."""

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from kycmanager.commands import scopes
from kycmanager.commands.model import (
    Access,
    Brand,
    Command,
    Id,
    Kind,
    ListRequest,
    ReadContext,
    Request,
    Route,
    WriteContext,
)
from kycmanager.commands.pages import list_query, page_fields
from kycmanager.commands.views import ListReply
from kycmanager.commands.wallets import IdentityReply, put_identity
from kycmanager.domain.errors import Code, KycError, invalid, not_found
from kycmanager.domain.session import MANAGERS, Session
from kycmanager.domain.wallets import Identity
from kycmanager.ports import Records


class LinkIdentity(Request, frozen=True, kw_only=True):
    """The identity, and the CRM's own customer it is to stand for."""

    id: Id
    customer_id: Id


class GetIdentities(ListRequest, frozen=True, kw_only=True):
    """Filters; one that is left out means "any"."""

    brand: Brand | UnsetType = UNSET
    customer_id: Id | UnsetType = UNSET


class IdentityList(ListReply, frozen=True, kw_only=True):
    """Identities, ids ascending."""

    rows: list[Identity]


def reached(records: Records, session: Session, request: LinkIdentity) -> Identity:
    """Find the identity a manager names."""
    found: Identity | None = records.wallets.identity(request.id)
    if found is None or not session.sees(found.brand):
        raise not_found("identity")
    return found


def link_identity(context: WriteContext, request: LinkIdentity, target: Identity) -> IdentityReply:
    """Have an identity stand for a customer of the CRM; once, and never for another wallet's own number."""
    if target.linked:
        raise KycError(Code.INVALID_STATE, f"Identity is linked to customer {target.customer_id} already")
    wallets = context.changes.wallets
    if request.customer_id == target.id or wallets.identity(request.customer_id) is not None:
        raise invalid("customer_id", "is the number of a wallet's customer; give the CRM's own")
    linked = replace(target, customer_id=request.customer_id, updated_time=context.now, version=target.version + 1)
    put_identity(context, "identity.linked", linked, {"before": target.customer_id})
    callback = wallets.callback(target.id)
    if callback is not None:
        wallets.put_callback(
            replace(callback, customer_id=request.customer_id, updated_time=context.now, version=callback.version + 1)
        )
    return IdentityReply(identity=linked)


def get_identities(context: ReadContext, request: GetIdentities, _target: None) -> IdentityList:
    """List identities."""
    page = context.records.list_identities(
        list_query(context.session, request, brand=request.brand, customer_id=request.customer_id)
    )
    return IdentityList(rows=list(page.rows), **page_fields(page))


COMMANDS: tuple[Command, ...] = (
    Command(
        name="MngLinkKycIdentity",
        summary="Have the identity of a wallet stand for a customer of the CRM",
        request=LinkIdentity,
        reply=IdentityReply,
        access=Access(MANAGERS, reached),
        kind=Kind.WRITE,
        handler=link_identity,
        errors=(Code.NOT_FOUND, Code.INVALID_STATE),
        route=Route(("POST",), "/manager/kyc/identities/{id}/link"),
        noun="identity",
    ),
    Command(
        name="MngGetKycIdentities",
        summary="List the identities of wallets",
        request=GetIdentities,
        reply=IdentityList,
        access=Access(MANAGERS, scopes.anything),
        kind=Kind.READ,
        handler=get_identities,
        errors=(),
        route=Route(("GET",), "/manager/kyc/identities"),
    ),
)
