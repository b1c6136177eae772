"""How fast somebody may try to sign in: a delay that grows with each failure, never a lock on a user.

Failures are counted by (name, address) and, more generously, by address. So whoever tries from elsewhere slows down
nobody but himself, and a name that does not exist is counted like one that does.
"""

from ipaddress import IPv6Address, ip_address

from msgspec import Struct

from kycmanager.backoffice.recent import Recent
from kycmanager.ports import Clock

FREE_TRIES = 5
FREE_TRIES_OF_ADDRESS = 50
DELAY_SECONDS_MAX = 900
DELAY_OF_ADDRESS_SECONDS_MAX = 60
FORGET_SECONDS = 3600
COUNTED_MAX = 20_000
"""Pairs and addresses remembered; those that failed the longest ago go first."""

_NETWORK_BITS = 64


class _Failures(Struct):
    """How often something failed, and when last."""

    count: int
    time: int


class Tries:
    """Counts tries; each counts as failed until it is told that it was none."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures: Recent[tuple[str, str], _Failures] = Recent()

    def wait(self, name: str, address: str) -> int:
        """Return the seconds until the next try is heard, 0 where it is heard at once."""
        place = network(address)
        of_pair = self._wait((place, name), FREE_TRIES, DELAY_SECONDS_MAX)
        return max(of_pair, self._wait((place, ""), FREE_TRIES_OF_ADDRESS, DELAY_OF_ADDRESS_SECONDS_MAX))

    def begin(self, name: str, address: str) -> None:
        """Count a try before it is judged: many at the same moment are many."""
        place = network(address)
        self._count((place, name))
        self._count((place, ""))

    def succeeded(self, name: str, address: str) -> None:
        """Forget the failures of the pair, and this try of the address: its other failures stay."""
        place = network(address)
        self._failures.pop((place, name), None)
        if (held := self._failures.get((place, ""))) is not None:
            held.count = max(0, held.count - 1)

    def _wait(self, key: tuple[str, str], free: int, longest: int) -> int:
        held = self._failures.get(key)
        if held is None or held.count < free:
            return 0
        delay = min(1 << min(held.count - free, 20), longest)
        return max(0, held.time + delay - self._clock())

    def _count(self, key: tuple[str, str]) -> None:
        now = self._clock()
        held = self._failures.get(key)
        if held is None or now >= held.time + FORGET_SECONDS:
            held = _Failures(0, now)
        held.count += 1
        held.time = now
        self._failures.keep(key, held, COUNTED_MAX)


def network(address: str) -> str:
    """Return whom an address stands for: with IPv6 one customer of a provider has a whole network."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    if isinstance(known, IPv6Address):
        if known.ipv4_mapped is not None:
            return str(known.ipv4_mapped)
        return f"{int(known) >> (128 - _NETWORK_BITS):x}::/{_NETWORK_BITS}"
    return str(known)
