"""One TCP connection: bytes in, commands through the gate, replies and pushes out, each within its bounds."""

import asyncio
import socket
from collections import deque
from collections.abc import Sequence
from time import perf_counter
from typing import Any

from msgspec import Struct

from kycmanager.commands.model import Command, Kind
from kycmanager.domain.errors import Code, KycError
from kycmanager.domain.session import Session
from kycmanager.transports.door import Door
from kycmanager.transports.envelope import HOT_COMMAND, Envelope, EnvelopeError
from kycmanager.transports.framing import Framer, Outcome, Wire
from kycmanager.transports.hot import HotProfiles
from kycmanager.transports.push import Subscription

SOURCE = "tcp"

TURN_REQUESTS_MAX = 128
"""Requests worked on before others have their turn."""

FLUSH_BYTES = 64 * 1024
"""Replies gathered before they are written."""

TIMEOUT_MARGIN_SECONDS = 1.0
"""Answers go out this much before clients give up."""

_OK = 200


class Pending(Struct, eq=False):
    """A command whose answer is awaited; called with its outcome."""

    connection: "Connection"
    ext: bytes | None
    command: Command
    started: float
    weight: int

    def __call__(self, result: bytes | KycError) -> None:
        """Answer it."""
        self.connection.finish(self, result)


class Connection(asyncio.Protocol):
    """Speaks with one client. Requests are worked on in the order they came; answers may overtake each other."""

    __slots__ = (
        "_address",
        "_backlog",
        "_began",
        "_discarding",
        "_door",
        "_ended",
        "_fast",
        "_framer",
        "_held",
        "_hot",
        "_in_flight",
        "_out",
        "_out_bytes",
        "_pending",
        "_queued",
        "_reading",
        "_room",
        "_seen",
        "_started",
        "_subscription",
        "_taken",
        "_transport",
        "_unread_since",
        "_wired",
        "_working",
        "closed",
        "wire",
    )

    def __init__(self, door: Door) -> None:
        self._door = door
        self._framer = Framer(
            line_bytes_max=door.limits.line_bytes_max,
            frame_bytes_max=door.limits.frame_bytes_max,
        )
        self.wire = Wire.JSON
        self._wired = door.wires[Wire.JSON]
        self.closed = False
        self._address = ""
        self._transport: Any = None
        # requests
        self._backlog: deque[bytes] = deque()
        self._pending: dict[Pending, None] = {}
        self._in_flight = 0
        self._held: Pending | None = None
        self._taken: bytes | KycError = b""
        self._hot: HotProfiles | None = None
        self._fast: HotProfiles | None = None
        self._working = False
        # replies
        self._out: list[bytes] = []
        self._out_bytes = 0
        self._queued = False
        self._subscription: Subscription | None = None
        self._room: asyncio.Future[None] | None = None
        # life
        self._reading = True
        self._ended = False
        self._discarding = False
        self._seen = perf_counter()
        self._began = 0.0
        self._unread_since = 0.0
        self._started = 0.0

    # -- from the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet nobody: the client speaks first."""
        self._transport = transport
        self._address = (transport.get_extra_info("peername") or ("",))[0]
        opened = transport.get_extra_info("socket")
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._transport.set_write_buffer_limits(high=self._door.limits.out_buffer_bytes_max // 2)
        if not self._door.admit(self):
            self._refuse(None, "", KycError(Code.OVERLOADED, "Too many connections are open; try again later"))
            self.flush()
            self._discarding = True
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Take what arrived: the hottest reads at a glance, everything else frame by frame."""
        self._started = perf_counter()
        fast = self._fast
        if fast is not None:
            answer = fast.answer(data)
            if answer is not None:
                self._transport.write(answer[1])
                self._door.observe_reads(answer[0], perf_counter() - self._started)
                self._seen = self._started
                return
        self._seen = self._started
        if not self._discarding:
            self._take_in(data)

    def eof_received(self) -> bool:
        """Answer what was asked, then close."""
        self._ended = True
        self.flush()
        if self._discarding or not (self._backlog or self._pending):
            return False
        # without TLS a client may close its half and still read
        return not self._transport.get_extra_info("sslcontext")

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the reason changes nothing
        """Forget the client; writes it asked for go on."""
        self.closed = True
        self._backlog.clear()
        self._pending.clear()
        self._out.clear()
        self._fast = self._hot = None
        self._wake()
        if self._subscription is not None:
            self._subscription.close()
        self._door.forget(self)

    def pause_writing(self) -> None:
        """Answer nothing more until the client has read."""
        self._unread_since = perf_counter()
        self._fast = None

    def resume_writing(self) -> None:
        """Go on."""
        self._unread_since = 0.0
        self._wake()
        self._door.later(self)

    def _wake(self) -> None:
        if self._room is not None and not self._room.done():
            self._room.set_result(None)

    # -- requests

    def _take_in(self, data: bytes) -> None:
        framer = self._framer
        first = framer.wire is None
        frames = framer.feed(data)
        if first and framer.wire is not None:
            self.wire = framer.wire
            self._wired = self._door.wires[framer.wire]
        if frames or not self._began:
            self._began = self._started if framer.held_bytes else 0.0
        self._backlog += frames
        self.work()
        if framer.outcome is Outcome.LINE_TOO_LONG:
            self._refuse(None, "", KycError(Code.LINE_TOO_LONG, "The line or frame is longer than this server takes"))
            self.flush()
            self._discard()

    def work(self) -> None:
        """Work on what has arrived, as far as the bounds and the client's reading allow; write the answers."""
        backlog = self._backlog
        turn = TURN_REQUESTS_MAX
        self._working = True
        while backlog and not self._blocked():
            if not turn:
                self._door.later(self)
                break
            turn -= 1
            self._serve(backlog.popleft())
            if self._out_bytes > FLUSH_BYTES:
                self.flush()
        self._working = False
        self.flush()
        self._settle()

    def _blocked(self) -> bool:
        return (
            self._unread_since > 0
            or self._in_flight >= self._door.limits.in_flight_max
            or self._held is not None
            or self.closed
        )

    def _settle(self) -> None:
        """Read on or not, look for hot reads or not, and close when a client that has ended has its answers."""
        if self.closed:
            return
        waiting = bool(self._backlog)
        if waiting is self._reading:
            self._reading = not waiting
            (self._transport.pause_reading if waiting else self._transport.resume_reading)()
        plain = self._hot is not None and not waiting and not self._unread_since and not self._discarding
        self._fast = self._hot if plain and self._framer.between_lines else None
        if self._ended and not waiting and not self._pending:
            self._transport.close()

    def _serve(self, frame: bytes) -> None:
        try:
            envelope = self._wired.read(frame)
        except EnvelopeError as error:
            self._refuse(error.ext, "", KycError(Code.INVALID_DATA, str(error)))
            return
        door = self._door
        executor = door.executor
        try:
            command = executor.find(envelope.command)
            session = self._authenticate(envelope.token)
            call = executor.admit(command, session, envelope.data, source=SOURCE)
        except KycError as error:
            self._refuse(envelope.ext, envelope.command, error)
            return
        if command.kind is Kind.READ:
            executor.run(call, self._wired.codec, self._take, self)
            self._answer(envelope.ext, command.name, self._started, self._taken)
            if command.name == HOT_COMMAND:
                self._heat(command, session, envelope)
            return
        weight = 1 if command.kind is Kind.WRITE else door.query_weight
        pending = Pending(self, envelope.ext, command, self._started, weight)
        self._pending[pending] = None
        self._in_flight += weight
        if command.prepare is not None:
            # It is awaited before it is queued: a later write must not overtake it.
            self._held = pending
        executor.run(call, self._wired.codec, pending)

    def _authenticate(self, token: str | None) -> Session:
        if self._door.stopping:
            raise KycError(Code.SHUTDOWN, "The daemon is stopping; try again in a moment")
        try:
            return self._door.executor.authenticate(token)
        except KycError as error:
            if token and error.code is Code.UNAUTHENTICATED:
                raise self._door.wrong_token(self._address, token) from None
            raise

    def _heat(self, command: Command, session: Session, envelope: Envelope) -> None:
        """Look for reads under this token from now on."""
        token = envelope.token
        assert token is not None
        known = self._hot is not None and self._hot.token == token
        if self.wire is Wire.JSON and not known and session.type in command.access.sessions:
            self._hot = self._door.hot(token)

    def _take(self, result: bytes | KycError) -> None:
        self._taken = result

    # -- answers

    def finish(self, pending: Pending, result: bytes | KycError) -> None:
        """Answer a pending command, unless it has been answered or the client is gone."""
        if self._pending.pop(pending, self) is self:
            return
        self._in_flight -= pending.weight
        if self._held is pending:
            self._held = None
        self._answer(pending.ext, pending.command.name, pending.started, result)
        if not self._queued and not self._working:
            self._queued = True
            self._door.later(self)

    def _answer(self, ext: bytes | None, name: str, started: float, result: bytes | KycError) -> None:
        if isinstance(result, KycError):
            self._refuse(ext, name, result, started)
            return
        reply = self._wired.reply(ext, _OK, result)
        self._out.append(reply)
        self._out_bytes += len(reply)
        self._door.observe(name, _OK, perf_counter() - started)

    def _refuse(self, ext: bytes | None, name: str, error: KycError, started: float = 0.0) -> None:
        code = error.code
        reply = self._wired.error_reply(ext, code.status, code.wire_name, error.message, error.data)
        self._out.append(reply)
        self._out_bytes += len(reply)
        self._door.observe(name, code.status, perf_counter() - (started or self._started))

    def flush(self) -> None:
        """Write what has gathered, in one piece."""
        out = self._out
        if not out:
            return
        self._out = []
        self._out_bytes = 0
        if not (self.closed or self._transport.is_closing()):
            self._transport.write(out[0] if len(out) == 1 else b"".join(out))
            if self._unread_since and self._transport.get_write_buffer_size() > self._door.limits.out_buffer_bytes_max:
                self.abort()

    def go_on(self) -> None:
        """Write what has gathered and do what has waited; called once for many answers."""
        self._queued = False
        if self._backlog or self._ended:
            self.work()
        else:
            self.flush()
            if self._fast is None:
                self._settle()

    # -- pushes, as ports.Subscriber and push.Sink

    def subscribe(self, session: Session, channels: Sequence[str], after_seq: int | None) -> None:
        """Follow channels."""
        if self._subscription is None:
            self._subscription = self._door.hub.subscription(self)
        self._subscription.subscribe(session, channels, after_seq)

    def unsubscribe(self, channels: Sequence[str]) -> None:
        """Follow channels no longer."""
        if self._subscription is not None:
            self._subscription.unsubscribe(channels)

    @property
    def choked(self) -> bool:
        """Whether the client does not read."""
        return self._unread_since > 0

    def push(self, data: bytes) -> None:
        """Send pushes after every answer given before."""
        self._out.append(data)
        self._out_bytes += len(data)
        if self._out_bytes > FLUSH_BYTES:
            self.flush()
        elif not self._queued:
            self._queued = True
            self._door.later(self)

    async def room(self) -> None:
        """Wait until the client reads, or is gone."""
        while self._unread_since and not self.closed:
            self._room = asyncio.get_running_loop().create_future()
            await self._room

    # -- life

    @property
    def busy(self) -> bool:
        """Whether an answer is still owed."""
        return bool(self._pending or self._backlog or self._out or self._transport.get_write_buffer_size())

    def look(self, now: float) -> None:
        """Close what takes too long; called every now and then, `now` as by perf_counter."""
        limits = self._door.limits
        if self._pending:
            self._give_up(now - limits.request_seconds + TIMEOUT_MARGIN_SECONDS)
        if self._unread_since and now - self._unread_since > limits.slow_seconds:
            self.abort()
        elif (self._began and now - self._began > limits.frame_seconds) or self._is_idle(now):
            self._transport.close()

    def _is_idle(self, now: float) -> bool:
        """Tell whether the client has been silent for too long; one that follows events may be."""
        seconds = self._door.limits.idle_seconds
        following = self._subscription is not None and self._subscription.active
        return 0 < seconds < now - self._seen and not self.busy and not following

    def _give_up(self, before: float) -> None:
        """Answer commands that began before a moment and are not done: their clients will not wait longer."""
        for pending in [each for each in self._pending if each.started < before]:
            self.finish(pending, _late(pending.command))

    def _discard(self) -> None:
        """Read and forget what still comes, so that the client reads its answer; then close."""
        self._discarding = True
        self._began = 0.0
        self._fast = None
        asyncio.get_running_loop().call_later(self._door.limits.discard_seconds, self._transport.close)

    def end(self) -> None:
        """Tell the client that nothing more comes; it closes."""
        self.flush()
        self.closed = self._discarding = True
        if self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            self._transport.close()

    def abort(self) -> None:
        """Close without waiting for the client."""
        self._transport.abort()


def _late(command: Command) -> KycError:
    if command.kind is Kind.WRITE:
        return KycError(
            Code.OUTCOME_UNKNOWN, "Not done in time, and still going on; read the record before trying again"
        )
    return KycError(Code.OVERLOADED, "Not answered in time; try again later")
