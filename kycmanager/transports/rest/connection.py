"""One HTTP connection: aiohttp's, watched, with hot reads answered before its parser."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, NamedTuple

from aiohttp import web
from aiohttp.http import HttpRequestParser, RawRequestMessage
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import PayloadAccessError, RequestHandler, RequestPayloadError

from kycmanager.commands.execute import Faults
from kycmanager.domain.errors import Code, KycError
from kycmanager.transports.rest.answers import refusal
from kycmanager.transports.rest.direct import UPLOAD, Receiver, rest_of
from kycmanager.transports.rest.hot import LOST, HotReads, owed_after
from kycmanager.transports.rest.watch import Watch

logger = logging.getLogger("kycmanager.http")

_CLIENTS_FAULT = (ConnectionError, HttpProcessingError, PayloadAccessError, RequestPayloadError)


class Shared(NamedTuple):
    """What all connections of a server share."""

    watch: Watch
    hot: HotReads | None
    faults: Faults
    has_room: Callable[[], bool]
    """Tells whether the connection that was just counted may stay."""


class Connection(RequestHandler):
    """A connection. It looks into aiohttp's protocol in few places: the tests fail loudly when those change."""

    __slots__ = ("_begun", "_held", "_known", "_owed", "_shared")

    def __init__(self, manager: web.Server, shared: Shared, **settings: Any) -> None:
        super().__init__(manager, **settings)
        self._shared = shared
        self._known = (b"", "")
        self._owed = 0
        self._begun = False
        self._held = False

    @property
    def idle(self) -> bool:
        """Whether no request is being worked on."""
        return self._waiter is not None and not self._messages

    def abort(self) -> None:
        """End the connection at once."""
        if self.transport is not None:
            self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, or close at once where there are too many."""
        super().connection_made(transport)
        if not self._shared.has_room():
            self.force_close()

    def connection_lost(self, exc: BaseException | None) -> None:
        """End."""
        self._shared.watch.forget(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes: answer a hot read here, else let aiohttp parse them."""
        hot = self._shared.hot
        waiter = self._waiter
        waiting = waiter is not None and not waiter.done()
        if hot is not None and data and self._owed != LOST:
            if waiting and not (self._owed or self._close or self._force_close or self._paused):
                answered = hot.answer(data, self._known)
                if answered is not None:
                    self._send(*answered)
                    return
            self._owed = owed_after(self._owed, data)
        super().data_received(data)
        if waiting and data:
            assert waiter is not None
            self._note(arrived=waiter.done())
        elif self._messages:
            self._break_body()
        if data.startswith(UPLOAD):
            self._hold()

    def _hold(self) -> None:
        """Leave the rest of a body in the socket until somebody says where to put it."""
        if len(self._messages) == 1 and not self._messages[0][1].is_eof() and self.transport is not None:
            self._held = True
            self.transport.pause_reading()

    def release(self) -> None:
        """Let the parser have the body that was held, if one was."""
        if self._held:
            self._held = False
            if self.transport is not None and not (self._reading_paused or self._buffer_paused):
                self.transport.resume_reading()

    def receive_directly(self, request: web.BaseRequest) -> Receiver | None:
        """Return who receives the rest of the body of the request under way, None where only the parser can."""
        content, transport = request.content, self.transport
        left = rest_of(content, request.content_length)
        if not left or transport is None or self._messages or self._reading_paused or self._buffer_paused:
            self.release()
            return None
        self._held = False

        def over() -> None:
            self._parser = self._new_parser()
            self._owed = 0
            content.feed_eof()

        transport.pause_reading()
        return Receiver(self, transport, left, over)

    def _new_parser(self) -> HttpRequestParser:
        return HttpRequestParser(
            self,
            self._loop,
            self._read_bufsize,
            max_line_size=self.max_line_size,
            max_field_size=self.max_field_size,
            max_headers=self.max_headers,
            payload_exception=RequestPayloadError,
            auto_decompress=False,
            max_msg_queue_size=self._max_msg_queue_size,
        )

    def _break_body(self) -> None:
        """End the body of the request under way where the parser has given it up; aiohttp leaves it waiting."""
        request = self._current_request
        given_up = not isinstance(self._messages[-1][0], RawRequestMessage)
        if given_up and request is not None and not request.content.is_eof():
            request.content.set_exception(RequestPayloadError("malformed body"))

    def _send(self, answer: bytes, known: tuple[bytes, str]) -> None:
        assert self.transport is not None
        self._known = known
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        self.transport.write(answer)

    def _note(self, *, arrived: bool) -> None:
        """Tell the watch of a head that is on its way."""
        if arrived:
            if self._begun:
                self._shared.watch.arrived(self)
            self._begun = False
        elif not self._begun:
            self._begun = True
            self._shared.watch.begun(self)

    def pause_writing(self) -> None:
        """Remember that the client does not read."""
        super().pause_writing()
        self._shared.watch.stalled(self)

    def resume_writing(self) -> None:
        """Remember that it reads again."""
        super().resume_writing()
        self._shared.watch.flowing(self)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,  # noqa: ARG002 - always 400: the server answers its own faults
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - repeats what the client sent
    ) -> web.StreamResponse:
        """Answer what is no HTTP, without repeating any of it; a client that has gone gets nothing."""
        if isinstance(exc, ConnectionError) or request.writer.output_size > 0:
            raise ConnectionResetError("The connection is over")
        answer = refusal(KycError(Code.INVALID_DATA, "Not a well-formed HTTP request"))
        answer.force_close()
        return answer

    def log_exception(self, *_args: Any, **named: Any) -> None:
        """Log what failed here; what clients do wrong is no news."""
        fault = named.get("exc_info")
        if isinstance(fault, Exception) and not isinstance(fault, _CLIENTS_FAULT):
            self._shared.faults("http", fault)


class HttpServer(web.Server):
    """Makes the connections."""

    def __init__(self, handler: Any, shared: Shared, **settings: Any) -> None:
        super().__init__(handler)
        self._shared = shared
        self._settings = settings

    def __call__(self) -> Connection:
        """Make one connection."""
        return Connection(self, self._shared, loop=self._loop, logger=logger, access_log=None, **self._settings)
