"""The words of renditions: kinds, bounds, the question to the process that draws, its answer; imports no decoder."""

from enum import StrEnum

from msgspec import Struct

from storagemanager.sandbox.model import Limits, Task

MIB = 1024 * 1024


class Kind(StrEnum):
    """How large a rendition is."""

    THUMB = "thumb"
    VIEW = "view"
    FULL = "full"


SIDES: dict[Kind, int] = {Kind.THUMB: 256, Kind.VIEW: 1600, Kind.FULL: 4000}
"""The longer side of a picture in pixels, at most; a picture is never made larger than it is."""

PICTURES = frozenset({"png", "jpg", "jpeg", "gif", "webp", "ico", "tif", "tiff", "heic"})
TEXTS = frozenset({"txt", "csv"})
DRAWN = PICTURES | TEXTS | {"pdf"}
"""The extensions that have renditions."""


class RenditionSettings(Struct, frozen=True, kw_only=True):
    """The bounds of drawing and keeping. Sizes are bytes, times are seconds."""

    cache_bytes_max: int = 1024 * MIB
    """What is kept on the disk; the ones not asked for the longest go first. 0 keeps nothing."""
    source_bytes_max: int = 64 * MIB
    """A larger file has no rendition."""
    pixels_max: int = 40_000_000
    """Of one picture, or of one page of it, as it is decoded."""
    waiting_max: int = 64
    """Renditions being made or waiting for it; one more is BUSY."""
    failure_seconds: int = 600
    """How long it is remembered that a file could not be drawn."""
    threads: int = 2
    limits: Limits = Limits(processes_max=2, seconds=4.0, wall_seconds_max=20.0, memory_bytes=512 * MIB)


class Render(Struct, frozen=True):
    """What to draw: the file's extension, the kind, the number of the page from 1."""

    extension: str
    kind: Kind
    page: int
    pixels_max: int


class Drawn(Struct, frozen=True):
    """What was drawn. Without content, `refusal` says why it cannot be; with neither, there is no such page."""

    content: bytes = b""
    content_type: str = ""
    pages: int = 0
    refusal: str = ""


class Rendition(Struct, frozen=True):
    """What a browser may be shown; `pages` is how many the file has."""

    content: bytes
    content_type: str
    pages: int


RENDER = Task("render", Render, Drawn)
