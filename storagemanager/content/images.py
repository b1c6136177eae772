"""Images: every pixel of every page is decoded, within bounds."""

import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

import pillow_heif
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    IcoImagePlugin,
    Image,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from storagemanager.content.model import Inspection
from storagemanager.structure.source import refuse

PAGES_MAX = 2_000
PIXELS_PER_FILE = 16
"""All pages of a file together may have so many times the pixels of one."""

FORMATS = {
    "png": "PNG",
    "jpg": "JPEG",
    "jpeg": "JPEG",
    "gif": "GIF",
    "webp": "WEBP",
    "ico": "ICO",
    "tif": "TIFF",
    "tiff": "TIFF",
    "heic": "HEIF",
}
_PLUGINS = (BmpImagePlugin, GifImagePlugin, MpoImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin)
"""Imported before the process gives up its rights; Pillow would look for them when they are needed."""

DAMAGED = (
    *(OSError, EOFError, ValueError, SyntaxError, LookupError, ArithmeticError, RuntimeError, TypeError),
    *(AttributeError, struct.error, zlib.error),
)
"""What decoders raise at damaged files; their words are about the insides of the format."""

pillow_heif.register_heif_opener(thumbnails=False)
pillow_heif.options.DECODE_THREADS = 1  # the process may start few threads
warnings.simplefilter("ignore")
warnings.simplefilter("error", Image.DecompressionBombWarning)


def inspect_image(file: BinaryIO, extension: str, pixels_max: int) -> Inspection:
    """Decode all of it; `RefusedError` where that cannot be done, MemoryError where it takes too much."""
    Image.MAX_IMAGE_PIXELS = pixels_max
    try:
        with Image.open(file, formats=(FORMATS[extension],)) as image:
            _decode(image, pixels_max)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        refuse(f"an image has more than {pixels_max / 1e6:g} megapixels")
    except DAMAGED as error:
        if "Memory allocation" in str(error):  # libheif has an error of its own for it
            raise MemoryError from None
        refuse("the image cannot be decoded: it is damaged")
    return Inspection()


def _decode(image: Image.Image, pixels_max: int) -> None:
    left = PIXELS_PER_FILE * pixels_max
    for number, load in enumerate(_pages(image)):
        width, height = image.size
        left -= width * height
        if width * height > pixels_max or left < 0:
            raise Image.DecompressionBombError
        if number >= PAGES_MAX:
            refuse(f"the image has more than {PAGES_MAX} pages")
        load()


def _pages(image: Image.Image) -> Iterator[Callable[[], object]]:
    """Yield what decodes each page, one after the other; `image.size` is that of the page."""
    if isinstance(image, IcoImagePlugin.IcoImageFile):
        for number in range(len(image.ico.entry)):
            page = image.ico.frame(number)
            yield page.load
        return
    for number in range(PAGES_MAX + 1):
        try:
            image.seek(number)
        except EOFError:
            return
        yield image.load if not isinstance(image, JpegImagePlugin.JpegImageFile) else _load_small(image)


def _load_small(image: JpegImagePlugin.JpegImageFile) -> Callable[[], object]:
    """Read all data of a JPEG but make an eighth of its size from it: nobody looks at the pixels."""

    def load() -> object:
        image.draft(None, (1, 1))
        return image.load()

    return load
