"""What a browser is shown of a stored file: pictures and texts made here, never a byte of the original."""

import asyncio
import re
from collections.abc import Iterator, Mapping

from aiohttp import web

from kycmanager.domain.errors import Code, KycError, invalid
from kycmanager.domain.files import RENDITION_KINDS
from kycmanager.file_ports import FileRendition, FileStore, StoredFile
from kycmanager.transports.rest.answers import Answer
from kycmanager.transports.rest.commands import query_fields
from kycmanager.transports.rest.readable import Readable
from kycmanager.transports.rest.routes import Route
from kycmanager.transports.rest.settings import RestSettings

PAGE_COUNT = "X-Page-Count"
_DEFAULT_KIND = "view"
_PAGE = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)


class RenditionDoor:
    """Answers GET and HEAD of /storage/{name}/rendition, for whoever may read the file itself."""

    def __init__(self, readable: Readable, storage: FileStore, settings: RestSettings) -> None:
        self._readable = readable
        self._storage = storage
        self._request_seconds = settings.request_seconds

    def routes(self) -> Iterator[Route]:
        """Make the routes."""
        yield Route("GET", "/storage/{name}/rendition", self._handle)

    async def _handle(self, request: web.BaseRequest, name: str) -> web.StreamResponse:
        file = await self._readable.find(request, name)
        rendition = await drawn(self._storage, file, query_fields(request), self._request_seconds)
        extra = "".join([f"{name}: {value}\r\n" for name, value in headers_of(rendition).items()])
        return Answer(200, rendition.content, kind=rendition.content_type.encode(), extra=extra.encode())


async def drawn(storage: FileStore, file: StoredFile, fields: Mapping[str, str], seconds: float) -> FileRendition:
    """Return the rendition that `kind` and `page` of a query ask for, of a file the caller may read.

    Raises INVALID_DATA for a wrong query, NOT_FOUND where there is no such rendition, INVALID_FILE for what cannot be
    drawn, OVERLOADED after so many seconds.
    """
    if file.held:  # who decides of it fetches the file itself
        raise KycError(Code.NOT_FOUND, "A file that is held back has no rendition")
    kind, page = _wanted(fields)
    try:
        async with asyncio.timeout(seconds):
            return await storage.rendition(file, kind, page)
    except TimeoutError:
        raise KycError(Code.OVERLOADED, "The rendition is still being made; ask again in a moment") from None


def headers_of(rendition: FileRendition) -> dict[str, str]:
    """Return the headers by which a rendition can be looked at, and can do nothing."""
    return {
        "Content-Disposition": "inline",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        PAGE_COUNT: str(rendition.pages),
    }


def _wanted(fields: Mapping[str, str]) -> tuple[str, int]:
    """Return kind and page; INVALID_DATA naming the field that is none."""
    kind, page = fields.get("kind", _DEFAULT_KIND), fields.get("page", "1")
    if kind not in RENDITION_KINDS:
        raise invalid("kind", f"expected {', '.join(RENDITION_KINDS)}")
    if not _PAGE.fullmatch(page):
        raise invalid("page", "expected a number from 1 to 999999")
    return kind, int(page)
