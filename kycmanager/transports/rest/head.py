"""Heads that two servers in a row could read differently are refused."""

from aiohttp import web

from kycmanager.domain.errors import KycError, invalid


def refusal_of_head(request: web.BaseRequest) -> KycError | None:
    """Return the refusal of a head with two tokens or another transfer coding than chunked; None for a good one."""
    headers = request.headers
    if "Transfer-Encoding" in headers and [each.lower() for each in headers.getall("Transfer-Encoding")] != ["chunked"]:
        return invalid("Transfer-Encoding", "only chunked is understood")
    if len(headers.getall("Authorization", ())) > 1:
        return invalid("Authorization", "comes twice")
    return None


def is_last(request: web.BaseRequest) -> bool:
    """Tell whether nothing behind the request may be read: it asks for another protocol, which it does not get.

    The parser drops what came with it, maybe half a request, whose other half would then pass for a request.
    """
    wanted: str = request.headers.get("Upgrade", "")
    return bool(wanted) and wanted.lower() != "websocket"
