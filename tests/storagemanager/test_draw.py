"""What the processes of the sandbox draw, drawn here: every branch of pictures, pages and texts."""

import io
import os

import pikepdf
import pytest
from drawing import halves, paged, saved
from PIL import Image

from storagemanager.decoders import HANDLERS
from storagemanager.renditions.draw import render
from storagemanager.renditions.model import RENDER, Drawn, Kind, Render

PIXELS_MAX = 1_000_000


def drawn(content: bytes, extension: str, kind: Kind = Kind.THUMB, page: int = 1) -> Drawn:
    descriptor = os.memfd_create("drawn")
    try:
        os.write(descriptor, content)
        return render(descriptor, Render(extension, kind, page, PIXELS_MAX))
    finally:
        os.close(descriptor)


def shown(content: bytes, extension: str, kind: Kind = Kind.THUMB, page: int = 1) -> Image.Image:
    return Image.open(io.BytesIO(drawn(content, extension, kind, page).content), formats=("JPEG",))


def test_the_processes_can_draw():
    assert HANDLERS["render"].task == RENDER
    assert HANDLERS["render"].run is render


def test_deep_grey_transparency_and_turns():
    deep = Image.new("I;16", (300, 300), 65_535)
    assert shown(saved(deep, "PNG"), "png").getpixel((5, 5)) > 250
    assert shown(saved(Image.new("1", (30, 30), 1), "PNG"), "png").mode == "L"
    clear = shown(saved(Image.new("RGBA", (30, 30), (255, 0, 0, 0)), "PNG"), "png")
    assert min(clear.getpixel((5, 5))) > 250
    palette = Image.new("P", (30, 30), 0)
    assert min(shown(saved(palette, "GIF", transparency=0), "gif").getpixel((5, 5))) > 250
    exif = Image.Exif()
    exif[0x0112] = 6
    assert shown(saved(halves(60, 30), "JPEG", exif=exif), "jpg").size == (30, 60)


def test_damaged_words_about_a_picture_turn_nothing(monkeypatch):
    content = saved(halves(60, 30), "PNG")

    def fail(_image):
        raise SyntaxError("damaged")

    monkeypatch.setattr(Image.Image, "getexif", fail)
    assert shown(content, "png").size == (60, 30)


def test_memory_that_a_decoder_words_in_its_own_way_is_memory(monkeypatch):
    content = saved(halves(60, 30), "PNG")

    def fail(_image, *_more):
        raise ValueError("Memory allocation error")

    monkeypatch.setattr(Image.Image, "load", fail)
    with pytest.raises(MemoryError):
        drawn(content, "png")


@pytest.mark.parametrize(
    ("content", "extension", "words"),
    [
        (saved(halves(1001, 1000), "PNG"), "png", "the picture has more than 1 megapixels"),
        (saved(halves(90, 90), "PNG")[:-60], "png", "the picture cannot be decoded; it is damaged"),
        (b"GIF89a", "gif", "the picture cannot be decoded; it is damaged"),
        (b"%PDF-1.4\nnothing", "pdf", "the document cannot be read; it is damaged or encrypted"),
        (b"\xff\xfea", "txt", "the text is not in the encoding it begins with"),
    ],
)
def test_what_cannot_be_drawn(content, extension, words):
    assert drawn(content, extension) == Drawn(refusal=words)


def test_a_page_without_a_size(monkeypatch):
    import pypdfium2

    monkeypatch.setattr(pypdfium2.PdfPage, "get_size", lambda _page: (float("nan"), 5.0))
    assert drawn(paged(1), "pdf").refusal == "the page has no size"


def test_a_document_with_a_password():
    pdf = pikepdf.new()
    pdf.add_blank_page()
    buffer = io.BytesIO()
    pdf.save(buffer, encryption=pikepdf.Encryption(owner="o", user="u"))
    assert drawn(buffer.getvalue(), "pdf").refusal == "the document cannot be read; it is damaged or encrypted"


def test_pages():
    assert shown(paged(2), "pdf", page=2).size == (171, 256)
    assert drawn(paged(2), "pdf", page=3) == Drawn(pages=2)
    tiff = saved(halves(20, 20), "TIFF", save_all=True, append_images=[halves(10, 10)])
    assert shown(tiff, "tif", page=2).size == (10, 10)
    assert drawn(tiff, "tif", page=3) == Drawn(pages=2)
    assert drawn(saved(halves(20, 20), "PNG"), "png", page=2) == Drawn(pages=1)


def test_texts():
    assert drawn(b"a<b\x7f", "csv", Kind.VIEW).content == b"a&lt;b\\u007f"
    long = b"x" * 49_990 + b"\n" + b"y" * 60_000
    pages = [drawn(long, "txt", Kind.VIEW, page) for page in (1, 2, 3, 4)]
    assert [len(page.content) for page in pages] == [49_991, 50_000, 10_000, 0]
    assert pages[3] == Drawn(pages=3)
