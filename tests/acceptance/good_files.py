"""What a good file is, told by the decoders' own libraries and not by the rules that are judged."""

import io
import re
import warnings
from pathlib import Path

import pikepdf
import pillow_heif
from PIL import Image

from storagemanager import DEFAULT_EXTENSIONS

pillow_heif.register_heif_opener()

SAME = {"heif": "heic", "hif": "heic"}
"""Extensions that are read as another one."""

PICTURES = {
    "png": {"PNG"},
    "jpg": {"JPEG", "MPO"},
    "jpeg": {"JPEG", "MPO"},
    "gif": {"GIF"},
    "webp": {"WEBP"},
    "ico": {"ICO"},
    "tif": {"TIFF"},
    "tiff": {"TIFF"},
    "heic": {"HEIF"},
}
TOLD_BROKEN = re.compile(
    r"broken|corrupt|truncat|junk|invalid|wrong|unexpected|damaged|malformed|illegal|crash|fuzz|bomb|oom|timeout|"
    r"overflow|loop|security|_bad|bad_",
    re.IGNORECASE,
)
"""A file is made to be faulty where its name, or that of a folder inside its package, says so."""

_NAMES = (
    "JavaScript",
    "JS",
    "Launch",
    "SubmitForm",
    "ImportData",
    "EmbeddedFile",
    "EmbeddedFiles",
    "EF",
    "FileAttachment",
)
_NAMES += ("XFA", "RichMedia", "Movie", "Sound", "3D", "Rendition", "Screen")
ACTIVE = re.compile(rb"/(?:%b)(?![^\s()<>\[\]/])" % "|".join(_NAMES).encode())


def kind_of(path: Path) -> str:
    """Return the extension a file would be sent with, "" where it is none of pictures and PDFs."""
    extension = path.suffix[1:].lower()
    extension = SAME.get(extension, extension)
    return extension if extension in {*PICTURES, "pdf"} & set(DEFAULT_EXTENSIONS) else ""


def is_good(path: Path, root: Path) -> bool:
    """Tell whether a file is a good one: nobody who sends it has done anything wrong.

    A picture is good when Pillow opens it as the format of its extension and loads all its pages without an error or a
    warning. A PDF is good when pikepdf opens it, it has a page, qpdf's own check has nothing to say, there was no
    warning, and it is clean: not encrypted, and without the names of active content in its plain text (QDF). Neither
    is good when its name says that it was made faulty.
    """
    if TOLD_BROKEN.search(str(path.relative_to(root))):
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return _good_pdf(path) if kind_of(path) == "pdf" else _good_picture(path)
        except Exception:
            return False


def _good_picture(path: Path) -> bool:
    with Image.open(path) as image:
        if image.format not in PICTURES[kind_of(path)]:
            return False
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            image.load()
    return True


def _good_pdf(path: Path) -> bool:
    with pikepdf.open(path) as document:
        if document.is_encrypted or not len(document.pages):
            return False
        if document.check_pdf_syntax() or document.get_warnings():
            return False
        plain = io.BytesIO()
        document.save(
            plain,
            qdf=True,
            object_stream_mode=pikepdf.ObjectStreamMode.disable,
            stream_decode_level=pikepdf.StreamDecodeLevel.none,
        )
    return not ACTIVE.search(plain.getvalue())
