"""What is told to others by calls: a delivery, where it stands, and when it is tried again."""

from collections.abc import Callable
from enum import IntEnum

from msgspec import Struct

FIRST_PAUSE_SECONDS = 4
PAUSE_SECONDS_MAX = 3600
CALLBACKS = "sep12"
"""The channel of SEP-12 callbacks. Its mark of an identity is the status its wallet was told last."""
BEFORE = "="
"""Begins a mark of what was so when the wallet named its URL: it was not told that, it knows."""
PAUSES = 12
"""After so many attempts the pause grows no more: 4 seconds doubled so often are more than its bound."""


class DeliveryState(IntEnum):
    """Where a delivery stands; it is kept for a while when it has ended."""

    WAITING = 0
    DELIVERED = 1
    DEAD = 2
    """Given up; a manager may have it tried again."""
    DROPPED = 3
    """Nobody is there any more to be told."""


class Delivery(Struct, frozen=True, gc=False):
    """One event that one channel tells somebody; unique by (channel, seq, recipient) while it waits or is dead.

    `recipient` is a number of the channel's own, where it tells several of one event, else 0. `body` is "" where it is
    made of the event when it is sent. `since` is when its time to be tried began. `outcome` is the last one: a status,
    or a word of ours.
    """

    id: int
    channel: str
    brand: str
    customer_id: int
    recipient: int
    seq: int
    kind: str
    body: str
    state: DeliveryState
    attempts: int
    created_time: int
    since: int
    next_time: int
    ended_time: int
    outcome: str

    @property
    def version(self) -> int:
        """A delivery is replaced, not changed by versions."""
        return 1


def pause_seconds(attempts: int, random: Callable[[int, int], int]) -> int:
    """Return how long to wait after so many failed attempts: anything up to a bound that doubles (full jitter).

    `random(low, high)` gives a number between them, both included.
    """
    return random(1, min(PAUSE_SECONDS_MAX, FIRST_PAUSE_SECONDS << min(attempts - 1, PAUSES)))
