"""The hash chain over the audit: a link for each batch, made of the link before it and the rows of the batch."""

import hashlib
import sqlite3
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from kycmanager.store.sqlite.columns import SELECT

GENESIS = bytes(32)
"""What the first link follows."""

ADOPTED_ROWS = 1_000
"""Rows in one link where rows get one that had none."""

_INSERT = "INSERT INTO audit_link (id, first_id, last_id, hash) VALUES (?, ?, ?, ?)"
_LAST = "SELECT id, last_id, hash FROM audit_link ORDER BY id DESC LIMIT 1"
_AT = "SELECT last_id, hash FROM audit_link WHERE id = ?"
_ROWS = SELECT["audit"] + "ORDER BY id"

_encode = msgspec.msgpack.Encoder().encode


class Head(Struct, frozen=True):
    """Where the chain ends: its last link, the last audit row in it, and the hash that stands for all before."""

    link: int = 0
    audit_id: int = 0
    hash: bytes = GENESIS


NO_LINK = Head()


def link_hash(before: bytes, rows: Sequence[Sequence[Any]]) -> bytes:
    """Return the SHA-256 of the hash before, and after it the rows with all their columns as one msgpack array."""
    return hashlib.sha256(before + _encode(rows)).digest()


def extend(db: sqlite3.Connection, head: Head, rows: Sequence[Sequence[Any]]) -> Head:
    """Write the link of these rows, which are in the same transaction; return where the chain ends with them."""
    if not rows:
        return head
    fresh = Head(head.link + 1, rows[-1][0], link_hash(head.hash, rows))
    db.execute(_INSERT, (fresh.link, rows[0][0], fresh.audit_id, fresh.hash))
    return fresh


def head(db: sqlite3.Connection) -> Head:
    """Return where the chain of a base ends."""
    found = db.execute(_LAST).fetchone()
    return Head(*found) if found else NO_LINK


def at(db: sqlite3.Connection, link: int) -> Head | None:
    """Return a link of the chain, None where there is none of that number."""
    if not link:
        return NO_LINK
    found = db.execute(_AT, (link,)).fetchone()
    return found and Head(link, *found)


def adopt(db: sqlite3.Connection) -> None:
    """Give all rows of an audit that has no links yet their links; for the migration that brings the chain."""
    end, cursor = NO_LINK, db.execute(_ROWS)
    while rows := cursor.fetchmany(ADOPTED_ROWS):
        end = extend(db, end, rows)
