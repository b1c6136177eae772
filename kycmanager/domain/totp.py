"""One-time codes by time, as authenticator apps make them (RFC 6238): six digits of an HMAC-SHA-1 by half minute."""

import base64
import hashlib
import hmac
from urllib.parse import quote

SECRET_BYTES = 20
PERIOD_SECONDS = 30
DIGITS = 6
DRIFT = 1
"""Half minutes a clock may be ahead or behind."""

_ISSUER = "kycmanager"


def code_at(secret: bytes, counter: int) -> str:
    """Return the code of one half minute, counted from 1970."""
    digest = hmac.digest(secret, counter.to_bytes(8), hashlib.sha1)
    place = digest[-1] & 0x0F
    number = int.from_bytes(digest[place : place + 4]) & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def counter_of(secret: bytes, code: str, now: int, *, after: int) -> int:
    """Return the half minute whose code this is, 0 when it is none that may be used: one after `after`, and near."""
    given = "".join(code.split()).encode()
    middle = now // PERIOD_SECONDS
    found = 0
    for counter in range(middle - DRIFT, middle + DRIFT + 1):
        if hmac.compare_digest(code_at(secret, counter).encode(), given) and counter > after:
            found = counter
    return found


def secret_text(secret: bytes) -> str:
    """Return a secret as people type it into an app."""
    return base64.b32encode(secret).decode().rstrip("=")


def uri(secret: bytes, name: str) -> str:
    """Return the address that apps read as a QR code."""
    label = quote(f"{_ISSUER}:{name}")
    return (
        f"otpauth://totp/{label}?secret={secret_text(secret)}&issuer={_ISSUER}"
        f"&algorithm=SHA1&digits={DIGITS}&period={PERIOD_SECONDS}"
    )
