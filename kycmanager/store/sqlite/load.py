"""Reading all the records at start, in chunks so that the progress can be told and other work goes on."""

import sqlite3
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, TypeVar

import aiosqlite

from kycmanager.ports import Snapshot
from kycmanager.store.sqlite import decode, schema, sums
from kycmanager.store.sqlite.columns import ORDER, SELECT
from kycmanager.store.sqlite.thread import run

R = TypeVar("R")

CHUNK_RECORDS = 20_000


async def load(connection: aiosqlite.Connection, progress: Callable[[str, int, int], None]) -> Snapshot:
    """Read the snapshot; `progress(table, done, total)` is called on the event loop, its last call with done = total.

    Raises RowDamaged, sqlite3.Error, LookupError or msgspec errors when the base holds what it never should.
    """
    counters = await run(connection, schema.counters)

    async def table(name: str, records: Callable[[decode.Rows], Iterator[R]]) -> list[R]:
        source = await run(connection, _start, name, records)
        loaded: list[R] = []
        while chunk := await run(connection, _take, source):
            loaded += chunk
            progress(name, len(loaded), max(len(loaded), counters.get(name, 1) - 1))
        progress(name, len(loaded), len(loaded))
        return loaded

    decoder = decode.Decoder()
    return Snapshot(
        templates=await table("template", decode.templates),
        template_texts=await table("template_text", decode.template_texts),
        profiles=await table("profile", decoder.profiles),
        steps=await table("step", decoder.steps),
        documents=await table("document", decoder.documents),
        idempotency=await table("idempotency", decode.idempotency),
        revocations=await table("revocation", decode.revocations),
        users=await table("user", decode.users),
        logins=await table("login", decode.logins),
        counters=counters,
    )


def _start(db: sqlite3.Connection, table: str, records: Callable[[decode.Rows], Iterator[R]]) -> Iterator[R]:
    return records(sums.walked(db.execute(f"{SELECT[table]} ORDER BY {ORDER.get(table, 'id')}"), table))


def _take(_db: sqlite3.Connection, source: Iterator[Any]) -> list[Any]:
    return list(islice(source, CHUNK_RECORDS))
