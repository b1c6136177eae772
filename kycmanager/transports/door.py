"""What all connections of the TCP server share: the gate, the hub, the limits, and one flush for many answers."""

import asyncio
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from kycmanager.commands.execute import Codec, Executor
from kycmanager.config import Limits
from kycmanager.domain.errors import Code, KycError
from kycmanager.domain.session import Session
from kycmanager.transports.bearer import WrongToken, token_of
from kycmanager.transports.envelope import CODECS, HOT_COMMAND, Envelope
from kycmanager.transports.framing import Wire
from kycmanager.transports.hot import HotProfiles
from kycmanager.transports.push import Hub
from kycmanager.transports.shed import Shed

if TYPE_CHECKING:
    from kycmanager.transports.connection import Connection
    from kycmanager.transports.outlet import Outlet

TURN_SECONDS = 0.01
"""What all connections may work on together before writes, timers and other doors have their turn."""

REST_SECONDS = 0.02
"""How long a connection is not read after it was refused writes: the thread that commits needs the interpreter too."""

QUERIES_MAX = 4
"""Questions to the base one connection may have open: their answers are large."""

_OK = 200


class Observe(Protocol):
    """Is told the name of a command, the status of its answer, the seconds it took, and how many took them."""

    def __call__(self, command_name: str, status: int, seconds: float, count: int = 1, /) -> None:
        """Count them."""
        ...


class PreparedTables(Protocol):
    """Where prepared replies are kept."""

    def table(self, command: str, codec: str) -> Mapping[int, tuple[str, bytes]]:
        """Return the live table id -> (brand, data) of one command and wire."""
        ...


class Spoken(Struct, frozen=True):
    """How one wire is read and written."""

    read: Callable[[bytes], Envelope]
    reply: Callable[[bytes | None, int, bytes], bytes]
    error_reply: Callable[..., bytes]
    codec: Codec


def _spoken(wire: Wire) -> Spoken:
    codec = CODECS[wire]
    return Spoken(codec.read, codec.reply, codec.error_reply, Codec(wire.value, codec.encode))


class Door:
    """Shared by the connections of one server."""

    def __init__(
        self,
        *,
        executor: Executor,
        replies: PreparedTables,
        hub: Hub,
        limits: Limits,
        wrong_token: WrongToken,
        observe: Observe,
        others: Callable[[], int],
        crowded: Callable[[], bool],
    ) -> None:
        self.executor = executor
        self.hub = hub
        self.limits = limits
        self.wrong_token = wrong_token
        self.observe = observe
        self.wires = {wire: _spoken(wire) for wire in Wire}
        self.query_weight = max(1, limits.in_flight_max // QUERIES_MAX)
        self.connections: set[Connection] = set()
        self.stopping = False
        self.crowded = crowded
        self.shed = Shed(executor.commands.values())
        self._others = others
        self._hot_table = replies.table(HOT_COMMAND, Wire.JSON.value)
        self._waiting: list[Outlet] = []
        self._wound = False
        self._turn_ends = 0.0
        self._resting: list[Connection] = []

    def admit(self, connection: "Connection") -> bool:
        """Count a connection; False when there are too many."""
        self.connections.add(connection)
        return len(self.connections) + self._others() <= self.limits.connections_max

    def forget(self, connection: "Connection") -> None:
        """Count a connection no longer."""
        self.connections.discard(connection)

    def authenticate(self, token: str | None, address: str) -> Session:
        """Return the caller behind a token that came from an address; raises KycError, and counts wrong tokens."""
        if self.stopping:
            raise KycError(Code.SHUTDOWN, "The daemon is stopping; try again in a moment")
        try:
            return self.executor.authenticate(token)
        except KycError as error:
            if not token or error.code is not Code.UNAUTHENTICATED:
                raise
        return self._authenticate_again(token, address)

    def _authenticate_again(self, refused: str, address: str) -> Session:
        """Return the caller behind a token that was refused with the word `Bearer` before it; else count it."""
        token = token_of(refused)
        if token and token != refused:
            try:
                return self.executor.authenticate(token)
            except KycError as error:
                if error.code is not Code.UNAUTHENTICATED:
                    raise
        raise self.wrong_token(address, token)

    def hot(self, token: str) -> HotProfiles | None:
        """Make the fast way for reads of profiles under a verified token; None for a token it cannot recognise."""
        try:
            return HotProfiles(token, self.executor.authenticate, self._hot_table)
        except ValueError:
            return None

    def observe_reads(self, count: int, seconds: float) -> None:
        """Count profile reads that were answered together."""
        self.observe(HOT_COMMAND, _OK, seconds, count)

    def spent(self) -> bool:
        """Tell whether this turn is over: who has work left comes again by `later`."""
        now = perf_counter()
        if not self._turn_ends:
            self._turn_ends = now + TURN_SECONDS
            asyncio.get_running_loop().call_soon(self._end_turn)
        return now > self._turn_ends

    def _end_turn(self) -> None:
        self._turn_ends = 0.0

    def later(self, connection: "Outlet") -> None:
        """Let a connection go on after the callbacks that are due: many answers become one write."""
        self._waiting.append(connection)
        if not self._wound:
            self._wound = True
            asyncio.get_running_loop().call_soon(self._go_on)

    def _go_on(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._wound = False
        for connection in waiting:
            if not connection.closed:
                connection.go_on()

    def rest(self, connection: "Connection") -> None:
        """Have a connection woken after a pause."""
        if not self._resting:
            asyncio.get_running_loop().call_later(REST_SECONDS, self._wake)
        self._resting.append(connection)

    def _wake(self) -> None:
        resting, self._resting = self._resting, []
        for connection in resting:
            connection.wake()

    def look(self) -> None:
        """Close what takes too long."""
        now = perf_counter()
        for connection in list(self.connections):
            connection.look(now)
