"""TIFF: directories without cycles, and every strip and tile inside the file."""

import struct
from dataclasses import dataclass

from storagemanager.structure.source import Source, refuse

DIRECTORIES_MAX = 1_000
STRIPS_MAX = 100_000
ENTRIES_MAX = 65_535
_BYTES_OF_TYPE = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_NUMBERS = {3: "H", 4: "I", 16: "Q"}
_WIDTH, _HEIGHT = 256, 257
_DATA = ((273, 279), (324, 325), (513, 514))
"""Tags of offsets and byte counts: strips, tiles, an embedded JPEG."""


@dataclass(slots=True, frozen=True)
class _Layout:
    """The two sizes of a TIFF: with offsets of four bytes, and of eight (BigTIFF)."""

    order: str
    offset: str
    first_at: int
    count: str

    @property
    def link(self) -> str:
        """The layout of one offset."""
        return self.order + self.offset

    @property
    def entry(self) -> str:
        """The layout of tag, type and count of one entry; its value or an offset follows."""
        return f"{self.order}HH{self.offset}"


_LAYOUTS = {
    b"II*\x00": _Layout("<", "I", 4, "H"),
    b"MM\x00*": _Layout(">", "I", 4, "H"),
    b"II+\x00": _Layout("<", "Q", 8, "Q"),
    b"MM\x00+": _Layout(">", "Q", 8, "Q"),
}


@dataclass(slots=True, frozen=True)
class _Entry:
    kind: int
    count: int
    at: int


def walk(source: Source) -> int:
    """Return where the last part that a directory names ends."""
    layout = _LAYOUTS.get(source.read(0, 4))
    if layout is None:
        refuse("the TIFF signature is missing")
    width = struct.calcsize(layout.link)
    end = layout.first_at + width
    offset = int(source.unpack(layout.link, layout.first_at)[0])
    seen: set[int] = set()
    has_data = False
    while offset:
        if offset in seen or len(seen) >= DIRECTORIES_MAX:
            refuse("the TIFF has a circle of directories, or too many")
        seen.add(offset)
        entries, next_at, values_end = _directory(source, layout, offset)
        if len(seen) == 1 and not (_WIDTH in entries and _HEIGHT in entries):
            refuse("the TIFF has no size")
        data_end = _data_end(source, layout.order, entries)
        has_data = has_data or data_end > 0
        end = max(end, next_at + width, values_end, data_end)
        offset = int(source.unpack(layout.link, next_at)[0])
    if not has_data:
        refuse("the TIFF has no image data")
    return end


def _directory(source: Source, layout: _Layout, offset: int) -> tuple[dict[int, _Entry], int, int]:
    """Return a directory's entries by tag, where the link to the next one stands, and where its values end."""
    count = int(source.unpack(layout.order + layout.count, offset)[0])
    if count > ENTRIES_MAX:
        refuse(f"a directory of the TIFF has more than {ENTRIES_MAX} entries")
    first = offset + struct.calcsize(layout.order + layout.count)
    head, width = struct.calcsize(layout.entry), struct.calcsize(layout.link)
    entries: dict[int, _Entry] = {}
    end = 0
    for number in range(count):
        at = first + (head + width) * number
        tag, kind, values = source.unpack(layout.entry, at)
        length = _BYTES_OF_TYPE.get(kind, 0) * values
        value_at = at + head
        if length > width:  # larger values stand elsewhere
            value_at = int(source.unpack(layout.link, value_at)[0])
            if value_at + length > source.size:
                refuse("the TIFF is cut off")
            end = max(end, value_at + length)
        entries[tag] = _Entry(kind, values, value_at)
    return entries, first + (head + width) * count, end


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
    letter = _NUMBERS.get(entry.kind)
    if letter is None or entry.count > STRIPS_MAX:
        refuse("the TIFF's image data is not listed as numbers, or in too many parts")
    layout = f"{order}{entry.count}{letter}"
    return struct.unpack(layout, source.read(entry.at, struct.calcsize(layout)))
