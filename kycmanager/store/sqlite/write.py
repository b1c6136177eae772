"""One batch as one transaction: a statement per table, run over all the batch's rows of it."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from kycmanager.ports import Batch
from kycmanager.store.sqlite import encode
from kycmanager.store.sqlite.decode import RECORDS
from kycmanager.store.sqlite.faults import write_fault

# Ids, owners, brands and times of creation never change, nor what a step or a profile was made from.

_INSERT_TEMPLATE = """
INSERT INTO template (
    id, brand, level, code, name, description, step_type, required, status, sort_index, created_time, updated_time,
    version, requirements, form_schema
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_UPDATE_TEMPLATE = """
UPDATE template
SET level = ?, code = ?, name = ?, description = ?, step_type = ?, required = ?, status = ?, sort_index = ?,
    updated_time = ?, version = ?, requirements = ?, form_schema = ?
WHERE id = ?
"""
_DELETE_TEMPLATE = "DELETE FROM template WHERE id = ?"
_DELETE_TEMPLATE_TEXT = "DELETE FROM template_text WHERE template_id = ?"
_INSERT_TEMPLATE_TEXT = """
INSERT INTO template_text (template_id, version, requirements, form_schema) VALUES (?, ?, ?, ?)
"""
_INSERT_PROFILE = """
INSERT INTO profile (
    id, customer_id, brand, status, current_level, required_level, risk_level, created_time, updated_time, version
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_UPDATE_PROFILE = """
UPDATE profile
SET status = ?, current_level = ?, required_level = ?, risk_level = ?, updated_time = ?, version = ?
WHERE id = ?
"""
_INSERT_STEP = """
INSERT INTO step (
    id, customer_id, kyc_id, brand, template_id, template_version, level, code, name, step_type, required, explicit,
    status, submitted_time, created_time, updated_time, reviewed_time, reviewed_by, reason, comment, expire_time,
    version, answers
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_UPDATE_STEP = """
UPDATE step
SET level = ?, required = ?, explicit = ?, status = ?, submitted_time = ?, updated_time = ?, reviewed_time = ?,
    reviewed_by = ?, reason = ?, comment = ?, expire_time = ?, version = ?, answers = ?
WHERE id = ?
"""
_INSERT_DOCUMENT = """
INSERT INTO document (
    id, customer_id, kyc_id, step_id, brand, type, status, file_id, file_name, content_type, file_size, checksum,
    created_time, updated_time, reviewed_time, reviewed_by, reason, comment, expire_time, version
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_UPDATE_DOCUMENT = """
UPDATE document
SET step_id = ?, type = ?, status = ?, file_id = ?, file_name = ?, content_type = ?, file_size = ?, checksum = ?,
    updated_time = ?, reviewed_time = ?, reviewed_by = ?, reason = ?, comment = ?, expire_time = ?, version = ?
WHERE id = ?
"""
_INSERT_AUDIT = """
INSERT INTO audit (
    id, time, brand, customer_id, kyc_id, step_id, document_id, template_id, action, actor_id, actor_session, source,
    reason, comment, old_status, new_status, details
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_INSERT_EVENT = """
INSERT INTO event (seq, time, brand, customer_id, kyc_id, kind, record) VALUES (?, ?, ?, ?, ?, ?, ?)
"""
_INSERT_IDEMPOTENCY = """
INSERT INTO idempotency (scope, digest, record_id, record_version, time) VALUES (?, ?, ?, ?, ?)
"""
_INSERT_REVOCATION = """
INSERT INTO revocation (jti, session, sub, not_before, expires) VALUES (?, ?, ?, ?, ?)
"""
_UPDATE_COUNTER = "UPDATE counter SET value = ? WHERE name = ?"


def commit(db: sqlite3.Connection, batch: Batch, counters: dict[str, int]) -> int:
    """Write the batch durably and return the rows written; `counters` is what the base holds and follows a commit.

    Raises DataFault, StoreFull or OutcomeUnknown.
    """
    before = db.total_changes
    try:
        db.execute("BEGIN IMMEDIATE")
        _write_templates(db, batch)
        _write_records(db, batch)
        _write_feed(db, batch)
        advanced = [(value, name) for name, value in batch.counters.items() if counters.get(name) != value]
        _update(db, _UPDATE_COUNTER, tuple, advanced)
        db.execute("COMMIT")
    except Exception as error:
        raise write_fault(db, error) from error
    counters.update(batch.counters)
    return db.total_changes - before


def _write_templates(db: sqlite3.Connection, batch: Batch) -> None:
    """Write templates and their texts; removals come first, since a new template may take a removed one's code."""
    new, changed, texts = batch.templates.inserted, batch.templates.updated, batch.template_texts
    if batch.removed_templates:
        gone = frozenset(batch.removed_templates)
        new = [template for template in new if template.id not in gone]
        changed = [template for template in changed if template.id not in gone]
        texts = [text for text in texts if text.template_id not in gone]
        keys = [(template_id,) for template_id in gone]
        db.executemany(_DELETE_TEMPLATE_TEXT, keys)
        db.executemany(_DELETE_TEMPLATE, keys)
    _insert(db, _INSERT_TEMPLATE, encode.template, new)
    _update(db, _UPDATE_TEMPLATE, encode.template_changed, changed)
    _insert(db, _INSERT_TEMPLATE_TEXT, encode.template_text, texts)


def _write_records(db: sqlite3.Connection, batch: Batch) -> None:
    """Write profiles before the steps and documents that refer to them."""
    _insert(db, _INSERT_PROFILE, encode.profile, batch.profiles.inserted)
    _update(db, _UPDATE_PROFILE, encode.profile_changed, batch.profiles.updated)
    _insert(db, _INSERT_STEP, encode.step, batch.steps.inserted)
    _update(db, _UPDATE_STEP, encode.step_changed, batch.steps.updated)
    _insert(db, _INSERT_DOCUMENT, encode.document, batch.documents.inserted)
    _update(db, _UPDATE_DOCUMENT, encode.document_changed, batch.documents.updated)


def _write_feed(db: sqlite3.Connection, batch: Batch) -> None:
    """Append what tells of the changes. A kind that could not be read back is refused here, not found out later."""
    for kind in {event.kind for event in batch.events}:
        if kind.partition(".")[0] not in RECORDS:
            raise ValueError(f"No record for events of kind {kind!r}")
    _insert(db, _INSERT_AUDIT, encode.audit, batch.audit)
    _insert(db, _INSERT_EVENT, encode.event, batch.events)
    _insert(db, _INSERT_IDEMPOTENCY, encode.idempotency, batch.idempotency)
    _insert(db, _INSERT_REVOCATION, encode.revocation, batch.revocations)


def _insert(db: sqlite3.Connection, statement: str, row: Callable[[Any], encode.Row], records: Iterable[Any]) -> None:
    if records:
        db.executemany(statement, map(row, records))


def _update(db: sqlite3.Connection, statement: str, row: Callable[[Any], encode.Row], records: Sequence[Any]) -> None:
    """Change rows that must be there: a missing one means that the cache and the base have parted."""
    if records and db.executemany(statement, map(row, records)).rowcount != len(records):
        raise LookupError("A row to be changed is not in the base")
