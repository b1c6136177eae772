import io
import struct

import pytest
import storage_samples as s

from storagemanager import StorageError, StorageErrorCode, StorageSettings
from storagemanager.formats import FORMATS
from storagemanager.structure import gif, jpeg, ole, pdf, png, tiff, webp
from storagemanager.structure.source import RefusedError, Source
from storagemanager.validation import Validator

IMAGES = ("png", "jpg", "gif", "webp", "ico", "tiff", "heic")


def refused(judge, content: bytes, extension: str) -> str:
    with pytest.raises(StorageError) as caught:
        judge(content, extension)
    assert caught.value.code in {StorageErrorCode.STRUCTURE, StorageErrorCode.SIGNATURE_MISMATCH}
    return str(caught.value)


def badly_built(judge, content: bytes, extension: str) -> str:
    with pytest.raises(StorageError) as caught:
        judge(content, extension)
    assert caught.value.code is StorageErrorCode.STRUCTURE, caught.value
    return str(caught.value)


@pytest.mark.parametrize(("extension", "number"), [(e, n) for e, found in s.GOOD.items() for n in range(len(found))])
def test_a_good_file_is_accepted(judge, extension, number):
    signature = judge(s.GOOD[extension][number], extension)
    assert signature in FORMATS[extension].signatures
    assert signature != "application/octet-stream"


def test_every_default_extension_has_a_good_sample():
    assert set(s.GOOD) == set(StorageSettings().extensions)


@pytest.mark.parametrize("extension", [e for e in s.GOOD if e not in {"txt", "csv"}])
def test_a_cut_off_file_is_refused_wherever_it_is_cut(judge, extension):
    # A document of two revisions is whole where the first one ends.
    for content in s.GOOD[extension][: 1 if extension == "pdf" else 2]:
        whole = content.rstrip(b"\r\n \0") if extension == "pdf" else content
        # The last sector of a compound file may be short, and a TIFF's next-directory link is its end.
        last = len(whole) - 513 if extension in {"doc", "xls"} else len(whole) - 1
        for cut in {1, 7, 12, 20, 30, 45, *range(50, last, max(1, last // 40)), last}:
            if cut <= last:
                refused(judge, whole[:cut], extension)


@pytest.mark.parametrize("extension", s.GOOD)
@pytest.mark.parametrize("other", s.GOOD)
def test_content_and_extension_must_agree(judge, extension, other):
    same = ({"jpg", "jpeg"}, {"tif", "tiff"}, {"txt", "csv"})
    if extension == other or any({extension, other} <= group for group in same):
        assert judge(s.GOOD[extension][0], other)
    else:
        refused(judge, s.GOOD[extension][0], other)


PE = b"MZ" + b"\x90" * 58 + struct.pack("<I", 64) + b"PE\0\0" + b"\0" * 64
FOREIGN = {
    "html": b"<html><body>hi</body></html>",
    "script": b"\n<SCRIPT>alert(1)</SCRIPT>",
    "doctype": b"<!DOCTYPE html>",
    "svg": b"<svg onload=alert(1)>",
    "php": b"<?php system('id'); ?>",
    "short php": b"<?= system('id') ?>",
    "asp": b"<%eval request('cmd')%>",
    "jsp": b"<%@ page import='java.io.*' %>",
    "zip": s.archive("a.txt"),
    "zip with comment": s.archive("A.class", comment=b"x" * 60_000),
    "rar": b"Rar!\x1a\x07\x00" + b"\0" * 20,
    "7z": b"7z\xbc\xaf\x27\x1c" + b"\0" * 20,
    "pdf": s.pdf(),
    "elf": b"\x7fELF\x02\x01\x01" + b"\0" * 50,
    "exe": PE,
    "dos": b"MZ" + b"\1" * 70,
    "gif": s.gif(),
    "shell": b"#!/bin/sh\nid\n",
}


@pytest.mark.parametrize("extension", [*IMAGES, "pdf"])
@pytest.mark.parametrize("kind", FOREIGN)
def test_another_format_behind_the_end_is_refused(judge, extension, kind):
    if extension == "pdf" and kind == "pdf":
        return  # a second revision of a document is a document
    content = s.GOOD[extension][0]
    refused(judge, content + FOREIGN[kind], extension)
    refused(judge, content + b"\0" * 300 + b"\n" + FOREIGN[kind], extension)


@pytest.mark.parametrize("kind", [k for k in FOREIGN if k not in {"dos", "shell"}])
def test_another_format_deep_in_a_trailer_is_refused(judge, kind):
    trailer = b"SEFH" + b"\x55" * (256 * 1024 - 10)
    for gap in range(0, 40, 3):  # over the border of two windows
        badly_built(judge, s.jpeg() + trailer + b"\x55" * gap + FOREIGN[kind] + b"\x55" * 100, "jpg")


@pytest.mark.parametrize("extension", ["doc", "xls"])
def test_an_archive_behind_a_compound_file_is_refused(judge, extension):
    badly_built(judge, s.GOOD[extension][0] + s.archive("a.txt"), extension)


@pytest.mark.parametrize("extension", IMAGES)
def test_a_cameras_trailer_and_padding_are_accepted(judge, extension):
    content = s.GOOD[extension][0]
    movie = s.box(b"ftyp", b"mp42\0\0\0\0mp42") + s.box(b"moov", b"\1" * 99) + s.box(b"mdat", b"\x9a" * 9999)
    for trailer in (
        b"\0" * 70_000,
        b"\xff" * 16,
        b"\r\n \t",
        s.jpeg() * 2,
        b"SEFH\x6b\0\0\0" + b"Image_UTC_Data1700000000000" + b"SEFT",
        movie,
        bytes(range(256)) * 2000 + b"MZ MZ" + b"<%" + b"<?",
    ):
        if extension == "heic" and trailer.startswith((b"\0" * 8, b"\xff")):
            continue
        judge(content + trailer, extension)


def test_noise_that_looks_like_programs_without_end_is_refused(judge):
    badly_built(judge, s.jpeg() + b"\1" + b"MZ" * 10_001, "jpg")


@pytest.mark.parametrize("extension", ["png", "gif", "jpg"])
def test_a_document_or_archive_inside_legal_parts_is_refused(judge, extension):
    inside = {
        "png": lambda data: s.png(s.chunk(b"teXt", data)),
        "jpg": lambda data: s.jpeg(s.segment(0xFE, data)),
        "gif": lambda data: s.gif(b"\x21\xfe" + b"".join(bytes([len(p)]) + p for p in split(data)) + b"\0"),
    }[extension]
    refused(judge, inside(b"%PDF-1.4 "), extension)
    refused(judge, inside(s.archive("a.txt")), extension)
    assert judge(inside(b"a comment"), extension)


def split(data: bytes) -> list[bytes]:
    return [data[at : at + 200] for at in range(0, len(data), 200)]


def test_png_faults(judge):
    good = s.png()
    assert "damaged" in badly_built(judge, good[:45] + bytes([good[45] ^ 1]) + good[46:], "png")
    head = good[:8]
    ihdr = good[8:33]
    idat = good[33:-12]
    iend = good[-12:]
    assert "no image data" in badly_built(judge, head + ihdr + iend, "png")
    assert "no image data" in badly_built(judge, head + ihdr + idat + s.chunk(b"IEND", b"x"), "png")
    assert "unknown critical" in badly_built(judge, head + ihdr + s.chunk(b"EVIL", b"") + idat + iend, "png")
    assert "no PNG chunk" in badly_built(judge, head + ihdr + s.chunk(b"a1bc", b"") + idat + iend, "png")
    assert "no size" in badly_built(
        judge, head + s.chunk(b"IHDR", struct.pack(">IIBBBBB", 0, 1, 8, 2, 0, 0, 0)) + idat + iend, "png"
    )
    twice = head + s.chunk(b"IHDR", ihdr[8:21] + b"x") + idat + iend
    refused(judge, twice, "png")
    many = head + ihdr + s.chunk(b"abCd", b"") * 100_000 + idat + iend
    assert "more than" in badly_built(judge, many, "png")


def test_jpeg_faults(judge):
    good = s.jpeg()
    assert "no image data" in badly_built(
        judge, b"\xff\xd8" + s.segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0") + b"\xff\xd9", "jpg"
    )
    assert "no JPEG segment" in badly_built(judge, good[:20] + b"\0\0" + good[20:], "jpg")
    assert "no JPEG segment" in badly_built(judge, good[:20] + b"\xff\xd8" + good[20:], "jpg")
    assert "no length" in badly_built(judge, good[:20] + b"\xff\xe2\0\1" + good[20:], "jpg")
    assert "more than" in badly_built(judge, s.jpeg(s.segment(0xE2, b"") * 65_536), "jpg")
    assert "cut off" in badly_built(judge, good[:20] + b"\xff" * 300_000, "jpg")
    assert "cut off" in badly_built(judge, good[:-2] + b"\x11" * 600_000, "jpg")


def test_a_scan_longer_than_a_window_is_walked(judge):
    for length in range(256 * 1024 - 8, 256 * 1024 + 8):
        assert judge(s.jpeg(scan=b"\x11" * length), "jpg") == "image/jpeg"
    assert judge(s.png(rows=300_000), "png") == "image/png"


def test_gif_faults(judge):
    good = s.gif()
    assert "no image" in badly_built(judge, good[:19] + b"\x3b", "gif")
    assert "no GIF block" in badly_built(judge, good[:-1] + b"\x00\x3b", "gif")
    assert "more than" in badly_built(judge, s.gif(b"\x21\xfe" + b"\1x" * 1_000_000 + b"\0"), "gif")
    assert "more than" in badly_built(judge, s.gif(b"\x21\xfe\1x\0" * 500_001), "gif")


def test_webp_faults(judge):
    good = s.webp()
    assert "no image" in badly_built(judge, s.webp(b"VP8X", b"\0" * 10), "webp")
    first = b"RIFF" + struct.pack("<I", 4 + 10 + len(good) - 12) + b"WEBPEXIF\2\0\0\0xx" + good[12:]
    refused(judge, first, "webp")
    assert "larger than its file" in badly_built(judge, good[:16] + struct.pack("<I", 999) + good[20:], "webp")
    many = s.webp()[12:] + b"XXXX\0\0\0\0" * 100_000
    assert "more than" in badly_built(judge, b"RIFF" + struct.pack("<I", 4 + len(many)) + b"WEBP" + many, "webp")
    unpadded = b"RIFF" + struct.pack("<I", len(good) - 9) + good[8:-1]
    assert judge(unpadded, "webp") == "image/webp"


def test_ico_faults(judge):
    two = struct.pack("<HHH", 0, 1, 2) + s.ico()[6:22].replace(struct.pack("<I", 22), struct.pack("<I", 38))
    two += struct.pack("<BBBBHHII", 1, 1, 0, 0, 1, 32, 60, 38 + len(s.ico()) - 22) + s.ico()[22:] + b"\x29" * 60
    assert "neither" in badly_built(judge, two, "ico")
    small = s.ico(b"\x28\0\0\0")
    refused(judge, small, "ico")
    good = s.ico(s.png())
    assert "larger than its entry" in badly_built(judge, good[:14] + struct.pack("<I", 20) + good[18:], "ico")
    assert "outside" in badly_built(judge, two[:34] + struct.pack("<I", 10) + two[38:], "ico")
    refused(judge, b"\0\0\1\0\0\0" + good[6:], "ico")


def test_tiff_faults(judge):
    good = s.tiff()
    table = 12
    entry = lambda n: table + 2 + 12 * n  # noqa: E731
    assert "circle" in badly_built(judge, s.tiff(next_directory=table), "tif")
    no_size = good[: entry(0)] + struct.pack("<H", 255) + good[entry(0) + 2 :]
    assert "no size" in badly_built(judge, no_size, "tif")
    no_data = good[: entry(3)] + struct.pack("<H", 333) + good[entry(3) + 2 :]
    assert "no image data" in badly_built(judge, no_data, "tif")
    not_numbers = good[: entry(3) + 2] + struct.pack("<H", 1) + good[entry(3) + 4 :]
    assert "not listed" in badly_built(judge, not_numbers, "tif")
    uneven = good[: entry(3) + 2] + struct.pack("<HIHH", 3, 2, 8, 8) + good[entry(4) :]
    assert "no lengths" in badly_built(judge, uneven, "tif")
    outside = good[: entry(4) + 8] + struct.pack("<I", 99_999) + good[entry(4) + 12 :]
    assert "cut off" in badly_built(judge, outside, "tif")
    far = good[: entry(2)] + struct.pack("<HHII", 305, 2, 900, 500) + good[entry(3) :]
    assert "cut off" in badly_built(judge, far, "tif")
    with_text = good[: entry(2)] + struct.pack("<HHII", 305, 2, 9, len(good)) + good[entry(3) :] + b"a camera\0"
    assert judge(with_text, "tif") == "image/tiff"
    two = s.tiff(next_directory=len(good)) + good[table:]
    assert judge(two, "tif") == "image/tiff"


def test_heic_faults(judge):
    assert "no HEIC brand" in badly_built(judge, s.box(b"ftyp", b"abcd\0\0\0\0abcd") + s.heic()[24:], "heic")
    assert "no image" in badly_built(judge, s.heic()[:24] + s.box(b"free", b""), "heic")
    assert "cut off" in badly_built(judge, s.heic() + struct.pack(">I4s", 1, b"mdat"), "heic")
    assert "more than" in badly_built(judge, s.heic() + s.box(b"free", b"") * 10_001, "heic")
    refused(judge, struct.pack(">I4s", 8, b"ftyp") + s.heic()[24:], "heic")
    assert judge(s.heic() + b"\0" * 5, "heic") == "image/heic"
    assert judge(s.heic()[:24] + s.box(b"moov", b"\0" * 9), "heic") == "image/heic"


def test_pdf_faults(judge):
    good = s.pdf()
    refused(judge, b"\n" + good, "pdf")
    refused(judge, b"<html>" + good, "pdf")
    refused(judge, b"%PDF-x" + good[6:], "pdf")
    assert "objects follow" in badly_built(judge, good + b"2 0 obj\n<< >>\nstream", "pdf")
    assert "end mark" in badly_built(judge, good[:-7] + b" " * 600_000, "pdf")
    hidden = good + s.archive("a.txt", comment=b"\n%%EOF\n")
    assert "ZIP" in badly_built(judge, hidden, "pdf")
    assert judge(good + b" " * 300_000, "pdf") == "application/pdf"


def test_documents_of_parts(judge):
    assert "no word/ parts" in badly_built(judge, s.archive("[Content_Types].xml", "other/a.xml"), "docx")
    assert "no word/ parts" in badly_built(judge, s.archive("a.xml", "word/document.xml"), "docx")
    assert "outside itself" in badly_built(judge, s.docx("word/../../etc/passwd"), "docx")
    assert "outside itself" in badly_built(judge, s.docx("/etc/passwd"), "docx")
    assert "outside itself" in badly_built(judge, s.docx("word\\a"), "docx")
    assert "something follows" in badly_built(judge, s.docx() + b"<html>", "docx")
    assert "cut off" in badly_built(judge, s.docx()[:-22], "docx")
    refused(judge, b"<html>" + s.docx(), "docx")
    inside = s.docx()
    shifted = inside[:40] + b"x" * 50 + inside[40:]
    assert "not where it must be" in badly_built(judge, shifted, "docx")
    end = len(inside) - 22
    assert "no parts" in badly_built(
        judge, inside[:end] + struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 0, 0, 0, end, 0), "docx"
    )
    start = inside.index(b"PK\1\2")
    broken = inside[:start] + b"XX" + inside[start + 2 :]
    assert "damaged" in badly_built(judge, broken, "docx")
    nameless = inside[: start + 28] + b"\0\0" + inside[start + 30 :]
    assert "without a name" in badly_built(judge, nameless, "docx")
    short = inside[: end + 8] + struct.pack("<HH", 2, 2) + inside[end + 12 :]
    assert "wrong size" in badly_built(judge, short, "docx")


def test_a_document_with_a_part_twice_is_refused(judge):
    twice = s.docx("word/document.xmm").replace(b"word/document.xmm", b"word/document.xml")
    assert "twice" in badly_built(judge, twice, "docx")


def test_compound_faults(judge):
    good = s.ole()
    assert "no stream" in badly_built(judge, s.ole("Something"), "doc")
    refused(judge, good[:30] + struct.pack("<H", 12) + good[32:], "doc")
    assert "no allocation table" in badly_built(judge, good[:44] + struct.pack("<I", 0) + good[48:], "doc")
    assert "larger than the file" in badly_built(
        judge, good[:44] + struct.pack("<I", 60) + good[48:76] + struct.pack("<60I", *[0] * 60) + good[316:], "doc"
    )
    assert "table is damaged" in badly_built(judge, good[:44] + struct.pack("<I", 2) + good[48:], "doc")
    circle = good[:512] + struct.pack("<II", s.TABLE, 1) + good[520:]
    assert "circle" in badly_built(judge, circle, "doc")
    empty = good[:512] + struct.pack("<128I", *[s.FREE] * 128) + good[1024:]
    assert "cut off" in badly_built(judge, empty, "doc")
    endless = s.ole(lists=True)
    endless = endless[:44] + struct.pack("<I", 500) + endless[48:72] + struct.pack("<I", 500) + endless[76:]
    refused(judge, endless, "doc")


def test_text_faults(judge):
    for bad in (b"a\0b", b"\xff\xfea", b"a\x01b", b"\xef\xbb\xbf\xff\xff", "a\0b".encode("utf-16")):
        refused(judge, bad, "txt")
    for page in (
        b"<html>",
        b"  \n<!DOCTYPE html>",
        b"<script>1</script>",
        b"<?php echo 1;",
        b"#!/bin/sh\n",
        b"<svg>",
        b"\xef\xbb\xbf<html>",
        "<html>".encode("utf-16"),
        b"<%= 1 %>",
        b"<?xml version='1.0'?>",
        b"{\\rtf1",
        b"<!-- x",
    ):
        refused(judge, page, "txt")
    late = b"a" * 300_000 + b"\0"
    assert "no text has" in badly_built(judge, late, "txt")
    assert judge(("é" * 400_000).encode(), "txt") == "text/plain"
    assert judge(b"\xef\xbb\xbf", "txt") == "text/plain"


def test_svg_is_left_out_but_may_be_let_in(judge):
    assert "svg" not in StorageSettings().extensions
    good = b'<?xml version="1.0"?>\n<!-- a mark -->\n<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>'
    assert judge(good, "svg")
    assert judge(b"<svg xmlns='http://www.w3.org/2000/svg'>" + b"<g/>" * 100_000 + b"</svg>", "svg")
    for bad in (
        good.replace(b"<path", b"<script>1</script><path"),
        good.replace(b"<path", b'<path onload="x()"'),
        good.replace(b"M0 0", b"javascript:1"),
        good.replace(b"<!-- a mark -->", b"<!DOCTYPE svg [<!ENTITY a 'b'>]>"),
        b"hello <svg>",
    ):
        refused(judge, bad, "svg")


def test_unknown_extensions_in_the_settings_are_a_mistake():
    for extension in ("exe", "../x", ""):
        with pytest.raises(ValueError):
            Validator(StorageSettings(extensions=(extension,)))


def test_a_file_that_shrinks_while_it_is_judged_is_cut_off(validator, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(s.png())
    with path.open("rb") as file, pytest.raises(StorageError) as caught:
        validator.check_content(file.fileno(), len(s.png()) + 50, "png")
    assert caught.value.code is StorageErrorCode.STRUCTURE


def test_samples_are_real_to_other_readers():
    """The hand-made archive is what a ZIP reader opens; the walkers are not judged by fakes alone."""
    import zipfile

    assert zipfile.ZipFile(io.BytesIO(s.docx())).testzip() is None


@pytest.mark.parametrize("walk", [png.walk, jpeg.walk, gif.walk, webp.walk, tiff.walk, ole.walk_doc, pdf.walk])
def test_a_walk_alone_wants_its_signature(tmp_path, walk):
    path = tmp_path / "file"
    path.write_bytes(b"no signature of any kind " * 20)
    with path.open("rb") as file, pytest.raises(RefusedError):
        walk(Source(file.fileno(), path.stat().st_size))


def test_a_part_too_large_to_read_is_refused(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(3_000_000))
    with path.open("rb") as file, pytest.raises(RefusedError, match="larger than any"):
        Source(file.fileno(), 3_000_000).read(0, 2_000_000)


def test_a_chunk_header_that_is_no_first_header_is_refused(tmp_path):
    path = tmp_path / "file.png"
    path.write_bytes(s.png()[:8] + s.chunk(b"teXt", b"0123456789abc") + s.png()[8:])
    with path.open("rb") as file, pytest.raises(RefusedError, match="begin with its header"):
        png.walk(Source(file.fileno(), path.stat().st_size))
