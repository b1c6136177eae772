"""One batch as one transaction, a statement per table run over all the batch's rows of it."""

import sqlite3
from collections.abc import Callable, Sequence
from itertools import chain as joined
from operator import add
from typing import Any

from kycmanager.batches import Batch
from kycmanager.domain.records import Event
from kycmanager.store.sqlite import chain, encode, lookup, outbound
from kycmanager.store.sqlite import statements as sql
from kycmanager.store.sqlite.faults import write_fault
from kycmanager.store.sqlite.sums import sealed
from kycmanager.wallet_ports import WalletChange


def commit(db: sqlite3.Connection, batch: Batch, counters: dict[str, int], head: chain.Head) -> tuple[int, chain.Head]:
    """Write the batch durably; return the rows written and where the chain of the audit, now at `head`, ends with them.

    `counters` is what the base holds and follows a commit.

    Raises DataFault, StoreFull or OutcomeUnknown.
    """
    try:
        before = db.total_changes
        db.execute("BEGIN IMMEDIATE")
        _write_templates(db, batch)
        _write_records(db, batch)
        head = _write_feed(db, batch, head)
        if batch.outbound is not None:
            outbound.write(db, batch.outbound)
        if batch.lookup is not None:
            lookup.write(db, batch.lookup)
        _write_counters(db, batch, counters)
        written = db.total_changes - before
        db.execute("COMMIT")
    except Exception as error:
        raise write_fault(db, error) from error
    counters.update(batch.counters)
    return written, head


def _write_templates(db: sqlite3.Connection, batch: Batch) -> None:
    """Write templates and their texts; removals come first, since a new template may take a removed one's code."""
    new, changed, texts = batch.templates.inserted, batch.templates.updated, batch.template_texts
    if batch.removed_templates:
        gone = frozenset(batch.removed_templates)
        new = [template for template in new if template.id not in gone]
        changed = [template for template in changed if template.id not in gone]
        texts = [text for text in texts if text.template_id not in gone]
        keys = [(template_id,) for template_id in gone]
        db.executemany(sql.DELETE_TEMPLATE_TEXT, keys)
        db.executemany(sql.DELETE_TEMPLATE, keys)
    _write(db, sql.INSERT_TEMPLATE, encode.template, new)
    _update(db, sql.UPDATE_TEMPLATE, encode.template, changed)
    _write(db, sql.INSERT_TEMPLATE_TEXT, encode.template_text, texts)


def _write_records(db: sqlite3.Connection, batch: Batch) -> None:
    """Write profiles before the steps and documents that refer to them."""
    _write(db, sql.INSERT_PROFILE, encode.profile, batch.profiles.inserted)
    _update(db, sql.UPDATE_PROFILE, encode.profile, batch.profiles.updated)
    _write(db, sql.INSERT_STEP, encode.step, batch.steps.inserted, encode.owner)
    _update(db, sql.UPDATE_STEP, encode.step, batch.steps.updated)
    _write(db, sql.INSERT_DOCUMENT, encode.document, batch.documents.inserted, encode.owner)
    _update(db, sql.UPDATE_DOCUMENT, encode.document, batch.documents.updated)
    _run(db, sql.INSERT_FILE_KEY, [encode.file_key(key) for key in batch.file_keys])


def _write_feed(db: sqlite3.Connection, batch: Batch, head: chain.Head) -> chain.Head:
    """Append what tells of the changes. A kind that could not be read back is refused here, not found out later."""
    for kind, record in {(event.kind, type(event.record)) for event in batch.events}:
        if kind.partition(".")[0] != encode.FEED_NOUNS[record]:
            raise ValueError(f"No {record.__name__} for events of kind {kind!r}")
    audit = list(sealed([encode.audit(row) for row in batch.audit]))
    _append_audit(db, audit)
    db.executemany(sql.INSERT_EVENTS, sealed(encode.events(batch.events)))
    _write(db, sql.INSERT_IDEMPOTENCY, encode.idempotency, batch.idempotency)
    _write(db, sql.INSERT_REVOCATION, encode.revocation, batch.revocations)
    _write_users(db, batch)
    _write_desk(db, batch)
    if batch.wallets is not None:
        _write_wallets(db, batch.wallets)
    return chain.extend(db, head, audit)


def _append_audit(db: sqlite3.Connection, rows: list[encode.Row]) -> None:
    """Append rows of the audit, in whole groups as far as they go."""
    grouped = len(rows) - len(rows) % sql.AUDIT_GROUP
    for first in range(0, grouped, sql.AUDIT_GROUP):
        group = rows[first : first + sql.AUDIT_GROUP]
        db.execute(sql.INSERT_AUDIT_GROUP, tuple(joined.from_iterable(group)))
    db.executemany(sql.INSERT_AUDIT, rows[grouped:])


def _write_users(db: sqlite3.Connection, batch: Batch) -> None:
    _write(db, sql.REPLACE_USER, encode.user, batch.users)
    _write(db, sql.REPLACE_LOGIN, encode.login, batch.logins)
    _run(db, sql.DELETE_LOGIN, [(login_id,) for login_id in batch.ended_logins])


def _write_desk(db: sqlite3.Connection, batch: Batch) -> None:
    _write(db, sql.INSERT_NOTE, encode.note, batch.notes)
    _update(db, sql.UPDATE_NOTE, encode.note, batch.sealed_notes)
    _run(db, sql.DELETE_NOTES, [(kyc_id,) for kyc_id in batch.noteless])
    _write(db, sql.REPLACE_CLAIM, encode.claim, batch.claims)
    _run(db, sql.DELETE_CLAIM, [(kyc_id,) for kyc_id in batch.released])
    _write(db, sql.REPLACE_FILTER, encode.saved_filter, batch.filters)
    _run(db, sql.DELETE_FILTER, batch.removed_filters)


def _write_wallets(db: sqlite3.Connection, change: WalletChange) -> None:
    """Write what is removed first: an account may be known anew under another id."""
    _run(db, sql.DELETE_IDENTITY, [(identity_id,) for identity_id in change.removed_identities])
    _run(db, sql.DELETE_CALLBACK, [(identity_id,) for identity_id in change.removed_callbacks])
    _run(db, sql.DELETE_CHALLENGE, [(digest,) for digest in change.forgotten_challenges])
    _run(db, sql.DELETE_VERIFICATION, change.removed_verifications)
    _write(db, sql.REPLACE_IDENTITY, encode.identity, change.identities)
    _write(db, sql.REPLACE_CALLBACK, encode.callback, change.callbacks)
    _write(db, sql.REPLACE_CHALLENGE, encode.challenge, change.challenges)
    _write(db, sql.REPLACE_VERIFICATION, encode.verification, change.verifications)


def replace_chunks(db: sqlite3.Connection, chunks: Sequence[Sequence[Event]]) -> int:
    """Write rows of the feed anew, each the events of one row; return how many. Raises as `commit` does."""
    try:
        db.execute("BEGIN IMMEDIATE")
        rows = sealed([row for chunk in chunks for row in encode.events(chunk)])
        db.executemany(sql.UPDATE_EVENTS, [(events, found, last) for last, _, events, found in rows])
        db.execute("COMMIT")
    except Exception as error:
        raise write_fault(db, error) from error
    return len(chunks)


def _write_counters(db: sqlite3.Connection, batch: Batch, counters: dict[str, int]) -> None:
    """Write the counters that moved and do not follow from the last row of a table that only grows."""
    told = {
        "audit": batch.audit[-1].id + 1 if batch.audit else 0,
        "event": batch.events[-1].seq + 1 if batch.events else 0,
    }
    for name, value in batch.counters.items():
        if counters.get(name) == value or told.get(name) == value:
            continue
        if db.execute(sql.UPDATE_COUNTER, (value, name)).rowcount != 1:
            raise LookupError(f"No counter {name!r}")


def _run(db: sqlite3.Connection, statement: str, rows: Sequence[encode.Row]) -> None:
    """Run the statement over the rows; where there are none, which is nearly always, it costs nothing."""
    if rows:
        db.executemany(statement, rows)


def _write(
    db: sqlite3.Connection,
    statement: str,
    row: Callable[[Any], encode.Row],
    records: Sequence[Any],
    more: Callable[[Any], encode.Row] | None = None,
) -> int:
    """Run the statement over all records, each with its sum and `more` after it; return how many rows it changed."""
    if not records:
        return 0
    rows = sealed(list(map(row, records)))
    return db.executemany(statement, map(add, rows, map(more, records)) if more else rows).rowcount


def _update(db: sqlite3.Connection, statement: str, row: Callable[[Any], encode.Row], records: Sequence[Any]) -> None:
    """Change rows that must be there: a missing one means that the cache and the base have parted."""
    if _write(db, statement, row, records) != len(records):
        raise LookupError("A row to be changed is not in the base")
