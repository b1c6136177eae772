"""Office documents made in code: compound files with any streams, ZIP documents with any parts."""

import io
import struct
import zipfile

SECTOR = 512
FREE, LAST, TABLE, NONE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF
STREAM, STORAGE, ROOT = 2, 1, 5
STREAM_BYTES = 8 * SECTOR
"""Every stream is filled up to the least size that lies in sectors of its own."""


def compound(streams: dict[str, bytes], storages: tuple[str, ...] = ()) -> bytes:
    """A compound file with these streams, and with empty storages, all in its root."""
    names = [*streams, *storages]
    bodies = [content.ljust(STREAM_BYTES, b"\0") for content in streams.values()]
    sectors = [-(-len(body) // SECTOR) for body in bodies]
    directory_sectors = -(-(len(names) + 1) // 4)
    table = [TABLE, *range(2, directory_sectors + 1), LAST]
    starts = []
    for count in sectors:
        starts.append(len(table))
        table += [*range(len(table) + 1, len(table) + count), LAST]
    table += [FREE] * (128 - len(table))
    header = bytes.fromhex("D0CF11E0A1B11AE1") + b"\0" * 16 + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + b"\0" * 6
    header += struct.pack("<IIIIIIII", 0, 1, 1, 0, 4096, LAST, 0, LAST) + struct.pack("<I", 0)
    header += struct.pack("<109I", 0, *[FREE] * 108)
    directory = _entry("Root Entry", ROOT, child=1 if names else NONE)
    for number, name in enumerate(names, 1):
        following = number + 1 if number < len(names) else NONE
        if name in streams:
            start, size = starts[number - 1], len(bodies[number - 1])
            directory += _entry(name, STREAM, following=following, start=start, size=size)
        else:
            directory += _entry(name, STORAGE, following=following)
    directory += b"\0" * (directory_sectors * SECTOR - len(directory))
    return header + struct.pack("<128I", *table) + directory + b"".join(
        body.ljust(count * SECTOR, b"\0") for body, count in zip(bodies, sectors, strict=True)
    )  # fmt: skip


def _entry(name: str, kind: int, *, child: int = NONE, following: int = NONE, start: int = 0, size: int = 0) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0"
    return text.ljust(64, b"\0") + struct.pack(
        "<HBBIII16x4x16xIQ", len(text), kind, 1, NONE, following, child, start, size
    )


def record(kind: int, data: bytes) -> bytes:
    """A record of a workbook."""
    return struct.pack("<HH", kind, len(data)) + data


def workbook(*records: bytes) -> bytes:
    return record(0x0809, b"\0\6\5\0" + b"\0" * 12) + b"".join(records) + record(0x000A, b"")


def office(folder: str, parts: dict[str, bytes] | None = None) -> bytes:
    """A docx (`word`) or xlsx (`xl`) with more parts."""
    buffer = io.BytesIO()
    main = {"word": "word/document.xml", "xl": "xl/workbook.xml"}[folder]
    known = {"[Content_Types].xml": b"<Types/>", "_rels/.rels": b"<Relationships/>", main: b"<a/>"}
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (known | (parts or {})).items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def relation(kind: str, mode: str = "External") -> bytes:
    return (
        f'<Relationships><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships'
        f'/{kind}" Target="http://evil.example/a" TargetMode="{mode}"/></Relationships>'
    ).encode()
