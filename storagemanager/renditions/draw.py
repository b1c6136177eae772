"""What draws by extension; runs in the processes of the sandbox only."""

import os

from storagemanager.renditions.model import PICTURES, Drawn, Render
from storagemanager.renditions.pages import draw_page
from storagemanager.renditions.pictures import draw_picture
from storagemanager.renditions.texts import draw_text
from storagemanager.structure.source import RefusedError, Source


def render(descriptor: int, request: Render) -> Drawn:
    """Return the rendition of the file, or why there is none."""
    with os.fdopen(os.dup(descriptor), "rb") as file:
        file.seek(0)
        try:
            if request.extension == "pdf":
                return draw_page(file, request)
            if request.extension in PICTURES:
                return draw_picture(file, request)
            return draw_text(Source(descriptor, os.fstat(descriptor).st_size), request)
        except RefusedError as refused:
            return Drawn(refusal=str(refused))
