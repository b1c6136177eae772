"""Who is told, and how: the port that webhooks and callbacks answer, and that the worker drives."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from kycmanager.domain.outbound import Delivery
from kycmanager.domain.records import Event


class News(Struct, frozen=True):
    """What an event means to somebody: `body` "" is made when it is sent; `mark` is kept of the recipient.

    `recipient` is a number of the channel's own, 0 where it tells one only.
    """

    recipient: int = 0
    body: str = ""
    mark: str = ""


class Outgoing(Struct, frozen=True):
    """A call as it is made."""

    url: str
    body: bytes
    headers: Mapping[str, str]


class Channel(Protocol):
    """One way out. Its `name` stands in the base: it must stay the same."""

    @property
    def name(self) -> str:
        """What its deliveries are kept under."""
        ...

    @property
    def allow_private(self) -> bool:
        """Whether http and private addresses may be called."""
        ...

    def news(self, event: Event, mark_of: Callable[[int], str]) -> Sequence[News]:
        """Return what an event means to this channel; `mark_of(recipient)` is what was kept last, "" for nothing.

        It is asked right after the commit of the event, before the next write runs; after a restart or a pause, later.
        """
        ...

    async def outgoing(self, delivery: Delivery, now: int) -> Outgoing | None:
        """Return the call to make now, None when nobody is there any more to be told."""
        ...


class Feed(Protocol):
    """The stored events."""

    async def events_after(self, seq: int, limit: int) -> Sequence[Event]:
        """Return the events with a number above `seq`, in order."""
        ...
