"""The proof of the audit: every row hashed again, link by link, and held against the heads written down outside."""

import sqlite3
from collections.abc import Iterable

from msgspec import Struct

from kycmanager.ports import Progress
from kycmanager.store.sqlite import sums
from kycmanager.store.sqlite.chain import GENESIS, NO_LINK, Head, link_hash
from kycmanager.store.sqlite.columns import SELECT
from kycmanager.store.sqlite.heads import HeadLine

LINKS_AT_ONCE = 1_000
ROWS_OF_LINK_MAX = 1_000_000
NAMED_MAX = 20
"""Rows of one range that are named one by one."""

_LINKS = "SELECT id, first_id, last_id, hash FROM audit_link WHERE id > ? ORDER BY id LIMIT ?"
_END = """
SELECT
    (SELECT coalesce(max(id), 0) FROM audit_link),
    (SELECT coalesce(min(id), 1) FROM audit),
    (SELECT coalesce(max(id), 0) FROM audit),
    (SELECT coalesce(max(last_id), 0) FROM audit_link)
"""
_ROWS = SELECT["audit"] + "WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?"
_IDS = "SELECT id FROM audit WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?"

Fault = tuple[str, str]
"""(what, what is wrong with it)."""


class Proof(Struct):
    """What was proven: `rows` from the first audit row to that of `head`, by `links` and `heads`; whole without faults.

    `notes` tell where the chain was taken up again on purpose.
    """

    first_id: int = 0
    rows: int = 0
    links: int = 0
    heads: int = 0
    head: Head = NO_LINK
    notes: list[str] = []
    faults: list[Fault] = []


def prove(db: sqlite3.Connection, lines: Iterable[HeadLine], progress: Progress) -> Proof:
    """Prove the audit of a base that may be written to meanwhile; `progress("audit", rows done, rows)`.

    `lines` must have been read before the connection sees the base. Raises sqlite3.Error.
    """
    db.text_factory = _lenient
    proof = Proof()
    expected = _expected(lines, proof)
    end, first_row, last_row, last_linked = db.execute(_END).fetchone()
    walk = _Walk(db, proof, expected, first_row)
    while links := [link for link in db.execute(_LINKS, (walk.link, LINKS_AT_ONCE)).fetchall() if link[0] <= end]:
        for link in links:
            walk.step(*link)
        progress("audit", proof.rows, max(proof.rows, last_row - first_row + 1))
    walk.strangers(walk.last_id + 1, max(last_row, last_linked))
    for line in expected.values():
        proof.faults.append(
            (f"audit row {line.audit}", f"is gone: its head of {line.time} is link {line.link}, the base ends before")
        )
    progress("audit", proof.rows, proof.rows)
    return proof


class _Walk:
    """The walk from link to link; a fault of one does not hide or repeat itself in those after it."""

    def __init__(self, db: sqlite3.Connection, proof: Proof, expected: dict[int, HeadLine], first_row: int) -> None:
        self._db = db
        self._proof = proof
        self._expected = expected
        self._before: bytes | None = GENESIS
        self.link = 0
        self.last_id = first_row - 1

    def step(self, link: int, first: int, last: int, digest: bytes) -> None:
        """Prove one link."""
        if link != self.link + 1:
            self._fault(_named("audit link", self.link + 1, link - 1), "is missing: nothing proves the rows after it")
            self._before = None
        if self.link == 0:
            self._proof.first_id = first
        elif first != self.last_id + 1:
            self._fault(f"audit link {link}", f"begins at row {first}, not at row {self.last_id + 1}")
        self.strangers(self.last_id + 1, first - 1)
        rows = self._db.execute(_ROWS, (first, last, ROWS_OF_LINK_MAX)).fetchall()
        if self._before is not None:
            if _hash(self._before, rows) == digest:
                self._proof.rows += len(rows)
            else:
                self._explain(link, first, last, rows)
        self._compare(link, last, digest)
        self.link, self.last_id, self._before = link, max(last, self.last_id), digest
        self._proof.links += 1
        self._proof.head = Head(link, last, digest)

    def strangers(self, first: int, last: int) -> None:
        """Name the rows of a range no link holds."""
        found = [row[0] for row in self._db.execute(_IDS, (first, last, NAMED_MAX)).fetchall()]
        for row_id in found:
            self._fault(f"audit row {row_id}", "stands in no link: it was inserted, or its link was removed")
        if len(found) == NAMED_MAX:
            self._fault(f"audit rows after {found[-1]}", "stand in no link either")

    def _explain(self, link: int, first: int, last: int, rows: list[tuple[object, ...]]) -> None:
        """Name as exactly as can be what does not fit the hash of a link."""
        range_ = _named("audit row", first, last)
        held = {row[0] for row in rows}
        missing = [row_id for row_id in range(first, min(last, first + ROWS_OF_LINK_MAX) + 1) if row_id not in held]
        for row_id in missing[:NAMED_MAX]:
            self._fault(f"audit row {row_id}", f"is missing from link {link}")
        bad = sums.damaged(rows)
        for row in bad[:NAMED_MAX]:
            self._fault(f"audit row {row[0]}", "was changed: it is not as it was written")
        self._fault(range_, f"do not fit the hash of link {link}: a row or the hash of the link was changed")

    def _compare(self, link: int, last: int, digest: bytes) -> None:
        line = self._expected.pop(link, None)
        if line is None:
            return
        if (line.audit, line.hash) == (last, digest.hex()):
            self._proof.heads += 1
        else:
            self._fault(_named("audit row", 1, line.audit), f"are not those whose head was written down at {line.time}")

    def _fault(self, what: str, wrong: str) -> None:
        self._proof.faults.append((what, wrong))


def _expected(lines: Iterable[HeadLine], proof: Proof) -> dict[int, HeadLine]:
    """Return what each link must be; a line with a note lets go of those after it."""
    expected: dict[int, HeadLine] = {}
    for line in lines:
        if line.note:
            proof.notes.append(f"at {line.time} the chain was taken up again after audit row {line.audit}: {line.note}")
            expected = {link: held for link, held in expected.items() if link < line.link}
        if line.link:
            other = expected.setdefault(line.link, line)
            if (other.audit, other.hash) != (line.audit, line.hash):
                proof.faults.append((f"head of {line.time}", f"differs from that of {other.time} for the same link"))
    return expected


def _hash(before: bytes, rows: list[tuple[object, ...]]) -> bytes:
    try:
        return link_hash(before, rows)
    except (UnicodeError, OverflowError):  # a text nobody could have written
        return b""


def _named(what: str, first: int, last: int) -> str:
    return f"{what} {first}" if first == last else f"{what}s {first} to {last}"


def _lenient(text: bytes) -> str:
    """Read damaged text too, so that its row can be named."""
    return text.decode("utf-8", "replace")
