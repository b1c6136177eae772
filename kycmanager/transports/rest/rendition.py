"""What a browser is shown of a stored file: pictures and texts made here, never a byte of the original."""

import asyncio
import re
from collections.abc import Iterator

from aiohttp import web

from kycmanager.domain.errors import Code, KycError, invalid
from kycmanager.domain.files import RENDITION_KINDS
from kycmanager.file_ports import FileStore
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
        if file.held:  # who decides of it fetches the file itself
            raise KycError(Code.NOT_FOUND, "A file that is held back has no rendition")
        kind, page = _wanted(query_fields(request))
        try:
            async with asyncio.timeout(self._request_seconds):
                rendition = await self._storage.rendition(file, kind, page)
        except TimeoutError:
            raise KycError(Code.OVERLOADED, "The rendition is still being made; ask again in a moment") from None
        extra = (
            "Content-Disposition: inline\r\n"
            "Content-Security-Policy: sandbox; default-src 'none'\r\n"
            f"{PAGE_COUNT}: {rendition.pages}\r\n"
        )
        return Answer(200, rendition.content, kind=rendition.content_type.encode(), extra=extra.encode())


def _wanted(fields: dict[str, str]) -> tuple[str, int]:
    """Return kind and page; INVALID_DATA naming the field that is none."""
    kind, page = fields.get("kind", _DEFAULT_KIND), fields.get("page", "1")
    if kind not in RENDITION_KINDS:
        raise invalid("kind", f"expected {', '.join(RENDITION_KINDS)}")
    if not _PAGE.fullmatch(page):
        raise invalid("page", "expected a number from 1 to 999999")
    return kind, int(page)
