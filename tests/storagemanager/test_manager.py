import asyncio
import hashlib
import threading
from pathlib import Path

import pytest
import storage_samples as s
from polyglots import real_files

from storagemanager import Owner, StorageError, StorageErrorCode, StorageManager, StorageSettings, inspection
from storagemanager.layout import is_uuid


def files_in(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in (folder / "storage").rglob("*") if p.is_file())


async def code_of(awaitable) -> StorageErrorCode:
    with pytest.raises(StorageError) as caught:
        await awaitable
    assert str(caught.value) == f"{caught.value.field}: {caught.value.reason}"
    return caught.value.code


async def test_a_file_is_stored_as_received_with_what_is_known_of_it(manager, put, tmp_path, clock):
    content = s.png()
    meta = await put(manager, content, "My Scan.PNG")
    assert is_uuid(meta.uuid)
    assert meta.storage_name == f"{meta.uuid}.png"
    assert (tmp_path / "storage" / meta.storage_name).read_bytes() == content
    assert files_in(tmp_path) == [f"storage/{meta.storage_name}"]
    assert meta.original_name == "My Scan.PNG"
    assert (meta.extension, meta.signature, meta.content_type) == ("png", "image/png", "image/png")
    assert meta.checksum == hashlib.sha256(content).hexdigest()
    assert (meta.file_size, meta.scope, meta.purpose) == (len(content), 1, "kyc")
    assert (meta.owner_kind, meta.owner_id, meta.brand) == ("customer", 7, "alpha")
    assert (meta.created_time, meta.attached, meta.declared_type) == (clock.now, False, "image/png")
    assert manager.peek(meta.uuid) == meta
    assert await manager.get(meta.uuid) == meta


async def test_metadata_survives_a_restart(tmp_path, clock, put):
    first = StorageManager(tmp_path, StorageSettings(), clock)
    await first.open()
    metas = [await put(first, content, f"a.{extension}") for extension, content in real_files().items()]
    await first.close()
    await first.close()
    second = StorageManager(tmp_path, StorageSettings(cache_entries_max=3), clock)
    report = await second.open()
    assert (report.orphans_removed, report.missing, report.temporary_removed, report.expired) == (0, (), 0, 0)
    assert second.peek(metas[0].uuid) is None
    assert await second.get(metas[0].uuid) == metas[0]
    assert second.peek(metas[0].uuid) == metas[0]
    assert await second.get_many([m.uuid for m in metas] + ["x", metas[0].uuid]) == {m.uuid: m for m in metas}
    stats = await second.stats()
    assert (stats.files, stats.file_bytes) == (len(metas), sum(m.file_size for m in metas))
    assert (stats.attached, stats.uploads_active, stats.cache_entries) == (0, 0, 3)
    assert stats.free_bytes > 0
    assert (await second.verify()).intact
    await second.close()


@pytest.mark.parametrize("name", ["../../etc/passwd", "a" * 36, "", "X" * 36, 5, None, "0" * 8 + "-" + "0" * 27])
async def test_what_is_no_uuid_is_never_looked_up(manager, name):
    assert await manager.get(name) is None
    assert await manager.get_many([name]) == {}
    assert manager.peek(name) is None


async def test_refusals_leave_nothing_behind(manager, put, tmp_path):
    assert await code_of(put(manager, b"")) is StorageErrorCode.EMPTY
    assert await code_of(put(manager, s.jpeg())) is StorageErrorCode.SIGNATURE_MISMATCH
    assert await code_of(put(manager, s.png()[:-4])) is StorageErrorCode.STRUCTURE
    assert await code_of(put(manager, s.png() + b"<html>")) is StorageErrorCode.STRUCTURE
    for name in ("a.exe", "a.svg", "png", "", ".", "a.png.exe", "a.png\0.php", "a."):
        assert await code_of(put(manager, s.png(), name)) is StorageErrorCode.REFUSED_TYPE
    assert files_in(tmp_path) == []
    assert (await manager.stats()).uploads_active == 0


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("purpose", {"purpose": "x" * 65}),
        ("purpose", {"purpose": "a\nb"}),
        ("brand", {"owner": Owner(kind="customer", id=1, brand="\0")}),
        ("owner", {"owner": Owner(kind="k" * 65, id=1, brand="b")}),
        ("owner", {"owner": Owner(kind="customer", id=2**63, brand="b")}),
        ("scope", {"scope": -1}),
    ],
)
async def test_fields_that_cannot_be_stored_are_named(manager, put, field, more):
    with pytest.raises(StorageError) as caught:
        await put(manager, s.png(), **more)
    assert (caught.value.code, caught.value.field) == (StorageErrorCode.INVALID, field)


async def test_too_large_is_noticed_while_receiving(tmp_path, clock, put, owner):
    storage = StorageManager(tmp_path, StorageSettings(file_bytes_max=100_000, chunk_bytes=10_000), clock)
    await storage.open()
    whole = s.png_of(100_000)
    assert (await put(storage, whole)).file_size == 100_000
    before = files_in(tmp_path)
    upload = storage.receive(original_name="a.png", declared_type="", owner=owner, purpose="", scope=1)
    for _ in range(10):
        await upload.write(b"x" * 10_000)
    assert await code_of(upload.write(b"x")) is StorageErrorCode.TOO_LARGE
    assert upload.state == "failed"
    assert await code_of(upload.write(b"x")) is StorageErrorCode.CLOSED
    assert await code_of(upload.finish()) is StorageErrorCode.CLOSED
    await upload.abort()
    assert files_in(tmp_path) == before
    with pytest.raises(StorageError) as caught:
        storage.receive(original_name="a.png", declared_type="", owner=owner, purpose="", scope=1, length_hint=100_001)
    assert caught.value.code is StorageErrorCode.TOO_LARGE
    await storage.close()


@pytest.mark.parametrize("step", [1, 7, 4096, 50_000, 10**6])
async def test_chunks_of_any_size_and_kind_make_the_same_file(tmp_path, clock, owner, step):
    storage = StorageManager(tmp_path, StorageSettings(chunk_bytes=9000), clock)
    await storage.open()
    content = s.png_of(60_000)
    upload = storage.receive(original_name="a.png", declared_type="", owner=owner, purpose="", scope=1)
    reused = bytearray(step)
    for start in range(0, len(content), step):
        piece = content[start : start + step]
        reused[: len(piece)] = piece
        await upload.write(memoryview(reused)[: len(piece)])
    meta = await upload.finish()
    assert upload.state == "stored"
    assert meta.checksum == hashlib.sha256(content).hexdigest()
    assert (tmp_path / "storage" / meta.storage_name).read_bytes() == content
    await storage.close()


async def test_an_upload_that_is_left_is_aborted(manager, owner, tmp_path):
    many = {"original_name": "a.png", "declared_type": "", "owner": owner, "purpose": "", "scope": 1}
    async with manager.receive(**many) as upload:
        await upload.write(b"x" * 3_000_000)
        assert len(files_in(tmp_path)) == 1
    assert upload.state == "aborted"
    assert files_in(tmp_path) == []
    await manager.receive(**many).abort()
    async with manager.receive(**many) as upload:
        await upload.write(s.png())
        meta = await upload.finish()
    assert upload.state == "stored"
    left = manager.receive(**many)
    await left.write(b"x" * 2_000_000)
    await manager.close()
    assert left.state == "aborted"
    assert files_in(tmp_path) == [f"storage/{meta.storage_name}"]


async def test_a_cancelled_caller_does_not_undo_a_finish(tmp_path, clock, owner):
    storage = StorageManager(tmp_path, StorageSettings(), clock)
    await storage.open()
    upload = storage.receive(original_name="a.png", declared_type="", owner=owner, purpose="", scope=1)
    await upload.write(s.png())
    task = asyncio.create_task(upload.finish())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    refused = storage.receive(original_name="a.png", declared_type="", owner=owner, purpose="", scope=1)
    await refused.write(b"no image")
    task = asyncio.create_task(refused.finish())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await storage.close()
    assert (upload.state, refused.state) == ("stored", "failed")
    assert files_in(tmp_path) == [f"storage/{upload.uuid}.png"]


async def test_a_caller_cancelled_while_writing_can_abort(tmp_path, clock, owner):
    storage = StorageManager(tmp_path, StorageSettings(chunk_bytes=1000, file_bytes_max=10**9), clock)
    await storage.open()
    upload = storage.receive(original_name="a.png", declared_type="", owner=owner, purpose="", scope=1)
    task = asyncio.create_task(upload.write(bytes(50_000_000)))
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await upload.abort()
    assert files_in(tmp_path) == []
    await storage.close()


async def test_fifty_uploads_at_once(manager, put, tmp_path):
    contents = [s.png_of(50_000 + 1000 * n) for n in range(50)]
    metas = await asyncio.gather(*(put(manager, content, f"{n}.png", step=4000) for n, content in enumerate(contents)))
    assert len({meta.uuid for meta in metas}) == 50
    for meta, content in zip(metas, contents, strict=True):
        assert meta.checksum == hashlib.sha256(content).hexdigest()
        assert (tmp_path / "storage" / meta.storage_name).read_bytes() == content
    assert len(files_in(tmp_path)) == 50
    assert (await manager.verify()).intact


async def test_uploads_at_once_are_bounded(tmp_path, clock, owner, put):
    storage = StorageManager(tmp_path, StorageSettings(uploads_max=2), clock)
    await storage.open()
    many = {"original_name": "a.png", "declared_type": "", "owner": owner, "purpose": "", "scope": 1}
    first, _ = storage.receive(**many), storage.receive(**many)
    with pytest.raises(StorageError) as caught:
        storage.receive(**many)
    assert caught.value.code is StorageErrorCode.BUSY
    await first.abort()
    assert await put(storage, s.png())
    await storage.close()


async def test_a_closed_manager_says_so(tmp_path, clock, owner):
    storage = StorageManager(tmp_path, StorageSettings(), clock)
    await storage.close()
    assert await code_of(storage.get("x")) is StorageErrorCode.CLOSED
    await storage.open()
    assert await code_of(storage.open()) is StorageErrorCode.BUSY
    await storage.close()
    assert await code_of(storage.stats()) is StorageErrorCode.CLOSED
    await storage.open()
    await storage.close()


async def test_no_threads_and_tasks_are_left(tmp_path, clock, put):
    threads = threading.active_count()
    storage = StorageManager(tmp_path, StorageSettings(), clock)
    await storage.open()
    await put(storage, s.png())
    await storage.close()
    for _ in range(200):  # a connection's thread answers its last call before it ends
        if threading.active_count() <= threads:  # one of an earlier test may end meanwhile
            break
        await asyncio.sleep(0.01)
    assert threading.active_count() <= threads
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_pins_hold_files_and_expiry_takes_the_rest(manager, put, clock, tmp_path):
    kept, twice, lost = [await put(manager, s.png(), f"{n}.png") for n in range(3)]
    await manager.pin([kept.uuid, twice.uuid])
    await manager.pin([twice.uuid])
    assert manager.peek(kept.uuid).attached
    assert (await manager.get(twice.uuid)).pins == 2
    assert (await manager.stats()).attached == 2
    clock.now += 86_399
    assert await manager.expire(clock.now) == 0
    clock.now += 1
    assert await manager.expire(clock.now) == 1
    assert await manager.get(lost.uuid) is None
    assert not (tmp_path / "storage" / lost.storage_name).exists()
    await manager.unpin([twice.uuid, kept.uuid, lost.uuid])
    assert (await manager.get(twice.uuid)).pins == 1
    assert (await manager.get(kept.uuid)).loose_since == clock.now
    await manager.unpin([kept.uuid])
    assert await manager.expire(clock.now + 86_399) == 0
    assert await manager.expire(clock.now + 86_400) == 1
    assert await manager.get(kept.uuid) is None
    assert await manager.get(twice.uuid)


async def test_pinning_is_all_or_nothing(manager, put):
    meta = await put(manager, s.png())
    gone = "00000000-0000-4000-8000-000000000000"
    assert await code_of(manager.pin([meta.uuid, gone])) is StorageErrorCode.NOT_FOUND
    assert not (await manager.get(meta.uuid)).attached
    results = await asyncio.gather(
        manager.pin([gone]), *(manager.pin([meta.uuid]) for _ in range(20)), return_exceptions=True
    )
    assert results[0].code is StorageErrorCode.NOT_FOUND
    assert (await manager.get(meta.uuid)).pins == 20


async def test_pins_are_reconciled_with_what_is_attached(manager, put, clock):
    never, lost, twice, right = [await put(manager, s.png(), f"{n}.png") for n in range(4)]
    await manager.pin([never.uuid, right.uuid])
    clock.now += 500
    gone = "00000000-0000-4000-8000-000000000000"
    report = await manager.reconcile_pins([lost.uuid, twice.uuid, right.uuid, twice.uuid, gone])
    assert (report.pinned, report.unpinned, report.unknown) == (2, 1, (gone,))
    found = await manager.get_many([never.uuid, lost.uuid, twice.uuid, right.uuid])
    assert [found[m.uuid].pins for m in (never, lost, twice, right)] == [0, 1, 2, 1]
    assert found[never.uuid].loose_since == clock.now
    again = await manager.reconcile_pins(iter([lost.uuid, twice.uuid, right.uuid, twice.uuid]))
    assert (again.pinned, again.unpinned, again.unknown) == (0, 0, ())


async def test_expired_uploads_go_at_the_start(tmp_path, clock, put):
    storage = StorageManager(tmp_path, StorageSettings(unattached_seconds=10), clock)
    await storage.open()
    await put(storage, s.png())
    await storage.close()
    clock.now += 10
    assert (await storage.open()).expired == 1
    assert files_in(tmp_path) == []
    await storage.close()


async def test_ranges_are_read(manager, put):
    content = s.png_of(700_000)
    meta = await put(manager, content)
    for offset, length in (
        (0, None),
        (10, 20),
        (0, 0),
        (699_990, 500),
        (800_000, 5),
        (-5, 3),
        (300_000, None),
        (5, -1),
    ):
        start = min(max(offset, 0), len(content))
        expected = content[start:] if length is None else content[start : start + max(length, 0)]
        async with await manager.open_read(meta, offset, length) as reading:
            assert reading.size == len(expected)
            assert b"".join([piece async for piece in reading]) == expected
        await reading.aclose()
    path = await manager.path(meta)
    assert path.read_bytes() == content


async def test_a_damaged_file_is_named_and_never_served(tmp_path, clock, put):
    storage = StorageManager(tmp_path, StorageSettings(recheck_seconds=100), clock)
    await storage.open()
    metas = [await put(storage, s.png_of(5000), f"{n}.png") for n in range(3)]
    await storage.check(metas[0])
    await storage.check(metas[0])
    path = tmp_path / "storage" / metas[0].storage_name
    data = bytearray(path.read_bytes())
    data[2500] ^= 4
    path.write_bytes(data)
    assert await code_of(storage.open_read(metas[0])) is StorageErrorCode.BROKEN
    assert await code_of(storage.path(metas[0])) is StorageErrorCode.BROKEN
    (tmp_path / "storage" / metas[1].storage_name).unlink()
    with pytest.raises(StorageError, match=f"{metas[1].storage_name} is missing"):
        await storage.open_read(metas[1])
    seen: list[tuple[int, int]] = []
    orphan = "00000000-0000-4000-8000-000000000000.png"
    (tmp_path / "storage" / orphan).write_bytes(b"x")
    (tmp_path / "storage" / "notes").mkdir()
    report = await storage.verify(lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert (report.files, report.file_bytes) == (1, 5000)
    assert report.damaged == (metas[0].storage_name,)
    assert report.missing == (metas[1].storage_name,)
    assert report.orphans == (orphan,)
    assert report.foreign == ("notes",)
    assert not report.intact
    await storage.close()


async def test_a_file_is_hashed_again_after_a_while(tmp_path, clock, put):
    storage = StorageManager(tmp_path, StorageSettings(recheck_seconds=100), clock)
    await storage.open()
    meta = await put(storage, s.png())
    inspector = storage._state.inspector
    await storage.check(meta)
    first = inspector._checked[meta.uuid]
    clock.now += 99
    await storage.check(meta)
    assert inspector._checked[meta.uuid] == first
    clock.now += 1
    await storage.check(meta)
    assert inspector._checked[meta.uuid][1] == clock.now
    await storage.close()


async def test_a_link_in_the_folder_is_not_followed(manager, put, tmp_path):
    meta = await put(manager, s.png())
    path = tmp_path / "storage" / meta.storage_name
    target = tmp_path / "elsewhere.png"
    path.rename(target)
    path.symlink_to(target)
    assert await code_of(manager.open_read(meta)) is StorageErrorCode.BROKEN


async def test_verify_beside_uploads_and_expiry_names_nobody(tmp_path, clock, put):
    storage = StorageManager(tmp_path, StorageSettings(unattached_seconds=5), clock)
    await storage.open()
    for n in range(40):
        await put(storage, s.png(), f"{n}.png")

    async def verify_often() -> None:
        for _ in range(10):
            assert (await storage.verify()).intact

    async def expire_often() -> None:
        for _ in range(10):
            clock.now += 3
            await storage.expire(clock.now)

    await asyncio.gather(verify_often(), expire_often(), *(put(storage, s.png_of(9000), f"{n}.png") for n in range(40)))
    await storage.close()


async def test_what_was_checked_is_remembered_within_a_bound(manager, put, monkeypatch):
    monkeypatch.setattr(inspection, "CHECKED_MAX", 2)
    for n in range(4):
        await manager.check(await put(manager, s.png(), f"{n}.png"))
    assert len(manager._state.inspector._checked) == 2
