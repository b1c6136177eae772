"""Reading a base that nobody, or somebody else, has open: without its lock, and without a change."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kycmanager.ports import Progress, StoreRefused
from kycmanager.store.sqlite import chain, faults, schema
from kycmanager.store.sqlite.heads import HeadFile, HeadLine, line_of
from kycmanager.store.sqlite.lock import FileLock
from kycmanager.store.sqlite.prove import Proof, prove

_BUSY_SECONDS = 5.0


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a base of records of this program's version to read; sees all that is committed. Raises StoreRefused."""
    with opened(path) as db:
        _demand_version(schema.version_of(db), path)
        yield db


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Open any base to read; sees all that is committed. Raises StoreRefused."""
    if not path.exists():
        raise StoreRefused(f"{path} is missing. Name the base, or the data folder it lies in.")
    schema.inspect(path)
    db: sqlite3.Connection | None = None
    try:
        db = connect(path)
        schema.prepare_reader(db)
        yield db
    except (sqlite3.Error, OSError, UnicodeError) as error:
        raise faults.refusal(path, error) from error
    finally:
        if db is not None:
            db.close()


def connect(path: Path, *, alone: bool = True) -> sqlite3.Connection:
    """Connect to a base to read it. Raises sqlite3.Error.

    Whoever has it open has a log beside it. Without one nothing can change, and the folder need not be writable. Not so
    where nobody is kept out, `alone` false: a daemon that is just starting has no log yet, and soon writes.
    """
    how = "immutable=1" if alone and not path.with_name(f"{path.name}-wal").exists() else "mode=ro"
    return sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, isolation_level=None, timeout=_BUSY_SECONDS)


def prove_audit(base: Path, heads: Path | None, progress: Progress) -> Proof:
    """Prove the audit of a base against the heads of a file, or without any. Raises StoreRefused."""
    try:
        lines = list(HeadFile(heads).lines()) if heads else []
    except OSError as error:
        raise StoreRefused(f"{heads} cannot be read: {error.strerror}. Name the file with --heads.") from error
    with reading(base) as db:
        return prove(db, lines, progress)


def accept_head(base: Path, heads: Path, time: int, note: str) -> HeadLine:
    """Write down that the base ends on purpose where it ends; no daemon may run. Raises StoreRefused, OSError."""
    lock = FileLock(base.with_suffix(".lock"))
    lock.acquire()
    try:
        with reading(base) as db:
            line = line_of(chain.head(db), time, note)
        file = HeadFile(heads)
        file.create()
        file.append(line)
        return line
    finally:
        lock.release()


def _demand_version(version: int, path: Path) -> None:
    known = len(schema.migrations())
    if version > known:
        raise schema.newer(path, version)
    if version < known:
        raise StoreRefused(
            f"{path} has schema version {version}, this program reads {known}: it was written by an older program. "
            "Start the daemon on it once, or use the program that wrote it.",
        )
