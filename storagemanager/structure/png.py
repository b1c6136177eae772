"""PNG: signature, chunks in bounds, critical chunks known and with their CRC, up to IEND."""

from storagemanager.structure.source import RefusedError, Source, refuse

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHUNKS_MAX = 100_000
_CRITICAL = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
_LENGTH_MAX = 2**31 - 1
_HEADER_LENGTH = 13


def walk(source: Source, start: int = 0) -> int:
    """Return where the image that begins at `start` ends."""
    if source.read(start, 8) != SIGNATURE:
        refuse("the PNG signature is missing")
    at = start + 8
    has_data = False
    for number in range(CHUNKS_MAX):
        length, kind = source.unpack(">I4s", at)
        _check_chunk(source, at, length, kind)
        if number == 0:
            _check_header(source, at, length, kind)
        has_data = has_data or kind == b"IDAT"
        at += 12 + int(length)
        if kind == b"IEND":
            if length or not has_data:
                refuse("the PNG has no image data")
            return at
    raise RefusedError(f"the PNG has more than {CHUNKS_MAX} chunks")


def _check_chunk(source: Source, at: int, length: int, kind: bytes) -> None:
    if not kind.isalpha() or length > _LENGTH_MAX:
        refuse(f"there is no PNG chunk at byte {at}")
    if at + 12 + length > source.size:
        refuse("the PNG is cut off")
    if kind[:1].isupper():
        if kind not in _CRITICAL:
            refuse(f"the PNG has the unknown critical chunk {kind.decode()}")
        if source.crc32(at + 4, 4 + length) != source.unpack(">I", at + 8 + length)[0]:
            refuse(f"the PNG chunk {kind.decode()} at byte {at} is damaged")


def _check_header(source: Source, at: int, length: int, kind: bytes) -> None:
    if kind != b"IHDR" or length != _HEADER_LENGTH:
        refuse("the PNG does not begin with its header")
    width, height = source.unpack(">II", at + 8)
    if not (0 < width <= _LENGTH_MAX and 0 < height <= _LENGTH_MAX):
        refuse("the PNG has no size")
