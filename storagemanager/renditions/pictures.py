"""Pictures drawn anew from their pixels: upright, small, without a byte of what came with them."""

import io
from typing import BinaryIO

from PIL import Image
from PIL.Image import Transpose

from storagemanager.content.images import DAMAGED, FORMATS
from storagemanager.renditions.model import SIDES, Drawn, Kind, Render
from storagemanager.structure.source import refuse

JPEG = "image/jpeg"
_QUALITY = {Kind.THUMB: 80, Kind.VIEW: 86, Kind.FULL: 90}
_PAGED = frozenset({"tif", "tiff"})
_WHITE = (255, 255, 255)
_GREY = frozenset({"1", "L"})
_DEEP_GREY = frozenset({"I;16", "I;16L", "I;16B", "I;16N"})
_ORIENTATION = 0x0112
_TURNS: dict[object, Transpose] = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}
_CLEAR = frozenset({"RGBA", "LA", "PA", "RGBa", "La"})


def draw_picture(file: BinaryIO, request: Render) -> Drawn:
    """Draw a picture, a page of a TIFF, the first image of an animation; `RefusedError` where that cannot be done."""
    Image.MAX_IMAGE_PIXELS = None  # the size that counts is the one that is decoded, which is looked at below
    try:
        with Image.open(file, formats=(FORMATS[request.extension],)) as image:
            pages = int(getattr(image, "n_frames", 1)) if request.extension in _PAGED else 1
            if request.page > pages:
                return Drawn(pages=pages)
            image.seek(request.page - 1)
            return Drawn(jpeg(_decoded(image, request), request.kind), JPEG, pages)
    except DAMAGED as error:
        if "Memory allocation" in str(error):  # libheif has an error of its own for it
            raise MemoryError from None
        refuse("the picture cannot be decoded; it is damaged")


def jpeg(image: Image.Image, kind: Kind) -> bytes:
    """Encode pixels. They are put on a new image: Pillow would write a comment or profile of the old one again."""
    fresh = Image.new("L" if image.mode == "L" else "RGB", image.size, 255 if image.mode == "L" else _WHITE)
    fresh.paste(image, mask=image.getchannel("A") if image.mode in _CLEAR else None)
    buffer = io.BytesIO()
    fresh.save(buffer, "JPEG", quality=_QUALITY[kind], progressive=True)
    return buffer.getvalue()


def _decoded(image: Image.Image, request: Render) -> Image.Image:
    """Return a picture of the wanted size, upright, in a mode that can be pasted."""
    side = SIDES[request.kind]
    # A JPEG is decoded at a half, a quarter or an eighth of its size where that is enough.
    image.draft(None, (side, side))
    if image.width * image.height > request.pixels_max:
        refuse(f"the picture has more than {request.pixels_max / 1e6:g} megapixels")
    image.load()
    plain = _plain(image)
    plain.thumbnail((side, side), reducing_gap=2.0)
    turn = _TURNS.get(_orientation(image))
    return plain if turn is None else plain.transpose(turn)


def _orientation(image: Image.Image) -> object:
    """Return the number of the way a loaded picture has to be turned; damaged words about it turn nothing."""
    try:
        return image.getexif().get(_ORIENTATION)
    except DAMAGED:
        return None


def _plain(image: Image.Image) -> Image.Image:
    """Return the picture in grey or colour of 8 bits, with transparency where it has some."""
    mode = image.mode
    if mode in _DEEP_GREY:
        return image.point(lambda value: value * (1 / 256)).convert("L")
    if mode in _GREY:
        return image.convert("L")
    if mode in _CLEAR or "transparency" in image.info:
        return image.convert("RGBA")
    return image.convert("RGB")
