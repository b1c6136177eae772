"""The base of sealed keys, bases/keys.db: apart from the records, so that a copy of those does not hold their keys."""

import contextlib
import os
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import aiosqlite

from kycmanager.domain.records import BrandKey, ProfileKey
from kycmanager.ports import OutcomeUnknown, StoreFull, StoreRefused
from kycmanager.store.sqlite import faults, schema
from kycmanager.store.sqlite.thread import connect, run

_SCHEMA = """
BEGIN IMMEDIATE;
CREATE TABLE vault (id BLOB NOT NULL) STRICT;                 -- one row; the base of records names it
CREATE TABLE brand_key (
    id BLOB PRIMARY KEY NOT NULL,
    brand TEXT NOT NULL,
    master BLOB NOT NULL,                                     -- the id of the master key that seals this one
    wrapped BLOB NOT NULL,
    created_time INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE profile_key (
    kyc_id INTEGER PRIMARY KEY,
    master BLOB NOT NULL,
    wrapped BLOB NOT NULL,                                    -- empty: destroyed
    destroyed_time INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO vault (id) VALUES (randomblob(16));
PRAGMA user_version = 1;
COMMIT;
"""
_VERSION = 1
_BRAND_KEYS = "SELECT id, brand, master, wrapped, created_time FROM brand_key"
_PROFILE_KEYS = "SELECT kyc_id, master, wrapped FROM profile_key"
_ADD_BRAND = "INSERT INTO brand_key VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_ADD_PROFILE = "INSERT INTO profile_key (kyc_id, master, wrapped) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_REWRAP_BRAND = "UPDATE brand_key SET master = ?2, wrapped = ?3 WHERE id = ?1"
_REWRAP_PROFILE = "UPDATE profile_key SET master = ?2, wrapped = ?3 WHERE kyc_id = ?1 AND wrapped <> x''"
_DESTROY = """
INSERT INTO profile_key (kyc_id, master, wrapped, destroyed_time) VALUES (?1, ?2, x'', ?3)
ON CONFLICT DO UPDATE SET wrapped = x'', destroyed_time = ?3
"""
_FORGET_BRAND = "DELETE FROM brand_key WHERE id = ?"
_BRANDS_OTHERWISE = _BRAND_KEYS + " WHERE master <> ? LIMIT ?"
_PROFILES_OTHERWISE = _PROFILE_KEYS + " WHERE kyc_id > ? AND master <> ? AND wrapped <> x'' ORDER BY kyc_id LIMIT ?"
_COUNTS = """
SELECT 'brand', master, count(*) FROM brand_key GROUP BY master
UNION ALL
SELECT iif(wrapped = x'', 'destroyed', 'profile') AS kind, master, count(*) FROM profile_key GROUP BY kind, master
"""

Adopt = Callable[[bytes], Awaitable[None]]
"""`adopt(id)`: have the base of records remember, durably, which base of keys it belongs to."""


class KeyBase:
    """Answers `KeyStore` in one SQLite file, made when there is a first key to keep.

    Deleted rows are overwritten (`secure_delete`), and after a destruction the log is emptied.
    """

    def __init__(self, path: Path, adopt: Adopt) -> None:
        self.path = path
        self._adopt = adopt
        self._db: aiosqlite.Connection | None = None
        self._made = False

    async def open(self, expected: bytes) -> None:
        """Open the base if there is one; `expected` is its id as the base of records has it, empty for none.

        Raises StoreRefused where it is missing, damaged, or another's.
        """
        schema.inspect(self.path)
        if self.path.exists():
            await self._connect()
        if self._db is None or await run(self._db, schema.version_of) == 0:
            await self.close()  # there is none, or one that was not made to its end
            if expected:
                raise StoreRefused(
                    f"{self.path} is missing or empty, and with it the keys of what is encrypted. Put the newest copy"
                    " of it back.",
                )
            return
        self._made = True
        problem = await run(_open(self._db), schema.quick_check)
        if problem:
            raise faults.damaged(self.path, problem)
        found = await run(_open(self._db), _vault_id, self.path)
        if expected and found != expected:
            raise StoreRefused(
                f"{self.path} belongs to other bases than the one beside it: what is encrypted there has other keys."
                " Put the newest copy of its own in its place.",
            )
        if not expected:
            await self._adopt(found)

    async def load(self) -> tuple[list[BrandKey], list[ProfileKey]]:
        """Return all keys."""
        if self._db is None:
            return [], []
        brands = await run(self._db, _read, _BRAND_KEYS)
        profiles = await run(self._db, _read, _PROFILE_KEYS)
        return [BrandKey(*row) for row in brands], [ProfileKey(*row) for row in profiles]

    async def keep(self, keys: Sequence[BrandKey | ProfileKey]) -> None:
        """Add keys."""
        await self._write(_add, keys)

    async def rewrap(self, keys: Sequence[BrandKey | ProfileKey]) -> None:
        """Put keys that were sealed anew in the place of the old ones."""
        await self._write(_rewrap, keys)

    async def destroy(self, tombstone: ProfileKey, now: int) -> None:
        """Overwrite the key of a profile, and empty the log."""
        await self._write(_destroy, tombstone, now)

    async def forget_brand_keys(self, ids: Sequence[bytes]) -> None:
        """Overwrite keys of brands, and empty the log."""
        await self._write(_forget, ids)

    async def sealed_otherwise(self, master: bytes, after: int, limit: int) -> Sequence[BrandKey | ProfileKey]:
        """Return keys that another master key seals."""
        if self._db is None:
            return []
        brands = await run(self._db, _read, _BRANDS_OTHERWISE, master, limit)
        profiles = await run(self._db, _read, _PROFILES_OTHERWISE, after, master, limit)
        return [*[BrandKey(*row) for row in brands], *[ProfileKey(*row) for row in profiles]]

    async def counts(self) -> list[tuple[str, bytes, int]]:
        """Count keys by kind and master key."""
        return [] if self._db is None else await run(self._db, _read, _COUNTS)

    async def close(self) -> None:
        """Close the base; a second call does nothing."""
        db, self._db = self._db, None
        if db is not None:
            with contextlib.suppress(sqlite3.Error):
                await db.close()

    async def reopen(self) -> None:
        """Throw the connection away and take a fresh one, if there was a base; raises sqlite3.Error."""
        if self._db is not None or self.path.exists():
            await self.close()
            await self._connect()

    async def _connect(self) -> None:
        self._db = await connect(self.path, read_only=False)
        await run(self._db, _prepare)

    async def _create(self) -> None:
        """Make the base, and have the records name it before the first key: without a name they need none."""
        await self._connect()
        await run(_open(self._db), _make)
        await self._adopt(await run(_open(self._db), _vault_id, self.path))
        self._made = True

    async def _write(self, work: Callable[..., None], *args: Any) -> None:
        try:
            if self._db is None:
                await self._create()
            await run(_open(self._db), _in_transaction, work, *args)
        except (sqlite3.Error, OSError) as error:
            if not self._made:
                await self.close()
            if faults.code(error) == sqlite3.SQLITE_FULL:
                raise StoreFull("The disk is full") from error
            raise OutcomeUnknown(f"{self.path}: {type(error).__name__}: {error}") from error


def _prepare(db: sqlite3.Connection) -> None:
    schema.prepare_writer(db)
    db.execute("PRAGMA secure_delete = ON")
    db.execute("PRAGMA wal_autocheckpoint = 1000")


def _make(db: sqlite3.Connection) -> None:
    """Make the tables, and have the name of the file on the disk before anything relies on it."""
    if schema.version_of(db) == 0:
        db.executescript(_SCHEMA)
    path = Path(db.execute("PRAGMA database_list").fetchone()[2])
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _vault_id(db: sqlite3.Connection, path: Path) -> bytes:
    version = schema.version_of(db)
    if version != _VERSION:
        raise StoreRefused(f"{path} has version {version}, this program knows {_VERSION}. Start the newer program.")
    (found,) = db.execute("SELECT id FROM vault").fetchone()
    return bytes(found)


def _read(db: sqlite3.Connection, statement: str, *values: Any) -> list[Any]:
    return db.execute(statement, values).fetchall()


def _in_transaction(db: sqlite3.Connection, work: Callable[..., None], *args: Any) -> None:
    try:
        db.execute("BEGIN IMMEDIATE")
        work(db, *args)
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    if work in {_destroy, _forget}:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _add(db: sqlite3.Connection, keys: Sequence[BrandKey | ProfileKey]) -> None:
    for key in keys:
        if isinstance(key, BrandKey):
            db.execute(_ADD_BRAND, (key.id, key.brand, key.master, key.wrapped, key.created_time))
        else:
            db.execute(_ADD_PROFILE, (key.kyc_id, key.master, key.wrapped))


def _rewrap(db: sqlite3.Connection, keys: Sequence[BrandKey | ProfileKey]) -> None:
    for key in keys:
        if isinstance(key, BrandKey):
            db.execute(_REWRAP_BRAND, (key.id, key.master, key.wrapped))
        else:
            db.execute(_REWRAP_PROFILE, (key.kyc_id, key.master, key.wrapped))


def _destroy(db: sqlite3.Connection, tombstone: ProfileKey, now: int) -> None:
    db.execute(_DESTROY, (tombstone.kyc_id, tombstone.master, now))


def _forget(db: sqlite3.Connection, ids: Sequence[bytes]) -> None:
    db.executemany(_FORGET_BRAND, [(key_id,) for key_id in ids])


def _open(connection: aiosqlite.Connection | None) -> aiosqlite.Connection:
    if connection is None:
        raise OutcomeUnknown("The base of keys is not open")
    return connection
