"""The writing half of a TCP connection: answers and pushes gathered into few writes, and the bounds of both."""

import asyncio
import socket
from time import perf_counter
from typing import Any

from kycmanager.domain.errors import KycError
from kycmanager.transports.door import Door
from kycmanager.transports.framing import Wire

FLUSH_BYTES = 64 * 1024
"""What gathers before it is written."""

KEEPALIVE = ((socket.TCP_KEEPIDLE, 60), (socket.TCP_KEEPINTVL, 10), (socket.TCP_KEEPCNT, 6))
"""Seconds before a silent client is probed, between two probes, and how many may fail: by default it takes hours."""

_OK = 200


class Outlet(asyncio.Protocol):
    """Writes to one client. `unread_since` is not 0 while the client does not read what was written."""

    __slots__ = (
        "_out",
        "_out_bytes",
        "_queued",
        "_room",
        "address",
        "closed",
        "door",
        "spoken",
        "started",
        "transport",
        "unread_since",
        "wire",
    )

    def __init__(self, door: Door) -> None:
        self.door = door
        self.transport: Any = None
        self.address = ""
        self.wire = Wire.JSON
        self.spoken = door.wires[Wire.JSON]
        self.closed = False
        self.started = perf_counter()
        self.unread_since = 0.0
        self._out: list[bytes] = []
        self._out_bytes = 0
        self._queued = False
        self._room: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Prepare the socket."""
        self.transport = transport
        self.address = (transport.get_extra_info("peername") or ("",))[0]
        opened = transport.get_extra_info("socket")
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in KEEPALIVE:
            opened.setsockopt(socket.IPPROTO_TCP, option, value)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.transport.set_write_buffer_limits(high=self.door.limits.out_buffer_bytes_max // 2)

    def pause_writing(self) -> None:
        """The client does not read."""
        self.unread_since = perf_counter()

    def resume_writing(self) -> None:
        """The client has read."""
        self.unread_since = 0.0
        self._wake()
        self.later()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the reason changes nothing
        """The client is gone."""
        self.closed = True
        self._out.clear()
        self._wake()

    def _wake(self) -> None:
        if self._room is not None and not self._room.done():
            self._room.set_result(None)

    # -- answers

    def answer(self, ext: bytes | None, name: str, started: float, result: bytes | KycError) -> None:
        """Answer a request: prepared reply data, or the refusal."""
        if not isinstance(result, bytes):
            self.refuse(ext, name, started, result)
            return
        reply = self.spoken.reply(ext, _OK, result)
        self._out.append(reply)
        self._out_bytes += len(reply)
        self.door.observe(name, _OK, perf_counter() - started)

    def refuse(self, ext: bytes | None, name: str, started: float, error: KycError) -> None:
        """Answer a request with an error."""
        code = error.code
        reply = self.spoken.error_reply(ext, code.status, code.wire_name, error.message, error.data)
        self._out.append(reply)
        self._out_bytes += len(reply)
        self.door.observe(name, code.status, perf_counter() - started)

    def flush(self) -> None:
        """Write what has gathered, in one piece; a client that does not read is cut off when it costs too much."""
        out = self._out
        if not out:
            return
        self._out = []
        self._out_bytes = 0
        transport = self.transport
        if self.closed or transport.is_closing():
            return
        transport.write(out[0] if len(out) == 1 else b"".join(out))
        if self.unread_since and transport.get_write_buffer_size() > self.door.limits.out_buffer_bytes_max:
            transport.abort()

    def flush_much(self) -> None:
        """Write what has gathered when it is much."""
        if self._out_bytes > FLUSH_BYTES:
            self.flush()

    def later(self) -> None:
        """Have `go_on` called once, after the callbacks that are due."""
        if not self._queued:
            self._queued = True
            self.door.later(self)

    def go_on(self) -> None:
        """Write what many callbacks have gathered."""
        self._queued = False
        self.flush()

    @property
    def unsent(self) -> bool:
        """Whether something waits to be read by the client's side of the network."""
        return bool(self._out or self.transport.get_write_buffer_size())

    # -- pushes

    @property
    def choked(self) -> bool:
        """Whether the client does not read."""
        return self.unread_since > 0

    def push(self, data: bytes) -> None:
        """Send pushes after every answer given before."""
        self._out.append(data)
        self._out_bytes += len(data)
        self.flush_much()
        self.later()

    async def room(self) -> None:
        """Wait until the client reads, or is gone."""
        while self.unread_since and not self.closed:
            self._room = asyncio.get_running_loop().create_future()
            await self._room

    def abort(self) -> None:
        """Close without waiting for the client."""
        self.transport.abort()
