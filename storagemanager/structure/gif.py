"""GIF: header, colour tables and blocks in bounds, up to the trailer."""

from storagemanager.structure.source import RefusedError, Source, refuse

BLOCKS_MAX = 1_000_000
_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B


def walk(source: Source) -> int:
    """Return where the image ends."""
    if source.read(0, 6) not in (b"GIF87a", b"GIF89a"):
        refuse("the GIF signature is missing")
    at = 13 + _table_bytes(source.byte(10))
    has_image = False
    blocks = 0
    while blocks < BLOCKS_MAX:
        kind = source.byte(at)
        if kind == _TRAILER:
            if not has_image:
                refuse("the GIF has no image")
            return at + 1
        if kind == _EXTENSION:
            at += 2
        elif kind == _IMAGE:
            has_image = True
            at += 11 + _table_bytes(source.byte(at + 9))
        else:
            refuse(f"there is no GIF block at byte {at}")
        at, count = _skip_data(source, at)
        blocks += count
    raise RefusedError(f"the GIF has more than {BLOCKS_MAX} blocks")


def _table_bytes(flags: int) -> int:
    """Return the bytes of a colour table: its flags tell whether there is one, and how large."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _skip_data(source: Source, at: int) -> tuple[int, int]:
    """Return where a chain of sub-blocks ends, and how many it has."""
    byte = source.byte
    for count in range(BLOCKS_MAX):
        length = byte(at)
        at += 1 + length
        if length == 0:
            return at, count + 1
    raise RefusedError(f"the GIF has more than {BLOCKS_MAX} blocks")
