"""The interactive page of the API, whole without a network: a page of our own and the bundled scripts."""

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

from aiohttp import web
from swagger_ui_bundle import swagger_ui_path

from kycmanager.domain.errors import not_found
from kycmanager.transports.rest.answers import JSON, Answer
from kycmanager.transports.rest.routes import Route

_OWN = files("kycmanager.transports.rest") / "static"
_CACHING = b"max-age=3600"
# No outside address and no inline script; the bundle sets styles on elements and draws its icons from data.
_POLICY = (
    b"Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline';"
    b" img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"
)
_FILES: tuple[tuple[str, Traversable, bytes], ...] = (
    ("swagger-ui-bundle.js", swagger_ui_path, b"text/javascript; charset=utf-8"),
    ("swagger-ui.css", swagger_ui_path, b"text/css; charset=utf-8"),
    ("favicon-32x32.png", swagger_ui_path, b"image/png"),
    ("docs.js", _OWN, b"text/javascript; charset=utf-8"),
)


class DocsPage:
    """Serves /docs, its files, and the document they show; all of it is read once."""

    def __init__(self, openapi: bytes) -> None:
        self._openapi = openapi
        self._page = (_OWN / "docs.html").read_bytes()
        self._files = {name: ((folder / name).read_bytes(), kind) for name, folder, kind in _FILES}

    def routes(self) -> Iterator[Route]:
        """Make the routes of the page."""
        yield Route("GET", "/docs", self._show)
        yield Route("GET", "/docs/static/{name}", self._send)
        yield Route("GET", "/openapi.json", self._describe)

    async def _show(self, _request: web.BaseRequest, _parameter: str) -> web.StreamResponse:
        return Answer(200, self._page, kind=b"text/html; charset=utf-8", extra=_POLICY)

    async def _send(self, _request: web.BaseRequest, name: str) -> web.StreamResponse:
        found = self._files.get(name)
        if found is None:
            raise not_found("page")
        content, kind = found
        return Answer(200, content, kind=kind, caching=_CACHING)

    async def _describe(self, _request: web.BaseRequest, _parameter: str) -> web.StreamResponse:
        return Answer(200, self._openapi, kind=JSON)
