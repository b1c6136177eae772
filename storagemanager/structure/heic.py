"""HEIC: an ftyp box with a HEIF brand, then boxes up to the end of the file or to a camera's trailer."""

from storagemanager.structure.source import Source, refuse

BOXES_MAX = 10_000
_BRANDS_BYTES_MAX = 4096
_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"mif2", b"msf1"})
_KNOWN = frozenset({b"meta", b"mdat", b"moov", b"free", b"skip", b"uuid", b"wide", b"mpvd", b"sefd", b"styp", b"sidx"})
_REST, _LARGE, _HEADER_BYTES = 0, 1, 8


def walk(source: Source) -> int:
    """Return where the boxes end."""
    at = _check_brand(source)
    seen: set[bytes] = set()
    for _ in range(BOXES_MAX):
        whole = bool(seen & {b"meta", b"moov"}) and (b"mdat" in seen or b"moov" in seen)
        if at == source.size or (whole and source.size - at < _HEADER_BYTES):
            break
        length, kind = _box(source, at)
        if at + length > source.size or length < _HEADER_BYTES:
            if whole and kind not in _KNOWN:
                break  # a trailer that is no box
            refuse("the HEIC is cut off")
        seen.add(kind)
        at += length
    else:
        refuse(f"the HEIC has more than {BOXES_MAX} boxes")
    if not whole:
        refuse("the HEIC has no image")
    return at


def _check_brand(source: Source) -> int:
    """Return where the ftyp box ends."""
    length, kind = source.unpack(">I4s", 0)
    if kind != b"ftyp" or not 16 <= length <= _BRANDS_BYTES_MAX:  # noqa: PLR2004 - header, brand and version
        refuse("the HEIC signature is missing")
    body = source.read(8, length - 8)
    brands = {body[:4], *(body[at : at + 4] for at in range(8, len(body), 4))}
    if not brands & _BRANDS:
        refuse("the file is of no HEIC brand")
    return int(length)


def _box(source: Source, at: int) -> tuple[int, bytes]:
    length, kind = source.unpack(">I4s", at)
    if length == _LARGE:
        length = source.unpack(">Q", at + 8)[0] if at + 16 <= source.size else 0
    elif length == _REST:
        # Only these may run to the end of the file; four zero bytes of padding may not.
        length = source.size - at if kind in _KNOWN else 0
    return int(length), kind
