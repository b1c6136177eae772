"""The HTTP server: listens, routes, and turns every outcome into one answer."""

import asyncio
import ssl
from collections.abc import Callable, Iterator, Mapping

from aiohttp import web
from aiohttp.web_protocol import RequestPayloadError

from kycmanager.commands.execute import Executor, Faults
from kycmanager.domain.errors import Code, KycError, not_found
from kycmanager.file_ports import FileStore
from kycmanager.transports.bearer import WrongToken
from kycmanager.transports.listen import listen
from kycmanager.transports.rest.answers import Answer, refusal
from kycmanager.transports.rest.body import TooSlowError
from kycmanager.transports.rest.commands import CommandDoor, Observe
from kycmanager.transports.rest.connection import Connection, HttpServer, Shared
from kycmanager.transports.rest.docs_page import DocsPage
from kycmanager.transports.rest.download import DownloadDoor
from kycmanager.transports.rest.gate import Gate
from kycmanager.transports.rest.head import is_last, refusal_of_head
from kycmanager.transports.rest.hot import HotReads
from kycmanager.transports.rest.ops import Operations, Ready
from kycmanager.transports.rest.pace import release
from kycmanager.transports.rest.readable import Readable
from kycmanager.transports.rest.rendition import RenditionDoor
from kycmanager.transports.rest.routes import Mount, Route, Router
from kycmanager.transports.rest.settings import RestSettings
from kycmanager.transports.rest.upload import UploadDoor
from kycmanager.transports.rest.watch import Watch

_MOMENT_SECONDS = 0.05  # aiohttp takes 0 for "without end"
_TOO_SLOW = KycError(Code.INVALID_DATA, "body: came too slowly")
_BROKEN_BODY = KycError(Code.INVALID_DATA, "body: malformed or cut off")


def _observe_nothing(_name: str, _status: int, _seconds: float) -> None: ...


class RestServer:
    """The HTTP door at one address; no rule of the domain lives behind it.

    `wrong_token(address, token)` counts a failed token and builds its answer. `faults(work, error)` logs an exception
    and returns its correlation id. `ready()` gives the reasons not to serve. `metrics()` gives Prometheus text.
    `observe(command, status, seconds)` is told of every command. `mounts` gives further doors by their prefix.
    `others()` is the number of connections at other doors, which count towards `settings.connections_max`.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        executor: Executor,
        storage: FileStore,
        settings: RestSettings,
        wrong_token: WrongToken,
        faults: Faults,
        ready: Ready,
        metrics: Callable[[], bytes],
        openapi: bytes,
        observe: Observe = _observe_nothing,
        mounts: Mapping[str, Mount] | None = None,
        others: Callable[[], int] = int,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._place = (host, port)
        self._settings = settings
        self._executor = executor
        self._faults = faults
        self._observe = observe
        self._others = others
        self._ssl_context = ssl_context
        gate = Gate(executor, wrong_token)
        readable = Readable(gate, storage, public=settings.public_scope)
        doors = (
            CommandDoor(executor, gate, settings, observe).routes(),
            [Route("POST", "/upload", UploadDoor(gate, storage, settings).handle)],
            DownloadDoor(readable, storage).routes(),
            RenditionDoor(readable, storage, settings).routes(),
            Operations(ready, metrics, docs=settings.docs).routes(),
            DocsPage(openapi).routes() if settings.docs else (),
        )
        self._router = Router((route for door in doors for route in door), mounts or {})
        self._listener: asyncio.Server | None = None
        self._http: HttpServer | None = None
        self._watch: Watch | None = None
        self._active = 0
        self._draining = False
        self._quiet = asyncio.Event()

    @property
    def address(self) -> tuple[str, int]:
        """The address it listens at, the real port where 0 was asked for."""
        return self._place

    @property
    def connections(self) -> int:
        """The number of open connections."""
        return len(self._http.connections) if self._http is not None else 0

    async def start(self) -> None:
        """Listen; raises ListenError where the address cannot be had. Once more does nothing."""
        if self._listener is not None:
            return
        settings = self._settings
        self._watch = Watch(settings)
        hot = HotReads(self._executor, self._observe) if settings.fast_path else None
        self._http = HttpServer(
            self._handle,
            Shared(self._watch, hot, self._faults, self._has_room),
            keepalive_timeout=settings.keepalive_seconds,
            lingering_time=settings.discard_seconds,
            auto_decompress=False,
        )
        self._listener = await listen("--http", self._place, self._http, self._ssl_context)
        self._place = self._listener.sockets[0].getsockname()[:2]

    async def drain(self, seconds: float) -> None:
        """Take no new connection, close the idle ones, and wait so many seconds at most for what was begun."""
        self._draining = True
        if self._listener is None or self._http is None:
            return
        self._listener.close()
        for connection in self._idle():
            connection.force_close()
        try:
            async with asyncio.timeout(seconds):
                while self._active:
                    self._quiet.clear()
                    await self._quiet.wait()
        except TimeoutError:
            pass

    async def close(self) -> None:
        """Close everything at once; once more does nothing."""
        self._draining = True
        if self._listener is None or self._http is None:
            return
        self._listener.close()
        await self._http.shutdown(_MOMENT_SECONDS)
        if self._watch is not None:
            self._watch.close()
        self._http = None

    def _has_room(self) -> bool:
        return self.connections + self._others() <= self._settings.connections_max

    def _idle(self) -> Iterator[Connection]:
        assert self._http is not None
        for connection in self._http.connections:
            if isinstance(connection, Connection) and connection.idle:
                yield connection

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self._active += 1
        try:
            answer = await self._answer(request)
        finally:
            release(request)
            self._active -= 1
            if not self._active:
                self._quiet.set()
        if self._draining or is_last(request):
            answer.force_close()
        return answer

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request; only a client that has gone and a server that ends come out as exceptions."""
        try:
            return await self._route(request)
        except KycError as error:
            return refusal(error)
        except (ConnectionError, web.HTTPException):
            raise
        except TooSlowError:
            return _closing(_TOO_SLOW)
        except RequestPayloadError:
            return _closing(_BROKEN_BODY)
        except Exception as error:  # noqa: BLE001 - every fault becomes one answer
            correlation = self._faults("http", error)
            return refusal(
                KycError(Code.INTERNAL, "Something failed here; the log knows", {"correlation_id": correlation})
            )

    async def _route(self, request: web.BaseRequest) -> web.StreamResponse:
        refused = refusal_of_head(request)
        if refused is not None:
            return _closing(refused)
        path = request.rel_url.raw_path
        resource, parameter = self._router.find(path)
        if resource is not None:
            handler = resource.handlers.get(request.method)
            return _wrong_method(resource.allow) if handler is None else await handler(request, parameter)
        mount = self._router.mounted(path)
        if mount is None:
            raise not_found("page")
        return await mount(request)


def _wrong_method(allow: str) -> Answer:
    answer = refusal(KycError(Code.INVALID_METHOD, f"This path takes {allow}"))
    return Answer(answer.status, answer.content, extra=f"Allow: {allow}\r\n".encode())


def _closing(error: KycError) -> Answer:
    answer = refusal(error)
    answer.force_close()
    return answer
