"""Holding files against rows: reconciliation at the start, the full check, and the check before a file is served."""

import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Collection, Hashable, Mapping, Sequence
from itertools import islice

from storagemanager.base import RESTORE
from storagemanager.errors import StorageError, StorageErrorCode, from_os
from storagemanager.keys import Keys, open_stored
from storagemanager.layout import SEALED, uuid_of
from storagemanager.metadata import SCAN_ROWS, Metadata, Row
from storagemanager.model import FileMeta, OpenReport, VerifyReport
from storagemanager.ports import Backend
from storagemanager.workers import Workers

CHECKED_MAX = 20_000
"""Files whose last check is remembered."""

_HASH_BYTES = 1024 * 1024

Progress = Callable[[int, int], None]
"""Told after each file: how many were checked, how many there are."""


class Inspector:
    """Compares what lies in the backend with what the metadata says, and names what differs."""

    def __init__(self, backend: Backend, metadata: Metadata, workers: Workers, keys: Keys) -> None:
        self._backend = backend
        self._metadata = metadata
        self._workers = workers
        self._keys = keys
        self._checked: OrderedDict[str, tuple[Hashable, int]] = OrderedDict()

    async def reconcile(self, orphans_max: int) -> OpenReport:
        """Remove files without a row and report rows without their file; BASE_MISMATCH over `orphans_max`.

        BASE_DAMAGED where a row is there and not found by its uuid. Beside a damaged row nothing is removed.
        Only for a start: an upload under way would be taken for an orphan.
        """
        orphans, foreign = await self._strangers()
        if len(orphans) > orphans_max:
            raise StorageError(
                StorageErrorCode.BASE_MISMATCH,
                "storage",
                f"{len(orphans)} stored files are unknown to the base, more than a crash leaves: is the base an older"
                " backup? Nothing was removed; restore the matching base, or raise orphans_max to let them go",
            )
        uuids = [uuid for name in orphans if (uuid := uuid_of(name))]
        suspects = set(uuids) - (await self._metadata.known(uuids)).keys()
        missing: list[str] = []
        wrong_size: list[str] = []
        damaged: list[str] = []
        async for rows in self._batches():
            if hidden := [uuid for _, uuid, _ in rows if uuid in suspects]:
                fault = f"the base is damaged (its index does not find the row of {hidden[0]}): {RESTORE}"
                raise StorageError(StorageErrorCode.BASE_DAMAGED, "storage", fault)
            damaged += [uuid for _, uuid, meta in rows if meta is None]
            metas = [meta for _, _, meta in rows if meta is not None]
            sizes = await self._workers.submit(self._sizes, metas)
            for meta, size in zip(metas, sizes, strict=True):
                if size is None:
                    missing.append(meta.disk_name)
                elif size != meta.disk_size:
                    wrong_size.append(meta.disk_name)
        removed = [] if damaged else orphans  # one of them may be the file of a row that cannot be read
        await self._workers.submit(self._remove, removed)
        return OpenReport(
            orphans_removed=len(removed),
            missing=tuple(missing),
            wrong_size=tuple(wrong_size),
            damaged_rows=tuple(damaged),
            foreign=tuple(foreign),
        )

    async def verify(self, progress: Progress | None, moving: Callable[[], Collection[str]]) -> VerifyReport:
        """Hash every file and check every row, while others work; `moving` tells which uuids come or go just now."""
        total, _, _ = await self._metadata.totals()
        seen = files = file_bytes = 0
        missing: list[str] = []
        damaged: list[str] = []
        damaged_rows: list[str] = []
        unopened: list[str] = []
        async for rows in self._batches():
            keys = await self._keys.of(meta for _, _, meta in rows if meta is not None)
            for _, uuid, meta in rows:
                seen += 1
                if meta is None:
                    damaged_rows.append(uuid)
                elif meta.data_key is not None and uuid not in keys:
                    unopened.append(meta.disk_name)
                else:
                    checksum = await self._workers.submit(self._checksum, meta, keys.get(uuid))
                    if checksum == meta.checksum:
                        files += 1
                        file_bytes += meta.file_size
                    elif await self._metadata.known([uuid]):  # it may have expired since the row was read
                        (damaged if checksum else missing).append(meta.disk_name)
                if progress:
                    progress(seen, max(total, seen))
        orphans, foreign = await self._strangers()
        lasting = await self._lasting(orphans, moving())
        return VerifyReport(
            files=files,
            file_bytes=file_bytes,
            missing=tuple(missing),
            damaged=tuple(damaged),
            damaged_rows=tuple(damaged_rows),
            unopened=tuple(unopened),
            orphans=tuple(lasting),
            foreign=tuple(foreign),
            base_problem=await self._metadata.integrity(),
        )

    async def check(self, meta: FileMeta, now: int, recheck_seconds: int) -> None:
        """Return if the file is what was received; BROKEN, naming the file, if it is not or is gone.

        A file that was checked in the last `recheck_seconds`, and that nobody has touched since, is not hashed again.
        """
        state = await self._workers.submit(self._backend.state, meta.disk_name)
        checked = self._checked.pop(meta.uuid, None)
        if checked is not None and checked[0] == state and 0 <= now - checked[1] < recheck_seconds:
            self._checked[meta.uuid] = checked
            return
        checksum = await self._workers.submit(self._checksum, meta, await self._keys.one(meta))
        if checksum != meta.checksum:
            fault = "damaged" if checksum else "missing"
            raise StorageError(StorageErrorCode.BROKEN, "file", f"the stored file {meta.disk_name} is {fault}")
        self._checked[meta.uuid] = (state, now)
        if len(self._checked) > CHECKED_MAX:
            self._checked.popitem(last=False)

    async def _strangers(self) -> tuple[list[str], list[str]]:
        """Return names of files without a row, and names that are none of ours; a dot file is neither."""
        orphans: list[str] = []
        foreign: list[str] = []
        names = self._backend.names()
        while batch := await self._workers.submit(lambda: list(islice(names, SCAN_ROWS))):
            by_name = {name: uuid_of(name) for name in batch if not name.startswith(".")}
            known = await self._metadata.known([uuid for uuid in by_name.values() if uuid])
            strange = [name for name, uuid in by_name.items() if uuid and _is_strange(name, known)]
            orphans += [name for name in strange if uuid_of(name) not in known]
            orphans += await self._workers.submit(self._spare, [name for name in strange if uuid_of(name) in known])
            foreign += [name for name, uuid in by_name.items() if not uuid]
        return orphans, foreign

    async def _lasting(self, orphans: Sequence[str], moving: Collection[str]) -> list[str]:
        """Return those orphans that are no upload or removal under way."""
        quiet = [name for name in orphans if uuid_of(name) not in moving]
        known = await self._metadata.known([uuid for name in quiet if (uuid := uuid_of(name))])
        return [
            name
            for name in quiet
            if _is_strange(name, known) and await self._workers.submit(self._backend.size, name) is not None
        ]

    async def _batches(self) -> AsyncIterator[list[Row]]:
        row_id = 0
        while rows := await self._metadata.rows_after(row_id):
            yield rows
            row_id = rows[-1][0]

    def _spare(self, names: Sequence[str]) -> list[str]:
        """Return those files of the wrong form whose row has its right one: a crash left them when it was sealed."""
        return [name for name in names if self._backend.size(_twin(name)) is not None]

    def _remove(self, names: Sequence[str]) -> None:
        for name in names:
            self._backend.remove(name)

    def _sizes(self, metas: Sequence[FileMeta]) -> list[int | None]:
        return [self._backend.size(meta.disk_name) for meta in metas]

    def _checksum(self, meta: FileMeta, key: bytes | None) -> str:
        """Return the hash of what is stored, "" where there is no file, else why it cannot be read."""
        try:
            with open_stored(self._backend, meta, key) as file:
                found = hashlib.sha256()
                while piece := file.read(_HASH_BYTES):
                    found.update(piece)
                return found.hexdigest()
        except FileNotFoundError:
            return ""
        except OSError as error:
            return str(from_os(error))
        except StorageError as error:
            return str(error)


def _is_strange(name: str, known: Mapping[str, bool]) -> bool:
    """Tell whether a file has no row, or is in clear though its row says sealed, or the other way round."""
    return known.get(uuid_of(name) or "") is not name.endswith(SEALED)


def _twin(name: str) -> str:
    return name.removesuffix(SEALED) if name.endswith(SEALED) else name + SEALED
