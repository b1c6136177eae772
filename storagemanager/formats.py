"""The table of formats: one row says all about an extension."""

from collections.abc import Callable

from msgspec import Struct

from storagemanager.structure import gif, heic, ico, jpeg, ole, ooxml, pdf, png, text, tiff, webp
from storagemanager.structure.source import Source

_OFFICE = "application/vnd.openxmlformats-officedocument"
_ANY_OLE = frozenset({"application/x-ole-storage", "application/CDFV2"})
# libmagic names texts by what they talk of; what would be dangerous as text is not in the list, the walk has a say too.
_TEXTS = frozenset(
    {
        "text/plain",
        "text/csv",
        "text/tab-separated-values",
        "text/troff",
        "text/x-tex",
        "text/x-c",
        "text/x-c++",
        "text/x-java",
        "text/x-makefile",
        "text/x-diff",
        "text/x-script.python",
        "text/vcard",
        "text/vtt",
        "text/calendar",
        "application/csv",
        "application/json",
        "application/x-ndjson",
        "application/x-subrip",
        "application/pgp-keys",
        "application/pgp-signature",
        "message/rfc822",
        "message/news",
        "application/octet-stream",  # one character, or blank lines only
    }
)


class Format(Struct, frozen=True, kw_only=True):
    """What a file of one extension must be.

    `walk` returns where the format ends in the file or raises `RefusedError`. `sealed` formats are whole documents of
    their own making; the others are also looked at for a second format that readers would find from the end, except
    for a ZIP where documents of the format hold some (`holds_archives`).
    """

    content_type: str
    signatures: frozenset[str]
    walk: Callable[[Source], int]
    sealed: bool = False
    holds_archives: bool = False
    is_pdf: bool = False


def _image(content_type: str, walk: Callable[[Source], int], *aliases: str) -> Format:
    return Format(content_type=content_type, signatures=frozenset({content_type, *aliases}), walk=walk)


_JPEG = _image("image/jpeg", jpeg.walk)
_TIFF = _image("image/tiff", tiff.walk)

FORMATS: dict[str, Format] = {
    "png": _image("image/png", png.walk, "image/apng", "image/vnd.mozilla.apng"),
    "jpg": _JPEG,
    "jpeg": _JPEG,
    "gif": _image("image/gif", gif.walk),
    "webp": _image("image/webp", webp.walk),
    # libmagic takes small icons for TGA pictures, whose head says next to nothing; the walk knows better.
    "ico": _image("image/vnd.microsoft.icon", ico.walk, "image/x-icon", "image/x-tga"),
    "tif": _TIFF,
    "tiff": _TIFF,
    "heic": _image(
        "image/heic", heic.walk, "image/heif", "image/heic-sequence", "image/heif-sequence", "application/octet-stream"
    ),
    "pdf": Format(
        content_type="application/pdf", signatures=frozenset({"application/pdf"}), walk=pdf.walk, is_pdf=True
    ),
    "txt": Format(content_type="text/plain", signatures=_TEXTS, walk=text.walk, sealed=True),
    "csv": Format(content_type="text/csv", signatures=_TEXTS, walk=text.walk, sealed=True),
    "svg": Format(
        content_type="image/svg+xml",
        signatures=frozenset({"image/svg+xml", "image/svg", "text/xml", "text/html", "text/plain"}),
        walk=text.walk_svg,
        sealed=True,
    ),
    "doc": Format(
        content_type="application/msword",
        signatures=frozenset({"application/msword", *_ANY_OLE}),
        walk=ole.walk_doc,
        holds_archives=True,
    ),
    "xls": Format(
        content_type="application/vnd.ms-excel",
        signatures=frozenset({"application/vnd.ms-excel", "application/msword", *_ANY_OLE}),
        walk=ole.walk_xls,
        holds_archives=True,
    ),
    "docx": Format(
        content_type=f"{_OFFICE}.wordprocessingml.document",
        signatures=frozenset({f"{_OFFICE}.wordprocessingml.document", "application/zip", "application/octet-stream"}),
        walk=ooxml.walk_docx,
        sealed=True,
    ),
    "xlsx": Format(
        content_type=f"{_OFFICE}.spreadsheetml.sheet",
        signatures=frozenset({f"{_OFFICE}.spreadsheetml.sheet", "application/zip", "application/octet-stream"}),
        walk=ooxml.walk_xlsx,
        sealed=True,
    ),
}
