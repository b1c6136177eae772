"""The index of answers in the base: the hashes of a step in one row, and what the index holds."""

import sqlite3
from collections.abc import Iterable, Iterator

import msgspec

from kycmanager.desk_ports import LookupChange
from kycmanager.domain.json_text import json_text
from kycmanager.domain.lookup import LookupMark
from kycmanager.store.sqlite import statements as sql
from kycmanager.store.sqlite.encode import Row
from kycmanager.store.sqlite.sums import sealed

_CLEAR = "DELETE FROM lookup"
_CLEAR_MARK = "DELETE FROM lookup_mark"

_fields = msgspec.json.Decoder(tuple[str, ...]).decode


def write(db: sqlite3.Connection, change: LookupChange) -> None:
    """Write what a batch changes."""
    if change.anew:
        db.execute(_CLEAR)
    if change.anew or change.mark is not None:
        db.execute(_CLEAR_MARK)
    if change.mark is not None:
        mark = change.mark
        row = (mark.version, bytearray(mark.key), json_text(mark.fields), mark.cursor)
        db.executemany(sql.INSERT_LOOKUP_MARK, sealed([row]))
    if change.removed:
        db.executemany(sql.DELETE_LOOKUP, [(step_id,) for step_id in change.removed])
    if change.put:
        db.executemany(sql.REPLACE_LOOKUP, sealed([(step_id, bytearray(joined)) for step_id, joined in change.put]))


def read(rows: Iterable[Row]) -> Iterator[tuple[int, bytes]]:
    """Read rows of `lookup`."""
    for row in rows:
        yield row[0], row[1]


def read_marks(rows: Iterable[Row]) -> Iterator[LookupMark]:
    """Read rows of `lookup_mark`."""
    for version, key, fields, cursor, _ in rows:
        yield LookupMark(version, key, _fields(fields), cursor)
