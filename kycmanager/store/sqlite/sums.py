"""The checksum each row carries, so that a flipped bit is noticed and named: SQLite's own check sees few of them."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from operator import add, itemgetter
from struct import Struct
from typing import Any
from zlib import crc32

import msgspec

from kycmanager.store.sqlite.faults import RowDamaged

_START = crc32(b"\xff\xff\xff\xff", 0xFFFFFFFF)
"""The one CRC-32 that is itself again after it has gone on over any bytes and over the CRC of those bytes."""

_FIXARRAY_MAX, _ARRAY16_MAX = 15, 65_535

_encode = msgspec.msgpack.Encoder().encode
_without_sum = itemgetter(slice(-4))
_as_bytes = Struct("<I").pack

# The sum is the CRC-32, begun at _START, of the row as msgpack up to the four bytes of the sum itself, its last column.
# So rows that follow each other are whole if one CRC over them all ends where it began: thousands are checked at the
# cost of a few lines of Python, and looked at one by one only where it does not. Sealing is a chain of C calls for the
# same reason.


def sealed(rows: Sequence[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Return the rows, each with its sum as one more column.

    The sum is a bytearray because sqlite3 binds one as it is: for bytes it first looks for an adapter, which costs as
    much as binding four numbers, for every row.
    """
    encoded = map(_encode, map(add, rows, repeat((b"\0\0\0\0",))))
    sums = map(crc32, map(_without_sum, encoded), repeat(_START))
    return map(add, rows, zip(map(bytearray, map(_as_bytes, sums))))


def damaged(rows: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
    """Return those of these rows, the sum their last column, that are not as they were written."""
    return [] if _whole(rows) else [row for row in rows if not _whole([row])]


def checked(rows: Iterable[tuple[Any, ...]], table: str) -> Iterable[tuple[Any, ...]]:
    """Return the rows, the sum their last column; raises RowDamaged where one of them is not whole."""
    held = list(rows)
    if bad := damaged(held):
        raise RowDamaged(table, bad[0][0])
    return held


def _whole(rows: Sequence[Sequence[Any]]) -> bool:
    count = len(rows)
    head = 1 if count <= _FIXARRAY_MAX else 3 if count <= _ARRAY16_MAX else 5  # bytes of the array around the rows
    return crc32(memoryview(_encode(rows))[head:], _START) == _START
