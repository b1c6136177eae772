"""The tallies of the event feed in the base, and the part of the feed that is counted."""

import sqlite3
from collections.abc import Collection, Sequence

import msgspec

from kycmanager.domain.json_text import json_text
from kycmanager.domain.records import Event
from kycmanager.domain.statistics import KeptTally, TallyMark
from kycmanager.store.sqlite import decode
from kycmanager.store.sqlite import statements as sql
from kycmanager.store.sqlite.columns import SELECT
from kycmanager.store.sqlite.encode import Row
from kycmanager.store.sqlite.faults import write_fault
from kycmanager.store.sqlite.sums import checked, sealed

_CLEAR = "DELETE FROM tally"
_CLEAR_MARK = "DELETE FROM tally_mark"
_EVENTS = SELECT["feed"] + "WHERE last_seq > ? AND last_seq <= ? ORDER BY last_seq"

_touched = msgspec.json.Decoder(tuple[int, ...]).decode


def load(db: sqlite3.Connection) -> tuple[list[KeptTally], TallyMark | None]:
    """Return the tallies and how far they go, None where nothing was counted yet; raises RowDamaged."""
    rows = checked(db.execute(SELECT["tally"]), "tally")
    marks = list(checked(db.execute(SELECT["tally_mark"]), "tally_mark"))
    mark = TallyMark(marks[0][0], marks[0][1], _touched(marks[0][2])) if marks else None
    return [KeptTally(brand, day, msgspec.json.decode(counts)) for brand, day, counts, _ in rows], mark


def keep(db: sqlite3.Connection, tallies: Sequence[KeptTally], mark: TallyMark, *, anew: bool) -> int:
    """Write the tallies and the mark in one transaction, in the place of all others if `anew`; return the rows written.

    Raises as `write.commit` does.
    """
    before = db.total_changes
    try:
        db.execute("BEGIN IMMEDIATE")
        if anew:
            db.execute(_CLEAR)
        db.execute(_CLEAR_MARK)
        db.executemany(sql.REPLACE_TALLY, sealed([_row(each) for each in tallies]))
        db.executemany(sql.INSERT_TALLY_MARK, sealed([(mark.version, mark.cursor, json_text(mark.touched))]))
        db.execute("COMMIT")
    except Exception as error:
        raise write_fault(db, error) from error
    return db.total_changes - before


def events_of(
    db: sqlite3.Connection, kinds: Collection[str], after: int, upto: int, enough: int
) -> tuple[list[Event], int]:
    """Return the events of these kinds behind a number, and the number up to which the feed was looked at.

    That is `upto`, or less where `enough` events, of whatever kind, lie before it.
    """
    found: list[Event] = []
    for row in db.execute(_EVENTS, (after, upto)):
        checked([row], "feed")
        last, _, events, _ = row
        found += decode.events_of(events, kinds, after=after)
        if last - after >= enough:
            return found, last
    return found, upto


def _row(tally: KeptTally) -> Row:
    return (tally.brand, tally.day, json_text(tally.counts))
