"""Opening the file: is it a base of ours, is it whole, and the numbered migrations up to this code's version."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from kycmanager.ports import StoreRefused
from kycmanager.store.sqlite import chain, sums
from kycmanager.store.sqlite.columns import COLUMNS
from kycmanager.store.sqlite.faults import damaged

_FOLDER = Path(__file__).parent / "migrations"
_COUNTERS = """
SELECT
    name,
    max(
        value,
        CASE name
            WHEN 'template' THEN (SELECT coalesce(max(id), 0) + 1 FROM template)
            WHEN 'profile' THEN (SELECT coalesce(max(id), 0) + 1 FROM profile)
            WHEN 'step' THEN (SELECT coalesce(max(id), 0) + 1 FROM step)
            WHEN 'document' THEN (SELECT coalesce(max(id), 0) + 1 FROM document)
            WHEN 'note' THEN (SELECT coalesce(max(id), 0) + 1 FROM note)
            WHEN 'delivery' THEN (SELECT coalesce(max(id), 0) + 1 FROM outbound)
            WHEN 'audit' THEN (SELECT coalesce(max(id), 0) + 1 FROM audit)
            WHEN 'event' THEN (SELECT coalesce(max(last_seq), 0) + 1 FROM feed)
            ELSE 0
        END
    )
FROM counter
"""
FAULTS_MAX = 20
"""Faults of pages and indexes that are named: whoever has more needs a backup, not a longer list."""

PROOF_VERSION = 3
"""From this version on a base has a chain of its audit."""

_MAGIC = b"SQLite format 3\x00"


def migrations() -> list[Path]:
    """Return the files of the migrations in order; the n-th leads to version n."""
    return sorted(_FOLDER.glob("[0-9]*.sql"))


def inspect(path: Path) -> None:
    """Refuse what SQLite would quietly replace by an empty base: a lost or cut file beside a log, or another format.

    Must run before the first connection: closing a file drops the locks that SQLite holds on it in this process.
    """
    if path.is_dir():
        raise StoreRefused(f"{path} is a folder, not a base. Check the configured path.")
    if _size(path.with_name(f"{path.name}-journal")):
        return  # a half-made base: SQLite itself rolls the creation back
    head = _head(path) if path.exists() else b""
    if head and head != _MAGIC:
        raise damaged(path, "it does not begin like a SQLite file")
    if not head and _size(path.with_name(f"{path.name}-wal")):
        raise damaged(path, "it is empty, but a write-ahead log with data lies beside it")


def prepare_writer(db: sqlite3.Connection) -> None:
    """Set the writing connection up: durable at every commit, checkpoints only when asked for."""
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA fullfsync = ON")
    db.execute("PRAGMA checkpoint_fullfsync = ON")
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("PRAGMA wal_autocheckpoint = 0")
    db.execute("PRAGMA cache_size = -32768")  # KiB: the pages that the writes of a minute touch
    db.execute("PRAGMA temp_store = MEMORY")


def prepare_reader(db: sqlite3.Connection) -> None:
    """Set a reading connection up. No mmap anywhere: a cut file would end the process instead of raising."""
    db.execute("PRAGMA query_only = ON")
    db.execute("PRAGMA cache_size = -4096")


def migrate(db: sqlite3.Connection, path: Path) -> None:
    """Bring the base to the version of this code, each step in a transaction of its own; raises StoreRefused."""
    scripts = migrations()
    version = version_of(db)
    if version > len(scripts):
        raise newer(path, version)
    if version == 0 and db.execute("SELECT count(*) FROM sqlite_master").fetchone() != (0,):
        raise StoreRefused(f"{path} is a SQLite base of another program. Check the configured path.")
    for number, script in enumerate(scripts[version:], version + 1):
        _apply(db, script, _FILLED.get(script.name))
        if version_of(db) != number:
            raise StoreRefused(f"Migration {script.name} did not lead to version {number}")


def newer(path: Path, version: int) -> StoreRefused:
    """Return the refusal of a base that this program does not know yet."""
    return StoreRefused(
        f"{path} has schema version {version}, this program knows up to {len(migrations())}: it was written by a newer "
        "program. Start that one, or restore a backup made before the upgrade.",
    )


def counters(db: sqlite3.Connection) -> dict[str, int]:
    """Return the next free number of each sequence; that of a table that only grows follows from its last row."""
    return dict(db.execute(_COUNTERS).fetchall())


def quick_check(db: sqlite3.Connection) -> str:
    """Walk the whole base; return "" or the first fault. Holds no lock of Python's while it walks."""
    (finding,) = db.execute("PRAGMA quick_check(1)").fetchone()
    return "" if finding == "ok" else str(finding)


def integrity(db: sqlite3.Connection) -> list[str]:
    """Walk the whole base, the indexes too; return the first faults. Costs half as much again as `quick_check`."""
    try:
        return _findings(db, FAULTS_MAX)
    except sqlite3.DatabaseError as error:  # it gives up at a page that is none: then table by table
        return _findings_by_table(db) or [str(error)]


def _findings(db: sqlite3.Connection, what: int | str) -> list[str]:
    return [str(finding) for (finding,) in db.execute(f"PRAGMA integrity_check({what})") if finding != "ok"]


def _findings_by_table(db: sqlite3.Connection) -> list[str]:
    told: list[str] = []
    for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        try:
            told += _findings(db, table)
        except sqlite3.DatabaseError as error:
            told.append(f"table {table}: {error}")
    return told[:FAULTS_MAX]


def _apply(db: sqlite3.Connection, script: Path, fill: Callable[[sqlite3.Connection], None] | None) -> None:
    try:
        db.executescript(f"BEGIN IMMEDIATE;\n{script.read_text(encoding='utf-8')}")
        if fill:
            fill(db)
        db.execute("COMMIT")
    except sqlite3.Error:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _fill_proof(db: sqlite3.Connection) -> None:
    """Give every row its sum, and the rows of the audit their links."""
    db.create_function("row_sum", -1, lambda *row: next(sums.sealed([row]))[-1], deterministic=True)
    held = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    for table in COLUMNS.keys() & held:  # later migrations make further ones
        columns = COLUMNS[table]
        db.execute(f"UPDATE {table} SET sum = row_sum({columns})")  # noqa: S608 - constants
    chain.adopt(db)


_FILLED = {"0003_proof.sql": _fill_proof}
"""What of a migration SQL cannot say; done in its transaction."""


def version_of(db: sqlite3.Connection) -> int:
    """Return the version of the base's schema, 0 of one that was never made."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    return int(version)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(_MAGIC))
