"""Texts for the eye: decoded, escaped, page by page."""

import html
import re

from storagemanager.renditions.model import Drawn, Render
from storagemanager.structure.source import Source
from storagemanager.structure.text import decoded

PLAIN_TEXT = "text/plain; charset=utf-8"
PAGE_CHARS = 50_000
_LINE_CHARS = 2_000
"""A page ends with a line where one ends among its last so many characters."""

# Control characters, and the marks that turn the direction of what follows or hide between letters.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)


def draw_text(source: Source, request: Render) -> Drawn:
    """Return one page of a text: <, > and & escaped as in HTML, what cannot be seen by its number in hexadecimal.

    `RefusedError` where it cannot be decoded.
    """
    text = "".join(decoded(source)).replace("\r\n", "\n")
    starts = _starts(text)
    if request.page > len(starts):
        return Drawn(pages=len(starts))
    start = starts[request.page - 1]
    end = starts[request.page] if request.page < len(starts) else len(text)
    shown = html.escape(_UNSEEN.sub(lambda match: f"\\u{ord(match[0]):04x}", text[start:end]), quote=False)
    return Drawn(shown.encode(errors="backslashreplace") or b" ", PLAIN_TEXT, len(starts))


def _starts(text: str) -> list[int]:
    """Return where each page begins."""
    starts = [0]
    while len(text) - starts[-1] > PAGE_CHARS:
        end = starts[-1] + PAGE_CHARS
        line = text.rfind("\n", end - _LINE_CHARS, end)
        starts.append(end if line < 0 else line + 1)
    return starts
