"""The form of a file that is encrypted on the disk: chunks that are sealed one by one, so that any part can be read.

    16 bytes    header: "SEALED", 0, version 1, 16 (a chunk holds 2 ** 16 bytes), 7 random bytes
    then        each chunk: up to 65,536 bytes of AES-256-GCM ciphertext and its tag of 16 bytes

The nonce of a chunk is the 7 random bytes, the number of the chunk (4 bytes, big-endian), and 1 for the last chunk,
else 0: no chunk can be moved, left out or added, and the end cannot be cut off (the STREAM construction). Each chunk
is bound to the header and to the uuid of its file. Each file has a key of its own.
"""

import mmap
import os
import threading
from collections.abc import Iterator
from typing import BinaryIO, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storagemanager.errors import StorageError, StorageErrorCode

KEY_BYTES = 32
CHUNK_BYTES = 65_536
TAG_BYTES = 16
HEADER_BYTES = 16
SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES
READ_CHUNKS = 16
"""Chunks read from the disk at once, where so much is asked for."""

_FORM = b"SEALED\x00\x01\x10"
_PREFIX_BYTES = HEADER_BYTES - len(_FORM)

_buffers = threading.local()


def new_key() -> bytes:
    """Return a random data key."""
    return os.urandom(KEY_BYTES)


def sealed_size(size: int) -> int:
    """Return how long a file of `size` > 0 bytes is once it is sealed."""
    return HEADER_BYTES + size + TAG_BYTES * -(-size // CHUNK_BYTES)


class _Chunks:
    """The cipher of one file: what seals and opens chunk by chunk."""

    def __init__(self, key: bytes, uuid: str, header: bytes) -> None:
        self._cipher = AESGCM(key)
        self._bound = header + uuid.encode()
        self._prefix = header[len(_FORM) :]

    def seal(self, number: int, plain: bytes | bytearray | memoryview, into: memoryview, *, last: bool) -> int:
        return self._cipher.encrypt_into(self._nonce(number, last=last), plain, self._bound, into)

    def open(self, number: int, sealed: memoryview, into: memoryview, *, last: bool) -> int:
        try:
            return self._cipher.decrypt_into(self._nonce(number, last=last), sealed, self._bound, into)
        except (InvalidTag, ValueError):
            raise _broken(f"chunk {number} does not open") from None

    def _nonce(self, number: int, *, last: bool) -> bytes:
        return self._prefix + number.to_bytes(4) + (b"\x01" if last else b"\x00")


class Sealer:
    """Seals a file on its way to the disk: `header` first, then what `update` and at last `finish` give.

    What they give lies in a buffer of the calling thread: it is to be written before the next call.
    """

    def __init__(self, key: bytes, uuid: str) -> None:
        self.header = _FORM + os.urandom(_PREFIX_BYTES)
        self.chunks = 0
        """How many chunks were given so far; every one of them is full."""
        self.held = bytearray()
        """What was taken and not given yet, a chunk at most: the last one is marked, so it waits for what follows."""
        self._chunks = _Chunks(key, uuid, self.header)

    def update(self, data: bytes | memoryview) -> memoryview:
        """Take plaintext, return ciphertext."""
        view = memoryview(data)
        out, at = _buffer(self._whole_chunks(len(view)) * SEALED_CHUNK_BYTES), 0
        room = CHUNK_BYTES - len(self.held)
        if self.held and len(view) > room:
            self.held += view[:room]
            view = view[room:]
            at = self._seal(self.held, out, at)
            self.held.clear()
        view, at = self._seal_full(view, out, at)
        self.held += view
        return out[:at]

    def finish(self) -> memoryview:
        """Return the last chunk."""
        out = _buffer(SEALED_CHUNK_BYTES)
        return out[: self._chunks.seal(self.chunks, self.held, out[: len(self.held) + TAG_BYTES], last=True)]

    def whole(self, data: memoryview) -> memoryview:
        """Take all of a file, return all of it sealed, header and last chunk too; it begins at a page of memory.

        For a sealer that nothing was given to before.
        """
        out = _buffer(sealed_size(len(data)))
        out[:HEADER_BYTES] = self.header
        last, at = self._seal_full(data, out, HEADER_BYTES)
        self._chunks.seal(self.chunks, last, out[at:], last=True)
        return out

    def _whole_chunks(self, size: int) -> int:
        return max(0, len(self.held) + size - 1) // CHUNK_BYTES

    def _seal_full(self, view: memoryview, out: memoryview, at: int) -> tuple[memoryview, int]:
        """Seal every chunk that more follows; return what is left, and where it belongs."""
        while len(view) > CHUNK_BYTES:
            at = self._seal(view[:CHUNK_BYTES], out, at)
            view = view[CHUNK_BYTES:]
        return view, at

    def _seal(self, plain: bytearray | memoryview, out: memoryview, at: int) -> int:
        end = at + SEALED_CHUNK_BYTES
        self._chunks.seal(self.chunks, plain, out[at:end], last=False)
        self.chunks += 1
        return end


class SealedFile:
    """A sealed file of `size` bytes of plaintext, read like any file; only the chunks that are needed are opened.

    BROKEN where it was changed or cut; OSError as the system does.
    """

    def __init__(self, file: BinaryIO, key: bytes, uuid: str, size: int) -> None:
        self._file = file
        self._size = size
        self._at = 0
        self._rest = memoryview(b"")
        file.seek(0)
        header = _exactly(file, HEADER_BYTES)
        if header[: len(_FORM)] != _FORM:
            raise _broken("it has no header of a sealed file")
        self._chunks = _Chunks(key, uuid, header)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def seek(self, offset: int) -> None:
        """Go to an offset of the plaintext."""
        self._at = min(offset, self._size)
        self._rest = memoryview(b"")

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes of plaintext, none at the end only."""
        if not self._rest and self._at < self._size and size:
            self._load(size)
        piece = bytes(self._rest[:size])
        self._rest = self._rest[size:]
        self._at += len(piece)
        return piece

    def close(self) -> None:
        """Close the file behind it."""
        self._file.close()

    def _load(self, size: int) -> None:
        first, skipped = divmod(self._at, CHUNK_BYTES)
        wanted = min(-(-(skipped + size) // CHUNK_BYTES), READ_CHUNKS)
        last = -(-self._size // CHUNK_BYTES) - 1
        wanted = min(wanted, last - first + 1)
        end = min((first + wanted) * CHUNK_BYTES, self._size)
        self._file.seek(HEADER_BYTES + first * SEALED_CHUNK_BYTES)
        sealed = memoryview(_exactly(self._file, end - first * CHUNK_BYTES + wanted * TAG_BYTES))
        plain = memoryview(bytearray(end - first * CHUNK_BYTES))
        for number in range(wanted):
            chunk = sealed[number * SEALED_CHUNK_BYTES : (number + 1) * SEALED_CHUNK_BYTES]
            into = plain[number * CHUNK_BYTES : (number + 1) * CHUNK_BYTES]
            self._chunks.open(first + number, chunk, into, last=first + number == last)
        self._rest = plain[skipped:]


def opened_chunks(descriptor: int, sealer: Sealer, key: bytes, uuid: str, count: int) -> Iterator[memoryview]:
    """Yield the first `count` chunks that a sealer has given, read back from the draft they were written to.

    Each lies in a buffer of the calling thread and holds until the next.
    """
    chunks = _Chunks(key, uuid, sealer.header)
    plain = _buffer(CHUNK_BYTES)
    for number in range(count):
        sealed = os.pread(descriptor, SEALED_CHUNK_BYTES, HEADER_BYTES + number * SEALED_CHUNK_BYTES)
        chunks.open(number, memoryview(sealed), plain, last=False)
        yield plain


def _buffer(size: int) -> memoryview:
    """Return memory of the calling thread, from a page on: fresh memory would cost more than sealing."""
    held: mmap.mmap | None = getattr(_buffers, "held", None)
    if held is None or len(held) < size:
        held = _buffers.held = mmap.mmap(-1, max(size, SEALED_CHUNK_BYTES), flags=mmap.MAP_PRIVATE)
    return memoryview(held)[:size]


def _exactly(file: BinaryIO, size: int) -> bytes:
    pieces = []
    while size:
        piece = file.read(size)
        if not piece:
            raise _broken("it is cut off")
        pieces.append(piece)
        size -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _broken(reason: str) -> StorageError:
    return StorageError(StorageErrorCode.BROKEN, "file", f"the sealed file is damaged: {reason}")
