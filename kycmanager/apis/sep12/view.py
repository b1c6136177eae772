"""The body of GET /customer and of callbacks."""

from typing import Any

import msgspec

from kycmanager.commands.wallet_view import NEEDS_INFO, Customer, WalletCustomerReply, customer_of
from kycmanager.ports import Records


def status_body(records: Records, customer: Customer, type: str, lang: str) -> dict[str, Any]:  # noqa: A002 - as on the wire
    """Return the body that shows a customer, an `Identity` or a `Callback`, to its wallet (SEP-12, "Customer GET").

    `type` and `lang` are as the wallet asked, "" for the default ones. Raises INVALID_DATA for an unknown type.
    """
    return body_of(customer_of(records, customer, type, lang))


def body_of(reply: WalletCustomerReply) -> dict[str, Any]:
    """Return the reply without what is empty, as plain values; NEEDS_INFO always names its fields."""
    body: dict[str, Any] = msgspec.to_builtins(_shown(reply))
    return body


def encoded(reply: WalletCustomerReply) -> bytes:
    """Return the same as JSON."""
    return msgspec.json.encode(_shown(reply))


def _shown(reply: WalletCustomerReply) -> dict[str, Any]:
    body: dict[str, Any] = {"id": reply.id} if reply.id else {}
    body["status"] = reply.status
    if reply.fields or reply.status == NEEDS_INFO:
        body["fields"] = reply.fields
    if reply.provided_fields:
        body["provided_fields"] = reply.provided_fields
    if reply.message:
        body["message"] = reply.message
    return body
