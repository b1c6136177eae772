"""Small valid files of every format, built byte by byte."""

import io
import struct
import zipfile
import zlib


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(extra: bytes = b"", rows: int = 1) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, rows, 8, 2, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(b"\0\1\2\3" * rows))
    return b"\x89PNG\r\n\x1a\n" + header + extra + data + chunk(b"IEND", b"")


def png_of(size: int) -> bytes:
    """A valid PNG of exactly `size` bytes, filled with incompressible data in private chunks."""
    import random

    noise = random.Random(size)
    parts, left = [], size - len(png())
    while left:
        length = min(left - 12, 64 * 1024)
        if 0 < left - 12 - length < 12:
            length -= 12
        parts.append(chunk(b"IDAT", noise.randbytes(length)))
        left -= 12 + length
    return png()[:-12] + b"".join(parts) + chunk(b"IEND", b"")


def segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def jpeg(extra: bytes = b"", scan: bytes = b"\x12\xff\x00\x34\xff\xd0\x56") -> bytes:
    return (
        b"\xff\xd8"
        + segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")
        + extra
        + segment(0xC0, b"\x08\0\1\0\1\1\1\x11\0")
        + segment(0xDA, b"\1\1\0\0\x3f\0")
        + scan
        + b"\xff\xd9"
    )


def gif(extra: bytes = b"") -> bytes:
    return (
        b"GIF89a"
        + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0)
        + b"\0\0\0\xff\xff\xff"
        + b"\x21\xf9\x04\0\0\0\0\0"
        + extra
        + b"\x2c"
        + struct.pack("<HHHHB", 0, 0, 1, 1, 0x80)
        + b"\0\0\0\1\1\1"
        + b"\x02\x02\x44\x01\x00"
        + b"\x3b"
    )


def webp(kind: bytes = b"VP8L", data: bytes = b"\x2f\0\0\0\0\x07\x10\x11\x11\x88\x88\x08\x08") -> bytes:
    body = kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) & 1)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def ico(image: bytes | None = None) -> bytes:
    image = struct.pack("<IIIHHIIIIII", 40, 1, 2, 1, 32, 0, 0, 0, 0, 0, 0) + b"\0" * 8 if image is None else image
    return struct.pack("<HHH", 0, 1, 1) + struct.pack("<BBBBHHII", 1, 1, 0, 0, 1, 32, len(image), 22) + image


def tiff(order: str = "<", *, strips: int = 1, next_directory: int = 0) -> bytes:
    """One directory; with several strips their offsets and counts stand outside of the entries."""
    data = b"\x55" * 4 * strips
    head = b"II*\0" if order == "<" else b"MM\0*"
    entries = 5
    table_at = 8 + len(data)
    values_at = table_at + 2 + 12 * entries + 4
    offsets = [8 + 4 * n for n in range(strips)]
    if strips == 1:
        strip, count = struct.pack(f"{order}I", offsets[0]), struct.pack(f"{order}I", 4)
        values = b""
    else:
        strip, count = struct.pack(f"{order}I", values_at), struct.pack(f"{order}I", values_at + 4 * strips)
        values = struct.pack(f"{order}{strips}I", *offsets) + struct.pack(f"{order}{strips}I", *[4] * strips)
    table = struct.pack(f"{order}H", entries)
    for tag, kind, n, value in (
        (256, 3, 1, struct.pack(f"{order}HH", 1, 0)),
        (257, 3, 1, struct.pack(f"{order}HH", 1, 0)),
        (262, 99, 1, b"\1\0\0\0"),
        (273, 4, strips, strip),
        (279, 4, strips, count),
    ):
        table += struct.pack(f"{order}HHI", tag, kind, n) + value
    return head + struct.pack(f"{order}I", table_at) + data + table + struct.pack(f"{order}I", next_directory) + values


def box(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(data), kind) + data


def heic(brand: bytes = b"heic") -> bytes:
    return box(b"ftyp", brand + b"\0\0\0\0mif1heic") + box(b"meta", b"\0" * 32) + box(b"mdat", b"\x42" * 64)


def pdf(extra: bytes = b"") -> bytes:
    return (
        b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\n"
        + extra
        + b"xref\n0 1\n0000000000 65535 f \ntrailer\n<< /Size 1 /Root 1 0 R >>\nstartxref\n50\n%%EOF\n"
    )


def archive(*names: str, comment: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name in names:
            target.writestr(name, f"<part name='{name}'/>")
        target.comment = comment
    return buffer.getvalue()


def docx(*more: str) -> bytes:
    return archive("[Content_Types].xml", "_rels/.rels", "word/document.xml", *more)


def xlsx(*more: str) -> bytes:
    return archive("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml", *more)


FREE, LAST, TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def ole(stream: str = "WordDocument", *, data_sectors: int = 8, lists: bool = False) -> bytes:
    """A compound file of 512-byte sectors: the table, the directory, the stream; `lists` puts the table in a list."""
    table_sectors = -(-(data_sectors + 4) // 128) if not lists else 110
    list_sectors = 1 if lists else 0
    first = table_sectors + list_sectors
    table = [TABLE] * table_sectors + [0xFFFFFFFC] * list_sectors + [LAST]
    table += [first + 2 + n for n in range(data_sectors - 1)] + [LAST]
    table += [FREE] * (table_sectors * 128 - len(table))
    header = bytes.fromhex("D0CF11E0A1B11AE1") + b"\0" * 16 + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + b"\0" * 6
    header += struct.pack("<IIIIIIII", 0, table_sectors, first, 0, 4096, LAST, 0, table_sectors if lists else LAST)
    header += struct.pack("<I", list_sectors)
    known = list(range(table_sectors))
    header += struct.pack("<109I", *(known[:109] + [FREE] * (109 - len(known[:109]))))
    listed = struct.pack("<128I", *(known[109:] + [FREE] * (127 - len(known[109:])) + [LAST])) if lists else b""

    def entry(name: str, kind: int, start: int, size: int) -> bytes:
        text = name.encode("utf-16-le") + b"\0\0"
        return text.ljust(64, b"\0") + struct.pack("<HBB12x16x4x16xIQ", len(text), kind, 1, start, size)

    directory = entry("Root Entry", 5, LAST, 0) + entry(stream, 2, first + 1, data_sectors * 512) + b"\0" * 256
    return header + struct.pack(f"<{len(table)}I", *table) + listed + directory + b"\x11" * (512 * data_sectors)


GOOD: dict[str, list[bytes]] = {
    "png": [png(), png(chunk(b"tEXt", b"Comment\0<script>alert(1)</script>")), png(rows=500)],
    "jpg": [
        jpeg(),
        jpeg(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<?xpacket?><x:xmpmeta><svg></svg></x:xmpmeta>")),
    ],
    "jpeg": [jpeg(segment(0xE1, b"Exif\0\0II*\0" + b"\xff\xd9" * 8)), jpeg(b"\xff\xff\xff\x01")],
    "gif": [gif(), gif(b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0")],
    "webp": [webp(), webp(b"VP8 ", b"\x10\0\0\x9d\x01\x2a\1\0\1\0" + b"\0" * 5)],
    "ico": [ico(), ico(png())],
    "tif": [tiff()],
    "tiff": [tiff(">"), tiff(strips=3), tiff(">", strips=40)],
    "heic": [
        heic(),
        heic(b"mif1"),
        heic()[:-72] + struct.pack(">I4sQ", 1, b"mdat", 80) + b"\x42" * 64,
        heic()[:-72] + struct.pack(">I4s", 0, b"mdat") + b"\x42" * 64,
    ],
    "pdf": [pdf(), pdf() + pdf()[9:], pdf() + b"\r\n \0\0"],
    "txt": [
        b"x",
        b"\n",
        b"hello world\n",
        "żółć 漢字 😀\n".encode(),
        "text".encode("utf-16"),
        b"\xfe\xff\0t\0e",
        b"caf\xe9 au lait \x85\n",
        b"\xef\xbb\xbfmark",
        b"a long letter\n" * 9000 + b"with <script> in it\n",
        b'{"a": 1}',
    ],
    "csv": [b"a,b,c\n1,2,3\n4,5,6\n", b"a;b\n1;2\n"],
    "doc": [ole()],
    "xls": [ole("Workbook"), ole("Book"), ole("Workbook", lists=True)],
    "docx": [docx()],
    "xlsx": [xlsx()],
}
