"""Follows the feed of events and pushes each to the connections that subscribed to it."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Protocol

from msgspec import Struct

from kycmanager.commands.execute import Faults
from kycmanager.domain.errors import Code, KycError, invalid
from kycmanager.domain.records import Event, Profile
from kycmanager.domain.session import Session
from kycmanager.ports import Clock, Records
from kycmanager.transports import channels as rules
from kycmanager.transports.envelope import CODECS
from kycmanager.transports.framing import Wire

CHANNELS_MAX = 2000
"""Channels of one connection."""

PAGE_EVENTS = 100
"""Events read at once for a connection that is behind."""


_ENDED = KycError(Code.UNAUTHENTICATED, "The session of a subscription has ended")
_STOPPING = KycError(Code.SHUTDOWN, "The daemon is stopping")


class Sink(Protocol):
    """The connection behind a subscription."""

    @property
    def wire(self) -> Wire:
        """The language it speaks."""
        ...

    @property
    def choked(self) -> bool:
        """Whether it takes no more before `room`: its client does not read."""
        ...

    @property
    def closed(self) -> bool:
        """Whether it is gone."""
        ...

    def push(self, data: bytes) -> None:
        """Send encoded pushes after everything sent before."""
        ...

    async def room(self) -> None:
        """Wait until it is not choked, or gone."""
        ...

    def abort(self) -> None:
        """Close it at once."""
        ...


class Feed(Protocol):
    """The stored events."""

    async def events_after(self, seq: int, limit: int) -> Sequence[Event]:
        """Return the events with a number above `seq`, in order."""
        ...


class Revoked(Protocol):
    """The revocations in force."""

    def covers(self, *, jti: str, session: int, sub: int, issued: int) -> bool:
        """Tell whether such a token is revoked."""
        ...


class _Channel(Struct):
    """One channel of a connection: events after `since` go to `session`, for as long as that lives."""

    session: Session
    since: int


class _Push:
    """One event, encoded once per wire and view, when first asked for."""

    __slots__ = ("_encoded", "_profile", "_records", "event")

    def __init__(self, records: Records, event: Event, profile: Profile | None) -> None:
        self.event = event
        self._records = records
        self._profile = profile
        self._encoded: dict[tuple[Wire, bool], bytes] = {}

    def encoded(self, wire: Wire, *, customer: bool) -> bytes:
        found = self._encoded.get((wire, customer))
        if found is None:
            found = self._encoded[wire, customer] = self._encode(wire, customer=customer)
        return found

    def _encode(self, wire: Wire, *, customer: bool) -> bytes:
        push, event = CODECS[wire].push, self.event
        data = push(rules.EVENT, rules.push_type(event), rules.told(self._records, event, customer=customer))
        name = rules.TRIGGERS.get(event.kind)
        if customer or name is None:
            return data
        profile = self._profile or self._records.profile(event.kyc_id)
        return data + push(name, rules.UPDATED, rules.trigger(event, profile))


class Subscription:
    """What one connection follows. While `behind` it reads the stored feed from `position`, else it is told live."""

    def __init__(self, hub: "Hub", sink: Sink) -> None:
        self._hub = hub
        self._sink = sink
        self._channels: dict[str, _Channel] = {}
        self.position = 0
        self.behind = False

    @property
    def active(self) -> bool:
        """Whether there is anybody left to push to."""
        return bool(self._channels) and not self._sink.closed

    @property
    def choked(self) -> bool:
        """Whether its client does not read."""
        return self._sink.choked

    def say_stopping(self) -> None:
        """Tell whoever follows something that the daemon stops."""
        if self._channels:
            session = next(iter(self._channels.values())).session
            self._tell_end(session, _STOPPING, f"Connect again and subscribe after_seq {self.seen}")

    @property
    def seen(self) -> int:
        """The number of the last event that was told."""
        return self.position if self.behind else self._hub.seq

    def _tell_end(self, session: Session, error: KycError, description: str) -> None:
        said = rules.notice(error, description=description, user_id=session.sub, now=self._hub.now())
        self._sink.push(CODECS[self._sink.wire].message(said))

    def subscribe(self, session: Session, channels: Sequence[str], after_seq: int | None) -> None:
        """Follow channels from now on or, with `after_seq`, from the event after it; raises KycError INVALID_DATA."""
        wanted = [name for name in channels if rules.means_something(name)]
        if len(self._channels.keys() | set(wanted)) > CHANNELS_MAX:
            raise invalid("channels", f"a connection has at most {CHANNELS_MAX}")
        head = self._hub.seq
        here = self.seen
        since = head if after_seq is None else min(after_seq, head)
        for held in self._channels.values():
            held.since = max(held.since, here)
        for name in wanted:
            kept = self._channels.get(name) if after_seq is None else None
            self._channels[name] = _Channel(session, kept.since if kept else since)
            self._hub.follow(name, self)
        if wanted and since < here:
            self.fall_behind(since)

    def unsubscribe(self, channels: Sequence[str]) -> None:
        """Follow these channels no longer."""
        for name in channels:
            if self._channels.pop(name, None) is not None:
                self._hub.unfollow(name, self)

    def close(self) -> None:
        """Follow nothing any more."""
        self.unsubscribe(list(self._channels))

    def fall_behind(self, position: int) -> None:
        """Read the events after `position` from the store, and go live again when there are no more."""
        self.position = position
        if not self.behind:
            self.behind = True
            self._hub.catch_up(self)

    async def room(self) -> None:
        """Wait until the client reads."""
        await self._sink.room()

    def abort(self) -> None:
        """Close the connection: its client comes back with the number of the last event it has seen."""
        self._sink.abort()

    def tell(self, push: _Push) -> None:
        """Push an event if one of the channels brings it to a session that may see it and still lives."""
        session = self._session_for(push.event)
        if session is not None:
            self._sink.push(push.encoded(self._sink.wire, customer=session.is_customer))

    def _session_for(self, event: Event) -> Session | None:
        for name in rules.channels_of(event):
            channel = self._channels.get(name)
            if channel is None or channel.since >= event.seq:
                continue
            if not self._hub.alive(channel.session):
                self.unsubscribe([name])
                if not self._channels:
                    self._tell_end(channel.session, _ENDED, "Subscribe again with a new token")
            elif channel.session.may_follow(event.brand, event.customer_id) and not (
                channel.session.is_customer and rules.is_internal(event)
            ):
                return channel.session
        return None


class Hub:
    """Tells subscriptions of every committed event; `seq` is the number of the last one."""

    def __init__(
        self, records: Records, store: Feed, *, clock: Clock, revocations: Revoked, faults: Faults, seq: int
    ) -> None:
        self.seq = seq
        self._records = records
        self._store = store
        self._clock = clock
        self._revocations = revocations
        self._faults = faults
        self._followers: dict[str, dict[Subscription, None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def publish(self, events: Sequence[Event]) -> None:
        """Push the events of a commit; called after the records changed and before anybody is answered."""
        if not events:
            return
        if self._followers:
            for event, profile in rules.with_profiles(events):
                self._tell(_Push(self._records, event, profile))
        self.seq = events[-1].seq

    def _tell(self, push: _Push) -> None:
        for subscription in self._followers_of(push.event):
            if subscription.behind:
                continue
            if subscription.choked:
                subscription.fall_behind(push.event.seq - 1)
            else:
                subscription.tell(push)

    def _followers_of(self, event: Event) -> Iterator[Subscription]:
        found = [self._followers[name] for name in rules.channels_of(event) if name in self._followers]
        # a copy: who is told of an event may turn out to be gone
        return iter(list(found[0]) if len(found) == 1 else {each: None for held in found for each in held})

    def subscription(self, sink: Sink) -> Subscription:
        """Make the subscription of a connection; it follows nothing yet."""
        return Subscription(self, sink)

    def follow(self, channel: str, subscription: Subscription) -> None:
        """Tell a subscription of the events of a channel."""
        self._followers.setdefault(channel, {})[subscription] = None

    def unfollow(self, channel: str, subscription: Subscription) -> None:
        """Tell it no longer."""
        followers = self._followers[channel]
        del followers[subscription]
        if not followers:
            del self._followers[channel]

    def now(self) -> int:
        """Return Unix seconds."""
        return self._clock()

    def alive(self, session: Session) -> bool:
        """Tell whether the token of a session would still be taken."""
        return session.expires > self._clock() and not self._revocations.covers(
            jti=session.jti, session=session.type, sub=session.sub, issued=session.issued
        )

    def catch_up(self, subscription: Subscription) -> None:
        """Bring a subscription that is behind to the head of the feed."""
        task = asyncio.get_running_loop().create_task(self._catch_up(subscription))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _catch_up(self, subscription: Subscription) -> None:
        try:
            while subscription.active:
                await subscription.room()
                # Nothing is awaited between this look and the return: the next event is told live.
                if subscription.position >= self.seq:
                    break
                await self._read_page(subscription)
        except Exception as error:  # noqa: BLE001 - whatever it was, the client must not take silence for "no events"
            self._faults("Subscribe", error)
            subscription.abort()
        finally:
            subscription.behind = False

    async def _read_page(self, subscription: Subscription) -> None:
        position = subscription.position
        found = await self._store.events_after(position, PAGE_EVENTS + 1)
        if subscription.position != position:
            return  # it has asked for an earlier event meanwhile
        # What is committed but not published yet may tell of records that cannot be looked up yet.
        page = [event for event in found if event.seq <= self.seq]
        if not page:
            subscription.position = self.seq
        # The event behind the page is only looked at.
        for event, profile in list(rules.with_profiles(page))[:PAGE_EVENTS]:
            subscription.tell(_Push(self._records, event, profile))
            subscription.position = event.seq
            if subscription.choked:
                return

    async def close(self) -> None:
        """Stop whoever is catching up."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
