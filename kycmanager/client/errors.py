"""What can go wrong with a call, seen from the caller."""

from typing import Any


class ClientError(Exception):
    """The root of all errors of the clients."""


class RemoteError(ClientError):
    """The daemon refused: `status`, the stable name `error`, a `message` for people, `data` with the details."""

    def __init__(self, status: int, error: str, message: str, data: dict[str, Any]) -> None:
        super().__init__(f"{status} {error}: {message}")
        self.status = status
        self.error = error
        self.message = message
        self.data = data


class ConnectionLost(ClientError):  # noqa: N818 - a fact about the connection reads better than "...Error"
    """There is no connection, or it ended before the answer; whether a write was made is not known then."""


class ReplyTimeout(ClientError):  # noqa: N818 - as above
    """No answer came in time; whether a write was made is not known then."""


class BadRequest(ClientError, ValueError):  # noqa: N818 - as above
    """A value cannot be sent, or all of them are too long; nothing was sent. The message names the place."""


class NoRoute(ClientError):  # noqa: N818 - as above
    """The command cannot be called this way: over REST it has no route, or a field of its path is missing."""


class BadReply(ClientError):  # noqa: N818 - as above
    """An answer came that is none of the shapes the command may be answered with."""
