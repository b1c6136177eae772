"""Codes that prove that somebody reads what is sent to an address or a telephone: made, hashed, tried a few times.

The plain code exists in one event, for whoever delivers it, and is sealed there like answers.
"""

import hashlib
import hmac
import re
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from kycmanager.domain.errors import Code, KycError, invalid

CODE_DIGITS = 6
CODE_SECONDS = 600
ATTEMPTS_MAX = 5
RESEND_SECONDS = 60
"""A further code for the same field is made no sooner than this after the one before."""
SENDS_MAX = 5
"""Codes made for one field within `SENDS_SECONDS`."""
SENDS_SECONDS = 86_400
SALT_BYTES = 16

_PLAIN = re.compile(rf"[0-9]{{{CODE_DIGITS}}}", re.ASCII)


class Verification(Struct, frozen=True, gc=False):
    """How far one field of a profile is confirmed; `subject` is the hash of the value that is, or is to be, confirmed.

    `digest` is the salted hash of the code, empty when none is open. `sends` counts the codes since `first_time`.
    """

    id: int
    kyc_id: int
    field: str
    subject: bytes
    salt: bytes
    digest: bytes
    attempts: int
    sends: int
    first_time: int
    sent_time: int
    expires: int
    confirmed_time: int


class SentCode(Struct, frozen=True, gc=False):
    """A code on its way, as events tell of it; `content` is `{"code", "to"}`, kept sealed where the vault seals."""

    id: int
    kyc_id: int
    customer_id: int
    brand: str
    field: str
    time: int
    expires: int
    content: dict[str, Any] | bytes
    version: int = 1


def subject_of(value: object) -> bytes:
    """Return the hash that stands for the value of a field."""
    return hashlib.sha256(str(value).strip().encode()).digest()


def digest_of(salt: bytes, code: str) -> bytes:
    """Return the hash of a code."""
    return hashlib.blake2b(code.encode(), key=salt, digest_size=32).digest()


def code_of(seed: bytes) -> tuple[str, bytes]:
    """Return a code and a salt made of 32 random bytes."""
    number = int.from_bytes(hashlib.sha256(b"code:" + seed).digest()) % 10**CODE_DIGITS
    return f"{number:0{CODE_DIGITS}}", hashlib.sha256(b"salt:" + seed).digest()[:SALT_BYTES]


def is_confirmed(held: Verification | None, value: object) -> bool:
    """Tell whether this very value was confirmed."""
    return held is not None and bool(held.confirmed_time) and held.subject == subject_of(value)


def may_send(held: Verification | None, *, now: int) -> bool:
    """Tell whether a further code may be made now."""
    if held is None or not held.sends:
        return True
    if now < held.sent_time + RESEND_SECONDS:
        return False
    return held.sends < SENDS_MAX or now >= held.first_time + SENDS_SECONDS


def begun(
    held: Verification | None,
    *,
    id: int,  # noqa: A002 - the record's own name
    kyc_id: int,
    field: str,
    value: object,
    code: str,
    salt: bytes,
    now: int,
) -> Verification:
    """Give the verification with a fresh code for a value."""
    fresh_count = held is None or now >= held.first_time + SENDS_SECONDS
    return Verification(
        id=id if held is None else held.id,
        kyc_id=kyc_id,
        field=field,
        subject=subject_of(value),
        salt=salt,
        digest=digest_of(salt, code),
        attempts=0,
        sends=1 if fresh_count or held is None else held.sends + 1,
        first_time=now if fresh_count or held is None else held.first_time,
        sent_time=now,
        expires=now + CODE_SECONDS,
        confirmed_time=0,
    )


def ensure_open(held: Verification | None, field: str, *, now: int) -> Verification:
    """Return the verification whose code may be tried, or raise INVALID_DATA or TOO_FREQUENT."""
    if held is None or not held.digest or now >= held.expires:
        raise invalid(f"{field}_verification", "no code is open for this field; send the field again for a new one")
    if held.attempts >= ATTEMPTS_MAX:
        raise KycError(
            Code.TOO_FREQUENT, f"{field}_verification: was tried too often; send the field again for a new code"
        )
    return held


def tried(held: Verification, code: object, *, now: int) -> Verification:
    """Give the verification after a try: confirmed, or with one try less."""
    text = code if isinstance(code, str) else ""
    right = bool(_PLAIN.fullmatch(text)) and hmac.compare_digest(digest_of(held.salt, text), held.digest)
    if right:
        return replace(held, digest=b"", salt=b"", confirmed_time=now)
    return replace(held, attempts=held.attempts + 1)
