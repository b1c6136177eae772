"""The limit on wrong tokens per address and subject; good tokens never meet it."""

import base64

import msgspec

from kycmanager.domain.errors import Code, KycError
from kycmanager.ports import Clock
from kycmanager.tokens.verify import TOKEN_LENGTH_MAX, refusal, wall_clock

COUNTED_MAX = 20_000
ADDRESS_FACTOR = 10
TOO_MANY = "Too many wrong session tokens; get a new one and try again in a minute"

_WINDOW_SECONDS = 60
_SUBJECT_LENGTH_MAX = 32
_EVERYONE_ELSE = ("", "")


class FailedTokens:
    """Counts wrong tokens by minute, per (address, subject) and, ten times as many, per address.

    The subject is what the wrong token claims: an office behind one address does not share one small allowance.
    At most `counted_max` pairs are kept in a minute; the pairs beyond it share one counter.
    """

    __slots__ = ("_clock", "_counted_max", "_counts", "_per_minute_max", "_window")

    def __init__(self, per_minute_max: int, clock: Clock = wall_clock, counted_max: int = COUNTED_MAX) -> None:
        self._per_minute_max = per_minute_max
        self._clock = clock
        self._counted_max = counted_max
        self._window = 0
        self._counts: dict[tuple[str, str], int] = {}

    def refusal(self, address: str, token: str) -> KycError:
        """Count a wrong token from an address (without its port) and build its answer: 401, or 429 over the limit."""
        window = self._clock() // _WINDOW_SECONDS
        if window != self._window:
            self._window = window
            self._counts = {}
        of_subject = self._count((address, f"={claimed_subject(token)}"))
        of_address = self._count((address, ""))
        if of_subject > self._per_minute_max or of_address > self._per_minute_max * ADDRESS_FACTOR:
            return KycError(Code.TOO_FREQUENT, TOO_MANY)
        return refusal()

    def _count(self, pair: tuple[str, str]) -> int:
        if pair not in self._counts and len(self._counts) >= self._counted_max:
            pair = _EVERYONE_ELSE
        count = self._counts.get(pair, 0) + 1
        self._counts[pair] = count
        return count

    def __len__(self) -> int:
        return len(self._counts)


def claimed_subject(token: str) -> str:
    """Read whom an unverified token claims to be, shortened; "" when it cannot be read."""
    if len(token) > TOKEN_LENGTH_MAX:
        return ""
    try:
        claims = msgspec.json.decode(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        return str(claims.get("sub", claims.get("id", "")))[:_SUBJECT_LENGTH_MAX]
    except (ValueError, IndexError, AttributeError, RecursionError, msgspec.MsgspecError):
        return ""
