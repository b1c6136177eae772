"""Files on their way to the daemon and back, read and written in pieces."""

import asyncio
import io
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

import aiohttp
from msgspec import Struct

from kycmanager.client.routes import RestRequest

_PIECE_BYTES = 1 << 18
_PLAIN = re.compile(r"[A-Za-z0-9 !#$&+.^_`|~()-]+")
_TYPE = "application/octet-stream"
"""The daemon looks at the content itself; what a client calls it does not count."""


class OpenFile(Struct, frozen=True):
    """A file to be sent and the name it is sent under."""

    content: BinaryIO
    name: str


class Rendition(Struct, frozen=True):
    """What may be shown of a stored file; `pages` is how many the file has."""

    content: bytes
    content_type: str
    pages: int


@asynccontextmanager
async def opened(source: bytes | Path, filename: str | None) -> AsyncIterator[OpenFile]:
    """Open what is to be sent. Raises OSError for a path, ValueError for bytes without a name."""
    if isinstance(source, Path):
        content: BinaryIO = await asyncio.to_thread(source.open, "rb")
        name = filename or source.name
    elif filename:
        content, name = io.BytesIO(source), filename
    else:
        raise ValueError("bytes need a filename")
    try:
        yield OpenFile(content, name)
    finally:
        content.close()


def form(file: OpenFile, fields: dict[str, str]) -> RestRequest:
    """Return the upload as a form; the file comes last, so that the rest is known before it."""
    parts = aiohttp.FormData(quote_fields=False, charset="utf-8")
    for name, value in fields.items():
        parts.add_field(name, value)
    parts.add_field("file", file.content, filename=_safe(file.name), content_type=_TYPE)
    return RestRequest("POST", "/upload", body=parts)


def raw(file: OpenFile, fields: dict[str, str]) -> RestRequest:
    """Return the upload as the body itself, named by its header."""
    headers = {"Content-Type": _TYPE, "Content-Disposition": disposition(file.name)}
    return RestRequest("POST", "/upload", query=fields, body=file.content, headers=headers)


def disposition(name: str) -> str:
    """Return the header that names the file: a plain name as it is, any other percent-encoded in UTF-8."""
    if _PLAIN.fullmatch(name):
        return f'attachment; filename="{name}"'
    return f"attachment; filename*=UTF-8''{quote(name, safe='')}"


def _safe(name: str) -> str:
    """Return a name that can stand in a header of a form part: nothing in it may end the line."""
    return re.sub(r"[\x00-\x1f\x7f]", "_", name)


async def save(content: aiohttp.StreamReader, path: Path) -> int:
    """Write what arrives to a path and return how many bytes it was."""
    size = 0
    target = await asyncio.to_thread(path.open, "wb")
    try:
        async for piece in content.iter_chunked(_PIECE_BYTES):
            size += await asyncio.to_thread(target.write, piece)
    finally:
        await asyncio.to_thread(target.close)
    return size
