"""docx and xlsx: every part is unpacked within bounds, and what in them runs or is fetched is named."""

import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from storagemanager.content.model import Finding, Inspection
from storagemanager.structure.source import refuse

UNPACKED_BYTES_MAX = 256 * 1024 * 1024
_PIECE_BYTES = 256 * 1024
_OVERLAP_BYTES = 256

_BY_NAME = (
    (re.compile(r"(?i)(?:^|/)vbaproject\.bin$|(?:^|/)vbadata\.xml$|^xl/macrosheets/"), Finding.MACROS),
    (re.compile(r"(?i)^(?:word|xl|ppt)/activex/"), Finding.ACTIVE_X),
    # A chart brings its numbers as a small workbook (.xlsx), which is harmless; a .bin is an object of any program.
    (
        re.compile(r"(?i)^(?:word|xl|ppt)/embeddings/.*\.(?:bin|docm|xlsm|xlsb|pptm|exe|js|vbs|hta|lnk)$"),
        Finding.EMBEDDED,
    ),
)
_RELATIONS = re.compile(r"(?i)\.rels$")
_EXTERNAL = re.compile(
    rb"(?i)<(?:\w+:)?Relationship\b(?=[^>]*\bTargetMode\s*=\s*[\"']External)"
    rb"(?=[^>]*\bType\s*=\s*[\"'][^\"']*/(?:attachedTemplate|oleObject|frame|subDocument|externalLinkPath|package))"
)
_TYPES = "[Content_Types].xml"
_MACRO_TYPES = re.compile(rb"(?i)macroEnabled|vbaProject|ms-excel\.(?:intl)?macrosheet")
_MAIN = re.compile(r"(?i)^(?:word/(?:document|header\d*|footer\d*)\.xml|xl/externalLinks/[^/]*\.xml)$")
_DATA_EXCHANGE = re.compile(rb"(?i)<(?:\w+:)?ddeLink\b|(?:instr(?:Text)?\b[^<]{0,200}?\bDDE(?:AUTO)?\s)")


def inspect_ooxml(file: BinaryIO) -> Inspection:
    """Unpack every part, name what is active; `RefusedError` where a part is damaged or they unpack to too much."""
    try:
        with zipfile.ZipFile(file) as archive:
            found = dict.fromkeys(_findings(archive))
    except (OSError, ValueError, LookupError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error):
        refuse("the document cannot be unpacked: it is damaged")
    return Inspection(findings=tuple(sorted(found)))


def _findings(archive: zipfile.ZipFile) -> Iterator[Finding]:
    left = UNPACKED_BYTES_MAX
    for part in archive.infolist():
        name = part.filename
        yield from (finding for pattern, finding in _BY_NAME if pattern.search(name))
        pattern, finding = _wanted(name)
        before = b""
        with archive.open(part) as stream:
            while piece := stream.read(_PIECE_BYTES):
                left -= len(piece)
                if left < 0:
                    refuse(f"the document unpacks to more than {UNPACKED_BYTES_MAX // 2**20} MiB")
                if pattern is not None and pattern.search(before + piece):
                    yield finding
                before = (before + piece)[-_OVERLAP_BYTES:]


def _wanted(name: str) -> tuple[re.Pattern[bytes] | None, Finding]:
    """Return what a part is searched for."""
    if name == _TYPES:
        return _MACRO_TYPES, Finding.MACROS
    if _RELATIONS.search(name):
        return _EXTERNAL, Finding.EXTERNAL
    return (_DATA_EXCHANGE if _MAIN.search(name) else None), Finding.EXTERNAL
