"""Stored files with something active in them: seeing what was found, and releasing or refusing them."""

from typing import Any, Literal

from msgspec import Struct

from kycmanager.commands import scopes, trail
from kycmanager.commands.model import (
    ACCEPTED,
    Accepted,
    Access,
    Command,
    FileId,
    Kind,
    Prepare,
    PrepareContext,
    QueryContext,
    Reason,
    Reply,
    Request,
    Route,
    WriteContext,
)
from kycmanager.domain.errors import Code, KycError, invalid, not_found
from kycmanager.domain.files import CUSTOMER
from kycmanager.domain.records import Document, FileFacts
from kycmanager.domain.session import DECIDERS, MANAGERS
from kycmanager.ports import Changes, Files

Decision = Literal["release", "refuse"]
_TOLD: dict[Decision, tuple[str, str, str]] = {
    "release": ("released", "file.released", "document.file_released"),
    "refuse": ("refused", "file.refused", "document.file_refused"),
}
"""The state a decision leads to, the action in the audit, and the event of each document."""


class GetFile(Request, frozen=True, kw_only=True):
    """The stored file to look at."""

    file_id: FileId


class DecideFile(Request, frozen=True, kw_only=True):
    """The file that is held back, and what becomes of it; `reason` is required to refuse it."""

    file_id: FileId
    decision: Decision
    reason: Reason = ""


class FileView(Struct, frozen=True, kw_only=True):
    """What is known of a stored file, without its content."""

    file_id: str
    file_name: str
    content_type: str
    file_size: int
    checksum: str
    owner_kind: str
    owner_id: int
    brand: str
    file_state: str
    findings: list[str]


class FileReply(Reply, frozen=True, kw_only=True):
    """One stored file."""

    file: FileView


class Decided(Struct, frozen=True):
    """What became of the file in the storage: `before` is the state it had, `moved` whether that has changed."""

    file: FileFacts | None = None
    before: str = ""
    moved: bool = False


async def get_file(context: QueryContext, request: GetFile, _target: None) -> FileReply:
    """Tell what is known of a file of the caller's brands."""
    file = (await context.files.facts([request.file_id])).get(request.file_id)
    if file is None or not context.session.sees(file.brand):
        raise not_found("file")
    state, findings = await context.files.verdict(file.file_id)
    return FileReply(
        file=FileView(
            file_id=file.file_id,
            file_name=file.file_name,
            content_type=file.content_type,
            file_size=file.file_size,
            checksum=file.checksum,
            owner_kind=file.owner_kind,
            owner_id=file.owner_id,
            brand=file.brand,
            file_state=state,
            findings=list(findings),
        )
    )


async def decide_in_storage(context: PrepareContext, request: Any) -> Decided:
    """Change the state in the storage, before the strand; the start undoes what never became a decision."""
    if request.decision == "refuse" and not request.reason:
        raise invalid("reason", "is required to refuse a file")
    file = (await context.files.facts([request.file_id])).get(request.file_id)
    if file is None or not context.session.sees(file.brand):
        return Decided()
    before, moved = await context.files.decide(file.file_id, release=request.decision == "release")
    return Decided(file, before, moved)


async def put_back(files: Files, decided: Decided) -> None:
    """Give the file its state back: the decision was not written down."""
    if decided.file is not None and decided.moved:
        await files.put_back(decided.file.file_id, decided.before)


def decide_file(context: WriteContext, request: DecideFile, _target: None) -> Accepted:
    """Write down who released or refused the file, and tell of the documents it is attached to."""
    decided: Decided = context.facts
    file = decided.file
    if file is None:
        raise not_found("file")
    done, action, kind = _TOLD[request.decision]
    if not decided.moved:
        raise KycError(Code.INVALID_STATE, f"File has state {decided.before}; it cannot become {done}")
    attached = _attached(context.changes, file.file_id)
    trail.audit(
        context,
        action,
        brand=file.brand,
        customer_id=attached[0].customer_id if attached else file.owner_id if file.owner_kind == CUSTOMER else 0,
        kyc_id=attached[0].kyc_id if attached else 0,
        step_id=attached[0].step_id if attached else 0,
        document_id=attached[0].id if attached else 0,
        reason=request.reason,
        details={"file_id": file.file_id, "before": decided.before},
    )
    for document in attached:
        context.changes.emit(
            kind,
            document,
            brand=document.brand,
            customer_id=document.customer_id,
            kyc_id=document.kyc_id,
        )
    return ACCEPTED


def _attached(changes: Changes, file_id: str) -> list[Document]:
    """Return the documents a file is attached to: all are of one profile."""
    one = changes.document_with_file(file_id)
    return [] if one is None else [each for each in changes.documents_of(one.kyc_id) if each.file_id == file_id]


COMMANDS: tuple[Command, ...] = (
    Command(
        name="MngGetKycFile",
        summary="Read what is known of a stored file, and whether it is held back",
        request=GetFile,
        reply=FileReply,
        access=Access(MANAGERS, scopes.anything),
        kind=Kind.QUERY,
        handler=get_file,
        errors=(Code.NOT_FOUND,),
        route=Route(("GET",), "/manager/kyc/files"),
    ),
    Command(
        name="MngDecideKycFile",
        summary="Release or refuse a stored file that is held back",
        request=DecideFile,
        reply=Accepted,
        access=Access(DECIDERS, scopes.anything),
        kind=Kind.WRITE,
        handler=decide_file,
        errors=(Code.NOT_FOUND, Code.INVALID_STATE),
        route=Route(("POST",), "/manager/kyc/files/decide"),
        prepare=Prepare(decide_in_storage, put_back),
    ),
)
