"""Finding profiles, with a trace of who searched and looked, and what a template would ask of whom."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from kycmanager.commands import scopes, trail
from kycmanager.commands.model import (
    ACCEPTED,
    Accepted,
    Access,
    AnyId,
    Brand,
    Command,
    DocumentType,
    Flag,
    Id,
    Kind,
    Level,
    ListRequest,
    ReadContext,
    Reply,
    Request,
    Route,
    WriteContext,
)
from kycmanager.commands.pages import scope_of
from kycmanager.commands.views import ProfileList
from kycmanager.desk_ports import SearchQuery
from kycmanager.domain.enums import TemplateStatus
from kycmanager.domain.errors import Code, invalid
from kycmanager.domain.form_schema import NAME_CHARS_MAX
from kycmanager.domain.lookup import VALUE_CHARS_MAX, words_for
from kycmanager.domain.records import Profile, Template
from kycmanager.domain.session import MANAGERS, Session

DETAILS_BYTES_MAX = 4096
SHARERS_MAX = 5
"""Profiles named for one document; `count` tells of all."""

_CRITERIA = ("customer_id", "checksum", "file_name", "document_type", "field")


class Search(ListRequest, frozen=True, kw_only=True):
    """What to find profiles by, all of it together, at least one besides the brand; texts are matched as a whole."""

    customer_id: AnyId = 0
    checksum: Annotated[str, Meta(max_length=64)] = ""
    file_name: Annotated[str, Meta(max_length=255)] = ""
    document_type: DocumentType = ""
    field: Annotated[str, Meta(max_length=NAME_CHARS_MAX)] = ""
    value: Annotated[str, Meta(max_length=VALUE_CHARS_MAX)] = ""
    brand: Brand | UnsetType = UNSET


class SearchReply(ProfileList, frozen=True, kw_only=True):
    """Profiles, ids ascending; `partial` says that the answers to the field are still being indexed: more may come."""

    partial: bool | UnsetType = UNSET


class NoteAccess(Request, frozen=True, kw_only=True):
    """What somebody looked at, for the audit: a profile, one of its documents, or neither for a search or an export."""

    action: Literal["view", "download", "export", "search"]
    kyc_id: AnyId = 0
    document_id: AnyId = 0
    details: dict[str, Any] = {}


class GetTemplateImpact(Request, frozen=True, kw_only=True):
    """A template as it would be saved; `id` is that of the one to be changed, left out for a new one."""

    brand: Brand
    level: Level
    id: AnyId = 0
    required: Flag = 1
    status: TemplateStatus = TemplateStatus.ACTIVE


class ImpactReply(Reply, frozen=True, kw_only=True):
    """Whom the template concerns."""

    profiles_using: int
    profiles_gaining: int


class GetDuplicates(Request, frozen=True, kw_only=True):
    """The case whose files to look for elsewhere."""

    kyc_id: Id


class Sharer(Struct, frozen=True, kw_only=True, gc=False):
    """Another profile that holds the same file."""

    kyc_id: int
    customer_id: int
    brand: str


class Duplicate(Struct, frozen=True, kw_only=True, gc=False):
    """A document whose file others hold too: how many profiles within reach, and the first of them."""

    document_id: int
    count: int
    profiles: list[Sharer]


class DuplicateList(Reply, frozen=True, kw_only=True):
    """The documents of the case whose files are elsewhere too, ids ascending."""

    rows: list[Duplicate]


def _one_brand(session: Session, brand: str = "") -> str:
    """Return the brand to file an audit row under: the one named, or the only one of the token."""
    if brand or session.brands is None or len(session.brands) != 1:
        return brand
    return next(iter(session.brands))


def _ensure_searchable(allowed: Sequence[str], request: Search) -> None:
    """Raise INVALID_DATA unless the field is one whose answers may be searched, and has a value."""
    if not request.field:
        if request.value:
            raise invalid("field", "is needed with a value")
        return
    if request.field not in allowed:
        those = f"only those to {', '.join(allowed)} may" if allowed else "backoffice.search_fields names none that may"
        raise invalid("field", f"answers to it may not be searched; {those}")
    if not words_for(request.value):
        raise invalid("value", "is needed with a field")


def search(context: WriteContext, request: Search, _target: None) -> SearchReply:
    """Find profiles, and write down who searched for what; of answers the field only, never the value."""
    desk = context.changes.desk
    _ensure_searchable(desk.lookup.fields, request)
    asked = {name: value for name in _CRITERIA if (value := getattr(request, name))}
    if not asked:
        raise invalid("customer_id", f"give at least one of {', '.join(_CRITERIA)}")
    page = desk.search(
        SearchQuery(
            brands=scope_of(context.session, request.brand),
            limit=request.limit,
            offset=request.offset,
            after=request.after,
            value=request.value,
            **asked,
        )
    )
    brand = "" if request.brand is UNSET else request.brand
    trail.audit(
        context,
        "access.search",
        brand=_one_brand(context.session, brand if context.session.sees(brand) else ""),
        customer_id=request.customer_id,
        details={**asked, "found": page.count},
    )
    partial = True if page.partial else UNSET
    return SearchReply(rows=list(page.rows), count=page.count, next=page.next, partial=partial)


_ACTIONS = {
    "view": "access.view",
    "download": "access.download",
    "export": "access.export",
    "search": "access.search",
}


def note_access(context: WriteContext, request: NoteAccess, target: Profile | None) -> Accepted:
    """Write down who looked at what; a look at a case by who holds it begins the lease anew."""
    if len(msgspec.json.encode(request.details)) > DETAILS_BYTES_MAX:
        raise invalid("details", f"are longer than {DETAILS_BYTES_MAX} bytes")
    if target is not None:
        trail.tend_claim(context, target)
    trail.audit(
        context,
        _ACTIONS[request.action],
        brand=target.brand if target else _one_brand(context.session),
        customer_id=target.customer_id if target else 0,
        kyc_id=target.id if target else 0,
        document_id=request.document_id,
        details=request.details,
    )
    return ACCEPTED


def get_template_impact(context: ReadContext, request: GetTemplateImpact, _target: Template | None) -> ImpactReply:
    """Count who has a step of the template, and who would be asked for one when the level is asked again."""
    using, gaining = context.records.template_impact(request.brand, request.level, request.id)
    asks = request.required and request.status is TemplateStatus.ACTIVE
    return ImpactReply(profiles_using=using, profiles_gaining=gaining if asks else 0)


def get_duplicates(context: ReadContext, _request: GetDuplicates, target: Profile) -> DuplicateList:
    """Tell which documents of a case have a file that other profiles of the caller's brands hold too."""
    records, rows = context.records, []
    for document in records.documents_of(target.id):
        page = records.desk.sharing(document.checksum, target.id, context.session.brands, SHARERS_MAX)
        if page.count:
            named = [Sharer(kyc_id=each.id, customer_id=each.customer_id, brand=each.brand) for each in page.rows]
            rows.append(Duplicate(document_id=document.id, count=page.count, profiles=named))
    return DuplicateList(rows=rows)


COMMANDS: tuple[Command, ...] = (
    Command(
        name="MngSearchKyc",
        summary="Find profiles by customer, document or answer; every search is in the audit",
        request=Search,
        reply=SearchReply,
        access=Access(MANAGERS, scopes.anything),
        kind=Kind.WRITE,
        handler=search,
        errors=(),
        route=Route(("POST",), "/manager/kyc/search"),
    ),
    Command(
        name="MngNoteKycAccess",
        summary="Write into the audit who looked at, fetched or exported what",
        request=NoteAccess,
        reply=Accepted,
        access=Access(MANAGERS, scopes.looked_at),
        kind=Kind.WRITE,
        handler=note_access,
        errors=(Code.NOT_FOUND,),
        route=Route(("POST",), "/manager/kyc/access"),
    ),
    Command(
        name="MngGetKycDuplicates",
        summary="Tell which files of a case other customers have handed in too",
        request=GetDuplicates,
        reply=DuplicateList,
        access=Access(MANAGERS, scopes.profile_named),
        kind=Kind.READ,
        handler=get_duplicates,
        errors=(Code.NOT_FOUND,),
        route=Route(("GET",), "/manager/kyc/duplicates"),
    ),
    Command(
        name="MngGetKycTemplateImpact",
        summary="Count the profiles a template concerns",
        request=GetTemplateImpact,
        reply=ImpactReply,
        access=Access(MANAGERS, scopes.template_to_be),
        kind=Kind.READ,
        handler=get_template_impact,
        errors=(Code.NOT_FOUND,),
        route=Route(("GET",), "/manager/kyc/templates/impact"),
    ),
)
