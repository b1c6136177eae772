"""What an error of SQLite means to the caller, told by its code and never by its text."""

import sqlite3
from pathlib import Path

from kycmanager.ports import DataFault, OutcomeUnknown, StoreFull, StoreRefused

_PRIMARY = 0xFF
"""Extended error codes carry the primary one in their low byte."""

_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_VALUE = (sqlite3.IntegrityError, sqlite3.InterfaceError, sqlite3.ProgrammingError, sqlite3.DataError)


class RowDamaged(Exception):  # noqa: N818 - named for what is the matter
    """A row is not as it was written: its checksum does not fit."""

    def __init__(self, table: str, key: object) -> None:
        named = f" {key}" if isinstance(key, int) else ""  # a key of text may be somebody's
        super().__init__(f"the row of {table}{named} is not as it was written")


def code(error: BaseException) -> int:
    """Return the primary SQLite code of an error, 0 when it has none."""
    return getattr(error, "sqlite_errorcode", 0) & _PRIMARY


def damaged(path: Path, what: str) -> StoreRefused:
    """Return the refusal of a base that is not whole."""
    return StoreRefused(
        f"{path} is damaged ({what}). Nothing was changed. Move it aside together with its -wal and -shm files, "
        "restore the last backup in its place, and start again.",
    )


def refusal(path: Path, error: Exception) -> StoreRefused:
    """Return why a base could not be opened or read, as a refusal that says what to do."""
    if isinstance(error, RowDamaged):
        return damaged(path, f"{error}; `kycmanager verify` names all that are not")
    if isinstance(error, UnicodeError) or (isinstance(error, sqlite3.OperationalError) and not code(error)):
        return damaged(path, "a text in it is none; `kycmanager verify` tells where")  # the error shows the text
    if code(error) in _DAMAGE or not isinstance(error, sqlite3.Error):
        return damaged(path, f"{type(error).__name__}: {error}")
    return StoreRefused(f"{path} cannot be read: {error}. Check the disk, the folder and its owner.")


def write_fault(db: sqlite3.Connection, error: Exception) -> DataFault | StoreFull | OutcomeUnknown:
    """Roll back and tell what a failed transaction has left behind.

    A full disk is noticed before the commit record is whole, so a rollback that works leaves nothing of the batch;
    any other trouble with the disk may come after it.
    """
    undone = _roll_back(db)
    if undone and code(error) == sqlite3.SQLITE_FULL:
        return StoreFull("The disk is full")
    foreign = not isinstance(error, sqlite3.Error | MemoryError)
    if undone and (foreign or isinstance(error, _VALUE)):
        return DataFault(f"{type(error).__name__}: {error}")
    return OutcomeUnknown(f"{type(error).__name__}: {error}")


def _roll_back(db: sqlite3.Connection) -> bool:
    """Undo the transaction; SQLite may have done so itself. False when even that failed."""
    try:
        if db.in_transaction:
            db.execute("ROLLBACK")
    except sqlite3.Error:
        return False
    return True
