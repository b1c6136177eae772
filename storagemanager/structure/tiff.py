"""TIFF: directories without cycles, and every strip and tile inside the file."""

import struct
from dataclasses import dataclass

from storagemanager.structure.source import Source, refuse

DIRECTORIES_MAX = 1_000
STRIPS_MAX = 100_000
_ORDERS = {b"II*\x00": "<", b"MM\x00*": ">"}
_BYTES_OF_TYPE = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_SHORT, _LONG = 3, 4
_WIDTH, _HEIGHT = 256, 257
_DATA = ((273, 279), (324, 325), (513, 514))
"""Tags of offsets and byte counts: strips, tiles, an embedded JPEG."""


@dataclass(slots=True, frozen=True)
class _Entry:
    kind: int
    count: int
    at: int


def walk(source: Source) -> int:
    """Return where the last part that a directory names ends."""
    order = _ORDERS.get(source.read(0, 4))
    if order is None:
        refuse("the TIFF signature is missing")
    end = 8
    offset = int(source.unpack(f"{order}I", 4)[0])
    seen: set[int] = set()
    has_data = False
    while offset:
        if offset in seen or len(seen) >= DIRECTORIES_MAX:
            refuse("the TIFF has a circle of directories, or too many")
        seen.add(offset)
        entries, next_at, values_end = _directory(source, order, offset)
        if len(seen) == 1 and not (_WIDTH in entries and _HEIGHT in entries):
            refuse("the TIFF has no size")
        data_end = _data_end(source, order, entries)
        has_data = has_data or data_end > 0
        end = max(end, next_at + 4, values_end, data_end)
        offset = int(source.unpack(f"{order}I", next_at)[0])
    if not has_data:
        refuse("the TIFF has no image data")
    return end


def _directory(source: Source, order: str, offset: int) -> tuple[dict[int, _Entry], int, int]:
    """Return a directory's entries by tag, where the link to the next one stands, and where its values end."""
    count = int(source.unpack(f"{order}H", offset)[0])
    entries: dict[int, _Entry] = {}
    end = 0
    for number in range(count):
        at = offset + 2 + 12 * number
        tag, kind, values = source.unpack(f"{order}HHI", at)
        length = _BYTES_OF_TYPE.get(kind, 0) * values
        value_at = at + 8
        if length > 4:  # noqa: PLR2004 - larger values stand elsewhere
            value_at = int(source.unpack(f"{order}I", at + 8)[0])
            if value_at + length > source.size:
                refuse("the TIFF is cut off")
            end = max(end, value_at + length)
        entries[tag] = _Entry(kind, values, value_at)
    return entries, offset + 2 + 12 * count, end


def _data_end(source: Source, order: str, entries: dict[int, _Entry]) -> int:
    end = 0
    for offsets_tag, counts_tag in _DATA:
        if offsets_tag not in entries or counts_tag not in entries:
            continue
        offsets = _values(source, order, entries[offsets_tag])
        counts = _values(source, order, entries[counts_tag])
        if len(offsets) != len(counts):
            refuse("the TIFF's image data has no lengths")
        data_end = max((offset + count for offset, count in zip(offsets, counts, strict=True)), default=0)
        if data_end > source.size:
            refuse("the TIFF is cut off")
        end = max(end, data_end)
    return end


def _values(source: Source, order: str, entry: _Entry) -> tuple[int, ...]:
    if entry.kind not in (_SHORT, _LONG) or entry.count > STRIPS_MAX:
        refuse("the TIFF's image data is not listed as numbers, or in too many parts")
    letter, width = ("H", 2) if entry.kind == _SHORT else ("I", 4)
    return struct.unpack(f"{order}{entry.count}{letter}", source.read(entry.at, entry.count * width))
