"""Renditions: drawn from pixels alone, upright, and nothing of what came with them."""

import io
import math
import os

import pikepdf
import pytest
from drawing import halves, paged, saved
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from polyglots import polyglots

from storagemanager import Kind, StorageError, StorageErrorCode
from storagemanager.renditions.model import SIDES
from storagemanager.renditions.texts import PAGE_CHARS

MARK = b"Zephyrine-Quux-1987"


def near(pixel, red: int, green: int, blue: int) -> bool:
    return math.dist(pixel, (red, green, blue)) < 40


MODES = {
    "png": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "jpg": ("L", "RGB", "CMYK"),
    "gif": ("L", "P"),
    "webp": ("RGB", "RGBA"),
    "tif": ("1", "L", "RGB", "CMYK", "I;16"),
    "ico": ("RGB", "RGBA"),
    "heic": ("RGB",),
}
FORMATS = {"jpg": "JPEG", "tif": "TIFF", "heic": "HEIF"}


async def test_pictures_of_every_kind(drawing):
    for extension, mode in ((extension, mode) for extension, modes in MODES.items() for mode in modes):
        source = halves(200, 200)
        source = source.convert("L").convert(mode) if mode in {"I;16", "LA"} else source.convert(mode)
        shown = await drawing.picture(saved(source, FORMATS.get(extension, extension)), extension)
        assert shown.mode in {"RGB", "L"}, (extension, mode)
        if mode in {"RGB", "RGBA", "CMYK"}:
            assert near(shown.getpixel((10, 10)), 220, 10, 10), (extension, mode)
            assert near(shown.getpixel((10, shown.height - 10)), 10, 10, 220), (extension, mode)


async def test_sizes(drawing):
    meta = await drawing.put(saved(halves(5000, 2500), "JPEG"), "jpg")
    for kind, side in SIDES.items():
        rendition = await drawing.renderer.get(meta, kind, 1)
        assert Image.open(io.BytesIO(rendition.content)).size == (side, side // 2)
    small = await drawing.picture(saved(halves(40, 20), "PNG"), "png", Kind.FULL)
    assert small.size == (40, 20)


@pytest.mark.parametrize("extension", ["jpg", "png", "tif"])
async def test_a_picture_stands_upright(drawing, extension):
    for orientation in range(10):
        turned = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}.get(orientation)
        upright = halves(400, 200)
        source = upright if turned is None else upright.transpose(Image.Transpose(turned))
        exif = Image.Exif()
        exif[0x0112] = orientation
        shown = await drawing.picture(saved(source, FORMATS.get(extension, extension), exif=exif), extension)
        assert shown.size == (400, 200), orientation
        assert near(shown.getpixel((200, 20)), 220, 10, 10), orientation
        assert near(shown.getpixel((200, 180)), 10, 10, 220), orientation


async def test_nothing_that_came_with_a_picture_stays(drawing):
    exif = Image.Exif()
    exif[0x010E] = MARK.decode()
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    words = PngInfo()
    words.add_text("Comment", MARK.decode())
    profile = b"\0" * 128 + MARK
    contents = {
        "jpg": saved(halves(300, 300), "JPEG", exif=exif, comment=MARK, icc_profile=profile),
        "png": saved(halves(300, 300), "PNG", exif=exif, pnginfo=words, icc_profile=profile),
        "webp": saved(halves(300, 300), "WEBP", exif=exif, icc_profile=profile),
        "tif": saved(halves(300, 300), "TIFF", exif=exif, icc_profile=profile),
    }
    for extension, content in contents.items():
        assert MARK in content
        for kind in Kind:
            rendition = await drawing.drawn(content, extension, kind)
            assert MARK not in rendition.content
            image = Image.open(io.BytesIO(rendition.content))
            assert not image.getexif()
            assert not {"exif", "icc_profile", "comment"} & set(image.info)


async def test_pages_of_a_tiff(drawing):
    content = saved(halves(60, 60), "TIFF", save_all=True, append_images=[Image.new("RGB", (30, 90), (10, 220, 10))])
    shown = await drawing.picture(content, "tif", page=2)
    assert shown.size == (30, 90)
    assert near(shown.getpixel((5, 5)), 10, 220, 10)
    assert (await drawing.drawn(content, "tif")).pages == 2
    assert await drawing.refusal(content, "tif", page=3) == (
        StorageErrorCode.NO_RENDITION,
        "page 3 was not found; the file has 2",
    )


async def test_pages_of_a_pdf(drawing):
    meta = await drawing.put(paged(3), "pdf")
    for page in (1, 3):
        rendition = await drawing.renderer.get(meta, Kind.VIEW, page)
        assert rendition.pages == 3
        assert Image.open(io.BytesIO(rendition.content)).size == (1067, 1600)
    with pytest.raises(StorageError, match="page 4 was not found; the file has 3"):
        await drawing.renderer.get(meta, Kind.VIEW, 4)


async def test_what_is_drawn_on_a_page_is_seen(drawing):
    pdf = pikepdf.new()
    page = pdf.add_blank_page(page_size=(100, 100))
    page.Contents = pdf.make_stream(b"1 0 0 rg 0 50 100 50 re f")
    buffer = io.BytesIO()
    pdf.save(buffer)
    shown = await drawing.picture(buffer.getvalue(), "pdf", Kind.THUMB)
    assert near(shown.getpixel((100, 50)), 255, 0, 0)
    assert near(shown.getpixel((100, 200)), 255, 255, 255)


async def test_odd_pages_stay_within_bounds(drawing):
    for size in ((14_400, 14_400), (14_400, 3), (3, 14_400), (3, 3), (1e6, 1e6), (1e-3, 1e-3)):
        pdf = pikepdf.new()
        pdf.add_blank_page().MediaBox = [0, 0, *size]
        buffer = io.BytesIO()
        pdf.save(buffer)
        shown = await drawing.picture(buffer.getvalue(), "pdf", Kind.FULL)
        assert max(shown.size) <= SIDES[Kind.FULL], size


async def test_ten_thousand_pages(drawing):
    content = paged(10_000)
    rendition = await drawing.drawn(content, "pdf", Kind.THUMB, 9_999)
    assert rendition.pages == 10_000


async def test_a_font_that_is_none_does_not_hinder(drawing):
    pdf = pikepdf.new()
    page = pdf.add_blank_page(page_size=(200, 200))
    font = pdf.make_stream(b"\x00\x01\x00\x00" + os.urandom(3000))
    descriptor = pikepdf.Dictionary(
        Type=pikepdf.Name.FontDescriptor, FontName=pikepdf.Name.Broken, Flags=32, FontFile2=font
    )
    page.Resources = pikepdf.Dictionary(
        Font=pikepdf.Dictionary(
            F=pikepdf.Dictionary(
                Type=pikepdf.Name.Font,
                Subtype=pikepdf.Name.TrueType,
                BaseFont=pikepdf.Name.Broken,
                FontDescriptor=descriptor,
            )
        )
    )
    page.Contents = pdf.make_stream(b"BT /F 40 Tf 10 100 Td (shown) Tj ET")
    buffer = io.BytesIO()
    pdf.save(buffer)
    assert (await drawing.drawn(buffer.getvalue(), "pdf")).pages == 1


async def test_texts_are_escaped_and_cut_into_pages(drawing):
    rendition = await drawing.drawn("a <b> & c\r\n\u202etxt.exe\u200b\n\ttab \u00e4\u6f22".encode(), "txt")
    assert rendition.content_type == "text/plain; charset=utf-8"
    assert rendition.content.decode() == "a &lt;b&gt; &amp; c\n\\u202etxt.exe\\u200b\n\ttab \u00e4\u6f22"
    assert (
        await drawing.drawn("\ufeffgr\u00fc\u00dfe".encode("utf-16"), "csv")
    ).content.decode() == "\\ufeffgr\u00fc\u00dfe"
    assert (await drawing.drawn("gr\u00fc\u00dfe".encode("latin-1"), "csv")).content.decode() == "gr\u00fc\u00dfe"
    lines = "".join(f"line {number}\n" for number in range(20_000))
    meta = await drawing.put(lines.encode(), "txt")
    first = await drawing.renderer.get(meta, Kind.VIEW, 1)
    pages = [(await drawing.renderer.get(meta, Kind.VIEW, page)).content.decode() for page in range(1, first.pages + 1)]
    assert "".join(pages) == lines
    assert all(len(page) <= PAGE_CHARS and page.endswith("\n") for page in pages)
    unbroken = await drawing.drawn(b"x" * (PAGE_CHARS + 1), "txt", page=2)
    assert (unbroken.content, unbroken.pages) == (b"x", 2)
    assert (await drawing.refusal(b"x", "txt", page=2))[1] == "page 2 was not found; the file has 1"


async def test_what_has_no_rendition_says_so(drawing):
    import storage_samples as s

    cases = [
        (s.docx(), "docx", Kind.VIEW, 1, "docx files have no rendition; download the file"),
        (b"text", "txt", Kind.THUMB, 1, "a text has no thumbnail; ask for kind=view"),
        (b"text", "txt", Kind.VIEW, 0, "pages are counted from 1"),
    ]
    for content, extension, kind, page, words in cases:
        assert await drawing.refusal(content, extension, kind, page) == (StorageErrorCode.NO_RENDITION, words)
    assert drawing.kept() == []


async def test_a_large_file_has_none(make_drawing):
    drawing = await make_drawing(source_bytes_max=100)
    assert (await drawing.refusal(b"x" * 101, "txt"))[1] == "files over 100 bytes have no rendition; download the file"


MARKS = (b"<script", b"<?php", b"<html", b"%PDF-", b"PK\x03\x04", b"\x7fELF", b"app.alert")


async def test_no_second_face_is_shown(drawing):
    accepted, refused = 0, set()
    for each in polyglots():
        try:
            meta = await drawing.put(each.content, each.extension)
        except StorageError:
            continue
        accepted += 1
        try:
            rendition = await drawing.renderer.get(meta, Kind.VIEW, 1)
        except StorageError as error:
            refused.add(error.code)
            continue
        if rendition.content_type == "image/jpeg":
            assert not [mark for mark in (each.hidden, *MARKS) if mark and mark in rendition.content], each.name
        else:
            assert rendition.content_type == "text/plain; charset=utf-8"
            assert b"<" not in rendition.content, each.name
    assert accepted > 50
    assert refused <= {StorageErrorCode.NO_RENDITION, StorageErrorCode.STRUCTURE}
