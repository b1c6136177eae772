"""Reading a part of a stored file, piece by piece, on the worker threads."""

from types import TracebackType
from typing import BinaryIO, Self

from storagemanager.errors import from_os
from storagemanager.sealed import SealedFile
from storagemanager.workers import Workers

PIECE_BYTES = 256 * 1024


class Reading:
    """An async iterator over a range of a file; `size` is how many bytes it will give in all.

    Close it by `aclose` or use it as an async context manager. UNAVAILABLE where the disk fails, BROKEN where a sealed
    file was changed.
    """

    def __init__(self, file: BinaryIO | SealedFile, size: int, workers: Workers) -> None:
        self.size = size
        self._file = file
        self._left = size
        self._workers = workers

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if not self._left:
            raise StopAsyncIteration
        try:
            piece = await self._workers.submit(self._file.read, min(PIECE_BYTES, self._left))
        except OSError as error:
            raise from_os(error) from error
        self._left = self._left - len(piece) if piece else 0
        if not piece:
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        """Close the file; once more does nothing."""
        self._left = 0
        self._file.close()
