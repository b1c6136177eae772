"""What the client calls its file: kept as data, cleaned of what no display needs, and quoted for downloads."""

import re
import unicodedata
from urllib.parse import quote

ORIGINAL_NAME_CHARS_MAX = 255
"""Longer names lose the end of their stem; the extension stays."""

DECLARED_TYPE_CHARS_MAX = 127

_NOT_A_CHARACTER = frozenset({"Cc", "Cs"})
# The marks that turn the direction of what follows: "photo" RLO "gnp.exe" would read as an image's name.
_DIRECTION_MARKS = re.compile("[\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_UNSAFE_ASCII = re.compile(r"[^ !#$&+\-.0-9A-Z^_`a-z{}~()\[\],=@]")


def clean_name(name: str) -> str:
    """Return `name` without control characters and lone surrogates, NUL and CRLF among them, at most 255 characters.

    All else stays as it came, traversal and right-to-left marks too: it is data, never a path.
    """
    # A name of megabytes must not cost a pass over each character; the extension is at the end, so both ends stay.
    if len(name) > 2 * ORIGINAL_NAME_CHARS_MAX:
        name = name[:ORIGINAL_NAME_CHARS_MAX] + name[-ORIGINAL_NAME_CHARS_MAX:]
    name = "".join(c for c in name if unicodedata.category(c) not in _NOT_A_CHARACTER).strip()
    if len(name) <= ORIGINAL_NAME_CHARS_MAX:
        return name
    stem, dot, extension = name.rpartition(".")
    ending = f"{dot}{extension}" if dot and len(extension) < ORIGINAL_NAME_CHARS_MAX else ""
    return (stem if ending else name)[: ORIGINAL_NAME_CHARS_MAX - len(ending)] + ending


def extension_of(name: str) -> str:
    """Return what follows the last dot of a cleaned name, lower-cased; "" where there is no dot."""
    return name.rpartition(".")[2].lower() if "." in name else ""


def clean_label(text: str, chars_max: int) -> str:
    """Return a short label without control characters, cut to `chars_max`."""
    return "".join(c for c in text[:chars_max] if unicodedata.category(c) not in _NOT_A_CHARACTER)


def content_disposition(name: str) -> str:
    """Return the value of a download's Content-Disposition header for any name (RFC 6266, RFC 5987).

    Always `attachment`, an ASCII `filename` that old clients can read, and `filename*` with the whole name where the
    two differ. Folders, marks of direction and quotes are gone from both; no name can end the header.
    """
    name = _DIRECTION_MARKS.sub("", clean_name(name)).replace("\\", "/").rpartition("/")[2].strip(" .") or "file"
    stem, dot, extension = name.rpartition(".")
    stem, extension = (_ascii(stem), _ascii(extension)) if dot else (_ascii(extension), "")
    ascii_name = f"{stem or 'file'}{dot}{extension}".rstrip(". ")
    header = f'attachment; filename="{ascii_name}"'
    return header if ascii_name == name else f"{header}; filename*=UTF-8''{quote(name, safe='')}"


def _ascii(text: str) -> str:
    """Return what of a text ASCII can show: letters without their accents, "_" for marks a header must not carry."""
    shown = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return _UNSAFE_ASCII.sub("_", shown).strip(" .")
