"""What reviewers keep beside the queue: notes on cases, the reasons for rejections, and filters of their own."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from kycmanager.commands import scopes, trail
from kycmanager.commands.cases import GetQueue
from kycmanager.commands.decoding import explain
from kycmanager.commands.model import (
    ACCEPTED,
    Accepted,
    Access,
    Brand,
    Command,
    Id,
    Kind,
    ReadContext,
    Replay,
    Reply,
    Request,
    Route,
    Text,
    WriteContext,
)
from kycmanager.commands.views import NoteView, note_view
from kycmanager.domain.case import FILTERS_MAX
from kycmanager.domain.errors import Code, KycError, invalid, not_found
from kycmanager.domain.reasons import Kind as ReasonKind
from kycmanager.domain.records import Note, Profile, SavedFilter
from kycmanager.domain.session import MANAGERS
from kycmanager.ports import Records

FilterName = Annotated[str, Meta(min_length=1, max_length=64)]
NoteText = Annotated[Text, Meta(min_length=1)]
_PAGING = {"limit", "offset", "after"}


class AddNote(Request, frozen=True, kw_only=True):
    """What to write down about a case; it cannot be changed later."""

    kyc_id: Id
    text: NoteText


class GetNotes(Request, frozen=True, kw_only=True):
    """The case whose notes to show."""

    kyc_id: Id


class GetReasons(Request, frozen=True, kw_only=True):
    """The brand whose reasons to list."""

    brand: Brand


class GetFilters(Request, frozen=True, kw_only=True):
    """Nothing: the token says whose."""


class SaveFilter(Request, frozen=True, kw_only=True):
    """A name, and the filters and order of MngGetKycQueue to keep under it; one of that name is replaced."""

    name: FilterName
    filter: dict[str, Any]


class DeleteFilter(Request, frozen=True, kw_only=True):
    """The filter to forget."""

    name: FilterName


class NoteReply(Reply, frozen=True, kw_only=True):
    """One note."""

    note: NoteView


class NoteList(Reply, frozen=True, kw_only=True):
    """All notes on a case, ids ascending."""

    rows: list[NoteView]


class ReasonView(Struct, frozen=True, kw_only=True):
    """A reason to reject: `code` is what the rejection takes."""

    code: str
    kind: ReasonKind
    label: str
    customer_text: dict[str, str]


class ReasonList(Reply, frozen=True, kw_only=True):
    """The reasons offered, in the order of the settings; a rejection may give any other code."""

    rows: list[ReasonView]


class FilterView(Struct, frozen=True, kw_only=True):
    """A filter that a reviewer keeps."""

    name: str
    filter: dict[str, Any]
    updated_time: int


class FilterList(Reply, frozen=True, kw_only=True):
    """The caller's filters, by name."""

    rows: list[FilterView]


def add_note(context: WriteContext, request: AddNote, target: Profile) -> NoteReply:
    """Write a note down; the audit tells that it was written, not what it says."""
    changes, session = context.changes, context.session
    note = changes.desk.put_note(
        Note(
            changes.next_id("note"),
            target.id,
            target.customer_id,
            target.brand,
            context.now,
            session.sub,
            int(session.type),
            {"text": request.text},
        )
    )
    changes.emit("note.added", note, brand=note.brand, customer_id=note.customer_id, kyc_id=note.kyc_id)
    trail.tend_claim(context, target)
    trail.audit(
        context,
        "note.added",
        brand=note.brand,
        customer_id=note.customer_id,
        kyc_id=note.kyc_id,
        details={"note_id": note.id},
    )
    return NoteReply(note=note_view(changes, note))


def get_notes(context: ReadContext, _request: GetNotes, target: Profile) -> NoteList:
    """Show the notes on a case."""
    records = context.records
    return NoteList(rows=[note_view(records, note) for note in records.desk.notes_of(target.id)])


def get_reasons(context: ReadContext, request: GetReasons, _target: None) -> ReasonList:
    """List the reasons of a brand; one the caller does not see has none."""
    if not context.session.sees(request.brand):
        return ReasonList(rows=[])
    return ReasonList(
        rows=[
            ReasonView(code=found.code, kind=found.kind, label=found.label, customer_text=found.customer_text)
            for found in context.records.desk.reasons.of(request.brand)
        ]
    )


def get_filters(context: ReadContext, _request: GetFilters, _target: None) -> FilterList:
    """List the caller's filters."""
    held = context.records.desk.filters_of(context.session.type, context.session.sub)
    return FilterList(
        rows=[FilterView(name=each.name, filter=each.filter, updated_time=each.updated_time) for each in held]
    )


def _ensure_filter(given: dict[str, Any]) -> None:
    """Refuse what MngGetKycQueue would not take, so that a kept filter always works."""
    known = set(GetQueue.__struct_fields__) - _PAGING
    for name in given:
        if name not in known:
            raise invalid(f"filter.{name}", f"is no filter of the queue; there are {', '.join(sorted(known))}")
    try:
        msgspec.convert(given, GetQueue)
    except msgspec.ValidationError as error:
        field, reason = explain(error)
        raise invalid(f"filter.{field}", reason) from None


def save_filter(context: WriteContext, request: SaveFilter, _target: None) -> Accepted:
    """Keep a filter of the caller."""
    _ensure_filter(request.filter)
    desk, session = context.changes.desk, context.session
    held = desk.filters_of(session.type, session.sub)
    if len(held) >= FILTERS_MAX and request.name not in {each.name for each in held}:
        raise KycError(Code.INVALID_STATE, f"{FILTERS_MAX} filters are kept already; delete one first")
    desk.put_filter(SavedFilter(int(session.type), session.sub, request.name, request.filter, context.now))
    trail.audit(context, "filter.saved", brand="", details={"name": request.name})
    return ACCEPTED


def delete_filter(context: WriteContext, request: DeleteFilter, _target: None) -> Accepted:
    """Forget a filter of the caller."""
    desk, session = context.changes.desk, context.session
    for held in desk.filters_of(session.type, session.sub):
        if held.name == request.name:
            desk.remove_filter(held)
            trail.audit(context, "filter.deleted", brand="", details={"name": request.name})
            return ACCEPTED
    raise not_found("filter")


def _recall_note(records: Records, note_id: int) -> NoteReply:
    note = records.desk.note(note_id)
    assert note is not None
    return NoteReply(note=note_view(records, note))


def _record(reply: NoteReply) -> Note:
    note = reply.note
    return Note(note.id, note.kyc_id, note.customer_id, note.brand, note.time, note.author_id, note.author_session, b"")


COMMANDS: tuple[Command, ...] = (
    Command(
        name="MngAddKycNote",
        summary="Write a note about a case, for reviewers only",
        request=AddNote,
        reply=NoteReply,
        access=Access(MANAGERS, scopes.profile_named),
        kind=Kind.WRITE,
        handler=add_note,
        errors=(Code.NOT_FOUND, Code.INVALID_STATE),
        route=Route(("POST",), "/manager/kyc/notes"),
        replay=Replay(record=_record, answer=_recall_note),
    ),
    Command(
        name="MngGetKycNotes",
        summary="Show the notes on a case",
        request=GetNotes,
        reply=NoteList,
        access=Access(MANAGERS, scopes.profile_named),
        kind=Kind.READ,
        handler=get_notes,
        errors=(Code.NOT_FOUND,),
        route=Route(("GET",), "/manager/kyc/notes"),
    ),
    Command(
        name="MngGetKycReasons",
        summary="List the reasons offered for rejections",
        request=GetReasons,
        reply=ReasonList,
        access=Access(MANAGERS, scopes.anything),
        kind=Kind.READ,
        handler=get_reasons,
        errors=(),
        route=Route(("GET",), "/manager/kyc/reasons"),
    ),
    Command(
        name="MngGetKycFilters",
        summary="List the caller's filters of the queue",
        request=GetFilters,
        reply=FilterList,
        access=Access(MANAGERS, scopes.anything),
        kind=Kind.READ,
        handler=get_filters,
        errors=(),
        route=Route(("GET",), "/manager/kyc/filters"),
    ),
    Command(
        name="MngSaveKycFilter",
        summary="Keep a filter of the queue under a name",
        request=SaveFilter,
        reply=Accepted,
        access=Access(MANAGERS, scopes.anything),
        kind=Kind.WRITE,
        handler=save_filter,
        errors=(Code.INVALID_STATE,),
        route=Route(("POST",), "/manager/kyc/filters"),
    ),
    Command(
        name="MngDeleteKycFilter",
        summary="Forget a filter of the queue",
        request=DeleteFilter,
        reply=Accepted,
        access=Access(MANAGERS, scopes.anything),
        kind=Kind.WRITE,
        handler=delete_filter,
        errors=(Code.NOT_FOUND,),
        route=Route(("POST",), "/manager/kyc/filters/delete"),
    ),
)
