"""A file's metadata as a row, with a checksum of its own: the base's own checks see few flipped bits."""

import hashlib
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import msgspec

from storagemanager.errors import StorageError, StorageErrorCode
from storagemanager.model import FileMeta

COLUMNS = tuple(name for name in FileMeta.__struct_fields__ if name != "data_key")
"""The columns of table `files` between `id` and `row_check`, in the order of the fields; `data_key` has a table."""

_values = attrgetter(*COLUMNS)


def to_row(meta: FileMeta) -> tuple[Any, ...]:
    """Return the values of `COLUMNS` and the row's checksum."""
    values = _values(meta)
    return (*values, check_of(values))


def from_row(row: Sequence[Any]) -> FileMeta:
    """Return the metadata of a row (id, `COLUMNS`, row_check, data key); BROKEN where its checksum does not fit."""
    values = tuple(row[1:-2])
    if check_of(values) != row[-2]:
        raise StorageError(StorageErrorCode.BROKEN, "file", f"the metadata row of {row[1]!r} is damaged")
    return FileMeta(**dict(zip(COLUMNS, values, strict=True)), data_key=row[-1])


def check_of(values: tuple[Any, ...]) -> str:
    """Return the checksum of a row's values, 16 hex digits."""
    return hashlib.blake2b(msgspec.msgpack.encode(values), digest_size=8).hexdigest()
