"""The outbound worker as the settings have it."""

from collections.abc import Sequence

from kycmanager.commands.execute import Faults
from kycmanager.config import ConfigError, Webhooks
from kycmanager.outbound.addresses import AddressRefused, check_url
from kycmanager.outbound.channel import Channel, Feed
from kycmanager.outbound.follower import Run
from kycmanager.outbound.webhooks import WebhookChannel
from kycmanager.outbound.worker import Outbound, OutboundSettings
from kycmanager.ports import Clock
from kycmanager.store.cache import Cache

FORGET_SECONDS = 300


def outbound_of(
    settings: Webhooks,
    cache: Cache,
    feed: Feed,
    *,
    run: Run,
    clock: Clock,
    faults: Faults,
    channels: Sequence[Channel] = (),
) -> Outbound | None:
    """Return the worker for the endpoints of the settings and further channels, None when there are none at all.

    Raises ConfigError for a URL that would never be called.
    """
    for endpoint in settings.endpoints:
        try:
            check_url(endpoint.url, allow_private=settings.allow_private)
        except AddressRefused as fault:
            raise ConfigError(f"webhooks.endpoints.{endpoint.name}.url: {fault}; correct it") from None
    endpoints = [
        WebhookChannel(endpoint, cache, feed, allow_private=settings.allow_private) for endpoint in settings.endpoints
    ]
    if not (endpoints or channels):
        return None
    return Outbound(
        [*endpoints, *channels],
        cache.outbound,
        feed,
        run=run,
        clock=clock,
        head=lambda: cache.counters["event"] - 1,
        faults=faults,
        settings=OutboundSettings(
            timeout_seconds=settings.timeout_seconds,
            concurrency=settings.concurrency,
            retry_seconds=settings.retry_hours * 3600,
            keep_seconds=settings.keep_days * 86_400,
            waiting_max=settings.waiting_max,
        ),
    )
