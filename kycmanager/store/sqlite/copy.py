"""Copies of bases, each in one step, as of one moment, while others read and write them."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from kycmanager.ports import Progress, StoreHeld, StoreRefused
from kycmanager.store.sqlite import faults, schema
from kycmanager.store.sqlite.lock import FileLock
from kycmanager.store.sqlite.offline import connect

_LOOKS_MAX = 10_000
"""Looks for a moment in which nobody commits: each takes a fraction of a millisecond, a commit longer."""


@contextmanager
def undisturbed(base: Path) -> Iterator[bool]:
    """Keep a daemon from starting while bases are copied, and tell that none runs; one that runs is left alone."""
    lock = FileLock(base.with_suffix(".lock"))
    try:
        lock.acquire()
    except StoreHeld:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def copy_base(source: Path, target: Path, *, alone: bool = True) -> None:
    """Copy what is committed when this is called, and maybe a little more; the copy is on the disk on return.

    `alone` is what `undisturbed` has told. Raises StoreRefused, OSError.
    """
    with _opened(source, alone=alone) as read:
        _copy(source, read, target)


def copy_together(bases: Sequence[tuple[Path, Path]], progress: Progress, *, alone: bool) -> None:
    """Copy bases as `copy_base` does, (source, target), all of them as of the same moment.

    Two bases do not commit together; what one tells of the other is right at every moment, and only then. Nobody who
    writes is held up: a moment is looked for in which nobody does.
    """
    with ExitStack() as stack:
        reads = [stack.enter_context(_opened(source, alone=alone)) for source, _ in bases]
        watching = [stack.enter_context(_opened(source, alone=alone)) for source, _ in bases]
        try:
            _hold_moment(reads, watching)
        except sqlite3.Error as error:
            raise faults.refusal(bases[0][0], error) from error
        for done, ((source, target), read) in enumerate(zip(bases, reads, strict=True), 1):
            _copy(source, read, target)
            progress("bases", done, len(bases))


def _hold_moment(reads: Sequence[sqlite3.Connection], watching: Sequence[sqlite3.Connection]) -> None:
    """Begin to read all bases as they are together: nobody has committed between the first and the last."""
    for _ in range(_LOOKS_MAX):
        before = [_commits(each) for each in watching]
        for each in reads:
            begin_reading(each)
        if before == [_commits(each) for each in watching]:
            return
        for each in reads:
            each.execute("ROLLBACK")
    raise StoreRefused("The bases are written to without a pause. Try again in a moment.")


def begin_reading(db: sqlite3.Connection) -> None:
    """Let a connection see what is committed now, and nothing later."""
    db.execute("BEGIN")
    db.execute("SELECT 1 FROM sqlite_master").fetchone()


def _commits(db: sqlite3.Connection) -> int:
    """Return a number that is another one after every commit of somebody else."""
    (version,) = db.execute("PRAGMA data_version").fetchone()
    return int(version)


@contextmanager
def _opened(source: Path, *, alone: bool) -> Iterator[sqlite3.Connection]:
    if not source.exists():
        raise StoreRefused(f"{source} is missing. Name the data folder with --data.")
    schema.inspect(source)
    try:
        db = connect(source, alone=alone)
    except sqlite3.Error as error:
        raise faults.refusal(source, error) from error
    with closing(db):
        yield db


def _copy(source: Path, read: sqlite3.Connection, target: Path) -> None:
    """Copy in one step: a copy in several begins anew at every write, and under load never ends."""
    try:
        with closing(sqlite3.connect(target, isolation_level=None)) as written:
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
