"""The check of session tokens: signature by the key's own algorithm, strict claims, revocations, remembered results."""

import base64
import re
import time
from typing import Any

import msgspec
from jwt import InvalidTokenError, PyJWS
from msgspec import Struct

from kycmanager.config import Tokens
from kycmanager.domain.enums import SessionType
from kycmanager.domain.errors import Code, KycError
from kycmanager.domain.session import Session
from kycmanager.ports import Clock
from kycmanager.tokens.claims import ClaimError, decode_claims, session_of
from kycmanager.tokens.keys import Keys, VerifyingKey
from kycmanager.tokens.revocations import Revocations

TOKEN_LENGTH_MAX = 8192
REFUSAL = "The session token is missing, wrong, expired or revoked"
CUSTOMER_REFUSAL = "A customer's token must name exactly one brand"

_TOKEN = re.compile(r"([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)

_JWS = PyJWS()


class _Header(Struct):
    """What is read of a token's header; `alg` chooses nothing, it must equal the algorithm of a key.

    Extensions (`crit`, `b64`) change what a signature covers; none is understood, so none is taken.
    """

    alg: str
    kid: str = ""
    crit: Any = None
    b64: Any = None


def wall_clock() -> int:
    """Return Unix seconds."""
    return int(time.time())


class Verifier:
    """Checks tokens, and remembers at most `cached_max` good ones for the whole process.

    Remembered tokens stand in two generations: when the young one is full it becomes the old one, and what is still
    used moves back. So the bound holds, and neither a hit nor an eviction ever searches.
    """

    __slots__ = ("_clock", "_epoch", "_future_seconds_max", "_generation_max", "_keys", "_old", "_young", "revocations")

    def __init__(self, keys: Keys, tokens: Tokens, revocations: Revocations, clock: Clock = wall_clock) -> None:
        self.revocations = revocations
        self._keys = keys.verifying
        self._clock = clock
        self._future_seconds_max = tokens.future_seconds_max
        self._generation_max = tokens.cached_max // 2
        self._epoch = revocations.epoch
        self._young: dict[str, Session] = {}
        self._old: dict[str, Session] = {}

    def verify(self, token: str) -> Session:
        """Return the session of a token, without its scheme word.

        Raises KycError: UNAUTHENTICATED with a constant message, or INVALID_CUSTOMER.
        """
        session = self._young.get(token)
        if session is not None and session.expires > self._clock() and self._epoch == self.revocations.epoch:
            return session
        return self._verify_slowly(token)

    def _verify_slowly(self, token: str) -> Session:
        if self._epoch != self.revocations.epoch:
            self._epoch = self.revocations.epoch
            self._young, self._old = {}, {}
        now = self._clock()
        session = self._young.pop(token, None) or self._old.pop(token, None)
        if session is None:
            session = self._check(token, now)
        elif session.expires <= now:
            raise refusal()
        self._remember(token, session)
        return session

    def _check(self, token: str, now: int) -> Session:
        try:
            session = session_of(signed_claims(self._keys, token), now, self._future_seconds_max)
        except ClaimError:
            raise refusal() from None
        if self.revocations.covers(jti=session.jti, session=session.type, sub=session.sub, issued=session.issued):
            raise refusal()
        if session.type is SessionType.CUSTOMER and (session.brands is None or len(session.brands) != 1):
            raise KycError(Code.INVALID_CUSTOMER, CUSTOMER_REFUSAL)
        return session

    def _remember(self, token: str, session: Session) -> None:
        if len(self._young) >= self._generation_max:
            self._old = self._young
            self._young = {}
        self._young[token] = session


def refusal() -> KycError:
    """Build the one answer to every token that is missing or not good: it does not tell what was wrong."""
    return KycError(Code.UNAUTHENTICATED, REFUSAL)


def signed_claims(keys: tuple[VerifyingKey, ...], token: str) -> dict[str, Any]:
    """Return the claims of a token that one of the keys signed, expired or not; raises ClaimError."""
    shape = _TOKEN.fullmatch(token) if len(token) <= TOKEN_LENGTH_MAX else None
    if shape is None:
        raise ClaimError("token")
    header = _header(shape[1])
    for key in keys:
        if header.alg != key.algorithm or (key.kid and key.kid != header.kid):
            continue
        payload = _payload(token, key)
        if payload is not None and _fits(claims := decode_claims(payload), key):
            return claims
    raise ClaimError("signature")


def _header(segment: str) -> _Header:
    try:
        header = msgspec.json.decode(base64.urlsafe_b64decode(segment + "=="), type=_Header)
    except (ValueError, RecursionError, msgspec.MsgspecError):
        raise ClaimError("header") from None
    if header.crit is not None or header.b64 is not None:
        raise ClaimError("header")
    return header


def _payload(token: str, key: VerifyingKey) -> bytes | None:
    try:
        decoded: bytes = _JWS.decode(token, key.material, algorithms=[key.algorithm])
    except (InvalidTokenError, ValueError):
        return None
    return decoded


def _fits(claims: dict[str, Any], key: VerifyingKey) -> bool:
    """Tell whether issuer and audience are what the key is for; a token for another audience is not for us."""
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    meant = key.audience in named if key.audience else audience is None
    return meant and (not key.issuer or claims.get("iss") == key.issuer)
