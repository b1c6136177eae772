"""WebP: the RIFF size and the chunks inside it agree."""

from storagemanager.structure.source import RefusedError, Source, refuse

CHUNKS_MAX = 100_000
_FIRST = frozenset({b"VP8 ", b"VP8L", b"VP8X"})
_IMAGES = frozenset({b"VP8 ", b"VP8L", b"ANMF"})


def walk(source: Source) -> int:
    """Return where the RIFF ends."""
    riff, length, kind = source.unpack("<4sI4s", 0)
    if riff != b"RIFF" or kind != b"WEBP":
        refuse("the WebP signature is missing")
    end = 8 + int(length)
    if end > source.size:
        refuse("the WebP is cut off")
    at = 12
    has_image = False
    for number in range(CHUNKS_MAX):
        if at >= end:
            if not has_image:
                refuse("the WebP has no image")
            return min(at, source.size)
        kind, length = source.unpack("<4sI", at)
        if number == 0 and kind not in _FIRST:
            refuse("the WebP does not begin with an image")
        if at + 8 + length > end:
            refuse(f"the WebP chunk at byte {at} is larger than its file")
        has_image = has_image or kind in _IMAGES
        at += 8 + length + (length & 1)
    raise RefusedError(f"the WebP has more than {CHUNKS_MAX} chunks")
