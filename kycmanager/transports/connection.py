"""One TCP connection: bytes in, commands through the gate, answers out, each step within its bounds."""

import asyncio
from collections import deque
from collections.abc import Sequence
from time import perf_counter

from msgspec import Struct

from kycmanager.commands.execute import Call
from kycmanager.commands.model import Command, Kind
from kycmanager.domain.errors import Code, KycError
from kycmanager.domain.session import Session
from kycmanager.transports.door import Door
from kycmanager.transports.envelope import HOT_COMMAND, Envelope, EnvelopeError
from kycmanager.transports.framing import Framer, Outcome, Wire
from kycmanager.transports.hot import HotProfiles
from kycmanager.transports.known import KnownLines, lines_under
from kycmanager.transports.outlet import Outlet
from kycmanager.transports.push import Subscription
from kycmanager.transports.shed import CROWDED

SOURCE = "tcp"

# Looking a member up in its enumeration costs as much as a call; these are needed for every request.
_READ, _WRITE, _JSON, _LINE_TOO_LONG = Kind.READ, Kind.WRITE, Wire.JSON, Outcome.LINE_TOO_LONG

TURN_REQUESTS_MAX = 128
"""Requests worked on before others have their turn."""

LOOK_REQUESTS = 16
"""Requests between two looks at the clock: the turn is shared with all connections."""

TIMEOUT_MARGIN_SECONDS = 1.0
"""Answers go out this much before clients give up."""


class Pending(Struct, eq=False, gc=False):
    """A command whose outcome is awaited; called with it."""

    connection: "Connection"
    ext: bytes | None
    command: Command
    started: float
    weight: int

    def __call__(self, result: bytes | KycError) -> None:
        """Answer it."""
        self.connection.finish(self, result)


class Connection(Outlet):
    """Speaks with one client: its requests are worked on in the order they came, answers may overtake each other."""

    __slots__ = (
        "_backlog",
        "_began",
        "_discarding",
        "_ended",
        "_fast",
        "_framer",
        "_held",
        "_hot",
        "_in_flight",
        "_known",
        "_pending",
        "_reading",
        "_resting",
        "_subscription",
        "_taken",
        "_working",
    )

    def __init__(self, door: Door) -> None:
        super().__init__(door)
        limits = door.limits
        self._framer = Framer(line_bytes_max=limits.line_bytes_max, frame_bytes_max=limits.frame_bytes_max)
        self._began = 0.0  # when the frame that has not arrived whole began to
        self._backlog: deque[bytes] = deque()
        self._pending: dict[Pending, None] = {}
        self._in_flight = 0
        self._held: Pending | None = None
        self._taken: bytes | KycError = b""
        self._hot: HotProfiles | None = None
        self._fast: HotProfiles | None = None  # the same, while every condition for it holds
        self._known: KnownLines | None = None
        self._subscription: Subscription | None = None
        self._working = False
        self._reading = True
        self._resting = False
        self._ended = False
        self._discarding = False

    # -- from the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet nobody: the client speaks first."""
        super().connection_made(transport)
        if not self.door.admit(self):
            refusal = KycError(Code.OVERLOADED, "Too many connections are open; try again later")
            self.refuse(None, "", self.started, refusal)
            self.flush()
            self._discarding = True
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        """Take what arrived: the hottest reads at a glance, everything else frame by frame."""
        self.started = started = perf_counter()
        if self._fast is not None:
            answer = self._fast.answer(data)
            if answer is not None:
                self.transport.write(answer[1])
                self.door.observe_reads(answer[0], perf_counter() - started)
                return
        if self._known is not None and self._framer.between_lines and self._free():
            envelope = self._known.read(data)
            if envelope is not None:
                self._serve_alone(envelope)
                return
        if not self._discarding:
            self._take_in(data)

    def eof_received(self) -> bool:
        """Answer what was asked, then close."""
        self._ended = True
        self.flush()
        if self._discarding or not (self._backlog or self._pending):
            return False
        # without TLS a client may close its half and still read
        return not self.transport.get_extra_info("sslcontext")

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client; writes it asked for go on."""
        super().connection_lost(exc)
        self._backlog.clear()
        self._pending.clear()
        self._fast = self._hot = None
        if self._subscription is not None:
            self._subscription.close()
        self.door.forget(self)

    def pause_writing(self) -> None:
        """Answer nothing more until the client has read."""
        super().pause_writing()
        self._fast = None

    # -- requests

    def _take_in(self, data: bytes) -> None:
        framer = self._framer
        frames = framer.feed(data)
        if framer.wire is not self.wire:
            self.wire = Wire.MSGPACK
            self.spoken = self.door.wires[Wire.MSGPACK]
        if frames or not self._began:
            self._began = self.started if framer.held_bytes else 0.0
        if len(frames) == 1 and self._free():
            envelope = self._read(frames[0])
            if envelope is not None:
                self._serve_alone(envelope)
            self.flush()
        else:
            self._backlog += frames
            self._work()
        if framer.outcome is _LINE_TOO_LONG:
            refusal = KycError(Code.LINE_TOO_LONG, "The line or frame is longer than this server takes")
            self.refuse(None, "", self.started, refusal)
            self.flush()
            self._discard()

    def _free(self) -> bool:
        """Tell whether a request that comes whole and alone can be worked on at once."""
        return not (self._backlog or self._blocked() or self.door.crowded())

    def _serve_alone(self, envelope: Envelope) -> None:
        self._working = True
        self._serve(envelope)
        self._working = False
        if self._out:
            self.flush()
        if self._hot is not None or self._ended:
            self._settle()

    def _work(self) -> None:
        """Work on what has arrived, as far as the bounds and the client's reading allow; write the answers."""
        backlog = self._backlog
        turn = TURN_REQUESTS_MAX
        shed = self.wire is not Wire.JSON
        self._working = True
        while backlog and not self._blocked():
            if not turn or (turn % LOOK_REQUESTS == 1 and self.door.spent()):
                self.later()
                break
            if not shed and self.door.crowded():
                shed = True
                self._shed()
                continue
            turn -= 1
            envelope = self._read(backlog.popleft())
            if envelope is not None:
                self._serve(envelope)
            self.flush_much()
        self._working = False
        self.flush()
        self._settle()

    def _shed(self) -> None:
        """Refuse what waits here and is recognised as one write too many; read on after a pause."""
        sifted = self.door.shed.sift(self._backlog)
        if not sifted.answers:
            return
        self._backlog.clear()
        self._backlog += sifted.kept
        self._out.append(sifted.answers)
        self._out_bytes += len(sifted.answers)
        for name, count in sifted.counts.items():
            self.door.observe(name, CROWDED.code.status, perf_counter() - self.started, count)
        if not self._resting:
            self._resting = True
            self.door.rest(self)

    def wake(self) -> None:
        """Read on after a pause."""
        self._resting = False
        if not (self.closed or self.transport.is_closing()):
            self._settle()

    def _blocked(self) -> bool:
        return (
            self._held is not None
            or self.unread_since > 0
            or self._in_flight >= self.door.limits.in_flight_max
            or self.closed
        )

    def _settle(self) -> None:
        """Read on or not, look for hot reads or not, and close when a client that has ended has its answers."""
        if self.closed:
            return
        waiting = bool(self._backlog)
        if (waiting or self._resting) is self._reading:
            self._reading = not self._reading
            (self.transport.resume_reading if self._reading else self.transport.pause_reading)()
        if self._hot is not None:
            fit = not waiting and not self.unread_since and not self._discarding
            self._fast = self._hot if fit and self._framer.between_lines else None
        if self._ended and not waiting and not self._pending:
            self.transport.close()

    def _read(self, frame: bytes) -> Envelope | None:
        """Return the request in a frame, or refuse it."""
        try:
            return self.spoken.read(frame)
        except EnvelopeError as error:
            self.refuse(error.ext, "", self.started, KycError(Code.INVALID_DATA, str(error)))
            return None

    def _serve(self, envelope: Envelope) -> None:
        executor, token = self.door.executor, envelope.token
        try:
            command = executor.find(envelope.command)
            session = self.door.authenticate(token, self.address)
            call = executor.admit(command, session, envelope.data, source=SOURCE)
        except KycError as error:
            self.refuse(envelope.ext, envelope.command, self.started, error)
            return
        if token is not None and (self._known is None or self._known.token is not token) and self.wire is _JSON:
            self._known = lines_under(token)
        if command.kind is not _READ:
            self._start(call, envelope.ext)
            return
        executor.run(call, self.spoken.codec, self._take, self)
        self.answer(envelope.ext, command.name, self.started, self._taken)
        if command.name == HOT_COMMAND:
            self._heat(call, token)

    def _take(self, result: bytes | KycError) -> None:
        self._taken = result

    def _heat(self, call: Call, token: str | None) -> None:
        """Look for reads under this token from now on."""
        if token is None or (self._hot is not None and self._hot.token == token):
            return
        if self.wire is Wire.JSON and call.session.type in call.command.access.sessions:
            self._hot = self.door.hot(token)

    def _start(self, call: Call, ext: bytes | None) -> None:
        command = call.command
        weight = 1 if command.kind is _WRITE else self.door.query_weight
        pending = Pending(self, ext, command, self.started, weight)
        self._pending[pending] = None
        self._in_flight += weight
        if command.prepare is not None:
            # What it awaits comes before the queue of writes, where a later one would overtake it.
            self._held = pending
        self.door.executor.run(call, self.spoken.codec, pending)

    def finish(self, pending: Pending, result: bytes | KycError) -> None:
        """Answer a pending command, unless it has been answered or the client is gone."""
        if self._pending.pop(pending, self) is self:
            return
        self._in_flight -= pending.weight
        if self._held is pending:
            self._held = None
        self.answer(pending.ext, pending.command.name, pending.started, result)
        if self._working:
            return
        if self._pending or self._backlog or self._ended or self._fast is not self._hot:
            self.later()
        else:
            self.flush()  # nothing else can come in the same turn

    def go_on(self) -> None:
        """Write what many callbacks have gathered, and do what has waited for them."""
        if self._backlog or self._ended or self._fast is not self._hot:
            self._queued = False
            self._work()
        else:
            self._queued = False
            self.flush()

    # -- pushes

    def subscribe(self, session: Session, channels: Sequence[str], after_seq: int | None) -> None:
        """Follow channels."""
        if self._subscription is None:
            self._subscription = self.door.hub.subscription(self)
        self._subscription.subscribe(session, channels, after_seq)

    def unsubscribe(self, channels: Sequence[str]) -> None:
        """Follow channels no longer."""
        if self._subscription is not None:
            self._subscription.unsubscribe(channels)

    # -- life

    @property
    def busy(self) -> bool:
        """Whether an answer is still owed."""
        return bool(self._pending or self._backlog or self.unsent)

    def look(self, now: float) -> None:
        """Close what takes too long; called every now and then, `now` as by perf_counter."""
        limits = self.door.limits
        if self._pending:
            self._give_up(now - limits.request_seconds + TIMEOUT_MARGIN_SECONDS)
        if self.unread_since and now - self.unread_since > limits.slow_seconds:
            self.abort()
        elif (self._began and now - self._began > limits.frame_seconds) or self._is_idle(now):
            self.transport.close()

    def _is_idle(self, now: float) -> bool:
        """Tell whether the client has been silent for too long; one that follows events may be."""
        seconds = self.door.limits.idle_seconds
        following = self._subscription is not None and self._subscription.active
        return 0 < seconds < now - self.started and not self.busy and not following

    def _give_up(self, before: float) -> None:
        """Answer commands that began before a moment and are not done: their clients will not wait longer."""
        for pending in [each for each in self._pending if each.started < before]:
            self.finish(pending, _late(pending.command))

    def _discard(self) -> None:
        """Read and forget what still comes, so that the client reads its answer; then close."""
        self._discarding = True
        self._began = 0.0
        self._fast = self._hot = None
        asyncio.get_running_loop().call_later(self.door.limits.discard_seconds, self.transport.close)

    def end(self) -> None:
        """Tell the client that nothing more comes; it closes."""
        if self._subscription is not None:
            self._subscription.say_stopping()
        self.flush()
        self.closed = self._discarding = True
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()


def _late(command: Command) -> KycError:
    if command.kind is Kind.WRITE:
        return KycError(
            Code.OUTCOME_UNKNOWN, "Not done in time and still going on; read the record before trying again"
        )
    return KycError(Code.OVERLOADED, "Not answered in time; try again later")
