"""The data keys of sealed files, asked of whoever can open them."""

from collections.abc import Iterable
from typing import BinaryIO

from storagemanager.errors import StorageError, StorageErrorCode
from storagemanager.model import FileMeta
from storagemanager.ports import Backend, Cipher
from storagemanager.sealed import SealedFile


class Keys:
    """Opens data keys by the cipher there is; without one no sealed file opens."""

    def __init__(self, cipher: Cipher | None) -> None:
        self._cipher = cipher

    async def of(self, metas: Iterable[FileMeta]) -> dict[str, bytes]:
        """Return the keys of those files that are sealed, by uuid; one that does not open is left out."""
        wrapped = {meta.uuid: meta.data_key for meta in metas if meta.data_key is not None}
        if not wrapped or self._cipher is None:
            return {}
        return dict(await self._cipher.unwrap(wrapped))

    async def one(self, meta: FileMeta) -> bytes | None:
        """Return the key of a file, None for one in clear; BROKEN where it does not open."""
        if meta.data_key is None:
            return None
        found = (await self.of([meta])).get(meta.uuid)
        if found is None:
            raise StorageError(
                StorageErrorCode.BROKEN, "file", f"the key of the stored file {meta.disk_name} does not open"
            )
        return found


def open_stored(backend: Backend, meta: FileMeta, key: bytes | None) -> BinaryIO | SealedFile:
    """Open a stored file to read what was received, `key` as `Keys` gives it. Blocks: OSError, BROKEN."""
    file = backend.open(meta.disk_name)
    if key is None:
        return file
    try:
        return SealedFile(file, key, meta.uuid, meta.file_size)
    except BaseException:
        file.close()
        raise
