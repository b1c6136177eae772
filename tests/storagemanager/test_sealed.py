"""The sealed form: its vector, every size around the chunks, and every way to change a file on the disk."""

import hashlib
import io
import itertools
import os
import random

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storagemanager import StorageError, StorageErrorCode, sealed
from storagemanager.sealed import CHUNK_BYTES, HEADER_BYTES, SEALED_CHUNK_BYTES, SealedFile, Sealer, sealed_size

KEY = bytes(range(32))
UUID = "0d5f0f5e-9b4e-4c39-8c2c-3f9d1f1f7a10"
OTHER = "6b8e2f57-15a1-4c5e-8df4-9a1c6a2f0b33"
SIZES = [1, 15, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 3 * CHUNK_BYTES + 7]


def seal(content: bytes, step: int = 1 << 20, key: bytes = KEY, uuid: str = UUID) -> bytes:
    sealer = Sealer(key, uuid)
    pieces = [bytes(sealer.update(content[at : at + step])) for at in range(0, len(content), step)]
    return b"".join([sealer.header, *pieces, bytes(sealer.finish())])


def unseal(data: bytes, size: int, key: bytes = KEY, uuid: str = UUID) -> bytes:
    with SealedFile(io.BytesIO(data), key, uuid, size) as file:
        return b"".join(iter(lambda: file.read(100_000), b""))


@pytest.mark.parametrize("size", SIZES)
def test_a_file_sealed_in_one_go_is_the_one_sealed_in_pieces(size, monkeypatch):
    monkeypatch.setattr(os, "urandom", lambda size: b"\x07" * size)
    content = content_of(size)
    assert bytes(Sealer(KEY, UUID).whole(memoryview(content))) == seal(content, 10_000)


def content_of(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def test_a_vector(monkeypatch):
    """The form is fixed: files sealed by an earlier program open."""
    monkeypatch.setattr(os, "urandom", lambda size: b"\x07" * size)
    content = b"a" * CHUNK_BYTES + b"end"
    header = b"SEALED\x00\x01\x10" + b"\x07" * 7
    cipher = AESGCM(KEY)
    expected = header
    for number, (piece, last) in enumerate([(content[:CHUNK_BYTES], 0), (b"end", 1)]):
        nonce = b"\x07" * 7 + number.to_bytes(4, "big") + bytes([last])
        expected += cipher.encrypt(nonce, piece, header + UUID.encode())
    assert seal(content) == expected
    assert hashlib.sha256(expected).hexdigest() == "2a8d39c6e809c4dad30db338b26e8f649522b9d8476a0177d53bf8cdc7bb7d18"
    assert unseal(expected, len(content)) == content


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("step", [1 << 20, CHUNK_BYTES, 10_000, CHUNK_BYTES + 1])
def test_whatever_the_pieces_the_content_comes_back(size, step):
    content = content_of(size)
    data = seal(content, step)
    assert len(data) == sealed_size(size)
    assert content[:16] not in data or size < 16
    assert unseal(data, size) == content


def test_any_part_is_read_by_opening_its_chunks_only():
    content = content_of(5 * CHUNK_BYTES + 99)
    data = bytearray(seal(content))
    data[HEADER_BYTES + 3 * SEALED_CHUNK_BYTES + 5] ^= 1  # the fourth chunk is damaged
    file = SealedFile(io.BytesIO(data), KEY, UUID, len(content))
    for start, size in [(0, 10), (CHUNK_BYTES - 5, 10), (2 * CHUNK_BYTES, CHUNK_BYTES), (5 * CHUNK_BYTES + 90, 50)]:
        file.seek(start)
        assert file.read(size) == content[start : start + size][: CHUNK_BYTES * 16]
    file.seek(3 * CHUNK_BYTES)
    with pytest.raises(StorageError) as caught:
        file.read(1)
    assert caught.value.code is StorageErrorCode.BROKEN
    file.seek(len(content) + 5)
    assert file.read(10) == b""


def test_a_large_read_is_cut_to_a_bounded_number_of_chunks():
    content = content_of(40 * CHUNK_BYTES)
    file = SealedFile(io.BytesIO(seal(content)), KEY, UUID, len(content))
    assert len(file.read(len(content))) == sealed.READ_CHUNKS * CHUNK_BYTES


def changes(data: bytes):
    """Every kind of change to a sealed file of three chunks."""
    body = [data[at : at + SEALED_CHUNK_BYTES] for at in range(HEADER_BYTES, len(data), SEALED_CHUNK_BYTES)]
    head = data[:HEADER_BYTES]
    yield "swapped chunks", head + body[1] + body[0] + body[2]
    yield "a chunk twice", head + body[0] + body[0] + body[2]
    yield "a chunk less", head + body[0] + body[2]
    yield "no end", head + body[0] + body[1]
    yield "a cut end", data[:-1]
    yield "a cut chunk", data[: HEADER_BYTES + 100]
    yield "a cut header", data[:10]
    yield "nothing", b""
    yield "another version", b"SEALED\x00\x02" + data[8:]
    yield "no magic", b"SEALER" + data[6:]
    for place in itertools.chain(range(HEADER_BYTES), random.Random(1).sample(range(HEADER_BYTES, len(data)), 60)):
        flipped = bytearray(data)
        flipped[place] ^= 1 << place % 8
        yield f"byte {place}", bytes(flipped)


def test_every_change_is_noticed():
    size = 2 * CHUNK_BYTES + 500
    data = seal(content_of(size))
    for what, changed in changes(data):
        with pytest.raises(StorageError) as caught:
            unseal(changed, size)
        assert caught.value.code is StorageErrorCode.BROKEN, what


def test_a_file_opens_as_itself_only():
    data = seal(b"content")
    for more in ({"uuid": OTHER}, {"key": b"k" * 32}):
        with pytest.raises(StorageError):
            unseal(data, 7, **more)


def test_no_two_files_share_a_header():
    assert len({seal(b"x")[:HEADER_BYTES] for _ in range(100)}) == 100
