"""The stored files as core and doors see them: the ports `Files` and `FileStore`, answered by the storage manager."""

from collections.abc import Awaitable, Collection
from types import TracebackType
from typing import Protocol, Self, TypeVar

from kycmanager import log
from kycmanager.domain.errors import Code, KycError, invalid, not_found
from kycmanager.domain.files import CUSTOMER, FileLabel, FileOwner
from kycmanager.domain.records import FileFacts
from kycmanager.file_ports import FileRendition, IncomingFile, StoredFile
from kycmanager.ports import AuditQuery, Progress, Store
from storagemanager import (
    FileMeta,
    FileState,
    Kind,
    Owner,
    QuotaError,
    Reading,
    Renderer,
    StorageError,
    StorageErrorCode,
    StorageManager,
    Upload,
    Verdict,
    content_disposition,
)

logger = log.get_logger("storage")

_Result = TypeVar("_Result")
AUDIT_ROWS = 1_000
"""Rows of one look into the audit at the start."""

_NOBODY = Owner(kind="", id=0, brand="")
"""Owns an upload until its owner is told; no file is ever stored so."""

_REFUSED_FILE = frozenset(
    {
        StorageErrorCode.EMPTY,
        StorageErrorCode.REFUSED_TYPE,
        StorageErrorCode.SIGNATURE_MISMATCH,
        StorageErrorCode.STRUCTURE,
        StorageErrorCode.ACTIVE_CONTENT,
        StorageErrorCode.MALWARE,
    }
)
_ANSWERS = {
    StorageErrorCode.FULL: (Code.STORAGE_FULL, "The disk is full; nothing was stored"),
    StorageErrorCode.BUSY: (Code.OVERLOADED, "Too many uploads are under way; try again later"),
    StorageErrorCode.CLOSED: (Code.SHUTDOWN, "The daemon is stopping; try again in a moment"),
    StorageErrorCode.OUTCOME_UNKNOWN: (Code.OUTCOME_UNKNOWN, "The storage failed while writing; send the file again"),
}
_FAULTS = {
    StorageErrorCode.UNSCANNED: (
        Code.OVERLOADED,
        "The file could not be checked for malware and was not stored; try again later, or tell the operator",
    ),
    StorageErrorCode.UNAVAILABLE: (Code.OVERLOADED, "The storage does not work at the moment; try again later"),
}
_FAULT = (Code.INTERNAL, "Something failed here; the log knows")


class Faults(Protocol):
    """Where a fault of the storage goes: logged once with what it happened to, under the returned correlation id."""

    def __call__(self, command: str, error: BaseException, **ids: str) -> str:
        """Log the fault, return its correlation id."""
        ...


class StoredFiles:
    """Answers the ports `Files` and `FileStore` from the storage manager; `faults` logs what an operator must know."""

    def __init__(self, storage: StorageManager, faults: Faults, renderer: Renderer) -> None:
        self._storage = storage
        self._renderer = renderer
        self._faults = faults

    def receive(
        self, *, name: str, declared_type: str, label: FileLabel, length_hint: int | None = None
    ) -> IncomingFile:
        """Begin an upload."""
        try:
            upload = self._storage.receive(
                original_name=name,
                declared_type=declared_type,
                owner=_owner(label) or _NOBODY,
                purpose=label.purpose,
                scope=label.scope,
                length_hint=length_hint,
            )
        except StorageError as error:
            raise refused(error, self._faults) from None
        return _Incoming(upload, self._faults, owned=label.owner is not None)

    async def find(self, uuid: str) -> StoredFile | None:
        """Return what is known of a file, None where there is none."""
        try:
            meta = await self._storage.get(uuid)
        except StorageError as error:
            raise refused(error, self._faults, uuid) from None
        return None if meta is None else stored_file(meta, held=self.held(uuid))

    async def check(self, file: StoredFile) -> None:
        """Return if the file is what was received."""
        try:
            await self._storage.check(await self._meta(file))
        except StorageError as error:
            raise refused(error, self._faults, file.uuid) from None

    async def read(self, file: StoredFile, offset: int, length: int) -> "_Outgoing":
        """Check the file, then open a part of it."""
        try:
            reading = await self._storage.open_read(await self._meta(file), offset, length)
        except StorageError as error:
            raise refused(error, self._faults, file.uuid) from None
        return _Outgoing(reading, self._faults, file.uuid)

    async def rendition(self, file: StoredFile, kind: str, page: int) -> FileRendition:
        """Return the rendition, made now or before."""
        try:
            found = await self._renderer.get(await self._meta(file), Kind(kind), page)
        except StorageError as error:
            raise refused(error, self._faults, file.uuid) from None
        return FileRendition(found.content, found.content_type, found.pages)

    async def _meta(self, file: StoredFile) -> FileMeta:
        meta = await self._storage.get(file.uuid)
        if meta is None:
            raise not_found("file")
        return meta

    async def facts(self, file_ids: Collection[str]) -> dict[str, FileFacts]:
        """Return what storage knows of those files."""
        try:
            found = await self._storage.get_many(file_ids)
        except StorageError as error:
            raise refused(error, self._faults, *file_ids) from None
        return {uuid: file_facts(meta) for uuid, meta in found.items()}

    async def pin(self, file_ids: Collection[str]) -> None:
        """Keep these files; one that has gone meanwhile was not found."""
        try:
            await self._storage.pin(list(file_ids))
        except StorageError as error:
            raise refused(error, self._faults, *file_ids) from None

    async def unpin(self, file_ids: Collection[str]) -> None:
        """Let these files go."""
        await self._storage.unpin(list(file_ids))

    async def erase(self, file_ids: Collection[str]) -> int:
        """Remove files for good."""
        try:
            return await self._storage.erase(file_ids)
        except StorageError as error:
            raise refused(error, self._faults) from None

    async def waiting_of(self, kind: str, owner_id: int, brand: str) -> list[str]:
        """Return the uuids of the uploads of an owner that nothing holds yet."""
        return [file.uuid for file in await self.waiting(FileOwner(kind, owner_id, brand))]

    async def waiting(self, owner: FileOwner) -> list[StoredFile]:
        """Return the uploads of an owner that nothing holds yet."""
        try:
            found = await self._storage.waiting(Owner(kind=owner.kind, id=owner.id, brand=owner.brand))
        except StorageError as error:
            raise refused(error, self._faults) from None
        return [stored_file(meta, held=self.held(meta.uuid)) for meta in found]

    def held(self, file_id: str) -> bool:
        """Tell whether the content of a file is held back."""
        return self._storage.verdicts.held(file_id)

    async def verdict(self, file_id: str) -> tuple[str, tuple[str, ...]]:
        """Return the state of a file and what was found in it."""
        try:
            verdict = await self._storage.verdicts.get(file_id)
        except StorageError as error:
            raise refused(error, self._faults, file_id) from None
        return verdict.state.value, verdict.findings

    async def decide(self, file_id: str, *, release: bool) -> tuple[str, bool]:
        """Release or refuse a file; return the state it had, and whether it was moved."""
        state = FileState.RELEASED if release else FileState.REFUSED
        verdicts = self._storage.verdicts
        try:
            before = (await verdicts.get(file_id)).state
            return (await verdicts.decide(file_id, state)).state.value, True
        except StorageError as error:
            if error.code is StorageErrorCode.INVALID:
                return before.value, False
            raise refused(error, self._faults, file_id) from None

    async def put_back(self, file_id: str, state: str) -> None:
        """Give a file the state it had."""
        await self._storage.verdicts.put_back(file_id, FileState(state))

    async def agree_on_decisions(self, store: Store) -> None:
        """Take back the decisions that were never written down, as a crash leaves them: those files are held again.

        For the start, before anything is decided.
        """
        verdicts = self._storage.verdicts
        unconfirmed = await verdicts.unconfirmed()
        written = {uuid for uuid, verdict in unconfirmed.items() if await _is_written(store, uuid, verdict)}
        await verdicts.confirm(written)
        lost = unconfirmed.keys() - written
        for uuid in lost:
            await verdicts.put_back(uuid, FileState.QUARANTINED)
        if lost:
            logger.warning("decisions on files were not written down and are taken back", files=sorted(lost)[:20])

    async def verify(self, progress: Progress) -> tuple[int, list[tuple[str, str]]]:
        """Read every file again."""
        report = await self._storage.verify(lambda done, total: progress("files", done, total))
        faults = [(name, "is missing") for name in report.missing]
        faults += [(name, "is damaged") for name in report.damaged]
        faults += [(name, "its row is damaged") for name in report.damaged_rows]
        faults += [(name, "is sealed, and its key does not open") for name in report.unopened]
        faults += [(name, "has no row") for name in report.orphans]
        if report.base_problem:
            faults.append(("storage.db", report.base_problem))
        return report.files + len(report.missing) + len(report.damaged) + len(report.unopened), faults


async def _is_written(store: Store, file_id: str, verdict: Verdict) -> bool:
    """Tell whether the audit knows of a decision."""
    action, before = f"file.{verdict.state.value}", 0
    while True:
        query = AuditQuery(
            brands=None, action=action, time_from=verdict.decided_time, before_id=before, limit=AUDIT_ROWS
        )
        rows, _, _ = await store.audit(query)
        if any(row.details.get("file_id") == file_id for row in rows):
            return True
        if len(rows) < AUDIT_ROWS:
            return False
        before = rows[-1].id


class _Incoming:
    """An upload of the storage manager."""

    __slots__ = ("_faults", "_owned", "_upload")

    def __init__(self, upload: Upload, faults: Faults, *, owned: bool) -> None:
        self._upload = upload
        self._faults = faults
        self._owned = owned

    async def write(self, chunk: bytes | memoryview) -> None:
        await self._told(self._upload.write(chunk))

    async def room(self) -> memoryview:
        return await self._told(self._upload.room())

    async def took(self, size: int) -> None:
        await self._told(self._upload.took(size))

    def relabel(self, label: FileLabel) -> None:
        try:
            self._upload.relabel(owner=_owner(label), purpose=label.purpose, scope=label.scope)
        except StorageError as error:
            raise refused(error, self._faults) from None
        self._owned = self._owned or label.owner is not None

    async def finish(self) -> StoredFile:
        if not self._owned:
            raise RuntimeError("a file was finished before its owner was told")
        meta, found = await self._told(self._upload.finish()), self._upload.verdict
        return stored_file(meta, held=found.held, state=found.state.value, findings=found.findings)

    async def abort(self) -> None:
        await self._upload.abort()

    async def _told(self, work: Awaitable[_Result]) -> _Result:
        try:
            return await work
        except StorageError as error:
            raise refused(error, self._faults) from None


class _Outgoing:
    """A part of a file that is being read; what breaks it off is logged."""

    __slots__ = ("_faults", "_reading", "_uuid")

    def __init__(self, reading: Reading, faults: Faults, uuid: str) -> None:
        self._reading = reading
        self._faults = faults
        self._uuid = uuid

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._reading.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            return await self._reading.__anext__()
        except StorageError as error:
            raise KycError(*_FAULT, _logged(error, self._faults, self._uuid)) from None


def refused(error: StorageError, faults: Faults, *uuids: str) -> KycError:
    """Return the answer to an error of the storage; what an operator has to look at is logged with the files' uuids."""
    told = _told(error)
    if told is not None:
        return told
    code = error.code
    if code is StorageErrorCode.FULL:
        logger.warning("the storage is full; make room on its disk")
    answer = _ANSWERS.get(code)
    if answer is not None:
        return KycError(*answer)
    return KycError(*_FAULTS.get(code, _FAULT), _logged(error, faults, *uuids))


def _told(error: StorageError) -> KycError | None:
    """Return the answer where the caller can do something about it, None for all that is no caller's matter."""
    code = error.code
    if code in _REFUSED_FILE:
        return KycError(Code.INVALID_FILE, str(error), {"errors": [_named(error)]})
    if isinstance(error, QuotaError):
        return _over_quota(error)
    if code is StorageErrorCode.TOO_LARGE:
        return KycError(Code.FILE_TOO_LARGE, str(error))
    if code is StorageErrorCode.INVALID:
        return invalid(error.field, error.reason)
    if code is StorageErrorCode.NO_RENDITION:
        return KycError(Code.NOT_FOUND, error.reason[:1].upper() + error.reason[1:])
    return not_found("file") if code is StorageErrorCode.NOT_FOUND else None


def _over_quota(error: QuotaError) -> KycError:
    """Return the answer to an upload over a quota; what a whole brand has is not for its customers to know."""
    code = Code.TOO_FREQUENT if error.code is StorageErrorCode.RATE else Code.QUOTA_EXCEEDED
    if error.of_brand and error.owner_kind == CUSTOMER:
        return KycError(code, f"{error.quota}: has no room left; ask the support of the brand", {"quota": error.quota})
    figures = {"quota": error.quota, "used": error.used, "limit": error.limit}
    return KycError(code, f"{error}; the operator sets it in quotas.{error.quota}_max", figures)


def _logged(error: StorageError, faults: Faults, *uuids: str) -> dict[str, str]:
    """Log a fault with its cause, which the storage words without a file's name, and return the data of its answer."""
    ids = {"file": " ".join(uuids)} if uuids else {}
    return {"correlation_id": faults("storage", error, code=error.code.value, fault=error.reason, **ids)}


def _named(error: StorageError) -> dict[str, str]:
    return {"field": error.field, "code": error.code.lower(), "message": error.reason}


def _owner(label: FileLabel) -> Owner | None:
    owner = label.owner
    return None if owner is None else Owner(kind=owner.kind, id=owner.id, brand=owner.brand)


def stored_file(meta: FileMeta, *, held: bool, state: str = "", findings: tuple[str, ...] = ()) -> StoredFile:
    """Return what a door shows of a stored file."""
    return StoredFile(
        uuid=meta.uuid,
        storage_name=meta.storage_name,
        original_name=meta.original_name,
        extension=meta.extension,
        signature=meta.signature,
        content_type=meta.content_type,
        file_size=meta.file_size,
        checksum=meta.checksum,
        scope=meta.scope,
        purpose=meta.purpose,
        owner=FileOwner(meta.owner_kind, meta.owner_id, meta.brand),
        disposition=content_disposition(meta.original_name),
        held=held,
        state=state,
        findings=findings,
    )


def file_facts(meta: FileMeta) -> FileFacts:
    """Return what documents copy of a stored file."""
    return FileFacts(
        file_id=meta.uuid,
        file_name=meta.original_name,
        content_type=meta.content_type,
        file_size=meta.file_size,
        checksum=meta.checksum,
        owner_kind=meta.owner_kind,
        owner_id=meta.owner_id,
        brand=meta.brand,
        data_key=meta.data_key or b"",
    )
