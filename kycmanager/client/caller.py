"""What the generated methods need of a client: one call by name."""

from abc import ABC, abstractmethod
from typing import Any, TypeVar

from msgspec import UNSET

ReplyT = TypeVar("ReplyT")

TIMEOUT_SECONDS = 30.0
"""How long an answer is waited for; the daemon answers every request within that time or not at all."""


class Caller(ABC):
    """Something that can call a command and give its typed reply."""

    @abstractmethod
    async def call(
        self,
        command: str,
        data: dict[str, Any],
        reply: type[ReplyT],
        *,
        idempotency_key: str | None = None,
    ) -> ReplyT:
        """Call a command; only writes take an idempotency key.

        Raises RemoteError for a refusal, ConnectionLost, ReplyTimeout, BadReply, NoRoute, and BadRequest, before
        anything is sent, for what the daemon would not take.
        """


def given(**fields: Any) -> dict[str, Any]:
    """Return the fields that were given a value."""
    return {name: value for name, value in fields.items() if value is not UNSET}
