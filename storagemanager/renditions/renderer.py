"""Who asks for a rendition gets the kept one, or the one that is being made, or has it made."""

import asyncio
import os
import time
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import msgspec

from storagemanager.errors import StorageError, StorageErrorCode
from storagemanager.model import FileMeta
from storagemanager.reading import Reading
from storagemanager.renditions.cache import Cache
from storagemanager.renditions.model import DRAWN, RENDER, TEXTS, Drawn, Kind, Render, Rendition, RenditionSettings
from storagemanager.sandbox import Failure, FailureKind, Sandbox
from storagemanager.workers import Workers

FAILURES_MAX = 1_000
PAGE_MAX = 1_000_000


class Files(Protocol):
    """The stored files, as far as drawing needs them; the storage manager has it all."""

    async def open_read(self, meta: FileMeta) -> Reading:
        """Open the checked content of a file."""
        ...

    async def key_of(self, meta: FileMeta) -> bytes | None:
        """Return the key a file is sealed with, None for one in clear."""
        ...

    async def known(self, uuids: Iterable[str]) -> dict[str, bool]:
        """Return which of these are stored, and whether they are sealed."""
        ...


class Renderer:
    """Draws in processes of its own, so that uploads never wait for pages.

    The work is done once for all who ask at the same time, and goes on when they have gone.
    """

    def __init__(self, folder: Path, settings: RenditionSettings, files: Files) -> None:
        """`folder` is where renditions are kept; nothing else may lie in it, and it may be deleted at any time."""
        self._settings = settings
        self._files = files
        self._workers = Workers(settings.threads)
        self._cache = Cache(folder, settings.cache_bytes_max, self._workers)
        self._sandbox = Sandbox(settings.limits)
        self._making: dict[str, asyncio.Task[Rendition]] = {}
        self._failed: OrderedDict[str, tuple[float, StorageErrorCode, str]] = OrderedDict()
        self._closed = False
        self.made = 0
        self.failures = 0

    @property
    def file_bytes(self) -> int:
        """What is kept, in bytes on the disk."""
        return self._cache.file_bytes

    async def open(self) -> None:
        """Find what was kept, and remove what belongs to no file any more."""
        await self._cache.open()
        await self.tidy()

    async def tidy(self) -> None:
        """Remove what is kept of files that are gone, and in clear of files that were sealed since."""
        kept = self._cache.uuids()
        known = await self._files.known(kept)
        await self._cache.forget(uuid for uuid, clear in kept.items() if uuid not in known or (clear and known[uuid]))

    async def get(self, meta: FileMeta, kind: Kind, page: int) -> Rendition:
        """Return a rendition of a file that may be shown.

        NO_RENDITION where files of its type have none or there is no such page; STRUCTURE where it cannot be drawn
        within the bounds; BUSY, UNAVAILABLE; BROKEN for a damaged file.
        """
        if self._closed:
            raise StorageError(StorageErrorCode.CLOSED, "storage", "renditions are closed")
        self._check(meta, kind, page)
        name = f"{meta.uuid}-{kind}-{page}"
        making = self._making.get(name)
        if making is None:
            self._recall(name)
            if len(self._making) >= self._settings.waiting_max:
                raise StorageError(StorageErrorCode.BUSY, "file", "too many renditions are being made")
            making = self._making[name] = asyncio.get_running_loop().create_task(self._found(name, meta, kind, page))
            making.add_done_callback(lambda task: self._over(name, task))
        return await asyncio.shield(making)

    async def close(self) -> None:
        """Give up what is being made and end the processes; once more does nothing."""
        self._closed = True
        for making in tuple(self._making.values()):
            making.cancel()
        await asyncio.gather(*self._making.values(), return_exceptions=True)
        await self._sandbox.close()
        await self._workers.close()

    def _check(self, meta: FileMeta, kind: Kind, page: int) -> None:
        if meta.extension not in DRAWN:
            raise _none(f"{meta.extension} files have no rendition; download the file")
        if kind is Kind.THUMB and meta.extension in TEXTS:
            raise _none("a text has no thumbnail; ask for kind=view")
        if meta.file_size > self._settings.source_bytes_max:
            raise _none(f"files over {self._settings.source_bytes_max} bytes have no rendition; download the file")
        if not 1 <= page <= PAGE_MAX:
            raise _none("pages are counted from 1")

    def _recall(self, name: str) -> None:
        """Raise what drawing this ended with lately: a file that takes all its time must not take it each time."""
        until, code, reason = self._failed.get(name, (0.0, StorageErrorCode.STRUCTURE, ""))
        if until > time.monotonic():
            raise StorageError(code, "file", reason)

    def _over(self, name: str, task: asyncio.Task[Rendition]) -> None:
        self._making.pop(name, None)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, StorageError) and error.code in {
            StorageErrorCode.STRUCTURE,
            StorageErrorCode.NO_RENDITION,
        }:
            self._failed[name] = time.monotonic() + self._settings.failure_seconds, error.code, error.reason
            self._failed.move_to_end(name)
            if len(self._failed) > FAILURES_MAX:
                self._failed.popitem(last=False)

    async def _found(self, name: str, meta: FileMeta, kind: Kind, page: int) -> Rendition:
        key = await self._files.key_of(meta)
        kept = await self._cache.get(name, key)
        if kept is not None:
            return msgspec.msgpack.decode(kept, type=Rendition)
        rendition = await self._made(meta, kind, page)
        await self._cache.put(name, key, msgspec.msgpack.encode(rendition))
        return rendition

    async def _made(self, meta: FileMeta, kind: Kind, page: int) -> Rendition:
        # In memory, never under a name: the file may be sealed on the disk.
        with os.fdopen(os.memfd_create("rendition", os.MFD_CLOEXEC), "r+b", buffering=0) as content:
            async with await self._files.open_read(meta) as pieces:
                async for piece in pieces:
                    content.write(piece)
            request = Render(meta.extension, kind, page, self._settings.pixels_max)
            drawn = await self._sandbox.run(RENDER, content.fileno(), request)
        if isinstance(drawn, Failure):
            self.failures += 1
            raise self._told(drawn)
        return self._checked(drawn, page)

    def _checked(self, drawn: Drawn, page: int) -> Rendition:
        if drawn.refusal:
            self.failures += 1
            raise StorageError(StorageErrorCode.STRUCTURE, "file", drawn.refusal)
        if not drawn.content:
            raise _none(f"page {page} was not found; the file has {drawn.pages}")
        self.made += 1
        return Rendition(drawn.content, drawn.content_type, drawn.pages)

    def _told(self, failure: Failure) -> StorageError:
        if failure.kind is FailureKind.UNAVAILABLE:
            return StorageError(StorageErrorCode.UNAVAILABLE, "file", f"the sandbox does not run: {failure.detail}")
        reason = failure.reason("drawing", self._settings.limits)
        return StorageError(StorageErrorCode.STRUCTURE, "file", f"it cannot be shown: {reason}; download the file")


def _none(reason: str) -> StorageError:
    return StorageError(StorageErrorCode.NO_RENDITION, "file", reason)
