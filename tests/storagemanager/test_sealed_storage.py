"""Stored files that are encrypted on the disk: nothing of them is there in clear, and everything else is as before."""

import asyncio
import os
import sqlite3

import pytest
import storage_samples as s
from storage_cipher import Cipher

from storagemanager import StorageError, StorageErrorCode, StorageManager, StorageSettings, plain
from storagemanager.sealed import sealed_size

TEXT = b"".join(b"line %d of the canary 7c1f\n" % number for number in range(30_000))


@pytest.fixture
def cipher():
    return Cipher()


@pytest.fixture
async def opened(tmp_path, clock):
    made = []

    async def make(cipher=None, backend=None):
        storage = StorageManager(tmp_path, StorageSettings(chunk_bytes=100_000), clock, cipher=cipher, backend=backend)
        made.append(storage)
        await storage.open()
        return storage

    yield make
    for storage in made:
        await storage.close()


def holding(folder, text=b"canary 7c1f"):
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and text in path.read_bytes())


def on_disk(folder):
    return sorted(path.name for path in (folder / "storage").rglob("*") if path.is_file())


async def content_of(storage, meta, offset=0, length=None):
    async with await storage.open_read(meta, offset, length) as reading:
        return b"".join([piece async for piece in reading])


async def code_of(work):
    with pytest.raises(StorageError) as caught:
        await work
    return caught.value.code


async def test_a_sealed_file_is_what_was_received(opened, cipher, put, tmp_path):
    storage = await opened(cipher)
    meta = await put(storage, TEXT, "a.txt")
    assert on_disk(tmp_path) == [f"{meta.uuid}.txt.sealed"]
    assert (tmp_path / "storage" / meta.disk_name).stat().st_size == sealed_size(len(TEXT)) == meta.disk_size
    assert holding(tmp_path) == []
    assert await content_of(storage, meta) == TEXT
    for offset, length in [(0, 1), (65_530, 20), (len(TEXT) - 3, 9), (5, None), (len(TEXT), None), (0, 0)]:
        end = None if length is None else offset + length
        assert await content_of(storage, meta, offset, length) == TEXT[offset:end]
    assert (await storage.verify()).intact
    assert await storage.path(meta) is None
    await storage.close()
    again = await opened(cipher)
    assert await content_of(again, await again.get(meta.uuid)) == TEXT
    assert (await again.verify()).file_bytes == len(TEXT)


@pytest.mark.parametrize("size", [100, 65_536 * 2, 99_999, 100_001, 3_000_000])
@pytest.mark.parametrize("step", [999, 65_536, 1 << 20])
async def test_uploads_of_any_size_in_any_pieces_are_judged_and_sealed(opened, cipher, put, size, step):
    storage = await opened(cipher)
    content = s.png_of(size)
    meta = await put(storage, content, step=step)
    assert meta.signature == "image/png"
    assert await content_of(storage, meta) == content


async def test_what_is_refused_leaves_nothing(opened, cipher, put, tmp_path):
    storage = await opened(cipher)
    for content in (TEXT, s.png_of(300_000)[:-4], s.png_of(300_000) + b"PK\x03\x04"):
        with pytest.raises(StorageError):
            await put(storage, content)
    cipher.fail = True
    assert await code_of(put(storage, s.png())) is StorageErrorCode.UNAVAILABLE
    assert on_disk(tmp_path) == []
    assert (await storage.stats()).files == 0


async def test_nothing_is_in_clear_while_it_is_received(opened, cipher, owner, tmp_path):
    storage = await opened(cipher)
    upload = storage.receive(original_name="a.txt", declared_type="", owner=owner, purpose="", scope=0)
    for start in range(0, len(TEXT), 50_000):
        await upload.write(TEXT[start : start + 50_000])
    await upload._settle()
    assert on_disk(tmp_path) == [upload.uuid]
    assert holding(tmp_path) == []
    await upload.abort()
    assert on_disk(tmp_path) == []


async def test_a_large_upload_is_judged_in_a_file_without_a_name(opened, cipher, put, tmp_path, monkeypatch):
    monkeypatch.setattr(plain, "MEMORY_BYTES_MAX", 1000)
    names = set()
    storage = await opened(cipher)
    judge = storage._validator.check_content

    def watched(descriptor, size, extension):
        names.update(on_disk(tmp_path))
        assert os.fstat(descriptor).st_nlink == 0
        assert os.pread(descriptor, 9, 0) == TEXT[:9]
        return judge(descriptor, size, extension)

    monkeypatch.setattr(storage._validator, "check_content", watched)
    meta = await put(storage, TEXT, "a.txt")
    assert names <= {meta.uuid}
    assert await content_of(storage, meta) == TEXT


async def test_only_a_bounded_number_is_judged_at_once(opened, cipher, put, monkeypatch):
    storage = await opened(cipher)
    now, most = 0, 0
    judge = storage._validator.check_content

    def watched(*args):
        nonlocal now, most
        now += 1
        most = max(most, now)
        try:
            return judge(*args)
        finally:
            now -= 1

    monkeypatch.setattr(storage._validator, "check_content", watched)
    metas = await asyncio.gather(*(put(storage, s.png()) for _ in range(3 * plain.AT_ONCE)))
    assert len(metas) == 3 * plain.AT_ONCE
    assert 1 <= most <= plain.AT_ONCE


async def test_files_in_clear_and_sealed_ones_live_beside_each_other(opened, cipher, put, tmp_path):
    storage = await opened(cipher)
    sealed = await put(storage, TEXT, "a.txt")
    cipher.sealing = False
    clear = await put(storage, TEXT + b"2", "b.txt")
    assert on_disk(tmp_path) == sorted([sealed.disk_name, clear.storage_name])
    assert clear.disk_name == clear.storage_name
    assert (await content_of(storage, sealed), await content_of(storage, clear)) == (TEXT, TEXT + b"2")
    await storage.close()
    without = await opened()
    assert await content_of(without, await without.get(clear.uuid)) == TEXT + b"2"
    assert await code_of(without.open_read(sealed)) is StorageErrorCode.BROKEN
    assert (await without.verify()).unopened == (sealed.disk_name,)


async def test_a_wrong_key_is_named_and_nothing_is_served(opened, cipher, put):
    storage = await opened(cipher)
    metas = [await put(storage, TEXT + b"%d" % n, "a.txt") for n in range(2)]
    cipher.key = Cipher(b"x" * 32).key
    with pytest.raises(StorageError, match=f"the key of the stored file {metas[0].disk_name} does not open"):
        await storage.open_read(metas[0])
    report = await storage.verify()
    assert report.unopened == tuple(meta.disk_name for meta in metas)
    assert not report.intact


async def test_swapped_and_changed_files_are_damaged(opened, cipher, put, tmp_path):
    storage = await opened(cipher)
    metas = [await put(storage, bytes([65 + n]) + TEXT, "a.txt") for n in range(4)]
    paths = [tmp_path / "storage" / meta.disk_name for meta in metas]
    one, two = paths[0].read_bytes(), paths[1].read_bytes()
    paths[0].write_bytes(two)
    paths[1].write_bytes(one)
    flipped = bytearray(paths[2].read_bytes())
    flipped[300_000] ^= 4
    paths[2].write_bytes(flipped)
    for meta in metas[:3]:
        assert await code_of(storage.check(meta)) is StorageErrorCode.BROKEN
    report = await storage.verify()
    assert report.damaged == tuple(meta.disk_name for meta in metas[:3])
    assert report.files == 1


async def test_a_damaged_chunk_breaks_a_reading_off(opened, cipher, put, tmp_path):
    storage = await opened(cipher)
    meta = await put(storage, TEXT, "a.txt")
    reading = await storage.open_read(meta)
    assert len(await anext(reading)) == 256 * 1024
    os.truncate(tmp_path / "storage" / meta.disk_name, 300_000)
    with pytest.raises(StorageError) as caught:
        await anext(reading)
    assert caught.value.code is StorageErrorCode.BROKEN
    await reading.aclose()


async def test_swapped_keys_do_not_open(opened, cipher, put, tmp_path):
    storage = await opened(cipher)
    one, two = [await put(storage, TEXT, "a.txt") for _ in range(2)]
    await storage.close()
    base = sqlite3.connect(tmp_path / "bases" / "storage.db")
    base.execute("UPDATE data_key SET wrapped = ? WHERE uuid = ?", (one.data_key, two.uuid))
    base.commit()
    base.close()
    again = await opened(cipher)
    assert (await again.verify()).unopened == (two.disk_name,)


async def test_a_key_that_somebody_else_holds_is_forgotten_here(opened, cipher, put, tmp_path):
    storage = await opened(cipher)
    metas = [await put(storage, TEXT, "a.txt") for _ in range(3)]
    kept = await storage.kept_keys()
    assert kept == sorted((meta.uuid, meta.data_key) for meta in metas)
    assert await storage.kept_keys(kept[-1][0]) == []
    await storage.get_many([metas[0].uuid])
    cipher.held[metas[0].uuid] = metas[0].data_key
    await storage.release_keys([metas[0].uuid, "unknown"])
    assert storage.peek(metas[0].uuid).data_key == b""
    assert len(await storage.kept_keys()) == 2
    assert await content_of(storage, storage.peek(metas[0].uuid)) == TEXT
    cipher.held.clear()
    assert (await storage.verify()).unopened == (metas[0].disk_name,)
    await storage.close()
    again = await opened(cipher)
    assert (await again.get(metas[0].uuid)).data_key == b""
    assert (await again.get(metas[1].uuid)).data_key == metas[1].data_key


async def test_expiry_takes_file_row_and_key(opened, cipher, put, clock, tmp_path):
    storage = await opened(cipher)
    await put(storage, TEXT, "a.txt")
    assert await storage.expire(clock.now + 10**6) == 1
    assert on_disk(tmp_path) == []
    assert await storage.kept_keys() == []


async def test_files_in_clear_are_sealed_later(opened, cipher, put, tmp_path):
    storage = await opened(cipher)
    cipher.sealing = False
    metas = [await put(storage, TEXT + b"%d" % n, "a.txt") for n in range(3)]
    await storage.pin([metas[0].uuid])
    cipher.sealing = True
    assert [meta.uuid async for meta in storage.in_clear()] == [meta.uuid for meta in metas]
    assert [await storage.seal(meta) for meta in metas] == [True] * 3
    assert [meta async for meta in storage.in_clear()] == []
    assert holding(tmp_path) == []
    assert on_disk(tmp_path) == sorted(f"{meta.uuid}.txt.sealed" for meta in metas)
    found = await storage.get(metas[0].uuid)
    assert (found.pins, await content_of(storage, found)) == (1, TEXT + b"0")
    assert (await storage.verify()).intact


async def test_a_damaged_file_is_not_sealed_and_one_that_has_gone_is_left(opened, cipher, put, tmp_path):
    storage = await opened(cipher)
    cipher.sealing = False
    damaged, gone, unkeyed = [await put(storage, TEXT + b"%d" % n, "a.txt") for n in range(3)]
    (tmp_path / "storage" / damaged.storage_name).write_bytes(TEXT + b"!")
    assert await code_of(storage.seal(damaged)) is StorageErrorCode.BROKEN
    wrap = cipher.wrap

    async def expiring(uuid, brand, key):
        await storage._opened().metadata._base.write(lambda c: c.execute("DELETE FROM files WHERE uuid = ?", (uuid,)))
        return await wrap(uuid, brand, key)

    cipher.wrap = expiring
    assert await storage.seal(gone) is False
    cipher.wrap, cipher.fail = wrap, True
    assert await code_of(storage.seal(unkeyed)) is StorageErrorCode.UNAVAILABLE
    (tmp_path / "storage" / unkeyed.storage_name).unlink()
    assert await code_of(storage.seal(unkeyed)) is StorageErrorCode.UNAVAILABLE
    assert on_disk(tmp_path) == sorted([damaged.storage_name, gone.storage_name])


@pytest.mark.parametrize("row", [False, True], ids=["before the row", "after the row"])
async def test_a_crash_while_a_file_is_sealed_leaves_one_whole_file(opened, cipher, put, tmp_path, row):
    storage = await opened(cipher)
    cipher.sealing = False
    meta = await put(storage, TEXT, "a.txt")
    clear = (tmp_path / "storage" / meta.storage_name).read_bytes()
    assert await storage.seal(meta)
    if not row:
        await storage._opened().metadata._base.write(lambda c: c.execute("DELETE FROM data_key"))
    (tmp_path / "storage" / meta.storage_name).write_bytes(clear)
    assert (await storage.verify()).orphans == (meta.storage_name + ("" if row else ".sealed"),)
    await storage.close()
    again = await opened(cipher)
    assert on_disk(tmp_path) == [meta.storage_name + (".sealed" if row else "")]
    assert await content_of(again, await again.get(meta.uuid)) == TEXT
    assert (await again.verify()).intact


async def test_a_file_of_the_wrong_form_is_kept_where_it_is_the_only_one(opened, cipher, put, tmp_path):
    storage = await opened(cipher)
    meta = await put(storage, TEXT, "a.txt")
    await storage._opened().metadata._base.write(lambda c: c.execute("DELETE FROM data_key"))
    await storage.close()
    again = await opened(cipher)
    assert on_disk(tmp_path) == [meta.disk_name]
    assert (await again.verify()).missing == (meta.storage_name,)
