"""A server that keeps what it is sent, and answers as the test says."""

import asyncio
import json
import ssl
from typing import Any, NamedTuple, Self

from aiohttp import web


class Call(NamedTuple):
    """One call that came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def data(self) -> dict[str, Any]:
        return json.loads(self.body)["data"]

    @property
    def seq(self) -> int:
        return self.data["seq"]


class Receiver:
    """`answer` is a status, or a coroutine function of the call that gives a response. `port` 0 is any free one."""

    def __init__(self, *, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.port = port
        self.answer: Any = 200
        self.calls: list[Call] = []
        self.at_once = self.at_once_max = 0
        self._tls = tls
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        await self.up()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.down()

    async def up(self) -> None:
        """Listen, at the same port as before."""
        app = web.Application(client_max_size=1 << 26)
        app.router.add_route("*", "/{path:.*}", self._take)
        self._runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=self._tls)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def down(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def url(self) -> str:
        scheme = "https" if self._tls else "http"
        return f"{scheme}://127.0.0.1:{self.port}/hook"

    async def _take(self, request: web.Request) -> web.StreamResponse:
        call = Call(request.path, dict(request.headers), await request.read())
        self.calls.append(call)
        self.at_once += 1
        self.at_once_max = max(self.at_once_max, self.at_once)
        try:
            if isinstance(self.answer, int):
                return web.Response(status=self.answer)
            return await self.answer(request, call)
        finally:
            self.at_once -= 1

    async def calls_are(self, count: int, seconds: float = 20) -> list[Call]:
        """Wait until so many calls came, and return them."""
        async with asyncio.timeout(seconds):
            while len(self.calls) < count:
                await asyncio.sleep(0.01)
        return self.calls
