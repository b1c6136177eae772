"""The channel of a webhook: a CRM is told of events as a manager's subscription is pushed them."""

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase

from kycmanager.config import WebhookEndpoint
from kycmanager.domain.outbound import Delivery
from kycmanager.domain.records import Event
from kycmanager.outbound.channel import Feed, News, Outgoing
from kycmanager.outbound.signatures import webhook_signature
from kycmanager.ports import Records
from kycmanager.transports import channels as rules
from kycmanager.transports import json_wire

PREFIX = "webhooks."
USER_AGENT = "kycmanager"
TRIAL_KIND = "test"

_NEWS = (News(),)


class WebhookChannel:
    """One endpoint of the settings. The body is made of the stored event when it is sent: nothing is kept twice."""

    def __init__(self, endpoint: WebhookEndpoint, records: Records, feed: Feed, *, allow_private: bool) -> None:
        self.name = f"{PREFIX}{endpoint.name}"
        self.allow_private = allow_private
        self._endpoint = endpoint
        self._records = records
        self._feed = feed
        self._brands = frozenset(endpoint.brands)
        self._wanted: dict[str, bool] = {}

    def news(self, event: Event, _mark_of: Callable[[int], str]) -> Sequence[News]:
        """Tell every event of the brands and kinds that are asked for."""
        wanted = self._wanted.get(event.kind)
        if wanted is None:
            wanted = self._wanted[event.kind] = any(fnmatchcase(event.kind, each) for each in self._endpoint.events)
        return _NEWS if wanted and (not self._brands or event.brand in self._brands) else ()

    async def outgoing(self, delivery: Delivery, now: int) -> Outgoing | None:
        """Return the event as managers are pushed it, signed as of now."""
        found = await self._feed.events_after(delivery.seq - 1, 1)
        event = found[0]
        body = json_wire.encode(
            {
                "event": rules.EVENT,
                "type": rules.push_type(event),
                "data": rules.told(self._records, event, customer=False),
            }
        )
        return signed(
            self._endpoint, body, now, kind=delivery.kind, delivery=self._id_of(event),
            attempt=delivery.attempts + 1,
        )  # fmt: skip

    def _id_of(self, event: Event) -> str:
        """Return what a receiver knows a delivery by; its time tells it from one with its number in a restored base."""
        return f"{self._endpoint.name}-{event.seq}-{event.time}"


def signed(endpoint: WebhookEndpoint, body: bytes, now: int, *, kind: str, delivery: str, attempt: int) -> Outgoing:
    """Return the call that brings a body to an endpoint; `delivery` stays the same however often it is tried."""
    headers = {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "X-Kyc-Event": kind,
        "X-Kyc-Delivery": delivery,
        "X-Kyc-Attempt": str(attempt),
        "X-Kyc-Signature": webhook_signature(endpoint.secrets, body, now),
    }
    return Outgoing(endpoint.url, body, headers)


def trial_call(endpoint: WebhookEndpoint, now: int, random: Callable[[], str]) -> Outgoing:
    """Return a call that tells nothing: it shows that the endpoint is there and knows the secret."""
    body = json_wire.encode({"event": rules.EVENT, "type": rules.UPDATED, "data": {"kind": TRIAL_KIND, "seq": 0}})
    return signed(endpoint, body, now, kind=TRIAL_KIND, delivery=f"{endpoint.name}-test-{random()}", attempt=1)
