"""The pages of customers: one-time links to them, what ends a visit, and taking back what was not handed in yet."""

from typing import Annotated, Any, Literal

from msgspec import Meta

from kycmanager.commands import scopes, trail
from kycmanager.commands.documents import move_document
from kycmanager.commands.model import (
    ACCEPTED,
    END,
    Accepted,
    Access,
    AnyId,
    Brand,
    Command,
    Id,
    Kind,
    Replay,
    Reply,
    Request,
    Route,
    Time,
    WriteContext,
    WriteRequest,
    local_row,
)
from kycmanager.domain.enums import DocumentStatus
from kycmanager.domain.errors import Code, KycError
from kycmanager.domain.passes import MARK
from kycmanager.domain.records import Document, Profile, Revocation
from kycmanager.domain.session import CUSTOMERS, MANAGERS
from kycmanager.ports import Records

LINK_SECONDS_MAX = 30 * 86_400

PassId = Annotated[str, Meta(pattern=rf"^{MARK}[A-Za-z0-9_-]{{1,64}}{END}")]


class MakeLink(WriteRequest, frozen=True, kw_only=True):
    """The customer to let in: by the profile, or by customer and brand. `ttl` 0 is that of the settings."""

    id: AnyId = 0
    customer_id: AnyId = 0
    brand: Brand | Literal[""] = ""
    ttl: Annotated[int, Meta(ge=0, le=LINK_SECONDS_MAX)] = 0


class LinkReply(Reply, frozen=True, kw_only=True):
    """The link, which is told this once."""

    url: str
    expires_at: int


class EndPass(Request, frozen=True, kw_only=True):
    """A pass that was read and found good."""

    pass_id: PassId
    customer_id: Id
    brand: Brand
    expires: Time


class RemoveDocument(WriteRequest, frozen=True, kw_only=True):
    """The own document to take back."""

    id: Id


def make_link(context: WriteContext, request: MakeLink, target: Profile) -> LinkReply:
    """Make a link that lets a customer in once; whoever holds it is the customer."""
    link = context.changes.users.links.link(target.customer_id, target.brand, context.now, request.ttl)
    details = {"link": link.pass_id, "expires": link.expires}
    trail.audit(context, "portal.link_made", **_named(target), details=details)
    return LinkReply(url=link.url, expires_at=link.expires)


def _not_again(_records: Records, _id: int) -> LinkReply:
    raise KycError(Code.INVALID_STATE, "The link was made before and is told once; make another, with another key")


def use_link(context: WriteContext, request: EndPass, target: Profile | None) -> Accepted:
    """Use a link up: whoever comes second is refused."""
    if not context.changes.users.use_pass(request.pass_id):
        raise KycError(Code.INVALID_STATE, "This link was used before; ask for another")
    _end(context, request)
    trail.audit(context, "portal.link_used", **_named(target), details={"link": request.pass_id})
    return ACCEPTED


def end_visit(context: WriteContext, request: EndPass, target: Profile | None) -> Accepted:
    """End a visit before its time."""
    _end(context, request)
    trail.audit(context, "portal.signed_out", **_named(target))
    return ACCEPTED


def _end(context: WriteContext, request: EndPass) -> None:
    used = Revocation(jti=request.pass_id, session=0, sub=0, not_before=0, expires=request.expires)
    context.changes.revoke(used)


def _named(profile: Profile | None) -> dict[str, Any]:
    """Return the fields of an audit row that name a customer; nobody where there is no profile."""
    if profile is None:
        return {"brand": ""}
    return {"brand": profile.brand, "customer_id": profile.customer_id, "kyc_id": profile.id}


def remove_document(context: WriteContext, _request: RemoveDocument, target: Document) -> Accepted:
    """Take a document back that nobody was asked to look at yet; its row and the file stay for the audit."""
    if target.status is not DocumentStatus.UPLOADED:
        raise KycError(
            Code.INVALID_STATE, f"Document is {target.status.name.lower()}; only one not handed in can be removed"
        )
    move_document(context, target, "document.deleted", DocumentStatus.DELETED, reason="")
    return ACCEPTED


COMMANDS: tuple[Command, ...] = (
    Command(
        name="MngMakeKycPortalLink",
        summary="Make a one-time link that lets a customer into the pages at /portal",
        request=MakeLink,
        reply=LinkReply,
        access=Access(MANAGERS, scopes.profile),
        kind=Kind.WRITE,
        handler=make_link,
        errors=(Code.NOT_FOUND, Code.INVALID_STATE),
        route=Route(("POST",), "/manager/kyc/portal-link"),
        replay=Replay(record=lambda _reply: None, answer=_not_again),
    ),
    Command(
        name="CustomerRemoveKycDocument",
        summary="Take back a document that was not handed in yet",
        request=RemoveDocument,
        reply=Accepted,
        access=Access(CUSTOMERS, scopes.own_document),
        kind=Kind.WRITE,
        handler=remove_document,
        errors=(Code.NOT_FOUND, Code.INVALID_STATE),
        route=Route(("DELETE",), "/customer/kyc/documents/{id}"),
        noun="document",
    ),
    local_row(
        "SysUsePortalLink",
        "Pages: use a customer's one-time link up",
        EndPass,
        Accepted,
        use_link,
        scopes.seen_profile,
        Code.INVALID_STATE,
    ),
    local_row("SysEndPortalVisit", "Pages: end a customer's visit", EndPass, Accepted, end_visit, scopes.seen_profile),
)
