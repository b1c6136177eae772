"""The decoders by extension; runs in the processes of the sandbox only."""

import os

from storagemanager.content.images import inspect_image
from storagemanager.content.model import Inspect, Inspection
from storagemanager.content.ole import inspect_ole
from storagemanager.content.ooxml import inspect_ooxml
from storagemanager.content.pdf import inspect_pdf
from storagemanager.structure.source import RefusedError


def inspect(descriptor: int, request: Inspect) -> Inspection:
    """Return what the decoder of the extension finds in the file."""
    extension = request.extension
    with os.fdopen(os.dup(descriptor), "rb") as file:
        file.seek(0)
        try:
            if extension == "pdf":
                return inspect_pdf(file)
            if extension in {"docx", "xlsx"}:
                return inspect_ooxml(file)
            if extension in {"doc", "xls"}:
                return inspect_ole(file)
            return inspect_image(file, extension, request.pixels_max)
        except RefusedError as refused:
            return Inspection(str(refused))
