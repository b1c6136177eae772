"""What happens meanwhile, as server-sent events: a page is told which profiles changed, and asks again itself."""

import asyncio
from collections.abc import Callable, Sequence

import msgspec
from aiohttp import web

from kycmanager.domain.errors import Code, KycError
from kycmanager.domain.records import Event
from kycmanager.domain.session import Session

NAMED_MAX = 100
"""Profiles told at once; where more have changed a page is told only that."""

STREAMS_MAX = 8
"""Streams of one sign-in: tabs that are open at once."""

PAUSE_SECONDS = 0.5
BEAT_SECONDS = 15.0
RETRY_MS = 2000

_END = b"event: end\ndata: {}\n\n"
_BEAT = b": \n\n"

Lives = Callable[[int], bool]
"""Tells whether a sign-in, by its id, is still good."""


class _Stream:
    """One page that listens. What it has not been told yet is a bounded set, however slowly it reads."""

    def __init__(self, session: Session, login_id: int) -> None:
        self.session = session
        self.login_id = login_id
        self.changed: set[int] = set()
        self.many = False
        self.ended = False
        self.wake = asyncio.Event()

    def tell(self, kyc_id: int) -> None:
        if len(self.changed) < NAMED_MAX:
            self.changed.add(kyc_id)
        else:
            self.many = True
        self.wake.set()

    def end(self) -> None:
        self.ended = True
        self.wake.set()

    def take(self) -> bytes:
        """Return what is to be told, and forget it."""
        told = {"profiles": sorted(self.changed), "more": self.many}
        self.changed = set()
        self.many = False
        self.wake.clear()
        return b"event: change\ndata: %b\n\n" % msgspec.json.encode(told)


class Live:
    """Follows the feed for every page that listens."""

    def __init__(self, lives: Lives, epoch: Callable[[], object]) -> None:
        self._lives = lives
        self._epoch = epoch
        self._seen = epoch()
        self._streams: set[_Stream] = set()
        self._closing = False

    @property
    def count(self) -> int:
        """How many pages listen."""
        return len(self._streams)

    def publish(self, events: Sequence[Event]) -> None:
        """Tell of a commit; called after it, also when it has no events: it may have ended a sign-in."""
        if not self._streams:
            return
        epoch = self._epoch()
        if epoch != self._seen:
            self._seen = epoch
            for stream in self._streams:
                if not self._lives(stream.login_id):
                    stream.end()
        profiles = {event.kyc_id: event for event in events}.values()
        for stream in self._streams:
            for event in profiles:
                if stream.many:
                    break  # it is told that there is more, and asks for all
                if stream.session.may_follow(event.brand, event.customer_id):
                    stream.tell(event.kyc_id)

    async def serve(self, request: web.Request, response: web.StreamResponse, session: Session, login_id: int) -> None:
        """Stream until the page goes, its sign-in ends or the daemon stops; raises TOO_FREQUENT."""
        if sum(stream.login_id == login_id for stream in self._streams) >= STREAMS_MAX:
            raise KycError(Code.TOO_FREQUENT, "Too many pages are open; close some of them")
        stream = _Stream(session, login_id)
        self._streams.add(stream)
        try:
            await response.prepare(request)
            await response.write(b"retry: %d\n\n" % RETRY_MS)
            while not self._closing:
                if stream.ended or not self._lives(login_id):
                    await response.write(_END)
                    return
                await self._next(stream, response)
        finally:
            self._streams.discard(stream)

    async def _next(self, stream: _Stream, response: web.StreamResponse) -> None:
        try:
            async with asyncio.timeout(BEAT_SECONDS):
                await stream.wake.wait()
        except TimeoutError:
            await response.write(_BEAT)
            return
        if stream.changed:
            await response.write(stream.take())
            await asyncio.sleep(PAUSE_SECONDS)

    def close(self) -> None:
        """End every stream: the daemon stops."""
        self._closing = True
        for stream in self._streams:
            stream.end()
