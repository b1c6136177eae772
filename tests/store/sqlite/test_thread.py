"""What is used of aiosqlite beyond its public names is still there: if this fails, look at thread.py first."""

import asyncio
import inspect
import os
import shutil
import sqlite3
import threading

import aiosqlite
import pytest

from kycmanager.store.sqlite.thread import connect, run


@pytest.fixture
async def connection(tmp_path):
    connection = await connect(tmp_path / "a b#?%.db", read_only=False)
    yield connection
    await connection.close()


def test_aiosqlite_still_has_the_names_that_are_used():
    assert list(inspect.signature(aiosqlite.Connection._execute).parameters) == ["self", "fn", "args", "kwargs"]
    assert isinstance(aiosqlite.Connection._conn, property)
    source = inspect.getsource(aiosqlite.Connection.__init__)
    assert "self._thread = Thread(" in source


async def test_one_call_runs_on_the_thread_of_the_connection(connection):
    seen = await run(connection, lambda db, x: (threading.current_thread(), type(db), x), 7)
    assert seen == (connection._thread, sqlite3.Connection, 7)
    assert connection._thread is not threading.current_thread()
    assert connection._thread.daemon


async def test_errors_come_through_as_they_are(connection):
    with pytest.raises(KeyError):
        await run(connection, lambda _db: {}["x"])


async def test_calls_run_in_order_and_outlive_a_cancelled_wait(connection):
    order, gate = [], threading.Event()

    def slow(_db):
        gate.wait(5)
        order.append("slow")

    waiting = asyncio.create_task(run(connection, slow))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    gate.set()
    await run(connection, lambda _db: order.append("next"))
    assert order == ["slow", "next"]


async def test_a_closed_connection_says_so(tmp_path):
    connection = await connect(tmp_path / "x.db", read_only=False)
    await connection.close()
    with pytest.raises(ValueError):
        await run(connection, lambda _db: None)


async def test_the_path_is_taken_literally_and_transactions_are_explicit(connection, tmp_path):
    await run(connection, lambda db: db.execute("CREATE TABLE t (x)"))
    assert (tmp_path / "a b#?%.db").exists()
    assert connection.isolation_level is None


def test_a_program_that_forgets_to_close_ends(kit, tmp_path):
    child = kit.program(
        "import asyncio\n"
        "async def main():\n"
        "    global store\n"
        "    store = kit.SqliteStore(kit.Path(sys.argv[1])); await store.open(); raise SystemExit(3)\n"
        "asyncio.run(main())",
        tmp_path / "kyc.db",
    )
    child.communicate(timeout=20)
    assert child.returncode == 3


async def test_who_writes_nothing_reads_the_log_all_the_same(tmp_path):
    base, copy = tmp_path / "base.db", tmp_path / "copy.db"
    db = sqlite3.connect(base, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("CREATE TABLE t (x)")
    db.execute("INSERT INTO t VALUES (7)")
    for end in ("", "-wal", "-shm"):  # as a killed process leaves it
        shutil.copyfile(f"{base}{end}", f"{copy}{end}")
    db.close()
    index = tmp_path / "copy.db-shm"
    os.truncate(index, 3)  # what a process that could not write it has left
    connection = await connect(copy, read_only=True, writes_nothing=True)
    assert await run(connection, lambda db: db.execute("SELECT x FROM t").fetchall()) == [(7,)]
    await connection.close()
    assert index.stat().st_size == 3
