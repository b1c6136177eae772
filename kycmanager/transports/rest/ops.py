"""What operators and their machines ask for: alive, ready, counters."""

from collections.abc import Callable, Iterator, Sequence

from aiohttp import web

from kycmanager.metrics import CONTENT_TYPE
from kycmanager.transports import json_wire
from kycmanager.transports.rest.answers import Answer
from kycmanager.transports.rest.routes import Route

Ready = Callable[[], Sequence[str]]
"""Returns why the daemon does not serve, each reason in a few words; nothing when it does."""


class Operations:
    """Serves /healthz, /readyz, /metrics and the small greeting at /. None of them needs a token."""

    def __init__(self, ready: Ready, metrics: Callable[[], bytes], *, docs: bool) -> None:
        self._ready = ready
        self._metrics = metrics
        self._greeting = {"name": "kycmanager", **({"docs": "/docs", "openapi": "/openapi.json"} if docs else {})}

    def routes(self) -> Iterator[Route]:
        """Make the routes."""
        yield Route("GET", "/", self._greet)
        yield Route("GET", "/healthz", self._tell_health)
        yield Route("GET", "/readyz", self._tell_ready)
        yield Route("GET", "/metrics", self._tell_metrics)

    async def _greet(self, _request: web.BaseRequest, _parameter: str) -> web.StreamResponse:
        return Answer(200, json_wire.encode(self._greeting))

    async def _tell_health(self, _request: web.BaseRequest, _parameter: str) -> web.StreamResponse:
        return Answer(200, b'{"alive":true}')

    async def _tell_ready(self, _request: web.BaseRequest, _parameter: str) -> web.StreamResponse:
        reasons = list(self._ready())
        return Answer(503 if reasons else 200, json_wire.encode({"ready": not reasons, "reasons": reasons}))

    async def _tell_metrics(self, _request: web.BaseRequest, _parameter: str) -> web.StreamResponse:
        return Answer(200, self._metrics(), kind=CONTENT_TYPE.encode())
