"""The log stays small, old keys go, and readers are not in the way."""

import asyncio

from kycmanager.store.sqlite import SqliteStore, upkeep
from kycmanager.store.sqlite.thread import run


def log_frames(db):
    return db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()


async def test_the_log_is_moved_when_many_rows_are_in_it(path, kit):
    store = SqliteStore(path, clock=lambda: kit.NOW, checkpoint_rows=30)
    await store.open()
    await store.maintain()
    size = path.stat().st_size
    for number in range(1, 200):
        await store.commit(kit.batch(number, comment="y" * 2000))
        await store.maintain()
        assert store._rows_in_log < 35
    assert path.stat().st_size > size + 100_000
    assert store._log.stat().st_size < 2_000_000
    await store.close()


async def test_a_log_file_that_has_grown_is_cut(path, kit):
    store = SqliteStore(path, clock=lambda: kit.NOW, checkpoint_rows=1, log_bytes_max=100_000)
    await store.open()
    await store.commit(kit.batch(1, comment="y" * 200_000))
    assert store._log.stat().st_size > 200_000
    await store.maintain()
    assert store._log.stat().st_size == 0
    await store.close()


async def test_a_reader_delays_the_checkpoint_but_nothing_waits_for_it(path, kit):
    store = SqliteStore(path, clock=lambda: kit.NOW, checkpoint_rows=1, log_bytes_max=10_000)
    await store.open()
    await store.commit(kit.batch(1))
    await run(store._auditor, lambda db: db.execute("BEGIN"))
    await run(store._auditor, lambda db: db.execute("SELECT * FROM event").fetchall())
    await store.commit(kit.batch(2, comment="y" * 50_000))
    begun = asyncio.get_running_loop().time()
    await store.maintain()
    assert asyncio.get_running_loop().time() - begun < 1
    assert store._rows_in_log > 0
    await run(store._auditor, lambda db: db.execute("COMMIT"))
    await store.maintain()
    assert store._rows_in_log == 0
    assert len(await store.events_after(0, 9)) == 2
    await store.close()


async def test_a_call_deletes_a_bounded_number_of_keys(store, kit, monkeypatch):
    monkeypatch.setattr(upkeep, "FORGET_ROWS_MAX", 10)
    await store.commit(kit.batch(keys=25))
    left = []
    for _ in range(3):
        store._forget_at = 0
        await store.maintain()
        left.append(len((await store.load(kit.silent)).idempotency))
    assert left == [15, 5, 0]


async def test_forgetting_is_not_done_at_every_call(store, kit):
    await store.maintain()
    await store.commit(kit.batch(keys=1))
    await store.maintain()
    assert len((await store.load(kit.silent)).idempotency) == 1


async def test_a_failing_upkeep_fails_nobody(store, kit):
    await store.commit(kit.batch(1))
    await run(store._writer, lambda db: db.execute("PRAGMA query_only = ON"))
    await store.maintain()
    assert not await run(store._writer, lambda db: db.in_transaction)
    await run(store._writer, lambda db: db.execute("PRAGMA query_only = OFF"))
    await store.commit(kit.batch(2))


async def test_close_moves_the_whole_log(path, kit):
    store = SqliteStore(path)
    await store.open()
    await store.commit(kit.batch(1))
    await store.close()
    assert not store._log.exists()
