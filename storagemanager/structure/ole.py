"""doc and xls: a compound file whose sectors lie in the file and which has the stream of its kind."""

import sys
from array import array

from storagemanager.structure.source import RefusedError, Source, refuse

SIGNATURE = bytes.fromhex("D0CF11E0A1B11AE1")
DIRECTORY_SECTORS_MAX = 4_096
TABLE_SECTORS_MAX = 65_536
_HEADER_TABLES = 109
_LITTLE_ENDIAN = 0xFFFE
_FREE, _LAST_SECTOR = 0xFFFFFFFF, 0xFFFFFFFA
_SECTOR_SHIFTS = {3: 9, 4: 12}
_ENTRY_BYTES, _STREAM = 128, 2


def walk_doc(source: Source) -> int:
    """Return where the last used sector ends if it is a Word document."""
    return _walk(source, {"WordDocument"})


def walk_xls(source: Source) -> int:
    """Return where the last used sector ends if it is an Excel workbook."""
    return _walk(source, {"Workbook", "Book"})


def _walk(source: Source, wanted: set[str]) -> int:
    if source.read(0, 8) != SIGNATURE:
        refuse("the signature of a compound file is missing")
    version, order, shift = source.unpack("<HHH", 26)
    if order != _LITTLE_ENDIAN or _SECTOR_SHIFTS.get(version) != shift:
        refuse("the compound file's header is damaged")
    sector_bytes = 1 << shift
    table = _table(source, sector_bytes)
    used = len(table)
    while used and table[used - 1] == _FREE:
        used -= 1
    # The last sector may be short: some writers do not pad it.
    if not used or used * sector_bytes >= source.size:
        refuse("the document is cut off")
    if not wanted & _streams(source, table, sector_bytes):
        refuse(f"the compound file has no stream {' or '.join(sorted(wanted))}")
    return int(min(source.size, (used + 1) * sector_bytes))


def _table(source: Source, sector_bytes: int) -> "array[int]":
    """Return the allocation table: the sector that follows each sector."""
    sectors = _table_sectors(source, sector_bytes)
    if len(sectors) * sector_bytes > source.size:
        refuse("the compound file's allocation table is larger than the file")
    table = array("I")
    for sector in sectors:
        table.frombytes(source.read((sector + 1) * sector_bytes, sector_bytes))
    if sys.byteorder == "big":  # pragma: no cover - the format is little-endian
        table.byteswap()
    return table


def _table_sectors(source: Source, sector_bytes: int) -> list[int]:
    (count,) = source.unpack("<I", 44)
    following, lists = source.unpack("<II", 68)
    if not 0 < count <= TABLE_SECTORS_MAX:
        refuse("the compound file has no allocation table, or an endless one")
    sectors = list(source.unpack(f"<{_HEADER_TABLES}I", 76))
    per_list = sector_bytes // 4 - 1
    for _ in range(lists):
        if len(sectors) >= count or following >= _LAST_SECTOR:
            break
        *more, following = source.unpack(f"<{per_list + 1}I", (following + 1) * sector_bytes)
        sectors += more
    sectors = [sector for sector in sectors[:count] if sector < _LAST_SECTOR]
    if len(sectors) != count:
        refuse("the compound file's allocation table is damaged")
    return sectors


def _streams(source: Source, table: "array[int]", sector_bytes: int) -> set[str]:
    """Return the names of all streams."""
    names: set[str] = set()
    sector = int(source.unpack("<I", 48)[0])
    for _ in range(DIRECTORY_SECTORS_MAX):
        if sector >= len(table):
            return names
        for number in range(sector_bytes // _ENTRY_BYTES):
            entry = source.read((sector + 1) * sector_bytes + number * _ENTRY_BYTES, _ENTRY_BYTES)
            length = int.from_bytes(entry[64:66], "little")
            if entry[66] == _STREAM and 2 <= length <= 64:  # noqa: PLR2004 - one character to the whole field
                names.add(entry[: length - 2].decode("utf-16-le", "replace"))
        sector = table[sector]
    raise RefusedError("the compound file's directory is a circle, or endless")
