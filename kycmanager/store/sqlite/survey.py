"""The full check of the records: each row's sum, what refers to what, and what follows from what."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from kycmanager.domain.profile import recalculate
from kycmanager.domain.records import Document, Profile, Step
from kycmanager.ports import Progress, StoreRefused
from kycmanager.store.sqlite import decode, schema, sums
from kycmanager.store.sqlite.columns import COLUMNS, ORDER, SELECT
from kycmanager.store.sqlite.offline import opened, reading
from kycmanager.store.sqlite.prove import Fault

_CHUNK_ROWS = 2_000
_PAGES_TOLD = 10_000
"""Pages from which on looking at them takes long enough to be told of."""

_ANSWERS = 20
"""The column of a step that nothing here looks into: it may be sealed."""

_KEPT = frozenset({"template_text", "profile", "step", "document"})
"""The tables whose rows are held against each other."""

_OWNERS = {
    "step": "SELECT step.id FROM step JOIN profile ON profile.id = step.kyc_id"
    " WHERE (step.customer_id, step.brand) <> (profile.customer_id, profile.brand)",
    "document": "SELECT document.id FROM document JOIN profile ON profile.id = document.kyc_id"
    " WHERE (document.customer_id, document.brand) <> (profile.customer_id, profile.brand)",
}


class Survey(Struct):
    """What a base holds, and what is wrong with it; `files` are those of its documents, by uuid their document."""

    counts: dict[str, int] = {}
    files: dict[str, int] = {}
    faults: list[Fault] = []


def survey(base: Path, progress: Progress) -> Survey:
    """Check all pages and records as of one moment; `progress(table, done, total)`. Raises StoreRefused.

    Where the pages are so damaged that no more can be read, what is wrong with them is all that is told.
    """
    found = Survey()
    try:
        with reading(base) as db:
            db.execute("BEGIN")
            found.faults += _page_faults(db, base, progress)
            _check(db, found, progress)
    except StoreRefused as refused:
        if not found.faults:
            raise
        found.faults.append((base.name, str(refused)))
    return found


def survey_pages(base: Path, progress: Progress) -> list[Fault]:
    """Check the pages of a base that is not one of records. Raises StoreRefused."""
    with opened(base) as db:
        return _page_faults(db, base, progress)


def _page_faults(db: sqlite3.Connection, base: Path, progress: Progress) -> list[Fault]:
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    if pages >= _PAGES_TOLD:
        progress(f"pages of {base.name}", 0, pages)
    found = schema.integrity(db)
    if pages >= _PAGES_TOLD:
        progress(f"pages of {base.name}", pages, pages)
    return [(base.name, problem) for problem in found]


def _check(db: sqlite3.Connection, found: Survey, progress: Progress) -> None:
    held = {table: _whole_rows(db, table, found, progress) for table in COLUMNS}
    records = _Records(held, found)
    records.check_references()
    records.check_standings(progress)
    _check_owners(db, found)
    _check_feed(db, found)


def _whole_rows(db: sqlite3.Connection, table: str, found: Survey, progress: Progress) -> list[tuple[Any, ...]]:
    """Return the rows of a table that are whole, of those tables that are looked at further."""
    db.text_factory = _lenient
    total = db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - constants
    cursor = db.execute(f"{SELECT[table]} ORDER BY {ORDER.get(table, 'id')}")
    kept: list[tuple[Any, ...]] = []
    done = 0
    while rows := cursor.fetchmany(_CHUNK_ROWS):
        done += len(rows)
        bad = sums.damaged(rows)
        for row in bad:
            key = f" {row[0]}" if isinstance(row[0], int) else ""
            found.faults.append((f"{table}{key}", "is not as it was written"))
        if table in _KEPT:
            kept += [row for row in rows if row not in bad] if bad else rows
        progress(table, done, total)
    found.counts[table] = done
    return kept


class _Records:
    """The whole rows as records, and how they belong together."""

    def __init__(self, held: dict[str, list[tuple[Any, ...]]], found: Survey) -> None:
        self._found = found
        decoder = decode.Decoder()
        self.texts = {(row[0], row[1]) for row in held["template_text"]}
        self.profiles: dict[int, Profile] = {each.id: each for each in self._read(decoder.profiles, held, "profile")}
        self.steps: dict[int, list[Step]] = {}
        self.documents: dict[int, list[Document]] = {}
        for step in self._read(decoder.steps, held, "step"):
            self.steps.setdefault(step.kyc_id, []).append(step)
        for document in self._read(decoder.documents, held, "document"):
            self.documents.setdefault(document.kyc_id, []).append(document)
            if document.file_id:  # an erased one has none
                found.files[document.file_id] = document.id

    def _read(
        self, decoded: Callable[[decode.Rows], Iterator[Any]], held: dict[str, list[tuple[Any, ...]]], table: str
    ) -> Iterator[Any]:
        for row in held.pop(table):
            plain = (*row[:_ANSWERS], "{}", *row[_ANSWERS + 1 :]) if table == "step" else row
            try:
                yield from decoded((plain,))
            except KeyError:
                known = table == "profile" or row[1] in self.profiles
                wrong = "has a value that is none of its kind" if known else f"belongs to no profile: {row[1]}"
                self._found.faults.append((f"{table} {row[0]}", wrong))
            except (TypeError, msgspec.MsgspecError) as error:
                self._found.faults.append((f"{table} {row[0]}", f"cannot be read: {error}"))

    def check_references(self) -> None:
        """Look for what steps and documents point to."""
        faults = self._found.faults
        for kyc_id, documents in self.documents.items():
            steps = {step.id for step in self.steps.get(kyc_id, ())}
            faults += [
                (f"document {each.id}", f"points to step {each.step_id}, which its profile {kyc_id} does not have")
                for each in documents
                if each.step_id and each.step_id not in steps
            ]
        for steps_of in self.steps.values():
            faults += [
                (f"step {each.id}", f"points to template {each.template_id}, version {each.template_version}: no text")
                for each in steps_of
                if (each.template_id, each.template_version) not in self.texts
            ]

    def check_standings(self, progress: Progress) -> None:
        """Recalculate every profile from its steps."""
        total = len(self.profiles)
        for done, profile in enumerate(self.profiles.values(), 1):
            fresh = recalculate(
                profile,
                self.steps.get(profile.id, ()),
                has_documents=profile.id in self.documents,
                review_due=False,
                now=profile.updated_time,
            )
            is_, should = _standing(profile), _standing(fresh)
            if is_ != should:
                self._found.faults.append((f"profile {profile.id}", f"is {is_}; its steps make it {should}"))
            if done % _CHUNK_ROWS == 0 or done == total:
                progress("standings", done, total)


def _standing(profile: Profile) -> str:
    return f"{profile.status.name.lower()} at level {profile.current_level}"


def _check_owners(db: sqlite3.Connection, found: Survey) -> None:
    for table, statement in _OWNERS.items():
        for (record_id,) in db.execute(statement):
            found.faults.append((f"{table} {record_id}", "has another customer or brand than its profile"))


def _check_feed(db: sqlite3.Connection, found: Survey) -> None:
    end = 0
    for last, first in db.execute("SELECT last_seq, first_seq FROM feed ORDER BY last_seq"):
        if first != end + 1:
            found.faults.append((f"event {first}", f"follows event {end}: what was between is missing, or told twice"))
        end = last
    found.counts["event"] = end


def _lenient(text: bytes) -> str:
    """Read damaged text too, so that its row can be named."""
    return text.decode("utf-8", "replace")
