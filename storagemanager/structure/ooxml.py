"""docx and xlsx: a whole ZIP with a content list and the parts of its kind, and nothing before or behind it."""

from storagemanager.structure.source import Source, refuse

ENTRIES_MAX = 10_000
_LOCAL, _CENTRAL, _END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_END_BYTES, _CENTRAL_BYTES = 22, 46
_COMMENT_BYTES_MAX = 65_535
_NAME_BYTES_MAX = 1024


def walk_docx(source: Source) -> int:
    """Return the file's size if it is a Word document."""
    return _walk(source, b"word/")


def walk_xlsx(source: Source) -> int:
    """Return the file's size if it is an Excel workbook."""
    return _walk(source, b"xl/")


def _walk(source: Source, folder: bytes) -> int:
    if source.read(0, 4) != _LOCAL:
        refuse("the document does not begin as a ZIP archive")
    at, end, count = _directory(source)
    names: set[bytes] = set()
    for _ in range(count):
        name, at = _entry(source, at)
        if name in names:
            refuse("the document has a part twice")
        names.add(name)
    if at != end:
        refuse("the document's list of parts has the wrong size")
    if b"[Content_Types].xml" not in names or not any(name.startswith(folder) for name in names):
        refuse(f"the ZIP archive is no document: it has no {folder.decode()} parts")
    return source.size


def _directory(source: Source) -> tuple[int, int, int]:
    """Return start, end and entries of the list of parts, which must reach to the end record."""
    end = source.rfind(_END, max(0, source.size - _END_BYTES - _COMMENT_BYTES_MAX))
    if end < 0:
        refuse("the document is cut off: its list of parts is missing")
    disk, first_disk, here, count, length, start, comment = source.unpack("<HHHHIIH", end + 4)
    if end + _END_BYTES + comment != source.size:
        refuse("something follows the end of the document")
    if disk or first_disk or here != count or start + length != end:
        refuse("the document's list of parts is not where it must be")
    if not 0 < count <= ENTRIES_MAX:
        refuse(f"the document has no parts, or more than {ENTRIES_MAX}")
    return int(start), int(end), int(count)


def _entry(source: Source, at: int) -> tuple[bytes, int]:
    """Return an entry's name and where the entry ends."""
    if source.read(at, 4) != _CENTRAL:
        refuse("the document's list of parts is damaged")
    name_bytes, extra_bytes, comment_bytes = source.unpack("<HHH", at + 28)
    if not 0 < name_bytes <= _NAME_BYTES_MAX:
        refuse("the document has a part without a name, or with an endless one")
    name = source.read(at + _CENTRAL_BYTES, name_bytes)
    if name.startswith(b"/") or b".." in name.split(b"/") or b"\\" in name:
        refuse("the document has a part outside itself")
    return name, at + _CENTRAL_BYTES + name_bytes + extra_bytes + comment_bytes
