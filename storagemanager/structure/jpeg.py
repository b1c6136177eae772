"""JPEG: segments in bounds and scans up to EOI."""

import re

from storagemanager.structure.source import RefusedError, Source, refuse

SEGMENTS_MAX = 65_536
_MARK, _START, _END, _SCAN, _TEMPORARY = 0xFF, 0xD8, 0xD9, 0xDA, 0x01
_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_ALONE = frozenset({_TEMPORARY, *range(0xD0, 0xD8)})
_NOT_FILL = re.compile(rb"[^\xff]")
# In a scan 0xFF is followed by 0 (a data byte), by a restart mark or by fill; all else ends the scan.
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")


def walk(source: Source) -> int:
    """Return where the first image of the file ends; previews of cameras may follow."""
    if source.read(0, 2) != b"\xff\xd8":
        refuse("the JPEG signature is missing")
    at = 2
    has_frame = has_scan = False
    for _ in range(SEGMENTS_MAX):
        at, marker = _marker(source, at)
        if marker == _END:
            if not (has_frame and has_scan):
                refuse("the JPEG has no image data")
            return at
        if marker in _ALONE:
            continue
        at = _segment_end(source, at)
        has_frame = has_frame or marker in _FRAMES
        if marker == _SCAN:
            has_scan = True
            at = source.search(_MARKER, at, source.size)
            if at < 0:
                refuse("the JPEG is cut off")
    raise RefusedError(f"the JPEG has more than {SEGMENTS_MAX} segments")


def _marker(source: Source, at: int) -> tuple[int, int]:
    """Return the marker at `at` and where it ends; fill bytes may stand before it."""
    if source.byte(at) != _MARK:
        refuse(f"there is no JPEG segment at byte {at}")
    at = source.search(_NOT_FILL, at, source.size)
    if at < 0:
        refuse("the JPEG is cut off")
    marker = source.byte(at)
    if marker in (0, _START):
        refuse(f"there is no JPEG segment at byte {at}")
    return at + 1, marker


def _segment_end(source: Source, at: int) -> int:
    length = int(source.unpack(">H", at)[0])
    if length < 2:  # noqa: PLR2004 - the length counts its own two bytes
        refuse(f"the JPEG segment at byte {at} has no length")
    if at + length > source.size:
        refuse("the JPEG is cut off")
    return at + length
