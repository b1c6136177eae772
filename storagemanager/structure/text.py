"""txt, csv and svg: readable text without NUL that does not begin as a page or a program."""

import codecs
import re
from collections.abc import Iterator

from storagemanager.structure.source import WINDOW_BYTES, Source, refuse

_HEAD_CHARS = 1024
_ENCODINGS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_CONTROL_BYTES = bytes([*range(0x07), *range(0x0E, 0x1A), *range(0x1C, 0x20)])
_CONTROLS = re.compile(f"[{re.escape(_CONTROL_BYTES.decode())}]")
_ACTIVE_START = re.compile(
    r"\s*(?:<(?:!doctype|!--|html|head|body|script|svg|iframe|meta|\?php|\?=|\?xml|%)|#!|%pdf-|\{\\rtf)",
    re.IGNORECASE,
)
_ACTIVE_SVG = re.compile(
    r"<(?:script|foreignobject|iframe|!entity|!doctype)|\son[a-z]+\s*=|javascript:|data:text", re.IGNORECASE
)
_SVG_ROOT = re.compile(r"\s*(?:<\?xml[^>]{0,200}\?>\s*)?(?:<!--[^>]{0,900}-->\s*)?<svg[\s>]")
_OVERLAP_CHARS = 32


def walk(source: Source) -> int:
    """Return the file's size if it is text: UTF-8, UTF-16 with its mark, or an 8-bit Latin alphabet."""
    try:
        return _walk(source, _marked(source) or "utf-8")
    except UnicodeDecodeError:
        return _walk(source, "latin-1")


def _walk(source: Source, encoding: str) -> int:
    pieces = _pieces(source, encoding)
    if _ACTIVE_START.match(next(pieces, "")[:_HEAD_CHARS]):
        refuse("the text begins as a page, a program or another document")
    for _ in pieces:
        pass
    return source.size


def walk_svg(source: Source) -> int:
    """Return the file's size if it is an SVG image without script, events and entities."""
    before = ""
    for text in _pieces(source, _encoding(source)):
        if not before and not _SVG_ROOT.match(text[:_HEAD_CHARS]):
            refuse("the file does not begin as an SVG image")
        if _ACTIVE_SVG.search(before + text):
            refuse("the SVG image carries script, events or entities")
        before = text[-_OVERLAP_CHARS:]
    return source.size


def decoded(source: Source) -> Iterator[str]:
    """Yield the text of a file piece by piece; `RefusedError` where it is none."""
    return _pieces(source, _encoding(source))


def _marked(source: Source) -> str:
    """Return the encoding of the mark that a text begins with, "" where it has none."""
    head = source.read(0, min(4, source.size))
    return next((encoding for mark, encoding in _ENCODINGS if head.startswith(mark)), "")


def _encoding(source: Source) -> str:
    if encoding := _marked(source):
        return encoding
    try:
        for _ in _pieces(source, "utf-8"):
            pass
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def _pieces(source: Source, encoding: str) -> Iterator[str]:
    """Decode the file window by window; refuse control characters that no text has."""
    decoder = codecs.getincrementaldecoder(encoding)()
    in_bytes = encoding != "utf-16"  # everywhere else a control character is one byte; a fifth of the time finds it
    for offset in range(0, source.size, WINDOW_BYTES):
        window = source.read(offset, min(WINDOW_BYTES, source.size - offset))
        final = offset + len(window) == source.size
        try:
            text = decoder.decode(window, final)
        except UnicodeDecodeError:
            if encoding == "utf-8":
                raise
            refuse("the text is not in the encoding it begins with")
        found = len(window.translate(None, _CONTROL_BYTES)) < len(window) if in_bytes else _CONTROLS.search(text)
        if found:
            refuse("the text has bytes that no text has")
        yield text
