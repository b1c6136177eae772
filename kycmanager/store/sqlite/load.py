"""Reading all the records at start, in chunks so that the progress can be told and other work goes on."""

import sqlite3
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, TypeVar

import aiosqlite

from kycmanager.ports import Snapshot
from kycmanager.store.sqlite import decode, schema
from kycmanager.store.sqlite.thread import run

R = TypeVar("R")

CHUNK_RECORDS = 20_000

_TEMPLATES = """
SELECT id, brand, level, code, name, description, step_type, required, status, sort_index, created_time, updated_time,
    version, requirements, form_schema
FROM template
ORDER BY id
"""
_TEMPLATE_TEXTS = """
SELECT template_id, version, requirements, form_schema FROM template_text ORDER BY template_id, version
"""
_PROFILES = """
SELECT id, customer_id, brand, status, current_level, required_level, risk_level, created_time, updated_time, version
FROM profile
ORDER BY id
"""
_STEPS = """
SELECT id, kyc_id, template_id, template_version, level, code, name, step_type, required, explicit, status,
    submitted_time, created_time, updated_time, reviewed_time, reviewed_by, reason, comment, expire_time, version,
    answers
FROM step
ORDER BY id
"""
_DOCUMENTS = """
SELECT id, kyc_id, step_id, type, status, file_id, file_name, content_type, file_size, checksum, created_time,
    updated_time, reviewed_time, reviewed_by, reason, comment, expire_time, version
FROM document
ORDER BY id
"""
_IDEMPOTENCY = "SELECT scope, digest, record_id, record_version, time FROM idempotency ORDER BY id"
_REVOCATIONS = "SELECT jti, session, sub, not_before, expires FROM revocation ORDER BY id"


async def load(connection: aiosqlite.Connection, progress: Callable[[str, int, int], None]) -> Snapshot:
    """Read the snapshot; `progress(table, done, total)` is called on the event loop, its last call with done = total.

    Raises sqlite3.Error, LookupError or msgspec errors when the base holds what it never should.
    """
    counters = await run(connection, schema.counters)

    async def table(name: str, statement: str, records: Callable[[decode.Rows], Iterator[R]]) -> list[R]:
        source = await run(connection, _start, statement, records)
        loaded: list[R] = []
        while chunk := await run(connection, _take, source):
            loaded += chunk
            progress(name, len(loaded), max(len(loaded), counters.get(name, 1) - 1))
        progress(name, len(loaded), len(loaded))
        return loaded

    decoder = decode.Decoder()
    return Snapshot(
        templates=await table("template", _TEMPLATES, decode.templates),
        template_texts=await table("template_text", _TEMPLATE_TEXTS, decode.template_texts),
        profiles=await table("profile", _PROFILES, decoder.profiles),
        steps=await table("step", _STEPS, decoder.steps),
        documents=await table("document", _DOCUMENTS, decoder.documents),
        idempotency=await table("idempotency", _IDEMPOTENCY, decode.idempotency),
        revocations=await table("revocation", _REVOCATIONS, decode.revocations),
        counters=counters,
    )


def _start(db: sqlite3.Connection, statement: str, records: Callable[[decode.Rows], Iterator[R]]) -> Iterator[R]:
    return records(db.execute(statement))


def _take(_db: sqlite3.Connection, source: Iterator[Any]) -> list[Any]:
    return list(islice(source, CHUNK_RECORDS))
