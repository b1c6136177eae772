"""Files that wallets send without a name, or with one that tells no type: named by what they begin with.

Wallet libraries put bare bytes into a form, browsers call them "blob". The storage judges the whole file later.
"""

from kycmanager.domain.errors import KycError, invalid
from kycmanager.transports.rest.multipart import Part

OPENING_BYTES = 12
"""So many of the first bytes tell every type."""

_FILES = ("application/octet-stream", "application/pdf", "image/")
_OPENINGS = (
    (0, b"\x89PNG\r\n\x1a\n", "png"),
    (0, b"\xff\xd8\xff", "jpg"),
    (0, b"%PDF-", "pdf"),
    (0, b"GIF8", "gif"),
    (0, b"II*\0", "tif"),
    (0, b"MM\0*", "tif"),
    (8, b"WEBP", "webp"),
    (8, b"heic", "heic"),
    (8, b"heix", "heic"),
    (8, b"mif1", "heic"),
)


def is_file(part: Part) -> bool:
    """Tell whether a part is a file: it has a name, or is of a type that no text has."""
    return part.file_name is not None or part.content_type.lower().startswith(_FILES)


def tells_type(part: Part) -> bool:
    """Tell whether the name of a file has an ending."""
    return "." in (part.file_name or "")


def name_for(part: Part, opening: bytes) -> str:
    """Return a name for a file that begins so, with the ending its type has; INVALID_DATA for an unknown one."""
    for place, mark, ending in _OPENINGS:
        if opening.startswith(mark, place):
            return f"{part.file_name or part.name}.{ending}"
    raise unknown(part)


def unknown(part: Part) -> KycError:
    """Build the answer to a file nobody can name."""
    return invalid(part.name[:64], "is no known type of file; send it with a file name, such as photo.jpg")
