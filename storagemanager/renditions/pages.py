"""Pages of a PDF as pictures."""

import math
from typing import BinaryIO

import pypdfium2

from storagemanager.renditions.model import SIDES, Drawn, Render
from storagemanager.renditions.pictures import JPEG, jpeg
from storagemanager.structure.source import refuse

SCALE_MAX = 8.0
"""A point becomes so many pixels at most: a page the size of a stamp need not fill the screen."""


def draw_page(file: BinaryIO, request: Render) -> Drawn:
    """Draw one page with what is filled into its forms; scripts and actions do not exist here.

    `RefusedError` where the document or its page cannot be read.
    """
    try:
        with pypdfium2.PdfDocument(file.read()) as document:
            pages = len(document)
            if request.page > pages:
                return Drawn(pages=pages)
            document.init_forms()
            page = document[request.page - 1]
            width, height = page.get_size()
            if not (math.isfinite(width) and math.isfinite(height) and width > 0 and height > 0):
                refuse("the page has no size")
            scale = min(SIDES[request.kind] / max(width, height), SCALE_MAX)
            picture = page.render(scale=scale).to_pil()
            return Drawn(jpeg(picture.convert("RGB"), request.kind), JPEG, pages)
    except pypdfium2.PdfiumError:
        refuse("the document cannot be read; it is damaged or encrypted")
