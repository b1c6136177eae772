"""PDF: the header at byte 0, and nothing of a document behind the last end mark."""

import re

from storagemanager.structure.source import Source, refuse

_HEADER = re.compile(rb"%PDF-\d\.\d")
_END = b"%%EOF"
_OBJECT = re.compile(rb"\d\s{1,4}obj\b")


def walk(source: Source) -> int:
    """Return where the last end mark ends.

    Every saved change of a document adds an end mark, and a document made for the web has one near its start: objects
    behind the last one mean that the file is cut off.
    """
    if not _HEADER.match(source.read(0, min(8, source.size))):
        refuse("the PDF header is not at the start of the file")
    end = source.rfind(_END)
    if end < 0:
        refuse("the PDF is cut off: it has no end mark")
    end += len(_END)
    if source.search(_OBJECT, end, source.size, 10) >= 0:
        refuse("the PDF is cut off: objects follow its last end mark")
    return end
