"""Renditions on the disk: bounded, never served damaged, and no loss when they are gone."""

import hashlib
import os
from collections import OrderedDict, defaultdict
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storagemanager.atomic import TemporaryFile, make_folder
from storagemanager.layout import is_uuid
from storagemanager.workers import Workers

FORM = b"RENDITION\x01"
"""Begins every kept file; another form of renditions has another one, and what was kept before is drawn again."""

_CLEAR, _SEALED = b"\x00", b"\x01"
_TEMPORARY = ".new-"
_DIGEST_BYTES = 32
_NONCE_BYTES = 12
_BLOCK_BYTES = 4096
_UUID_CHARS = 36


class Cache:
    """Files `<uuid>-<what>` in one folder. With a key a file is sealed (AES-256-GCM), without one it has a hash.

    A file that does not open by the key given is no rendition any more and is removed. Faults of the disk are never
    the caller's: what cannot be kept is drawn again.
    """

    def __init__(self, folder: Path, bytes_max: int, workers: Workers) -> None:
        self._folder = folder
        self._bytes_max = bytes_max
        self._workers = workers
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._names: defaultdict[str, set[str]] = defaultdict(set)
        self._clear: set[str] = set()
        self._bytes = 0

    @property
    def file_bytes(self) -> int:
        """What is kept, in bytes on the disk."""
        return self._bytes

    async def open(self) -> None:
        """Find what was kept before, remove what a crash left half written; the oldest go first from now on."""
        found = await self._workers.submit(self._found)
        for name, size, clear in found:
            self._note(name, size, clear=clear)
        await self._shrink()

    def uuids(self) -> dict[str, bool]:
        """Return the files of which something is kept, and whether some of it is in clear."""
        return {uuid: not self._clear.isdisjoint(names) for uuid, names in self._names.items()}

    async def get(self, name: str, key: bytes | None) -> bytes | None:
        """Return what was kept under a name, None where nothing intact is."""
        if name not in self._sizes:
            return None
        content = await self._workers.submit(self._read, name, key)
        if content is None:
            self._forget(name)
        elif name in self._sizes:
            self._sizes.move_to_end(name)
        return content

    async def put(self, name: str, key: bytes | None, content: bytes) -> None:
        """Keep something under a name that begins with a uuid."""
        sealed = _sealed(name, key, content)
        if len(sealed) > self._bytes_max or not await self._workers.submit(self._write, name, sealed):
            return
        self._note(name, len(sealed), clear=key is None)
        await self._shrink()

    async def forget(self, uuids: Iterable[str]) -> None:
        """Remove all that is kept of these files."""
        gone = [name for uuid in uuids for name in self._names.get(uuid, ())]
        for name in gone:
            self._forget(name)
        if gone:
            await self._workers.submit(self._remove, gone)

    async def _shrink(self) -> None:
        gone = []
        while self._bytes > self._bytes_max:
            name = next(iter(self._sizes))
            self._forget(name)
            gone.append(name)
        if gone:
            await self._workers.submit(self._remove, gone)

    def _note(self, name: str, size: int, *, clear: bool) -> None:
        self._forget(name)
        if clear:
            self._clear.add(name)
        self._sizes[name] = _on_disk(size)
        self._bytes += _on_disk(size)
        self._names[name[:_UUID_CHARS]].add(name)

    def _forget(self, name: str) -> None:
        size = self._sizes.pop(name, None)
        if size is not None:
            self._bytes -= size
            uuid = name[:_UUID_CHARS]
            self._names[uuid].discard(name)
            self._clear.discard(name)
            if not self._names[uuid]:
                del self._names[uuid]

    def _found(self) -> list[tuple[str, int, bool]]:
        """Return names, sizes and whether they are in clear, the one used longest ago first."""
        found = []
        try:
            make_folder(self._folder)
            for entry in list(os.scandir(self._folder)):
                if entry.name.startswith(_TEMPORARY):
                    Path(entry.path).unlink(missing_ok=True)
                elif is_uuid(entry.name[:_UUID_CHARS]) and entry.is_file(follow_symlinks=False):
                    state = entry.stat(follow_symlinks=False)
                    with Path(entry.path).open("rb") as file:
                        clear = file.read(len(FORM) + 1) != FORM + _SEALED
                    found.append((state.st_mtime_ns, entry.name, state.st_size, clear))
        except OSError:
            return []
        return [(name, size, clear) for _, name, size, clear in sorted(found)]

    def _read(self, name: str, key: bytes | None) -> bytes | None:
        path = self._folder / name
        try:
            content = _opened(name, key, path.read_bytes())
            if content is None:
                path.unlink(missing_ok=True)
            else:
                os.utime(path)  # the order survives a restart
        except OSError:
            return None
        return content

    def _write(self, name: str, content: bytes) -> bool:
        try:
            make_folder(self._folder)
            temporary = TemporaryFile(self._folder / f"{_TEMPORARY}{name}")
        except OSError:
            return False
        try:
            # Not synced: what a power cut leaves of it does not open, and is drawn again.
            temporary.write(content)
            temporary.rename(self._folder / name)
        except OSError:
            with suppress(OSError):
                temporary.discard()
            return False
        return True

    def _remove(self, names: list[str]) -> None:
        for name in names:
            with suppress(OSError):
                (self._folder / name).unlink(missing_ok=True)


def _on_disk(size: int) -> int:
    return -(-size // _BLOCK_BYTES) * _BLOCK_BYTES


def _sealed(name: str, key: bytes | None, content: bytes) -> bytes:
    if key is None:
        return FORM + _CLEAR + hashlib.sha256(content).digest() + content
    nonce = os.urandom(_NONCE_BYTES)
    return FORM + _SEALED + nonce + _cipher(key).encrypt(nonce, content, FORM + name.encode())


def _opened(name: str, key: bytes | None, kept: bytes) -> bytes | None:
    """Return the content; None where it is damaged, has another form, or does not fit the key."""
    head, rest = kept[: len(FORM) + 1], kept[len(FORM) + 1 :]
    if key is None:
        digest, content = rest[:_DIGEST_BYTES], rest[_DIGEST_BYTES:]
        return content if head == FORM + _CLEAR and hashlib.sha256(content).digest() == digest else None
    if head != FORM + _SEALED:
        return None
    try:
        return _cipher(key).decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], FORM + name.encode())
    except (InvalidTag, ValueError):
        return None


def _cipher(key: bytes) -> AESGCM:
    """Return a cipher under a key of its own: the file's key has sealed the file with nonces of another kind."""
    return AESGCM(hashlib.blake2b(key=key, person=b"rendition", digest_size=32).digest())
