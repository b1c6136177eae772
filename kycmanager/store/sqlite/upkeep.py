"""What is done between batches: moving the log into the base and forgetting what has run out."""

import sqlite3
from pathlib import Path

FORGET_ROWS_MAX = 2_000
"""How many rows of a kind one call deletes: a batch never waits long for it."""

_FORGET_KEYS = """
DELETE FROM idempotency
WHERE id IN (SELECT id FROM idempotency ORDER BY id LIMIT ?) AND time < ?
"""
_FORGET_REVOCATIONS = """
DELETE FROM revocation
WHERE id IN (SELECT id FROM revocation WHERE expires <> 0 AND expires < ? LIMIT ?)
"""


def forget(db: sqlite3.Connection, now: int, kept_seconds: int) -> int:
    """Delete old idempotency keys (rows are in the order of time) and revocations of dead tokens; return how many.

    `expires` 0 is a revocation for ever. Raises sqlite3.Error with nothing deleted.
    """
    before = db.total_changes
    try:
        db.execute("BEGIN IMMEDIATE")
        db.execute(_FORGET_KEYS, (FORGET_ROWS_MAX, now - kept_seconds))
        db.execute(_FORGET_REVOCATIONS, (now, FORGET_ROWS_MAX))
        db.execute("COMMIT")
    except sqlite3.Error:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return db.total_changes - before


def checkpoint(db: sqlite3.Connection, log: Path, log_bytes_max: int) -> bool:
    """Move the log into the base as far as readers allow; return whether all of it went.

    The file of the log is kept, since writing over it is faster than growing it, and cut only above `log_bytes_max`,
    once no reader needs it.
    """
    busy, frames, moved = db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    # Cutting it waits for readers, and writes wait for that: not while one, a backup say, still needs its beginning.
    if not busy and frames == moved and log.exists() and log.stat().st_size > log_bytes_max:
        busy, frames, moved = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy and frames == moved


def settle(db: sqlite3.Connection) -> None:
    """Move all of the log into the base and flush it: after a failed write, this decides what the base holds."""
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def vault_id(db: sqlite3.Connection) -> bytes:
    """Return the id of the base of keys that belongs to this one, empty where nothing was ever sealed."""
    found = db.execute("SELECT id FROM vault").fetchone()
    return bytes(found[0]) if found else b""


def adopt_vault(db: sqlite3.Connection, found: bytes) -> None:
    """Write down which base of keys belongs to this one. Raises sqlite3.Error with nothing changed."""
    try:
        db.execute("BEGIN IMMEDIATE")
        db.execute("DELETE FROM vault")
        db.execute("INSERT INTO vault (id) VALUES (?)", (found,))
        db.execute("COMMIT")
    except sqlite3.Error:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def overwrite(db: sqlite3.Connection, *, on: bool) -> None:
    """Have deleted and replaced content overwritten with zeros, or not: that costs a write here and there."""
    db.execute(f"PRAGMA secure_delete = {'ON' if on else 'OFF'}")


def scrub(db: sqlite3.Connection, *, whole: bool) -> None:
    """Empty the log, which holds what was; `whole` first writes all pages anew, without what was deleted before."""
    if whole:
        db.execute("VACUUM")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
