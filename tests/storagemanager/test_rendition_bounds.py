"""Drawing is bounded in time, memory and number, and done once for all who ask; a sealed file stays sealed."""

import asyncio
import io
import time

import pikepdf
import pytest
from drawing import halves, saved
from PIL import Image
from storage_cipher import Cipher

from storagemanager import Kind, StorageError, StorageErrorCode
from storagemanager.sandbox import Limits

MARK = b"Zephyrine-Quux-1987"


def limits(**bounds) -> Limits:
    return Limits(**({"processes_max": 1, "seconds": 4.0, "wall_seconds_max": 20.0} | bounds))


async def test_what_is_decoded_of_a_picture_is_bounded_not_its_size(make_drawing):
    drawing = await make_drawing(pixels_max=100_000)
    code, reason = await drawing.refusal(saved(halves(400, 400), "PNG"), "png", Kind.THUMB)
    assert (code, reason) == (StorageErrorCode.STRUCTURE, "the picture has more than 0.1 megapixels")
    shown = await drawing.picture(saved(halves(2400, 2400), "JPEG"), "jpg", Kind.THUMB)
    assert shown.size == (256, 256)


async def test_memory_is_bounded_and_the_next_file_is_drawn(make_drawing):
    drawing = await make_drawing(limits=limits(memory_bytes=64 * 1024 * 1024))
    code, reason = await drawing.refusal(saved(Image.new("RGB", (6000, 6000)), "PNG"), "png")
    assert code is StorageErrorCode.STRUCTURE
    assert reason == "it cannot be shown: drawing it takes more than 64 MiB of memory; download the file"
    assert (await drawing.picture(saved(halves(9, 9), "PNG"), "png")).size == (9, 9)
    assert (drawing.renderer.made, drawing.renderer.failures) == (1, 1)


def endless() -> bytes:
    """A page that draws itself ten times, nine deep."""
    pdf = pikepdf.new()
    page = pdf.add_blank_page(page_size=(500, 500))
    inner = pdf.make_stream(
        b"0 0 500 500 re f " * 50, Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form, BBox=[0, 0, 500, 500]
    )
    for _ in range(9):
        inner = pdf.make_stream(
            b"/X Do " * 10,
            Type=pikepdf.Name.XObject,
            Subtype=pikepdf.Name.Form,
            BBox=[0, 0, 500, 500],
            Resources=pikepdf.Dictionary(XObject=pikepdf.Dictionary(X=inner)),
        )
    page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(X=inner))
    page.Contents = pdf.make_stream(b"/X Do")
    buffer = io.BytesIO()
    pdf.save(buffer)
    return buffer.getvalue()


async def test_time_is_bounded_and_not_spent_again(make_drawing):
    drawing = await make_drawing(limits=limits(seconds=0.3))
    meta = await drawing.put(endless(), "pdf")
    for _ in range(3):
        with pytest.raises(StorageError) as caught:
            await drawing.renderer.get(meta, Kind.FULL, 1)
        assert caught.value.reason == "it cannot be shown: drawing it takes longer than 0.3 s; download the file"
    assert drawing.renderer.failures == 1
    assert (await drawing.picture(saved(halves(9, 9), "PNG"), "png")).size == (9, 9)
    drawing.renderer._failed = type(drawing.renderer._failed)(
        (name, (time.monotonic(), *rest)) for name, (_, *rest) in drawing.renderer._failed.items()
    )
    with pytest.raises(StorageError, match="takes longer"):
        await drawing.renderer.get(meta, Kind.FULL, 1)
    assert drawing.renderer.failures == 2


async def test_what_is_asked_for_by_many_is_made_once(drawing):
    meta = await drawing.put(saved(halves(900, 900), "PNG"), "png")
    many = await asyncio.gather(*(drawing.renderer.get(meta, Kind.VIEW, 1) for _ in range(50)))
    assert drawing.renderer.made == 1
    assert len({each.content for each in many}) == 1


async def test_who_goes_away_does_not_stop_it_for_others(drawing):
    meta = await drawing.put(saved(halves(900, 900), "PNG"), "png")
    first, second = (asyncio.ensure_future(drawing.renderer.get(meta, Kind.VIEW, 1)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).content_type == "image/jpeg"
    assert drawing.renderer.made == 1


async def test_too_many_at_once(make_drawing):
    drawing = await make_drawing(waiting_max=2)
    metas = [await drawing.put(saved(halves(9, 9 + number), "PNG"), "png") for number in range(3)]
    results = await asyncio.gather(
        *(drawing.renderer.get(meta, Kind.VIEW, 1) for meta in metas), return_exceptions=True
    )
    assert [getattr(each, "code", None) for each in results] == [None, None, StorageErrorCode.BUSY]


async def test_a_damaged_original_shows_nothing(drawing):
    meta = await drawing.put(saved(halves(90, 90), "PNG"), "png")
    path = drawing.folder / "storage" / meta.storage_name
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(StorageError) as caught:
        await drawing.renderer.get(meta, Kind.VIEW, 1)
    assert caught.value.code is StorageErrorCode.BROKEN


async def test_without_its_processes_nothing_is_drawn_and_that_is_not_remembered(drawing):
    meta = await drawing.put(saved(halves(90, 90), "PNG"), "png")
    command, drawing.renderer._sandbox._command = drawing.renderer._sandbox._command, ("/nowhere/python",)
    with pytest.raises(StorageError) as caught:
        await drawing.renderer.get(meta, Kind.VIEW, 1)
    assert caught.value.code is StorageErrorCode.UNAVAILABLE
    drawing.renderer._sandbox._command = command
    assert (await drawing.renderer.get(meta, Kind.VIEW, 1)).pages == 1


async def test_a_stop_gives_up_what_is_being_made(make_drawing):
    drawing = await make_drawing(limits=limits(seconds=60, wall_seconds_max=60))
    meta = await drawing.put(endless(), "pdf")
    asking = asyncio.ensure_future(drawing.renderer.get(meta, Kind.FULL, 1))
    while not drawing.renderer._sandbox.pids:
        await asyncio.sleep(0.01)
    await drawing.renderer.close()
    with pytest.raises((asyncio.CancelledError, StorageError)):
        await asking


async def test_a_sealed_file_leaves_no_clear_rendition(make_drawing):
    drawing = await make_drawing(cipher=Cipher())
    text = MARK + b" <b>"
    meta = await drawing.put(text, "txt")
    first = await drawing.renderer.get(meta, Kind.VIEW, 1)
    assert first.content == MARK + b" &lt;b&gt;"
    (kept,) = drawing.kept()
    assert MARK not in kept.read_bytes()
    assert await drawing.renderer.get(meta, Kind.VIEW, 1) == first
    assert drawing.renderer.made == 1


async def test_a_file_that_is_sealed_later_takes_its_clear_renditions_along(make_drawing):
    cipher = Cipher()
    cipher.sealing = False
    drawing = await make_drawing(cipher=cipher)
    meta = await drawing.put(MARK, "txt")
    await drawing.renderer.get(meta, Kind.VIEW, 1)
    await drawing.renderer.tidy()
    assert MARK in drawing.kept()[0].read_bytes()
    cipher.sealing = True
    assert await drawing.storage.seal(meta)
    await drawing.renderer.tidy()
    assert drawing.kept() == []
    sealed = await drawing.storage.get(meta.uuid)
    assert (await drawing.renderer.get(sealed, Kind.VIEW, 1)).content == MARK
    assert MARK not in drawing.kept()[0].read_bytes()
