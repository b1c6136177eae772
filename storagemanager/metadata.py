"""The table of files: what is stored, who owns it, what holds it; known files are kept in memory."""

import json
import sqlite3
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from storagemanager.base import Base
from storagemanager.errors import StorageError, StorageErrorCode
from storagemanager.model import FileMeta, Owner
from storagemanager.quota import Owned
from storagemanager.record import from_row, to_row
from storagemanager.verdicts import Verdict, insert_verdict

SCAN_ROWS = 500
"""Rows of one step of a walk over the table."""

_INSERT = """
INSERT INTO files (
    uuid, original_name, extension, signature, content_type, declared_type, file_size, checksum,
    scope, purpose, owner_kind, owner_id, brand, created_time, pins, loose_since, row_check
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_SELECT = """
SELECT
    id, uuid, original_name, extension, signature, content_type, declared_type, file_size, checksum,
    scope, purpose, owner_kind, owner_id, brand, created_time, pins, loose_since, row_check,
    data_key.wrapped
FROM files LEFT JOIN data_key USING (uuid)
"""
_SELECT_MANY = _SELECT + "WHERE uuid IN (SELECT value FROM json_each(?))"  # noqa: S608 - constants only
_SELECT_AFTER = _SELECT + "WHERE id > ? ORDER BY id LIMIT ?"
_SELECT_LOOSE = _SELECT + "WHERE pins = 0 AND loose_since <= ? ORDER BY loose_since LIMIT ?"
_UPDATE_PINS = "UPDATE files SET pins = ?, loose_since = ?, row_check = ? WHERE uuid = ?"
_SELECT_WAITING = _SELECT + "WHERE pins = 0 AND owner_kind = ? AND owner_id = ? AND brand = ? ORDER BY id LIMIT ?"
_DELETE = "DELETE FROM files WHERE uuid = ?"
_KNOWN = """
SELECT uuid, data_key.wrapped IS NOT NULL
FROM files LEFT JOIN data_key USING (uuid)
WHERE uuid IN (SELECT value FROM json_each(?))
"""
_INSERT_KEY = "INSERT INTO data_key (uuid, wrapped) VALUES (?, ?)"
_SEAL = "INSERT INTO data_key (uuid, wrapped) SELECT uuid, ?1 FROM files WHERE uuid = ?2"
_KEPT_KEYS = "SELECT uuid, wrapped FROM data_key WHERE wrapped <> x'' AND uuid > ? ORDER BY uuid LIMIT ?"
_RELEASE_KEYS = """
UPDATE data_key SET wrapped = x'' WHERE wrapped <> x'' AND uuid IN (SELECT value FROM json_each(?))
"""
_OWNED = """
SELECT
    owner_kind, owner_id, brand, count(*), sum(file_size), count(*) FILTER (WHERE created_time >= ?)
FROM files
GROUP BY owner_kind, owner_id, brand
"""
_TOTALS = "SELECT count(*), total(file_size), count(*) FILTER (WHERE pins > 0) FROM files"

Row = tuple[int, str, FileMeta | None]
"""A row of a walk: id, uuid, and the metadata or None where the row is damaged."""


class Metadata:
    """The files of a base. Errors are those of `Base`, and BROKEN for a damaged row.

    The memory holds what was committed, never more than `cache_entries_max`.
    """

    def __init__(self, base: Base, cache_entries_max: int) -> None:
        self._base = base
        self._cache: OrderedDict[str, FileMeta] = OrderedDict()
        self._cache_entries_max = cache_entries_max
        self._changes = 0  # a read that began before a change must not bring the old row back

    @property
    def cached(self) -> int:
        """How many files are in memory."""
        return len(self._cache)

    def peek(self, uuid: str) -> FileMeta | None:
        """Return a file that is in memory, None for all others."""
        meta = self._cache.get(uuid)
        if meta is not None:
            self._cache.move_to_end(uuid)
        return meta

    async def get(self, uuid: str) -> FileMeta | None:
        """Return a file, None where there is none."""
        return self.peek(uuid) or (await self.get_many([uuid])).get(uuid)

    async def get_many(self, uuids: Iterable[str]) -> dict[str, FileMeta]:
        """Return the files there are, by uuid."""
        wanted = dict.fromkeys(uuids)
        found = {uuid: meta for uuid in wanted if (meta := self.peek(uuid)) is not None}
        missing = json.dumps([uuid for uuid in wanted if uuid not in found])
        if len(found) < len(wanted):
            changes = self._changes
            read = await self._base.read(lambda connection: _select_many(connection, missing))
            if changes == self._changes:
                self._remember(read)
            found |= {meta.uuid: meta for meta in read}
        return found

    async def insert(self, meta: FileMeta, verdict: Verdict | None = None) -> None:
        """Register a stored file, and what was decided of it where something was found in it."""
        await self._base.write(lambda connection: _insert(connection, meta, verdict))
        self._changes += 1
        self._remember([meta])

    async def seal(self, meta: FileMeta) -> bool:
        """Note that a file, which had no data key before, is sealed now; False where it has gone."""
        row = (meta.data_key, meta.uuid)
        found = await self._base.write(lambda connection: connection.execute(_SEAL, row).rowcount)
        self._changes += 1
        self._cache.pop(meta.uuid, None)
        return found == 1

    async def kept_keys(self, after: str) -> list[tuple[str, bytes]]:
        """Return the next data keys nobody else holds, (uuid, sealed key); begin with "", end with an empty list."""
        return await self._base.read(lambda connection: connection.execute(_KEPT_KEYS, (after, SCAN_ROWS)).fetchall())

    async def release_keys(self, uuids: Sequence[str]) -> None:
        """Forget data keys that somebody else holds by now."""
        wanted = json.dumps(uuids)
        await self._base.write(lambda connection: connection.execute(_RELEASE_KEYS, (wanted,)).rowcount)
        self._changes += 1
        known = [meta for uuid in uuids if (meta := self._cache.get(uuid)) is not None]
        self._remember([replace(meta, data_key=b"") for meta in known if meta.data_key])

    async def pin(self, uuids: Iterable[str]) -> None:
        """Add one pin per uuid given; NOT_FOUND, and no pin at all, where one is missing."""
        added = Counter(uuids)
        await self._change_pins(lambda connection: _add_pins(connection, added))

    async def unpin(self, uuids: Iterable[str], now: int) -> None:
        """Take one pin per uuid given; a file without pins, or that is gone, stays as it is."""
        taken = Counter(uuids)
        await self._change_pins(lambda connection: _take_pins(connection, taken, now))

    async def set_pins(self, pins: Mapping[str, int], now: int) -> None:
        """Give files exactly these pins."""
        await self._change_pins(lambda connection: _set_pins(connection, pins, now))

    async def take_loose(self, until: int) -> list[FileMeta]:
        """Remove up to `SCAN_ROWS` rows that nothing has held since `until`, and return them.

        A damaged row is not removed: whether something holds its file cannot be known.
        """
        gone = await self._base.write(lambda connection: _take_loose(connection, until))
        self._changes += 1
        for meta in gone:
            self._cache.pop(meta.uuid, None)
        return gone

    async def take(self, uuids: Iterable[str]) -> list[FileMeta]:
        """Remove the rows of these files, whatever holds them, and return those there were."""
        wanted = list(uuids)
        gone = await self._base.write(lambda connection: _take(connection, wanted))
        self._changes += 1
        for meta in gone:
            self._cache.pop(meta.uuid, None)
        return gone

    async def waiting(self, owner: Owner) -> list[FileMeta]:
        """Return the uploads of an owner that nothing holds, the first `SCAN_ROWS`."""
        row = (owner.kind, owner.id, owner.brand, SCAN_ROWS)
        return await self._base.read(lambda connection: list(map(from_row, connection.execute(_SELECT_WAITING, row))))

    async def rows_after(self, row_id: int) -> list[Row]:
        """Return the next rows of a walk: begin with 0, go on with the last id, end with an empty list."""
        return await self._base.read(lambda connection: rows_after(connection, row_id))

    async def known(self, uuids: Sequence[str]) -> dict[str, bool]:
        """Return which of these have a row, be it damaged, and whether their file is sealed."""
        wanted = json.dumps(uuids)
        return await self._base.read(
            lambda c: {str(uuid): bool(sealed) for uuid, sealed in c.execute(_KNOWN, (wanted,))}
        )

    async def totals(self) -> tuple[int, int, int]:
        """Return the number of files, their bytes, and how many are attached."""
        row = await self._base.read(lambda connection: connection.execute(_TOTALS).fetchone())
        return int(row[0]), int(row[1]), int(row[2])

    async def owned(self, since: int) -> list[Owned]:
        """Return what each owner has within each brand, and how many of the files came since then."""
        return await self._base.read(lambda connection: [Owned(*row) for row in connection.execute(_OWNED, (since,))])

    async def integrity(self) -> str:
        """Return what the base's full check complains of, "" where it is whole."""
        return await self._base.read(_integrity)

    async def _change_pins(self, work: Any) -> None:
        changed: list[FileMeta] = await self._base.write(work)
        self._changes += 1
        self._remember(changed)

    def _remember(self, metas: Iterable[FileMeta]) -> None:
        for meta in metas:
            self._cache[meta.uuid] = meta
            self._cache.move_to_end(meta.uuid)
        while len(self._cache) > self._cache_entries_max:
            self._cache.popitem(last=False)


def _insert(connection: sqlite3.Connection, meta: FileMeta, verdict: Verdict | None) -> None:
    connection.execute(_INSERT, to_row(meta))
    if meta.data_key is not None:
        connection.execute(_INSERT_KEY, (meta.uuid, meta.data_key))
    if verdict is not None:
        insert_verdict(connection, meta.uuid, verdict)


def _select_many(connection: sqlite3.Connection, uuids: str) -> list[FileMeta]:
    return [from_row(row) for row in connection.execute(_SELECT_MANY, (uuids,)).fetchall()]


def rows_after(connection: sqlite3.Connection, row_id: int) -> list[Row]:
    """Return the next rows of a walk over a base; damaged texts must be readable, see `base.read_text`."""
    rows: list[Row] = []
    for row in connection.execute(_SELECT_AFTER, (row_id, SCAN_ROWS)).fetchall():
        try:
            rows.append((row[0], row[1], from_row(row)))
        except StorageError:
            rows.append((row[0], str(row[1]), None))
    return rows


def _by_uuid(connection: sqlite3.Connection, uuids: Iterable[str]) -> dict[str, FileMeta]:
    return {meta.uuid: meta for meta in _select_many(connection, json.dumps(list(uuids)))}


def _add_pins(connection: sqlite3.Connection, added: Mapping[str, int]) -> list[FileMeta]:
    found = _by_uuid(connection, added)
    for uuid in added:
        if uuid not in found:
            raise StorageError(StorageErrorCode.NOT_FOUND, "file", f"there is no file {uuid!r}")
    return _update(connection, [replace(meta, pins=meta.pins + added[uuid]) for uuid, meta in found.items()])


def _take_pins(connection: sqlite3.Connection, taken: Mapping[str, int], now: int) -> list[FileMeta]:
    found = _by_uuid(connection, taken)
    wanted = {uuid: max(0, meta.pins - taken[uuid]) for uuid, meta in found.items()}
    return _apply(connection, found, wanted, now)


def _set_pins(connection: sqlite3.Connection, pins: Mapping[str, int], now: int) -> list[FileMeta]:
    return _apply(connection, _by_uuid(connection, pins), pins, now)


def _apply(
    connection: sqlite3.Connection, found: Mapping[str, FileMeta], pins: Mapping[str, int], now: int
) -> list[FileMeta]:
    """Give files their pins; the clock of one that is let go starts now."""
    changed = [
        replace(meta, pins=pins[uuid], loose_since=meta.loose_since if pins[uuid] else now)
        for uuid, meta in found.items()
        if meta.pins != pins[uuid]
    ]
    return _update(connection, changed)


def _update(connection: sqlite3.Connection, metas: list[FileMeta]) -> list[FileMeta]:
    connection.executemany(_UPDATE_PINS, [(meta.pins, meta.loose_since, to_row(meta)[-1], meta.uuid) for meta in metas])
    return metas


def _take_loose(connection: sqlite3.Connection, until: int) -> list[FileMeta]:
    gone = []
    for row in connection.execute(_SELECT_LOOSE, (until, SCAN_ROWS)).fetchall():
        try:
            gone.append(from_row(row))
        except StorageError:
            continue
    connection.executemany(_DELETE, [(meta.uuid,) for meta in gone])
    return gone


def _take(connection: sqlite3.Connection, uuids: list[str]) -> list[FileMeta]:
    gone = list(_by_uuid(connection, uuids).values())
    connection.executemany(_DELETE, [(meta.uuid,) for meta in gone])
    return gone


def _integrity(connection: sqlite3.Connection) -> str:
    rows = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(3)")]
    return "" if rows == ["ok"] else "; ".join(rows)
