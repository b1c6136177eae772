"""The TCP server: JSON lines and msgpack on one port."""

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Iterable
from time import perf_counter

from kycmanager.commands.execute import Executor
from kycmanager.config import Limits
from kycmanager.transports.bearer import WrongToken
from kycmanager.transports.connection import Connection
from kycmanager.transports.door import Door, Observe, PreparedTables
from kycmanager.transports.listen import listen
from kycmanager.transports.push import Hub

LOOK_SECONDS = 0.5
"""The pause between two looks for connections that take too long."""

FAREWELL_SECONDS = 1.0
"""How long clients that have their answers may take to close."""

POLL_SECONDS = 0.01


class TcpServer:
    """Serves commands and pushes at `address`.

    `others` tells how many connections of other doors count too, `crowded` whether no more writes can be taken.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        executor: Executor,
        replies: PreparedTables,
        hub: Hub,
        limits: Limits,
        wrong_token: WrongToken,
        observe: Observe,
        ssl_context: ssl.SSLContext | None = None,
        others: Callable[[], int] = int,
        crowded: Callable[[], bool] = bool,
    ) -> None:
        self.address = (host, port)
        self._ssl_context = ssl_context
        self._door = Door(
            executor=executor,
            replies=replies,
            hub=hub,
            limits=limits,
            wrong_token=wrong_token,
            observe=observe,
            others=others,
            crowded=crowded,
        )
        self._server: asyncio.Server | None = None
        self._looking: asyncio.Task[None] | None = None

    @property
    def connections(self) -> int:
        """The number of open connections."""
        return len(self._door.connections)

    async def start(self) -> None:
        """Listen; raises ListenError."""
        self._server = await listen("--tcp", self.address, lambda: Connection(self._door), self._ssl_context)
        host, port = self._server.sockets[0].getsockname()[:2]
        self.address = (host, port)
        self._looking = asyncio.create_task(self._look(), name="tcp")

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self._door.look()

    async def drain(self, seconds: float) -> None:
        """Accept nothing more, answer what was asked, and let the clients go; at most so many seconds."""
        if self._server is not None:
            self._server.close()
        self._door.stopping = True
        deadline = perf_counter() + seconds
        await self._until(lambda: not any(connection.busy for connection in self._open()), deadline)
        for connection in self._open():
            connection.end()
        await self._until(lambda: not self._door.connections, min(deadline, perf_counter() + FAREWELL_SECONDS))

    def _open(self) -> Iterable[Connection]:
        return list(self._door.connections)

    async def _until(self, done: Callable[[], bool], deadline: float) -> None:
        while not done() and perf_counter() < deadline:  # noqa: ASYNC110 - many small conditions, waited for once
            await asyncio.sleep(POLL_SECONDS)

    async def close(self) -> None:
        """Stop at once; a second call does nothing."""
        if self._server is not None:
            self._server.close()
        if self._looking is not None:
            self._looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._looking
            self._looking = None
        for connection in self._open():
            connection.abort()
        await self._until(lambda: not self._door.connections, perf_counter() + 1)
        self._server = None
