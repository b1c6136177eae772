"""The typed clients: every command as a method, over TCP or REST."""

from kycmanager.client.errors import (
    BadReply,
    BadRequest,
    ClientError,
    ConnectionLost,
    NoRoute,
    RemoteError,
    ReplyTimeout,
)
from kycmanager.client.rest import RestClient
from kycmanager.client.tcp import TcpClient
from kycmanager.client.transfer import Rendition
from kycmanager.client.webhook import verify_webhook
from kycmanager.client.wire import Encoding, Notice, Push

__all__ = [
    "BadReply",
    "BadRequest",
    "ClientError",
    "ConnectionLost",
    "Encoding",
    "NoRoute",
    "Notice",
    "Push",
    "RemoteError",
    "Rendition",
    "ReplyTimeout",
    "RestClient",
    "TcpClient",
    "verify_webhook",
]
