"""ICO: the directory's images lie in the file and are PNG or bitmap."""

from storagemanager.structure import png
from storagemanager.structure.source import Source, refuse

IMAGES_MAX = 256
_BITMAP_HEADERS = frozenset({12, 40, 52, 56, 64, 108, 124})


def walk(source: Source) -> int:
    """Return where the last image ends."""
    reserved, kind, count = source.unpack("<HHH", 0)
    if reserved != 0 or kind != 1 or not 0 < count <= IMAGES_MAX:
        refuse("the ICO directory is missing")
    directory_end = end = 6 + 16 * int(count)
    for number in range(count):
        length, offset = source.unpack("<II", 6 + 16 * number + 8)
        if offset < directory_end or offset + length > source.size:
            refuse(f"image {number + 1} of the ICO lies outside the file")
        _check_image(source, number, offset, length)
        end = max(end, offset + length)
    return end


def _check_image(source: Source, number: int, offset: int, length: int) -> None:
    if source.read(offset, min(8, length)) == png.SIGNATURE:
        if png.walk(source, offset) > offset + length:
            refuse(f"image {number + 1} of the ICO is larger than its entry")
    elif length < 12 or source.unpack("<I", offset)[0] not in _BITMAP_HEADERS:  # noqa: PLR2004 - the smallest header
        refuse(f"image {number + 1} of the ICO is neither PNG nor bitmap")
