"""The deliveries in the base: writing what a batch changes of them, forgetting old ones, and the questions to them."""

import sqlite3
from collections.abc import Iterable, Iterator

from kycmanager.domain.json_text import json_text
from kycmanager.domain.outbound import Delivery, DeliveryState
from kycmanager.outbound_ports import DeliveryQuery, OutboundChange
from kycmanager.store.sqlite import statements as sql
from kycmanager.store.sqlite import sums
from kycmanager.store.sqlite.columns import SELECT
from kycmanager.store.sqlite.encode import Row

COUNT_MAX = 10_000
"""How far a list is counted."""

FORGET_ROWS_MAX = 20_000
"""How many rows are deleted at once: a batch never waits long for it."""

_STATES = {state.value: state for state in DeliveryState}
_HIGHEST_ID = (1 << 63) - 1

# Three constant texts for each question: with a customer, and for those that wait or are dead, an index answers; else
# ids are walked downwards.
_MATCHES = """
    id < :before
    AND (:brands IS NULL OR brand IN (SELECT value FROM json_each(:brands)))
    AND (:channel = '' OR channel = :channel)
    AND (:state IS NULL OR state = :state)
"""
_WHERE = {
    "customer": "WHERE customer_id = :customer_id AND" + _MATCHES,
    "kept": "WHERE state IN (0, 2) AND" + _MATCHES,
    "all": "WHERE" + _MATCHES,
}
_ROWS = {by: SELECT["outbound"] + where + " ORDER BY id DESC LIMIT :limit" for by, where in _WHERE.items()}
_COUNT = {
    by: f"SELECT count(*) FROM (SELECT 1 FROM outbound {where} LIMIT :count_max + 1)"  # noqa: S608 - constants
    for by, where in _WHERE.items()
}


def write(db: sqlite3.Connection, change: OutboundChange) -> None:
    """Write what a batch changes; a row is put in the place of the one before."""
    for statement, rows in (
        (sql.REPLACE_DELIVERY, [_row(each) for each in change.deliveries]),
        (sql.REPLACE_CURSOR, list(change.cursors.items())),
        (sql.REPLACE_MARK, [(*key, mark) for key, mark in change.marks.items()]),
    ):
        if rows:
            db.executemany(statement, sums.sealed(rows))
    if change.forget_before:
        db.execute(sql.FORGET_DELIVERIES, (change.forget_before, FORGET_ROWS_MAX))


def deliveries(db: sqlite3.Connection, query: DeliveryQuery) -> tuple[list[Delivery], int, bool]:
    """Return (rows newest first, count of all that match whatever the page, whether the count is only a bound)."""
    if query.brands is not None and not query.brands:
        return [], 0, False
    values = {
        "customer_id": query.customer_id,
        "brands": None if query.brands is None else json_text(sorted(query.brands)),
        "channel": query.channel,
        "state": query.state,
        "before": _HIGHEST_ID,
        "limit": query.limit,
        "count_max": COUNT_MAX,
    }
    by = "customer" if query.customer_id else "kept" if query.state in {0, 2} else "all"
    (count,) = db.execute(_COUNT[by], values).fetchone()
    values["before"] = query.before_id or _HIGHEST_ID
    rows = sums.checked(db.execute(_ROWS[by], values), "outbound")
    return list(read(rows)), min(count, COUNT_MAX), count > COUNT_MAX


def read(rows: Iterable[Row]) -> Iterator[Delivery]:
    """Read rows of `outbound`."""
    for row in rows:
        yield Delivery(
            id=row[0],
            channel=row[1],
            brand=row[2],
            customer_id=row[3],
            recipient=row[4],
            seq=row[5],
            kind=row[6],
            state=_STATES[row[7]],
            attempts=row[8],
            created_time=row[9],
            since=row[10],
            next_time=row[11],
            ended_time=row[12],
            outcome=row[13],
            body=row[14],
        )


def read_cursors(rows: Iterable[Row]) -> Iterator[tuple[str, int]]:
    """Read rows of `outbound_cursor`."""
    for row in rows:
        yield row[0], row[1]


def read_marks(rows: Iterable[Row]) -> Iterator[tuple[str, int, str]]:
    """Read rows of `outbound_mark`."""
    for row in rows:
        yield row[0], row[1], row[2]


def _row(delivery: Delivery) -> Row:
    """Return the columns of a delivery."""
    return (
        *(delivery.id, delivery.channel, delivery.brand, delivery.customer_id, delivery.recipient, delivery.seq),
        *(
            delivery.kind,
            delivery.state.value,
            delivery.attempts,
            delivery.created_time,
            delivery.since,
            delivery.next_time,
        ),
        *(delivery.ended_time, delivery.outcome, delivery.body),
    )
