"""Small real files made in code: a grey JPEG and a PDF of one page."""

import struct
from collections.abc import Iterator, Sequence

_CATEGORIES = 12
"""Sizes of differences a JPEG of 8 bits can have; each gets a code of four bits."""


def jpeg(shades: Sequence[Sequence[int]]) -> bytes:
    """Make a grey JPEG of one 8 x 8 square per shade (0 black to 255 white), rows of equal length."""
    frame = struct.pack(">BHHBBBB", 8, 8 * len(shades), 8 * len(shades[0]), 1, 1, 0x11, 0)
    dc_codes = bytes([0, 0, 0, _CATEGORIES, *[0] * 12, *range(_CATEGORIES)])
    ac_codes = bytes([1, *[0] * 15, 0])
    parts = (
        b"\xff\xd8",
        _segment(0xE0, b"JFIF\0\x01\x01\x00\x00\x01\x00\x01\x00\x00"),
        _segment(0xDB, b"\0" + b"\x01" * 64),
        _segment(0xC0, frame),
        _segment(0xC4, b"\x00" + dc_codes),
        _segment(0xC4, b"\x10" + ac_codes),
        _segment(0xDA, b"\x01\x01\x00\x00\x3f\x00"),
        _packed("".join(_squares(shades))),
        b"\xff\xd9",
    )
    return b"".join(parts)


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def _squares(shades: Sequence[Sequence[int]]) -> Iterator[str]:
    """Give the bits of each square: how its shade differs from the one before, and the end of the square."""
    before = 0
    for row in shades:
        for shade in row:
            level = 8 * (shade - 128)
            difference, before = level - before, level
            size = abs(difference).bit_length()
            value = difference if difference > 0 else difference + (1 << size) - 1
            yield f"{size:04b}" + (f"{value:0{size}b}" if size else "") + "0"


def _packed(bits: str) -> bytes:
    """Return the bits as bytes, ones at the end; a byte of ones is followed by a zero byte, as JPEG wants it."""
    filled = bits + "1" * (-len(bits) % 8)
    return bytes(int(filled[at : at + 8], 2) for at in range(0, len(filled), 8)).replace(b"\xff", b"\xff\x00")


def pdf(lines: Sequence[str]) -> bytes:
    """Make a PDF of one page with these lines of plain ASCII text."""
    shown = " ".join(f"({line.translate(_ESCAPED)}) Tj T*" for line in lines)
    content = f"BT /F1 14 Tf 18 TL 72 760 Td {shown} ET".encode("ascii")
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources 6 0 R >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Font << /F1 5 0 R >> >>",
    )
    made = b"%PDF-1.4\n"
    places = []
    for number, each in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%b\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    return made + (
        b"xref\n0 %d\n0000000000 65535 f \n%btrailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (size, table, size, len(made))
    )


_ESCAPED = str.maketrans({"(": r"\(", ")": r"\)", "\\": r"\\"})
