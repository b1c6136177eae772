"""Which bases are opened, and what is said of those that are not."""

import os
import shutil
import sqlite3

import pytest

from kycmanager.ports import OutcomeUnknown, StoreRefused
from kycmanager.store.sqlite import SqliteStore, schema


async def make(path, kit, count=3):
    store = SqliteStore(path)
    await store.open()
    await store.commit(kit.batch(*range(1, count + 1)))
    await store.close()


async def refused(path, *words):
    """Open, load, and return why it was refused; nothing may be left open or locked."""
    store = SqliteStore(path)
    with pytest.raises(StoreRefused) as caught:
        await store.open()
        await store.load(lambda *_: None)
    await store.close()
    for word in words:
        assert word in str(caught.value)


async def test_a_second_process_is_refused_and_told_who_holds_the_base(path, kit):
    holder = kit.program(
        "import asyncio\n"
        "async def main():\n"
        "    store = kit.SqliteStore(kit.Path(sys.argv[1])); await store.open(); print('open', flush=True)\n"
        "    sys.stdin.read()\n"
        "asyncio.run(main())",
        path,
    )
    try:
        assert holder.stdout.readline() == "open\n"
        await refused(path, f"process {holder.pid}", "kyc.lock", "Stop it first")
    finally:
        holder.kill()
        holder.communicate()
    await make(path, kit)


async def test_the_same_process_cannot_open_it_twice(store, path):
    await refused(path, f"process {os.getpid()}")


async def test_the_lock_is_kept_over_reopen(store, path):
    await store.reopen()
    await refused(path, f"process {os.getpid()}")


async def test_a_folder_that_is_not_there(tmp_path):
    await refused(tmp_path / "missing" / "kyc.db", "Check the folder")


async def test_a_folder_in_place_of_the_base(path):
    path.mkdir()
    await refused(path, "is a folder")


async def test_a_base_that_may_not_be_opened(path, tmp_path):
    path.symlink_to(tmp_path / "missing" / "kyc.db")
    await refused(path, "cannot be read", "Check the disk")


async def test_a_new_base_is_set_up(store, path):
    def pragma(db, name):
        return db.execute(f"PRAGMA {name}").fetchone()[0]

    from kycmanager.store.sqlite.thread import run

    expected = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "wal_autocheckpoint": 0}
    expected["user_version"] = len(schema.migrations())
    assert {name: await run(store._writer, pragma, name) for name in expected} == expected
    for reader in (store._auditor, store._feeder):
        assert await run(reader, pragma, "query_only") == 1
        with pytest.raises(sqlite3.OperationalError):
            await run(reader, lambda db: db.execute("DELETE FROM counter"))


async def test_an_empty_file_without_a_log_is_a_new_base(path, kit):
    path.touch()
    await make(path, kit)


@pytest.mark.parametrize("content", [b"x", b"\x00" * 5000, b"SQLite format 3", b"not a base at all" * 999])
async def test_a_file_that_is_no_base(path, content):
    path.write_bytes(content)
    await refused(path, "kyc.db is damaged", "restore the last backup")
    assert path.read_bytes() == content


@pytest.mark.parametrize("emptied", [True, False], ids=["emptied", "lost"])
async def test_a_base_gone_from_beside_its_log(path, kit, tmp_path, emptied):
    store = SqliteStore(path)
    await store.open()
    await store.commit(kit.batch(1))
    copy = tmp_path / "copy" / "kyc.db"
    copy.parent.mkdir()
    shutil.copy(f"{path}-wal", f"{copy}-wal")
    await store.close()
    if emptied:
        copy.touch()
    await refused(copy, "is damaged", "write-ahead log")


async def test_a_creation_cut_short_is_rolled_back(path, kit):
    """The journal of the very first page: SQLite takes the half-made file back to nothing."""
    store = SqliteStore(path)
    path.with_name("kyc.db-journal").write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + b"\x00" * 504)
    path.touch()
    await store.open()
    await store.commit(kit.batch(1))
    await store.close()


async def test_a_newer_base(path, kit):
    await make(path, kit)
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 999")
    db.close()
    await refused(path, "version 999", "newer program")


async def test_the_base_of_another_program(path):
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE foreigner (x)")
    db.close()
    await refused(path, "another program")


async def test_a_cut_base(path, kit):
    await make(path, kit, 2000)
    os.truncate(path, path.stat().st_size // 2)
    await refused(path, "is damaged", "restore the last backup")


@pytest.mark.parametrize("part", [0.1, 0.3, 0.5, 0.7, 0.9])
async def test_a_page_of_noise(path, kit, part):
    await make(path, kit, 5000)
    with path.open("r+b") as file:
        file.seek(int(path.stat().st_size * part) // 4096 * 4096)
        file.write(bytes(range(256)) * 16)
    await refused(path, "is damaged", "restore the last backup")


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE profile SET status = 99",
        "UPDATE profile SET status = -1",
        "UPDATE profile SET created_time = x'00', risk_level = 'low'",
        "UPDATE step SET answers = '{'",
        "UPDATE step SET kyc_id = 5",
    ],
)
async def test_values_outside_the_model_are_damage(path, kit, harm):
    await make(path, kit)
    db = sqlite3.connect(path)
    columns = [row[1] for row in db.execute("PRAGMA table_info(step)")]
    db.execute(f"INSERT INTO step VALUES ({', '.join('?' * len(columns))})", [1, 1, 1, *[0] * (len(columns) - 3)])
    db.execute("UPDATE step SET answers = '{}'")
    db.execute(harm)
    db.commit()
    db.close()
    await refused(path, "is damaged")


async def test_a_failed_migration_leaves_the_base_as_it_was(path, kit, tmp_path, monkeypatch):
    await make(path, kit)
    folder = tmp_path / "migrations"
    shutil.copytree(schema._FOLDER, folder)
    number = len(schema.migrations()) + 1
    script = folder / f"{number:04}_bad.sql"
    script.write_text("CREATE TABLE more (x);\nINSERT INTO nowhere VALUES (1);")
    monkeypatch.setattr(schema, "_FOLDER", folder)
    await refused(path, "cannot be read", "nowhere")
    script.write_text("CREATE TABLE more (x);")
    await refused(path, f"{script.name} did not lead to version {number}")
    script.write_text(f"CREATE TABLE less (x);\nPRAGMA user_version = {number};")
    store = SqliteStore(path)
    await store.open()
    assert len((await store.load(kit.silent)).profiles) == 3
    await store.close()


async def test_a_store_that_is_not_open_says_so(path, kit):
    store = SqliteStore(path)
    await store.maintain()
    await store.close()
    with pytest.raises(OutcomeUnknown):
        await store.commit(kit.batch(1))
    with pytest.raises(OutcomeUnknown):
        await store.events_after(0, 1)


async def test_closing_interrupts_a_check_under_way(path, kit):
    await make(path, kit, 5000)
    store = SqliteStore(path)
    await store.open()
    await store.close()
    await make_again(path)


async def make_again(path):
    store = SqliteStore(path)
    await store.open()
    assert len((await store.load(lambda *_: None)).profiles) == 5000
    await store.close()


async def test_nothing_but_the_base_and_its_lock_is_left_after_close(path, kit):
    await make(path, kit)
    assert sorted(file.name for file in path.parent.iterdir()) == ["kyc.db", "kyc.lock"]
