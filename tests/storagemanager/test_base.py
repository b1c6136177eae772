import asyncio
import errno
import fcntl
import mmap
import os
import random
import sqlite3

import aiosqlite
import pytest
import storage_samples as s

from storagemanager import StorageError, StorageErrorCode, StorageManager, StorageSettings, atomic
from storagemanager.base import Base, migrations
from storagemanager.record import COLUMNS
from storagemanager.workers import Workers


@pytest.fixture
async def filled(tmp_path, clock, put):
    """A closed storage of five files: the function that makes managers of it, and what is in it."""

    def make(**settings):
        return StorageManager(tmp_path, StorageSettings(**settings), clock)

    storage = make()
    await storage.open()
    metas = [await put(storage, s.png_of(2000 + n), f"{n}.png") for n in range(5)]
    await storage.close()
    return make, metas


async def refused(storage: StorageManager) -> StorageError:
    with pytest.raises(StorageError) as caught:
        await storage.open()
    return caught.value


def change(folder, sql: str) -> None:
    with sqlite3.connect(folder / "bases" / "storage.db", isolation_level=None) as base:
        base.execute("PRAGMA ignore_check_constraints = ON")
        base.execute(sql)
    base.close()


async def test_what_is_used_of_the_library_is_there():
    connection = await aiosqlite.connect(":memory:")
    assert isinstance(connection._conn, sqlite3.Connection)
    assert await connection._execute(lambda base: base.execute("SELECT 42").fetchone()[0], connection._conn) == 42
    await connection.close()


async def test_the_base_is_opened_durable(manager):
    base = manager._state.base
    pragmas = {
        name: (await base.write(lambda c, name=name: c.execute(f"PRAGMA {name}").fetchone()[0]))
        for name in ("journal_mode", "synchronous", "user_version", "foreign_keys")
    }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "user_version": len(migrations()), "foreign_keys": 1}
    with pytest.raises(StorageError):
        await base.read(lambda c: c.execute("DELETE FROM files"))


async def test_the_table_has_the_fields_of_the_struct(manager):
    rows = await manager._state.base.read(lambda c: c.execute("PRAGMA table_info(files)").fetchall())
    assert [row[1] for row in rows] == ["id", *COLUMNS, "row_check"]


async def test_a_newer_base_is_refused(filled, tmp_path):
    make, _ = filled
    change(tmp_path, "PRAGMA user_version = 99")
    error = await refused(make())
    assert error.code is StorageErrorCode.BASE_NEWER
    assert "99" in str(error)
    change(tmp_path, f"PRAGMA user_version = {len(migrations())}")
    storage = make()
    await storage.open()
    await storage.close()


@pytest.mark.parametrize("how", ["missing", "empty", "zero"])
async def test_a_lost_base_is_never_replaced_by_an_empty_one(filled, tmp_path, how):
    make, _metas = filled
    path = tmp_path / "bases" / "storage.db"
    saved = path.read_bytes()
    path.unlink()
    if how == "empty":
        path.touch()
    error = await refused(make())
    assert error.code is StorageErrorCode.BASE_MISMATCH
    assert "restore" in str(error)
    assert len(list((tmp_path / "storage").glob("*.png"))) == 5
    path.write_bytes(saved)
    storage = make()
    assert (await storage.open()).orphans_removed == 0
    assert (await storage.verify()).files == 5
    await storage.close()


@pytest.mark.parametrize("damage", ["text", "header", "pages", "cut", "schema"])
async def test_a_damaged_base_is_refused(filled, tmp_path, damage):
    make, _ = filled
    path = tmp_path / "bases" / "storage.db"
    data = bytearray(path.read_bytes())
    if damage == "text":
        data = bytearray(b"this is no base" * 1000)
    elif damage == "header":
        data[:20] = os.urandom(20)
    elif damage == "pages":
        data[4096:] = b"\x5a" * (len(data) - 4096)
    elif damage == "schema":
        at = data.index(b"CREATE TABLE files")
        data[at + 13 : at + 15] = b"\xd4("
    else:
        del data[5000:]
    path.write_bytes(data)
    error = await refused(make())
    assert error.code is StorageErrorCode.BASE_DAMAGED
    assert "restore" in str(error)
    assert path.read_bytes() == data
    assert len(list((tmp_path / "storage").glob("*.png"))) == 5


async def test_a_base_that_cannot_be_opened_says_so(tmp_path, clock):
    (tmp_path / "bases" / "storage.db").mkdir(parents=True)
    assert (await refused(StorageManager(tmp_path, StorageSettings(), clock))).code is StorageErrorCode.UNAVAILABLE
    other = tmp_path / "other"
    (other / "storage").mkdir(parents=True)
    (other / "bases").write_text("in the way")
    assert (await refused(StorageManager(other, StorageSettings(), clock))).code is StorageErrorCode.UNAVAILABLE


async def test_a_broken_migration_changes_nothing(tmp_path, clock, monkeypatch):
    import storagemanager.base as module

    real = migrations()
    monkeypatch.setattr(module, "migrations", lambda: [*real, "CREATE TABLE extra (id INTEGER); SELECT nothing;"])
    storage = StorageManager(tmp_path, StorageSettings(), clock)
    assert (await refused(storage)).code is StorageErrorCode.UNAVAILABLE
    monkeypatch.setattr(module, "migrations", lambda: [*real, "CREATE TABLE extra (id INTEGER);"])
    await storage.open()
    version = await storage._state.base.read(lambda c: c.execute("PRAGMA user_version").fetchone()[0])
    assert version == len(real) + 1
    await storage.close()


async def test_missing_and_changed_files_are_reported_and_kept(filled, tmp_path):
    make, metas = filled
    (tmp_path / "storage" / metas[0].storage_name).unlink()
    os.truncate(tmp_path / "storage" / metas[1].storage_name, 10)
    (tmp_path / "storage" / metas[2].storage_name).unlink()
    (tmp_path / "storage" / metas[2].storage_name).mkdir()
    (tmp_path / "storage" / "README").write_text("not ours")
    (tmp_path / "storage" / ".gitkeep").touch()
    (tmp_path / "storage" / ".tmp" / "half").write_bytes(b"x")
    (tmp_path / "storage" / ".tmp" / "folder").mkdir()
    orphan = tmp_path / "storage" / "00000000-0000-4000-8000-000000000000.png"
    orphan.write_bytes(b"x")
    storage = make()
    report = await storage.open()
    assert report.missing == (metas[0].storage_name, metas[2].storage_name)
    assert report.wrong_size == (metas[1].storage_name,)
    assert (report.orphans_removed, report.temporary_removed) == (1, 1)
    assert report.foreign == ("README",)
    assert not orphan.exists()
    assert (tmp_path / "storage" / "README").exists()
    assert (tmp_path / "storage" / ".gitkeep").exists()
    assert (await storage.stats()).files == 5
    await storage.close()


async def test_more_orphans_than_a_crash_leaves_are_not_removed(filled, tmp_path):
    make, _metas = filled
    change(tmp_path, "DELETE FROM files WHERE id > 1")
    error = await refused(make(orphans_max=3))
    assert error.code is StorageErrorCode.BASE_MISMATCH
    assert len(list((tmp_path / "storage").glob("*.png"))) == 5
    storage = make(orphans_max=4)
    assert (await storage.open()).orphans_removed == 4
    await storage.close()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE files SET file_size = file_size + 1 WHERE id = 2",
        "UPDATE files SET owner_id = 8 WHERE id = 2",
        "UPDATE files SET pins = 1 WHERE id = 2",
        "UPDATE files SET original_name = CAST(x'ff4142' AS TEXT) WHERE id = 2",
        "UPDATE files SET row_check = '' WHERE id = 2",
    ],
)
async def test_a_damaged_row_is_named_and_never_served(filled, tmp_path, clock, sql):
    make, metas = filled
    change(tmp_path, sql)
    storage = make()
    assert (await storage.open()).damaged_rows == (metas[1].uuid,)
    with pytest.raises(StorageError) as caught:
        await storage.get(metas[1].uuid)
    assert caught.value.code is StorageErrorCode.BROKEN
    assert metas[1].uuid in str(caught.value)
    report = await storage.verify()
    assert (report.damaged_rows, report.files, report.intact) == ((metas[1].uuid,), 4, False)
    assert await storage.expire(clock.now + 10**6) == 4
    assert (await storage.stats()).files == 1
    assert (tmp_path / "storage" / metas[1].storage_name).exists()
    await storage.close()


async def test_an_index_that_lies_stops_the_start_and_costs_no_file(filled, tmp_path):
    make, metas = filled
    path = tmp_path / "bases" / "storage.db"
    data = path.read_bytes()
    at = [n for n in range(len(data)) if data.startswith(metas[3].uuid.encode(), n)]
    changed = bytearray(data)
    changed[at[-1] if at[-1] > 4096 else at[0]] ^= 1
    path.write_bytes(changed)
    error = await refused(make())
    assert error.code is StorageErrorCode.BASE_DAMAGED
    assert "does not find the row of" in str(error)
    assert all((tmp_path / "storage" / meta.disk_name).exists() for meta in metas)


async def test_beside_a_damaged_row_no_file_is_taken_for_an_orphan(filled, tmp_path):
    make, metas = filled
    with sqlite3.connect(tmp_path / "bases" / "storage.db") as db:
        db.execute("UPDATE files SET uuid = replace(uuid, '-', '+') WHERE uuid = ?", (metas[2].uuid,))
    db.close()
    storage = make()
    report = await storage.open()
    assert (report.orphans_removed, len(report.damaged_rows)) == (0, 1)
    assert (tmp_path / "storage" / metas[2].disk_name).exists()
    await storage.close()


async def test_a_full_base_refuses_and_comes_back(manager, put, tmp_path):
    base = manager._state.base
    pages = await base.write(lambda c: c.execute("PRAGMA page_count").fetchone()[0])
    await base.write(lambda c: c.execute(f"PRAGMA max_page_count = {pages}").fetchone())
    kept = []
    with pytest.raises(StorageError) as caught:
        for n in range(1000):
            kept.append(await put(manager, s.png(), f"{'x' * 200}{n}.png"))
    assert caught.value.code is StorageErrorCode.FULL
    assert len(list((tmp_path / "storage").glob("*.png"))) == len(kept)
    await base.write(lambda c: c.execute("PRAGMA max_page_count = 1000000").fetchone())
    more = await asyncio.gather(*(put(manager, s.png()) for _ in range(5)))
    assert (await manager.verify()).files == len(kept) + len(more)


async def test_a_mistake_of_one_write_is_told_to_its_group(tmp_path):
    workers = Workers(1)
    base = Base(tmp_path / "bases" / "a.db", workers)
    await base.open(may_be_new=True)
    await base.write(lambda c: c.execute("CREATE TABLE t (n INTEGER PRIMARY KEY)").rowcount)

    def mistake(connection):
        connection.execute("INSERT INTO t VALUES (1)")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await base.write(mistake)
    with pytest.raises(StorageError) as caught:
        await base.write(lambda c: c.executescript("INSERT INTO t VALUES (2); INSERT INTO t VALUES (2);"))
    assert caught.value.code is StorageErrorCode.UNAVAILABLE
    cancelled = asyncio.create_task(base.write(lambda c: c.execute("INSERT INTO t VALUES (3)").rowcount))
    await asyncio.sleep(0)
    cancelled.cancel()
    await base.write(lambda c: c.execute("INSERT INTO t VALUES (4)").rowcount)
    await base.close()
    for work in (base.write, base.read):
        with pytest.raises(StorageError) as caught:
            await work(lambda _: None)
        assert caught.value.code is StorageErrorCode.CLOSED
    await workers.close()


async def test_waiting_writes_are_bounded(manager, monkeypatch):
    import storagemanager.base as module

    monkeypatch.setattr(module, "WRITES_WAITING_MAX", 3)
    base = manager._state.base
    results = await asyncio.gather(*(base.write(lambda _: 1) for _ in range(5)), return_exceptions=True)
    assert results[:3] == [1, 1, 1]
    assert [error.code for error in results[3:]] == [StorageErrorCode.BUSY] * 2


def test_a_rename_whose_folder_cannot_be_synced_is_undone(tmp_path):
    draft = atomic.TemporaryFile(tmp_path / "draft")
    draft.write(b"content")
    with pytest.raises(FileNotFoundError):
        draft.rename(tmp_path / "missing" / "target")
    draft = atomic.TemporaryFile(tmp_path / "again")
    real = atomic.sync_folder

    def fail(folder):
        raise OSError(5, "no")

    atomic.sync_folder = fail
    try:
        with pytest.raises(OSError, match="no"):
            draft.rename(tmp_path / "target")
    finally:
        atomic.sync_folder = real
    assert not (tmp_path / "target").exists()
    draft.discard()


@pytest.mark.parametrize("size", [1, 4095, 4096, 4097, 1_000_000])
@pytest.mark.parametrize("disk", ["direct", "cached only", "refuses the flag", "writes less"])
def test_the_beginning_of_a_draft_is_written_whole_on_every_disk(tmp_path, monkeypatch, size, disk):
    real_write, real_fcntl, directly = os.write, fcntl.fcntl, []

    def is_direct(descriptor):
        return bool(real_fcntl(descriptor, fcntl.F_GETFL) & os.O_DIRECT)

    def write(descriptor, data):
        directly.append(is_direct(descriptor))
        if disk == "cached only" and directly[-1]:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return real_write(descriptor, data[: max(1, len(data) // 4096 // 2 * 4096)] if disk == "writes less" else data)

    def flags(descriptor, what, *value):
        if disk == "refuses the flag" and what == fcntl.F_SETFL and value[0] & os.O_DIRECT:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return real_fcntl(descriptor, what, *value)

    monkeypatch.setattr(os, "write", write)
    monkeypatch.setattr(fcntl, "fcntl", flags)
    memory = memoryview(mmap.mmap(-1, 1 << 20))[:size]
    memory[:] = random.Random(size).randbytes(size)
    draft = atomic.TemporaryFile(tmp_path / "draft")
    draft.write_first(memory)
    assert not is_direct(draft.fileno())
    draft.write(b"and more")
    draft.sync()
    assert (tmp_path / "draft").read_bytes() == bytes(memory) + b"and more"
    assert directly[0] == (size >= 4096 and disk != "refuses the flag")
    draft.discard()


def test_a_disk_that_fails_while_it_is_written_directly_is_told(tmp_path, monkeypatch):
    def full(_descriptor, _data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    draft = atomic.TemporaryFile(tmp_path / "draft")
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        draft.write_first(memoryview(mmap.mmap(-1, 8192)))
    draft.discard()
    assert not list(tmp_path.iterdir())
