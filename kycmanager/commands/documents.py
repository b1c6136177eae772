"""Documents: attaching stored files to profiles and steps, and deciding on them."""

from typing import Annotated, Any, Literal

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
    FileId,
    Id,
    Kind,
    ListRequest,
    Prepare,
    PrepareContext,
    ReadContext,
    Reason,
    Replay,
    Route,
    Text,
    Time,
    WriteContext,
    WriteRequest,
)
from kycmanager.commands.pages import list_query, page_fields
from kycmanager.commands.views import DocumentList, DocumentReply
from kycmanager.domain import document as documents
from kycmanager.domain import step as steps
from kycmanager.domain.enums import DocumentStatus, ProfileStatus
from kycmanager.domain.errors import Code, KycError, invalid, not_found
from kycmanager.domain.files import held_back
from kycmanager.domain.records import NO_OBJECT, Document, FileFacts, Profile, Step
from kycmanager.domain.session import MANAGERS
from kycmanager.ports import Files, Records


class AddDocument(WriteRequest, frozen=True, kw_only=True):
    """The stored file to attach, and where: to a profile, and to one of its steps unless step_id is 0."""

    file_id: FileId
    kyc_id: AnyId = 0
    customer_id: AnyId = 0
    brand: Brand | Literal[""] = ""
    step_id: AnyId = 0
    type: DocumentType = ""


class GetDocuments(ListRequest, frozen=True, kw_only=True):
    """Filters; -1 means "any"."""

    customer_id: Id | UnsetType = UNSET
    brand: Brand | UnsetType = UNSET
    kyc_id: Id | UnsetType = UNSET
    step_id: Id | UnsetType = UNSET
    status: Annotated[int, Meta(ge=-1, le=int(max(DocumentStatus)))] = -1
    type: DocumentType | UnsetType = UNSET


class ApproveDocument(WriteRequest, frozen=True, kw_only=True):
    """The document to approve, until `expire_time` when that is not 0."""

    id: Id
    reason: Reason = ""
    comment: Text = ""
    expire_time: Time = 0


class RejectDocument(WriteRequest, frozen=True, kw_only=True):
    """The document to reject; `reason` is a code the customer sees, `comment` is internal."""

    id: Id
    reason: Reason = ""
    comment: Text = ""


class DeleteDocument(WriteRequest, frozen=True, kw_only=True):
    """The document to delete."""

    id: Id
    reason: Reason = ""


class Pinned(Struct, frozen=True):
    """The file of a document to be attached: what storage knows of it, already kept from expiry."""

    file: FileFacts | None


async def pin_file(context: PrepareContext, request: Any) -> Pinned:
    """Look the file up and pin it, before the strand: only then may a document point to it."""
    facts = (await context.files.facts([request.file_id])).get(request.file_id)
    if facts is not None:
        await context.files.pin([facts.file_id])
    return Pinned(facts)


async def unpin_file(files: Files, pinned: Pinned) -> None:
    """Let the file go: its document was refused."""
    if pinned.file is not None:
        await files.unpin([pinned.file.file_id])


PIN = Prepare(pin_file, unpin_file)


async def look_at_file(context: PrepareContext, request: Any) -> bool:
    """Tell whether the file of the document is held back."""
    document = context.records.document(request.id)
    return document is not None and context.files.held(document.file_id)


def usable_file(records: Records, file: FileFacts | None, profile: Profile) -> bool:
    """Tell whether a file may be attached to a profile: never a file of another brand or another customer."""
    if file is None or file.brand != profile.brand:
        return False
    if file.owner_kind == "customer" and file.owner_id != profile.customer_id:
        return False
    held = records.document_with_file(file.file_id)
    return held is None or held.customer_id == profile.customer_id


def open_step(step: Step) -> None:
    """Refuse to attach to a step that is history."""
    if step.status not in steps.ACTIVE:
        raise KycError(Code.INVALID_STATE, f"Step is {step.status.name.lower()}; documents cannot be added to it")


def attach(context: WriteContext, profile: Profile, file: FileFacts, step_id: int, type_: str) -> Document:
    """Make the document; what it says of the file is copied from storage, never from the client."""
    documents.ensure_room(context.changes.documents_of(profile.id))
    document = Document(
        id=context.changes.next_id("document"),
        customer_id=profile.customer_id,
        kyc_id=profile.id,
        step_id=step_id,
        brand=profile.brand,
        type=type_,
        status=DocumentStatus.UPLOADED,
        file_id=file.file_id,
        file_name=file.file_name,
        content_type=file.content_type,
        file_size=file.file_size,
        checksum=file.checksum,
        created_time=context.now,
        updated_time=context.now,
        reviewed_time=0,
        reviewed_by=0,
        reason="",
        comment="",
        expire_time=0,
        version=1,
    )
    context.changes.hold_file(file, profile.id)
    trail.put_document(context, "document.added", document)
    if profile.status is ProfileStatus.NONE:
        # The first document of a profile that nothing was asked of makes it a draft.
        trail.recalculate(context, profile)
    _audit(context, "document.added", document, document.status, details={"file_id": file.file_id})
    return document


def _audit(
    context: WriteContext,
    action: str,
    document: Document,
    old: DocumentStatus,
    *,
    reason: str = "",
    comment: str = "",
    details: dict[str, Any] = NO_OBJECT,
) -> None:
    trail.audit(
        context,
        action,
        brand=document.brand,
        customer_id=document.customer_id,
        kyc_id=document.kyc_id,
        step_id=document.step_id,
        document_id=document.id,
        reason=reason,
        comment=comment,
        old_status=old,
        new_status=document.status,
        details=details,
    )


def add_document(context: WriteContext, request: AddDocument, target: Profile) -> DocumentReply:
    """Attach a file of the same brand, and of the same customer when a customer uploaded it."""
    changes = context.changes
    file: FileFacts | None = context.facts.file
    if file is None or not usable_file(changes, file, target):
        raise not_found("file")
    if request.step_id:
        step = changes.step(request.step_id)
        if step is None or step.kyc_id != target.id:
            raise not_found("step")
        open_step(step)
    return DocumentReply(document=attach(context, target, file, request.step_id, request.type))


def get_documents(context: ReadContext, request: GetDocuments, _target: None) -> DocumentList:
    """List documents, ids ascending."""
    page = context.records.list_documents(
        list_query(
            context.session,
            request,
            brand=request.brand,
            customer_id=request.customer_id,
            kyc_id=request.kyc_id,
            step_id=request.step_id,
            status=request.status,
            type=request.type,
        ),
    )
    return DocumentList(rows=list(page.rows), **page_fields(page))


def move_document(
    context: WriteContext,
    old: Document,
    kind: str,
    to: DocumentStatus,
    *,
    reason: str,
    comment: str = "",
    **changes: Any,
) -> None:
    """Move a document and tell of it; its step is decided apart."""
    document = documents.move(old, to, now=context.now, reason=reason, comment=comment, **changes)
    trail.put_document(context, kind, document)
    trail.tend_claim(context, trail.profile_of(context, document))
    _audit(context, kind, document, old.status, reason=reason, comment=comment)


def approve_document(context: WriteContext, request: ApproveDocument, target: Document) -> Accepted:
    """Approve a document whose file can be looked at."""
    if context.facts:
        raise held_back()
    if request.expire_time and request.expire_time <= context.now:
        raise invalid("expire_time", "is not in the future")
    move_document(
        context,
        target,
        "document.approved",
        DocumentStatus.APPROVED,
        reason=request.reason,
        comment=request.comment,
        reviewed_time=context.now,
        reviewed_by=context.session.sub,
        expire_time=request.expire_time,
    )
    return ACCEPTED


def reject_document(context: WriteContext, request: RejectDocument, target: Document) -> Accepted:
    """Reject a document, even an approved one after a later finding; that takes a reason."""
    if target.status is DocumentStatus.APPROVED and not request.reason:
        raise invalid("reason", "is required to reject an approved document")
    move_document(
        context,
        target,
        "document.rejected",
        DocumentStatus.REJECTED,
        reason=request.reason,
        comment=request.comment,
        reviewed_time=context.now,
        reviewed_by=context.session.sub,
    )
    return ACCEPTED


def delete_document(context: WriteContext, request: DeleteDocument, target: Document) -> Accepted:
    """Delete a document; its row and the file stay for the audit."""
    move_document(context, target, "document.deleted", DocumentStatus.DELETED, reason=request.reason)
    return ACCEPTED


def _recall(records: Records, document_id: int) -> DocumentReply:
    found = records.document(document_id)
    assert found is not None
    return DocumentReply(document=found)


COMMANDS: tuple[Command, ...] = (
    Command(
        name="MngAddKycDocument",
        summary="Attach a stored file to a customer's profile",
        request=AddDocument,
        reply=DocumentReply,
        access=Access(MANAGERS, scopes.profile_of_document),
        kind=Kind.WRITE,
        handler=add_document,
        errors=(Code.NOT_FOUND, Code.INVALID_STATE),
        route=Route(("POST",), "/manager/kyc/documents"),
        prepare=PIN,
        replay=Replay(record=lambda reply: reply.document, answer=_recall),
    ),
    Command(
        name="MngGetKycDocuments",
        summary="List documents",
        request=GetDocuments,
        reply=DocumentList,
        access=Access(MANAGERS, scopes.anything),
        kind=Kind.READ,
        handler=get_documents,
        errors=(),
        route=Route(("GET",), "/manager/kyc/documents"),
    ),
    Command(
        name="MngApproveKycDocument",
        summary="Approve a document",
        request=ApproveDocument,
        reply=Accepted,
        access=Access(MANAGERS, scopes.document),
        kind=Kind.WRITE,
        handler=approve_document,
        errors=(Code.NOT_FOUND, Code.INVALID_STATE),
        route=Route(("POST",), "/manager/kyc/documents/{id}/approve"),
        noun="document",
        prepare=Prepare(look_at_file),
    ),
    Command(
        name="MngRejectKycDocument",
        summary="Reject a document",
        request=RejectDocument,
        reply=Accepted,
        access=Access(MANAGERS, scopes.document),
        kind=Kind.WRITE,
        handler=reject_document,
        errors=(Code.NOT_FOUND, Code.INVALID_STATE),
        route=Route(("POST",), "/manager/kyc/documents/{id}/reject"),
        noun="document",
    ),
    Command(
        name="MngDeleteKycDocument",
        summary="Delete a document",
        request=DeleteDocument,
        reply=Accepted,
        access=Access(MANAGERS, scopes.document),
        kind=Kind.WRITE,
        handler=delete_document,
        errors=(Code.NOT_FOUND, Code.INVALID_STATE),
        route=Route(("DELETE",), "/manager/kyc/documents/{id}"),
        noun="document",
    ),
)
