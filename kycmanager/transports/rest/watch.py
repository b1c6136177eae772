"""Ends connections that begin a request and do not finish its head, or never read their answer."""

import asyncio
from typing import Protocol

from kycmanager.transports.rest.settings import RestSettings

TICK_SECONDS = 0.5


class Watched(Protocol):
    """A connection as the watch sees it."""

    transport: asyncio.Transport | None

    def abort(self) -> None:
        """End the connection at once."""
        ...


class Watch:
    """Looks at the few connections that may be in trouble, twice a second while there are any."""

    def __init__(self, settings: RestSettings) -> None:
        self._header_seconds = settings.header_seconds
        self._stall_seconds = settings.stall_seconds
        self._loop = asyncio.get_running_loop()
        self._begun: dict[Watched, float] = {}
        self._stalled: dict[Watched, tuple[float, int]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def begun(self, connection: Watched) -> None:
        """A head has begun to arrive."""
        self._begun.setdefault(connection, self._loop.time() + self._header_seconds)
        self._wind()

    def arrived(self, connection: Watched) -> None:
        """The head is there."""
        self._begun.pop(connection, None)

    def stalled(self, connection: Watched) -> None:
        """The client does not read, for the moment."""
        self._stalled[connection] = (self._loop.time(), _unsent(connection))
        self._wind()

    def flowing(self, connection: Watched) -> None:
        """The client reads again."""
        self._stalled.pop(connection, None)

    def forget(self, connection: Watched) -> None:
        """The connection is over."""
        self._begun.pop(connection, None)
        self._stalled.pop(connection, None)

    def close(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wind(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(TICK_SECONDS, self._look)

    def _look(self) -> None:
        self._timer = None
        now = self._loop.time()
        for connection, deadline in tuple(self._begun.items()):
            if now >= deadline:
                connection.abort()
        for connection, (since, before) in tuple(self._stalled.items()):
            left = _unsent(connection)
            if left < before:
                self._stalled[connection] = (now, left)
            elif now - since >= self._stall_seconds:
                connection.abort()
        if self._begun or self._stalled:
            self._wind()


def _unsent(connection: Watched) -> int:
    return connection.transport.get_write_buffer_size() if connection.transport is not None else 0
