"""The claims of a token, read strictly: from bytes an issuer signed to a Session (manager API, section 2)."""

import re
from typing import Any

import msgspec

from kycmanager.domain.enums import SessionType
from kycmanager.domain.session import Session

BRAND = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)
ALL_BRANDS = "*"
ID_MAX = 2**53 - 1
JTI_LENGTH_MAX = 128

_DECIMAL = re.compile(r"[1-9][0-9]{0,15}", re.ASCII)
_MISSING = object()
_NO_BRANDS: frozenset[str] = frozenset()


class ClaimError(ValueError):
    """A claim that is missing, of the wrong type or not allowed."""


def decode_claims(payload: bytes) -> dict[str, Any]:
    """Decode the payload of a token; raises ClaimError."""
    try:
        claims = msgspec.json.decode(payload)
    except (ValueError, RecursionError, msgspec.MsgspecError):
        raise ClaimError("payload") from None
    if not isinstance(claims, dict):
        raise ClaimError("payload")
    return claims


def session_of(claims: dict[str, Any], now: int, future_seconds_max: int) -> Session:
    """Build the session the claims state; raises ClaimError. `now` in Unix seconds.

    A clock ahead by at most `future_seconds_max` is forgiven for `iat` and `nbf`; `exp` is never stretched.
    """
    expires = _time(claims.get("exp"), "exp")
    if expires <= now:
        raise ClaimError("exp")
    issued = _time(claims.get("iat", 0), "iat")
    if max(issued, _time(claims.get("nbf", 0), "nbf")) > now + future_seconds_max:
        raise ClaimError("iat")
    return Session(
        sub=_subject(_one_of(claims, "sub", "id")),
        type=_session_type(_one_of(claims, "session", "role")),
        brands=_brands(claims.get("brands", _MISSING)),
        jti=_jti(claims.get("jti", "")),
        issued=issued,
        expires=expires,
    )


def _one_of(claims: dict[str, Any], name: str, alias: str) -> Any:
    """Read a claim by its name, or by its alias when it is not there under its name."""
    return claims[name] if name in claims else claims.get(alias)


def _time(value: Any, name: str) -> int:
    """Read Unix seconds; a fraction, which other issuers may send, is cut off."""
    if type(value) not in {int, float} or not 0 <= value <= ID_MAX:
        raise ClaimError(name)
    return int(value)


def _subject(value: Any) -> int:
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        value = int(value)
    if type(value) is not int or not 1 <= value <= ID_MAX:
        raise ClaimError("sub")
    return int(value)


def _session_type(value: Any) -> SessionType:
    if type(value) is not int:
        raise ClaimError("session")
    try:
        return SessionType(value)
    except ValueError:
        raise ClaimError("session") from None


def _brands(value: Any) -> frozenset[str] | None:
    if value is _MISSING:
        return _NO_BRANDS
    if value == ALL_BRANDS:
        return None
    if not isinstance(value, list) or not all(isinstance(brand, str) and BRAND.fullmatch(brand) for brand in value):
        raise ClaimError("brands")
    return frozenset(value)


def _jti(value: Any) -> str:
    if not isinstance(value, str) or len(value) > JTI_LENGTH_MAX:
        raise ClaimError("jti")
    return value
