"""The SQLite base: opened with care, migrated, one connection that writes in groups and one that reads."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar, cast

import aiosqlite

from storagemanager.atomic import make_folder, sync_folder
from storagemanager.errors import StorageError, StorageErrorCode, from_os
from storagemanager.workers import Workers, tell

WRITES_WAITING_MAX = 10_000
_Result = TypeVar("_Result")
_Work = Callable[[sqlite3.Connection], Any]

RESTORE = "stop here, keep the file, and restore the base and the storage folder from the same backup"
"""What to do about a damaged base."""
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT})
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA journal_size_limit = 67108864",
)


def migrations() -> list[str]:
    """Return the numbered migrations in order, as SQL text; number n is at n - 1."""
    folder = files("storagemanager") / "migrations"
    found = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda entry: entry.name)
    return [entry.read_text(encoding="utf-8") for entry in found]


class Base:
    """One SQLite file. Work is a plain function of a connection; it runs on the connection's thread in one hop.

    All writes that wait are committed together; the transaction of one that fails keeps the others.
    """

    def __init__(self, path: Path, workers: Workers) -> None:
        self._path = path
        self._workers = workers
        self._writer: aiosqlite.Connection | None = None
        self._reader: aiosqlite.Connection | None = None
        self._waiting: list[tuple[_Work, asyncio.Future[Any]]] = []
        self._committer: asyncio.Task[None] | None = None
        self._doubtful = False

    async def open(self, *, may_be_new: bool) -> None:
        """Open, check and migrate. BASE_DAMAGED, BASE_NEWER; BASE_MISMATCH for an empty base that may not be new."""
        try:
            await self._open(may_be_new=may_be_new)
        except (sqlite3.Error, UnicodeError) as error:
            await self.close()
            raise self._translate(error, committing=False) from error
        except OSError as error:
            raise from_os(error, "storage") from error
        except BaseException:
            await self.close()
            raise

    async def read(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
        """Run `work` on the reading connection; it sees the last commit."""
        if self._reader is None:
            raise StorageError(StorageErrorCode.CLOSED, "storage", "the base is closed")
        try:
            return await _hop(self._reader, work)
        except sqlite3.Error as error:
            raise self._translate(error, committing=False) from error

    async def write(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
        """Run `work` in a transaction and return its result after the commit is on the disk.

        FULL and UNAVAILABLE: nothing was kept. OUTCOME_UNKNOWN: the commit itself failed. BUSY over the bound.
        """
        if self._writer is None:
            raise StorageError(StorageErrorCode.CLOSED, "storage", "the base is closed")
        if len(self._waiting) >= WRITES_WAITING_MAX:
            raise StorageError(StorageErrorCode.BUSY, "storage", "too many writes are waiting")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_Result] = loop.create_future()
        self._waiting.append((work, future))
        if self._committer is None:
            self._committer = loop.create_task(self._commit_waiting())
        return await future

    async def close(self) -> None:
        """Commit what waits and close both connections; once more does nothing."""
        if self._committer is not None:
            await self._committer
        reader, self._reader = self._reader, None
        writer, self._writer = self._writer, None
        for connection in (reader, writer):  # the writer last: it removes the journal
            if connection is not None:
                await connection.close()

    async def _open(self, *, may_be_new: bool) -> None:
        await self._workers.submit(make_folder, self._path.parent)
        self._writer = await _connect(self._path)
        problem = await _hop(self._writer, quick_check)
        if problem:
            raise StorageError(
                StorageErrorCode.BASE_DAMAGED, "storage", f"{self._path} is damaged ({problem}): {RESTORE}"
            )
        version = await _hop(self._writer, version_of)
        scripts = migrations()
        if version > len(scripts):
            raise StorageError(
                StorageErrorCode.BASE_NEWER,
                "storage",
                f"{self._path} has version {version}, this program knows up to {len(scripts)}: start the newer program",
            )
        if version == 0 and not may_be_new:
            raise StorageError(
                StorageErrorCode.BASE_MISMATCH,
                "storage",
                f"{self._path} is missing or empty but there are stored files: restore the base from its backup,"
                " or move the files elsewhere to start anew",
            )
        await _hop(self._writer, lambda connection: _migrate(connection, scripts, version))
        await self._workers.submit(sync_folder, self._path.parent)
        address = f"{self._path.absolute().as_uri()}?mode=ro"
        self._reader = await _connect(address)
        await _hop(self._reader, read_text)

    async def _commit_waiting(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting, []
                await self._commit(group)
        finally:
            self._committer = None

    async def _commit(self, group: Sequence[tuple[_Work, asyncio.Future[Any]]]) -> None:
        try:
            if self._doubtful:
                await self._reopen()
            results = await _hop(cast("aiosqlite.Connection", self._writer), lambda c: _run(c, [w for w, _ in group]))
        except _GroupFailedError as failed:
            told = self._translate(failed.error, committing=failed.committing)
            self._doubtful = told.code is not StorageErrorCode.FULL  # a full disk is refused before anything is lost
            results = [told] * len(group)
        except sqlite3.Error as error:
            results = [self._translate(error, committing=False)] * len(group)
        except Exception as error:  # noqa: BLE001 - a mistake of one work is every waiting caller's to hear
            results = [error] * len(group)
        for (_, future), result in zip(group, results, strict=True):
            tell(future, result)

    async def _reopen(self) -> None:
        """Take a fresh connection after a fault: what the old one remembers of the journal may not be so."""
        old = cast("aiosqlite.Connection", self._writer)
        fresh = await _connect(self._path)
        try:
            await _hop(fresh, _configure)
        except sqlite3.Error:
            await fresh.close()
            raise
        self._writer, self._doubtful = fresh, False
        with suppress(sqlite3.Error):
            await old.close()

    def _translate(self, error: sqlite3.Error | UnicodeError, *, committing: bool) -> StorageError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if isinstance(error, UnicodeError):  # SQLite's complaint quotes what is damaged, and cannot be read for it
            code = sqlite3.SQLITE_CORRUPT
        if code == sqlite3.SQLITE_FULL:
            return StorageError(StorageErrorCode.FULL, "storage", "no room is left for the base")
        if code in _DAMAGE:
            return StorageError(
                StorageErrorCode.BASE_DAMAGED, "storage", f"{self._path} is damaged ({error}): {RESTORE}"
            )
        if committing:
            return StorageError(StorageErrorCode.OUTCOME_UNKNOWN, "storage", f"the commit failed: {error}")
        return StorageError(StorageErrorCode.UNAVAILABLE, "storage", f"the base answered: {error}")


class _GroupFailedError(Exception):
    """A whole transaction was lost; `committing` tells whether its COMMIT had begun."""

    def __init__(self, error: sqlite3.Error, *, committing: bool) -> None:
        super().__init__(str(error))
        self.error = error
        self.committing = committing


async def _connect(place: Path | str) -> aiosqlite.Connection:
    """Open a connection on a thread of its own, `place` a path or a URI; no thread is left behind by one that fails."""
    connection = aiosqlite.connect(place, isolation_level=None, uri=isinstance(place, str))
    thread = connection._thread  # noqa: SLF001 - no public name
    thread.daemon = True  # a program that fails before close() must end, not hang
    try:
        return await connection
    except BaseException:
        thread.join()  # it was told to stop, and answers to this loop while there is one
        raise


async def _hop(connection: aiosqlite.Connection, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
    """Run `work` on the connection's thread. The library has no public call for it; a test guards what is used."""
    execute: Callable[..., Any] = connection._execute  # noqa: SLF001
    return cast("_Result", await execute(work, connection._conn))  # noqa: SLF001


def quick_check(connection: sqlite3.Connection) -> str:
    """Walk the whole base; return "" or its first faults."""
    rows = [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)")]
    return "" if rows == ["ok"] else "; ".join(rows)


def version_of(connection: sqlite3.Connection) -> int:
    """Return the number of the base's last migration."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def read_text(connection: sqlite3.Connection) -> None:
    """Read damaged text too, so that the row's checksum can name the row."""
    connection.text_factory = lambda text: text.decode("utf-8", "replace")


def _configure(connection: sqlite3.Connection) -> None:
    read_text(connection)
    for pragma in _PRAGMAS:
        connection.execute(pragma).fetchall()


def _migrate(connection: sqlite3.Connection, scripts: Sequence[str], version: int) -> None:
    _configure(connection)
    for number, script in enumerate(scripts[version:], version + 1):
        try:
            connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")
        except sqlite3.Error:
            _roll_back(connection)
            raise


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        with suppress(sqlite3.Error):  # a connection that cannot even do this is replaced
            connection.execute("ROLLBACK")


def _run(connection: sqlite3.Connection, group: Sequence[_Work]) -> list[Any]:
    """Commit a group and return each one's result, or the StorageError it raised."""
    committing = False
    try:
        connection.execute("BEGIN IMMEDIATE")
        results = [_run_one(connection, work) for work in group]
        committing = True
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        _roll_back(connection)
        raise _GroupFailedError(error, committing=committing) from error
    except BaseException:
        _roll_back(connection)
        raise
    return results


def _run_one(connection: sqlite3.Connection, work: _Work) -> Any:
    connection.execute("SAVEPOINT one")
    try:
        result = work(connection)
    except StorageError as error:
        connection.execute("ROLLBACK TO one")
        result = error
    connection.execute("RELEASE one")
    return result
