"""Reading all the records at start, in chunks so that the progress can be told and other work goes on."""

import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, islice
from operator import add, itemgetter
from typing import Any, TypeVar

import aiosqlite
import msgspec

from kycmanager.batches import Snapshot
from kycmanager.store.sqlite import decode, lookup, outbound, schema, sums
from kycmanager.store.sqlite.columns import LOADED, ORDER, PACKED, SELECT
from kycmanager.store.sqlite.thread import run
from kycmanager.wallet_ports import WalletState

R = TypeVar("R")
Row = tuple[Any, ...]

CHUNK_RECORDS = 20_000
CHECKED_ROWS = 256
"""Rows fetched and checked in one go: enough to make it cheap, few enough to stay in the processor's cache."""

# A value fetched costs two or three calls into SQLite, each with a lock around it, and a row has twenty values. So of
# the big tables a row's plain values are asked for as one JSON text, written by SQLite and read by msgspec: it takes
# two thirds of the time.

_values = msgspec.json.Decoder(tuple[Any, ...]).decode
_packed, _apart = itemgetter(0), itemgetter(slice(1, None))


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
        claims=await table("claim", decode.claims),
        notes=await table("note", decoder.notes),
        filters=await table("queue_filter", decode.filters),
        wallets=WalletState(
            identities=await table("identity", decode.identities),
            callbacks=await table("callback", decode.callbacks),
            challenges=await table("challenge", decode.challenges),
            verifications=await table("verification", decode.verifications),
        ),
        deliveries=await table("outbound", outbound.read),
        cursors=await table("outbound_cursor", outbound.read_cursors),
        marks=await table("outbound_mark", outbound.read_marks),
        lookups=await table("lookup", lookup.read),
        lookup_mark=next(iter(await table("lookup_mark", lookup.read_marks)), None),
        counters=counters,
    )


def _start(db: sqlite3.Connection, table: str, records: Callable[[decode.Rows], Iterator[R]]) -> Iterator[R]:
    chunks = _packed_chunks(db, table) if table in PACKED else _chunks(db, table)
    return records(chain.from_iterable(map(partial(sums.checked, table=table), chunks)))


def _chunks(db: sqlite3.Connection, table: str) -> Iterator[list[Row]]:
    cursor = db.execute(f"{SELECT[table]} {LOADED.get(table, '')} ORDER BY {ORDER.get(table, 'id')}")
    return iter(lambda: cursor.fetchmany(CHECKED_ROWS), [])


def _packed_chunks(db: sqlite3.Connection, table: str) -> Iterator[list[Row]]:
    """Yield the rows of a table by id; from a chunk on that JSON cannot hold, column by column."""
    last = 0
    try:
        cursor = db.execute(f"{PACKED[table]} ORDER BY id")
        while found := cursor.fetchmany(CHECKED_ROWS):
            rows = list(map(add, map(_values, map(_packed, found)), map(_apart, found)))
            yield rows
            last = rows[-1][0]
    except (sqlite3.OperationalError, msgspec.DecodeError, UnicodeError):
        # Something is damaged; so it is told which row it is.
        yield from filter(None, ([row for row in rows if row[0] > last] for rows in _chunks(db, table)))


def _take(_db: sqlite3.Connection, source: Iterator[Any]) -> list[Any]:
    return list(islice(source, CHUNK_RECORDS))
