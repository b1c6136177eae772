"""Full disks, failing disks, killed processes: what is said, and what is there afterwards."""

import random
import sqlite3
import time

import pytest

from kycmanager.ports import DataFault, OutcomeUnknown, StoreFull
from kycmanager.store.sqlite import SqliteStore, faults
from kycmanager.store.sqlite.thread import run

BIG = "x" * 50_000


async def test_a_full_base_takes_nothing_and_goes_on_when_there_is_room(store, kit):
    await store.commit(kit.batch(1))
    pages = await run(store._writer, lambda db: db.execute("PRAGMA page_count").fetchone()[0])
    await run(store._writer, lambda db: db.execute(f"PRAGMA max_page_count = {pages + 2}"))
    for _ in range(3):
        with pytest.raises(StoreFull):
            await store.commit(kit.batch(2, comment=BIG))
    assert len(await store.events_after(0, 10)) == 1
    await run(store._writer, lambda db: db.execute("PRAGMA max_page_count = 1000000"))
    await store.commit(kit.batch(2, comment=BIG))
    assert len((await store.load(kit.silent)).profiles) == 2


IO_ERROR = """
import asyncio, resource
from kycmanager.ports import OutcomeUnknown

async def main():
    path = kit.Path(sys.argv[1])
    store = kit.SqliteStore(path)
    await store.open()
    await store.commit(kit.batch(1))
    await store.load(kit.silent)
    limit = store._log.stat().st_size + 20_000
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    for number in (2, 2):
        try:
            await store.commit(kit.batch(number, comment="x" * 100_000))
        except OutcomeUnknown as error:
            print("unknown", error.__cause__ is not None)
    print(len(await store.events_after(0, 10)))
    await store.maintain()
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, resource.RLIM_INFINITY))
    try:
        await store.reopen()
    except OutcomeUnknown:
        print("not yet")
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print((await store.reopen())["event"])
    await store.commit(kit.batch(2, comment="x" * 100_000))
    print(len(await store.events_after(0, 10)))
    await store.close()

asyncio.run(main())
"""


def test_a_write_that_the_disk_refuses_has_an_unknown_outcome_until_reopened(path, kit):
    output, _ = kit.program(IO_ERROR, path).communicate(timeout=30)
    assert output.splitlines() == ["unknown True", "unknown False", "1", "not yet", "2", "2"]


async def test_a_connection_that_is_lost_has_an_unknown_outcome(store, kit):
    await store.commit(kit.batch(1))
    await run(store._writer, lambda db: db.close())
    with pytest.raises(OutcomeUnknown):
        await store.commit(kit.batch(2))
    assert (await store.reopen())["event"] == 2
    await store.commit(kit.batch(2))
    assert len(await store.events_after(0, 9)) == 2


async def test_a_base_locked_by_a_stranger_is_not_waited_for_long(store, kit, path):
    stranger = sqlite3.connect(path, isolation_level=None)
    stranger.execute("BEGIN IMMEDIATE")
    begun = time.monotonic()
    with pytest.raises(OutcomeUnknown):
        await store.commit(kit.batch(1))
    assert time.monotonic() - begun < 1
    stranger.execute("ROLLBACK")
    stranger.close()
    assert (await store.reopen())["event"] == 1
    await store.commit(kit.batch(1))


def test_a_rollback_that_fails_makes_the_outcome_unknown(path):
    class Broken(sqlite3.Connection):
        in_transaction = True

        def execute(self, *_):
            raise sqlite3.OperationalError("disk I/O error")

    db = sqlite3.connect(path, factory=Broken)
    assert isinstance(faults.write_fault(db, OverflowError()), OutcomeUnknown)
    db.close()


def test_no_memory_is_no_fault_of_the_data(path):
    db = sqlite3.connect(path)
    assert isinstance(faults.write_fault(db, MemoryError()), OutcomeUnknown)
    assert isinstance(faults.write_fault(db, OverflowError()), DataFault)
    db.close()


async def test_a_batch_that_cannot_be_read_as_one_leaves_no_transaction_open(store, kit):
    broken = kit.batch(1)
    broken.audit = [object()]
    with pytest.raises(DataFault):
        await store.commit(broken)
    assert not await run(store._writer, lambda db: db.in_transaction)


KILLED = """
import asyncio

async def main():
    store = kit.SqliteStore(kit.Path(sys.argv[1]), checkpoint_rows=20)
    await store.open()
    first = next(iter([(await store.reopen())["event"]]))
    for number in range(first, 100_000, 5):
        await store.commit(kit.batch(*range(number, number + 5)))
        print(number + 4, flush=True)
        await store.maintain()

asyncio.run(main())
"""


async def test_what_was_acknowledged_survives_kill_9_and_nothing_is_half_there(path, kit):
    chance = random.Random(7)
    for _ in range(6):
        child = kit.program(KILLED, path)
        acknowledged = int(child.stdout.readline())
        deadline = time.monotonic() + chance.uniform(0.02, 0.2)
        while time.monotonic() < deadline:
            acknowledged = int(child.stdout.readline())
        child.kill()
        rest, _ = child.communicate()
        acknowledged = max([acknowledged, *(int(line) for line in rest.split("\n")[:-1])])
        store = SqliteStore(path)
        await store.open()
        snapshot = await store.load(kit.silent)
        seqs = [event.seq for event in await store.events_after(0, 1_000_000)]
        await store.close()
        assert len(seqs) >= acknowledged
        assert len(seqs) % 5 == 0
        assert seqs == list(range(1, len(seqs) + 1)) == [p.id for p in snapshot.profiles]
        assert snapshot.counters["audit"] == snapshot.counters["event"] == len(seqs) + 1
