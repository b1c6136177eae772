"""The stored files as the core sees them: the port `Files`, answered by the storage manager."""

from collections.abc import Collection

from kycmanager.domain.errors import Code, KycError, not_found
from kycmanager.domain.records import FileFacts
from kycmanager.ports import Progress
from storagemanager import FileMeta, StorageError, StorageErrorCode, StorageManager


class StoredFiles:
    """Answers the port `Files` from the storage manager."""

    def __init__(self, storage: StorageManager) -> None:
        self._storage = storage

    async def facts(self, file_ids: Collection[str]) -> dict[str, FileFacts]:
        """Return what storage knows of those files."""
        return {uuid: file_facts(meta) for uuid, meta in (await self._storage.get_many(file_ids)).items()}

    async def pin(self, file_ids: Collection[str]) -> None:
        """Keep these files; one that has gone meanwhile was not found. Raises STORAGE_FULL too."""
        try:
            await self._storage.pin(list(file_ids))
        except StorageError as error:
            if error.code is StorageErrorCode.NOT_FOUND:
                raise not_found("file") from None
            if error.code is StorageErrorCode.FULL:
                raise KycError(Code.STORAGE_FULL, "The disk is full; nothing was changed") from None
            raise

    async def unpin(self, file_ids: Collection[str]) -> None:
        """Let these files go."""
        await self._storage.unpin(list(file_ids))

    async def verify(self, progress: Progress) -> tuple[int, list[tuple[str, str]]]:
        """Read every file again."""
        report = await self._storage.verify(lambda done, total: progress("files", done, total))
        faults = [(name, "is missing") for name in report.missing]
        faults += [(name, "is damaged") for name in report.damaged]
        faults += [(name, "its row is damaged") for name in report.damaged_rows]
        faults += [(name, "has no row") for name in report.orphans]
        if report.base_problem:
            faults.append(("storage.db", report.base_problem))
        return report.files + len(report.missing) + len(report.damaged), faults


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
    )
