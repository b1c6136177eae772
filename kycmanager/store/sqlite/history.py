"""The questions to the audit and the feed, asked of read-only connections."""

import sqlite3
from collections.abc import Collection
from typing import Any

import msgspec

from kycmanager.domain.json_text import json_text
from kycmanager.domain.records import AuditRow, Event, FileKey
from kycmanager.ports import AuditQuery
from kycmanager.store.sqlite import decode, sums
from kycmanager.store.sqlite.columns import SELECT

COUNT_MAX = 10_000
"""How far a list is counted."""

_HIGHEST_ID = (1 << 63) - 1

# Two constant texts for each question: with a customer the index answers; without, ids are walked downwards. All else
# filters what was found; a filter bound to its "any" lets every row pass.

_MATCHES = """
    AND (:brands IS NULL OR brand IN (SELECT value FROM json_each(:brands)))
    AND (:kyc_id = 0 OR kyc_id = :kyc_id)
    AND (:step_id = 0 OR step_id = :step_id)
    AND (:document_id = 0 OR document_id = :document_id)
    AND (:action = '' OR action = :action)
    AND (:actor_id = 0 OR actor_id = :actor_id)
    AND (:time_from = 0 OR time >= :time_from)
    AND (:time_to = 0 OR time <= :time_to)
"""
_OF_CUSTOMER = "customer_id = :customer_id AND id BETWEEN :lowest AND :highest" + _MATCHES
_OF_ALL = "id BETWEEN :lowest AND :highest" + _MATCHES
_COLUMNS = SELECT["audit"] + "WHERE "
_PAGE = " ORDER BY id DESC LIMIT :limit OFFSET :offset"
_ROWS = {True: _COLUMNS + _OF_CUSTOMER + _PAGE, False: _COLUMNS + _OF_ALL + _PAGE}
_COUNTED = "SELECT count(*) FROM (SELECT 1 FROM audit WHERE "
_UP_TO = " LIMIT :count_max + 1)"
_COUNT = {True: _COUNTED + _OF_CUSTOMER + _UP_TO, False: _COUNTED + _OF_ALL + _UP_TO}

_FILE_KEYS = """
SELECT file_id, kyc_id, wrapped FROM file_key WHERE file_id IN (SELECT value FROM json_each(?))
"""
_AUDIT_ENDS = "SELECT (SELECT min(id) FROM audit), (SELECT max(id) FROM audit)"
_NEXT_TIME = "SELECT id, time FROM audit WHERE id >= ? ORDER BY id LIMIT 1"

_EVENTS = SELECT["feed"] + "WHERE last_seq > ? ORDER BY last_seq"


def audit(db: sqlite3.Connection, query: AuditQuery) -> tuple[list[AuditRow], int, bool]:
    """Return (rows newest first, count of all that match whatever the page, whether the count is only a bound)."""
    if query.brands is not None and not query.brands:
        return [], 0, False
    by_customer = query.customer_id != 0
    values = _values(query)
    if not by_customer:
        values["lowest"], values["highest"] = _bounds(db, query.time_from, query.time_to)
    below = query.before_id - 1 if query.before_id else _HIGHEST_ID
    if query.from_id:
        values["lowest"] = max(values["lowest"], query.from_id)
        values["highest"] = min(values["highest"], below)
    (count,) = db.execute(_COUNT[by_customer], values).fetchone()
    values["highest"] = min(values["highest"], below)
    rows = [decode.audit(row) for row in sums.checked(db.execute(_ROWS[by_customer], values), "audit")]
    return rows, min(count, COUNT_MAX), count > COUNT_MAX


def audit_window(db: sqlite3.Connection, query: AuditQuery, rows: int) -> tuple[int, bool]:
    """Return the id from which on `rows` rows lie within the times and the cursor, and whether more lie below it."""
    lowest, highest = _bounds(db, query.time_from, query.time_to)
    first, last = db.execute(_AUDIT_ENDS).fetchone()
    if last is None:
        return 1, False
    below = query.before_id - 1 if query.before_id else last
    begins = max(min(highest, below, last) + 1 - rows, 1)
    return begins, begins > max(lowest, first)


def events_after(db: sqlite3.Connection, seq: int, limit: int) -> list[Event]:
    """Return up to `limit` events with a number above `seq`, in order."""
    found: list[Event] = []
    for row in db.execute(_EVENTS, (seq,)):
        sums.checked([row], "feed")
        found += decode.events(row[2], after=seq, limit=limit - len(found))
        if len(found) == limit:
            break
    return found


def feed_chunks(db: sqlite3.Connection, after: int, limit: int) -> list[list[Event]]:
    """Return the events of the next `limit` rows of the feed behind a number, each row by itself."""
    rows = sums.checked(db.execute(_EVENTS + " LIMIT ?", (after, limit)).fetchall(), "feed")
    return [decode.events(events, after=0, limit=len(events)) for _, _, events, _ in rows]


def file_keys(db: sqlite3.Connection, file_ids: Collection[str]) -> dict[str, FileKey]:
    """Return the data keys of those files that a profile holds, by uuid."""
    rows = db.execute(_FILE_KEYS, (json_text(list(file_ids)),))
    return {row[0]: FileKey(*row) for row in rows}


def count_file_keys(db: sqlite3.Connection) -> int:
    """Return how many data keys profiles hold."""
    return int(db.execute("SELECT count(*) FROM file_key").fetchone()[0])


def _values(query: AuditQuery) -> dict[str, Any]:
    values = msgspec.structs.asdict(query)
    del values["before_id"], values["from_id"]
    if query.brands is not None:
        values["brands"] = json_text(sorted(query.brands))
    return values | {"count_max": COUNT_MAX, "lowest": 0, "highest": _HIGHEST_ID}


def _bounds(db: sqlite3.Connection, time_from: int, time_to: int) -> tuple[int, int]:
    """Return the ids between which a span of time lies: times never go down as ids go up."""
    lowest = _first_at(db, time_from) if time_from else 0
    highest = _first_at(db, time_to + 1) - 1 if time_to else _HIGHEST_ID
    return lowest, highest


def _first_at(db: sqlite3.Connection, time: int) -> int:
    """Return the lowest id whose time is not before `time`, or one above all ids."""
    low, high = db.execute(_AUDIT_ENDS).fetchone()
    if low is None:
        return 0
    high += 1
    while low < high:
        middle = (low + high) // 2
        found, at = db.execute(_NEXT_TIME, (middle,)).fetchone()
        if at < time:
            low = found + 1
        else:
            high = middle
    return int(low)
