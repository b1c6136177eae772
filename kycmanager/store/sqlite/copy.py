"""A copy of a base in one step, as of one moment, while others read and write it."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from kycmanager.ports import StoreHeld, StoreRefused
from kycmanager.store.sqlite import faults, schema
from kycmanager.store.sqlite.lock import FileLock

_BUSY_SECONDS = 5.0


@contextmanager
def undisturbed(base: Path) -> Iterator[None]:
    """Keep a daemon from starting while bases are copied; one that runs is left alone."""
    lock = FileLock(base.with_suffix(".lock"))
    try:
        lock.acquire()
    except StoreHeld:
        yield
        return
    try:
        yield
    finally:
        lock.release()


def copy_base(source: Path, target: Path) -> None:
    """Copy what is committed when this is called, and maybe a little more; the copy is on the disk on return.

    In one step: a copy in several begins anew at every write, and under load never ends. Raises StoreRefused, OSError.
    """
    if not source.exists():
        raise StoreRefused(f"{source} is missing. Name the data folder with --data.")
    schema.inspect(source)
    how = "mode=ro" if source.with_name(f"{source.name}-wal").exists() else "immutable=1"
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?{how}", uri=True, timeout=_BUSY_SECONDS)) as read,
            closing(sqlite3.connect(target, isolation_level=None)) as written,
        ):
            written.execute("PRAGMA synchronous = OFF")  # flushed below, as a whole
            read.backup(written, pages=-1)
    except (sqlite3.Error, UnicodeError) as error:
        if faults.code(error) == sqlite3.SQLITE_FULL:
            raise StoreRefused(f"The disk of {target} is full. Make room, or name another folder.") from error
        raise faults.refusal(source, error) from error
    target.chmod(0o600)
    descriptor = os.open(target, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
