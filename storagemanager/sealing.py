"""Sealing a file that was stored in clear: a sealed copy, its key into the base, and only then the clear one goes."""

import hashlib
from contextlib import suppress

from msgspec.structs import replace

from storagemanager.errors import StorageError, StorageErrorCode
from storagemanager.metadata import Metadata
from storagemanager.model import FileMeta
from storagemanager.ports import Backend, Cipher, Draft
from storagemanager.sealed import Sealer, new_key
from storagemanager.workers import Workers

_READ_BYTES = 1024 * 1024


async def seal_stored(workers: Workers, backend: Backend, cipher: Cipher, metadata: Metadata, meta: FileMeta) -> bool:
    """Seal a file that is in clear; False where it has gone meanwhile. What a crash leaves goes at a start.

    BROKEN where the file is not what was received; OSError as the system does.
    """
    key = new_key()
    draft = await workers.submit(_copy, backend, meta, key)
    try:
        sealed = replace(meta, data_key=await cipher.wrap(meta.uuid, meta.brand, key))
        await workers.submit(backend.publish, draft, sealed.disk_name)
    except BaseException:
        with suppress(OSError):
            await workers.submit(draft.discard)
        raise
    kept = await metadata.seal(sealed)
    await workers.submit(backend.remove, meta.disk_name if kept else sealed.disk_name)
    return kept


def _copy(backend: Backend, meta: FileMeta, key: bytes) -> Draft:
    """Return a synced draft of the sealed file."""
    sealer, found = Sealer(key, meta.uuid), hashlib.sha256()
    draft = backend.begin(meta.uuid)
    try:
        draft.write(sealer.header)
        with backend.open(meta.disk_name) as file:
            while piece := file.read(_READ_BYTES):
                found.update(piece)
                draft.write(sealer.update(piece))
        _ensure_intact(meta, found.hexdigest())
        draft.write(sealer.finish())
        draft.sync()
    except BaseException:
        with suppress(OSError):
            draft.discard()
        raise
    return draft


def _ensure_intact(meta: FileMeta, checksum: str) -> None:
    if checksum != meta.checksum:
        raise StorageError(StorageErrorCode.BROKEN, "file", f"the stored file {meta.disk_name} is damaged")
