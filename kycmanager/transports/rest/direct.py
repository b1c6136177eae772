"""The rest of a body of known length, received where it is wanted: past the parser, without a copy.

The parser has seen the head, so the length is known, and what follows needs no understanding. Meanwhile the receiver
stands in for the connection at the transport; afterwards the connection goes on with a parser that begins anew.
"""

import asyncio
from collections.abc import Callable

from aiohttp import StreamReader

UPLOAD = b"POST /upload"
"""What requests begin with that may have such a body."""

_WASTE_BYTES = 65_536


class Receiver(asyncio.BufferedProtocol):
    """Stands in for `connection` at a transport that it has paused; `over` is called once when the body is there."""

    def __init__(
        self, connection: asyncio.Protocol, transport: asyncio.Transport, left: int, over: Callable[[], None]
    ) -> None:
        """`left` > 0 is how many bytes are still to come."""
        self._connection = connection
        self._transport = transport
        self._left = left
        self._over = over
        self._room = memoryview(b"")
        self._filled = self._enough = 0
        self._waiter: asyncio.Future[None] | None = None
        self._waste = False
        self.lost = False
        """Whether the client has gone."""
        transport.set_protocol(self)

    @property
    def filled(self) -> int:
        """How many bytes of the room given last are there."""
        return self._filled

    def fill(self, room: memoryview, enough: int) -> asyncio.Future[None]:
        """Begin to fill the room as far as the body goes.

        The future is done when that, or `enough` of it, is there, or when the client has gone.
        """
        self._room, self._filled = room[: self._left], 0
        self._enough = min(enough, len(self._room))
        self._waiter = asyncio.get_running_loop().create_future()
        if self._left and not self.lost:
            self._transport.resume_reading()
        else:
            self._waiter.set_result(None)
        return self._waiter

    def give_up(self) -> None:
        """Throw away what is still to come, for as long as the connection lives."""
        if self._left and not self.lost:
            self._waste = True
            self._room, self._filled = memoryview(bytearray(_WASTE_BYTES)), 0
            self._transport.resume_reading()

    def get_buffer(self, _sizehint: int) -> memoryview:
        """Return what is still free of the room."""
        return self._room[self._filled : self._filled + self._left]

    def buffer_updated(self, nbytes: int) -> None:
        """Count what came; a room that holds enough is left alone until there is another."""
        self._left -= nbytes
        if not self._waste:
            self._filled += nbytes
            if self._filled < self._enough:
                return
        elif self._left:
            return
        self._transport.pause_reading()
        self._room = memoryview(b"")
        self._wake()
        if not self._left:
            asyncio.get_running_loop().call_soon(self._finish)

    def eof_received(self) -> bool | None:
        """Leave it to the connection."""
        return self._connection.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell both."""
        self.lost = True
        self._connection.connection_lost(exc)
        self._wake()

    def pause_writing(self) -> None:
        """Leave it to the connection."""
        self._connection.pause_writing()

    def resume_writing(self) -> None:
        """Leave it to the connection."""
        self._connection.resume_writing()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _finish(self) -> None:
        if not self.lost:
            self._transport.set_protocol(self._connection)
            self._over()


def rest_of(content: StreamReader, length: int | None) -> int:
    """Return how much of a body of that length the parser has not seen; 0 where that is not known for certain."""
    if length is None or content.is_eof() or content.exception() is not None:
        return 0
    return max(0, length - content.total_bytes)
