"""The issue of session tokens with the manager's own key."""

import secrets
from collections.abc import Collection

import msgspec
from jwt import PyJWS

from kycmanager.domain.enums import SessionType
from kycmanager.tokens.claims import ALL_BRANDS, BRAND, ID_MAX
from kycmanager.tokens.keys import SigningKey


class IssueError(ValueError):
    """A token that cannot be issued; the text says what to do next."""


def issue_token(
    key: SigningKey,
    *,
    session: SessionType,
    sub: int,
    brands: Collection[str] | None,
    now: int,
    ttl_seconds: int,
) -> str:
    """Sign a token for `sub`; `brands` None means all. Times in Unix seconds. Raises IssueError."""
    _check(session, sub, brands)
    claims = {
        "sub": str(sub),
        "session": int(session),
        "brands": ALL_BRANDS if brands is None else sorted(set(brands)),
        "iat": now,
        "exp": now + ttl_seconds,
        "jti": secrets.token_urlsafe(12),
    }
    return PyJWS().encode(msgspec.json.encode(claims), key.material, algorithm=key.algorithm)


def _check(session: SessionType, sub: int, brands: Collection[str] | None) -> None:
    """Refuse what the verifier would refuse, where the operator still sees why."""
    if not 1 <= sub <= ID_MAX:
        raise IssueError(f"the id {sub} is not in 1..{ID_MAX}; give the id of the manager or customer")
    if session is SessionType.CUSTOMER and (brands is None or len(set(brands)) != 1):
        raise IssueError("a customer's token names exactly one brand; give --brand once")
    for brand in brands or ():
        if not BRAND.fullmatch(brand):
            raise IssueError(f"{brand!r} is no brand; use 1 to 64 letters, digits and _ . - only")
