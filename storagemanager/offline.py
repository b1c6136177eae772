"""Reading the base of files without opening the storage: a copy, or a base that somebody else has open."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from storagemanager.base import migrations, quick_check, read_text, version_of
from storagemanager.errors import StorageError, StorageErrorCode
from storagemanager.metadata import Row, rows_after

_BUSY_SECONDS = 5.0


def stored_rows(path: Path) -> list[Row]:
    """Return all rows of a base, (id, uuid, metadata or None where the row is damaged).

    BASE_DAMAGED where the base itself is; BASE_NEWER where it is of another program, be it an older one.
    """
    rows: list[Row] = []
    with _opened(path, "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "immutable=1") as base:
        if problem := quick_check(base):
            raise _damaged(path, problem)
        if version_of(base) != len(migrations()):
            raise StorageError(
                StorageErrorCode.BASE_NEWER,
                "storage",
                f"{path} has version {version_of(base)}, this program reads {len(migrations())}: use the one it is of",
            )
        while found := rows_after(base, rows[-1][0] if rows else 0):
            rows += found
    return rows


def forget_rows(path: Path, uuids: Iterable[str]) -> None:
    """Remove rows from a copy of a base that nobody has open: their files went while they were copied."""
    with _opened(path, "mode=rw") as base:
        base.execute("PRAGMA foreign_keys = ON")
        base.executemany("DELETE FROM files WHERE uuid = ?", [(uuid,) for uuid in uuids])


@contextmanager
def _opened(path: Path, how: str) -> Iterator[sqlite3.Connection]:
    base: sqlite3.Connection | None = None
    try:
        base = sqlite3.connect(
            f"{path.absolute().as_uri()}?{how}", uri=True, isolation_level=None, timeout=_BUSY_SECONDS
        )
        read_text(base)
        yield base
    except (sqlite3.Error, UnicodeError) as error:
        raise _damaged(path, str(error)) from error
    finally:
        if base is not None:
            base.close()


def _damaged(path: Path, problem: str) -> StorageError:
    return StorageError(StorageErrorCode.BASE_DAMAGED, "storage", f"{path} is damaged or missing ({problem})")
