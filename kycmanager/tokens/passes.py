"""Passes of customers, signed with the manager's own key; no session token is one, and none is a session token."""

import secrets

import msgspec
from jwt import InvalidTokenError, PyJWS

from kycmanager.domain.passes import MARK, Pass
from kycmanager.ports import Clock
from kycmanager.tokens.keys import Keys
from kycmanager.tokens.revocations import Revocations
from kycmanager.user_ports import Link

TEXT_CHARS_MAX = 4096
LINKS = "/portal/link"
"""Where links lead to, below the address of the daemon."""

_JWS = PyJWS()
_decode = msgspec.json.Decoder(Pass, strict=True).decode


class Passes:
    """Signs and reads passes; `address` is what links begin with, "" for a path alone."""

    def __init__(
        self, keys: Keys, revocations: Revocations, clock: Clock, *, address: str = "", link_seconds: int = 259_200
    ) -> None:
        self._keys = keys
        self._revocations = revocations
        self._clock = clock
        self._address = address.rstrip("/")
        self._link_seconds = link_seconds

    def link(self, customer_id: int, brand: str, now: int, seconds: int) -> Link:
        """Make a one-time link for a customer; 0 seconds are those of the settings."""
        made = Pass(
            kind="link",
            pass_id=new_id(),
            customer_id=customer_id,
            brand=brand,
            issued=now,
            expires=now + (seconds or self._link_seconds),
        )
        return Link(made.pass_id, f"{self._address}{LINKS}/{self.sign(made)}", made.expires)

    def sign(self, given: Pass) -> str:
        """Return the text of a pass."""
        key = self._keys.signing
        return _JWS.encode(msgspec.json.encode(given), key.material, algorithm=key.algorithm)

    def read(self, text: str, kind: str) -> Pass | None:
        """Return a pass of this kind that is still good, None for anything else."""
        own = self._keys.verifying[0]
        if not text or len(text) > TEXT_CHARS_MAX:
            return None
        try:
            given = _decode(_JWS.decode(text, own.material, algorithms=[own.algorithm]))
        except (InvalidTokenError, ValueError, msgspec.MsgspecError):
            return None
        return given if given.kind == kind and self.holds(given) else None

    def holds(self, given: Pass) -> bool:
        """Tell whether a pass has neither run out nor been used up or revoked."""
        session = given.session
        return self._clock() < given.expires and not any(
            self._revocations.covers(jti=jti, session=session.type, sub=session.sub, issued=session.issued)
            for jti in {given.pass_id, session.jti}
        )


def new_id() -> str:
    """Make the id of a pass, which nobody can guess."""
    return f"{MARK}{secrets.token_urlsafe(18)}"
