"""The channel of SEP-12 callbacks: a wallet is told of its customer when the status has changed (SEP-12)."""

from collections.abc import Callable, Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kycmanager.domain.errors import KycError
from kycmanager.domain.json_text import json_text
from kycmanager.domain.outbound import BEFORE, CALLBACKS, Delivery
from kycmanager.domain.records import Event
from kycmanager.domain.wallets import Callback
from kycmanager.outbound.addresses import check_url
from kycmanager.outbound.channel import News, Outgoing
from kycmanager.outbound.signatures import callback_signature
from kycmanager.ports import Records

FINAL = frozenset({"ACCEPTED", "REJECTED"})
"""Whoever was told one of these is told no more, until the URL is named anew."""

Body = Callable[[Records, Callback, str, str], dict[str, Any]]
"""`body(records, callback, type, lang)`: what GET /customer would answer."""


class CallbackChannel:
    """All the URLs that wallets have named, each by the identity it is of.

    The body is that of the moment the status changed: who was away is told each change. The URL is that of the moment
    it is sent, so one that was replaced is called no more.
    """

    name = CALLBACKS

    def __init__(self, records: Records, key: Ed25519PrivateKey, body: Body, *, allow_private: bool) -> None:
        self.allow_private = allow_private
        self._records = records
        self._key = key
        self._body = body

    def news(self, event: Event, mark_of: Callable[[int], str]) -> Sequence[News]:
        """Return who is told a new status: every identity of the customer that has named a URL."""
        wallets = self._records.wallets
        found = []
        for identity in wallets.identities_of(event.brand, event.customer_id):
            callback, last = wallets.callback(identity.id), mark_of(identity.id)
            if callback is None or last in FINAL:
                continue
            try:
                body = self._body(self._records, callback, callback.type, callback.lang)
            except KycError:  # a type that the settings name no more: there is no status of it
                continue
            if body["status"] != last.removeprefix(BEFORE):
                found.append(News(identity.id, json_text(body), body["status"]))
        return found

    async def outgoing(self, delivery: Delivery, now: int) -> Outgoing | None:
        """Return the call to the URL as it is now, signed as of now; None when there is none any more."""
        callback = self._records.wallets.callback(delivery.recipient)
        if callback is None:
            return None
        host = check_url(callback.url, allow_private=self.allow_private).authority
        body = delivery.body.encode()
        signature = callback_signature(self._key, host, body, now)
        return Outgoing(callback.url, body, {"Content-Type": "application/json", "Signature": signature})
