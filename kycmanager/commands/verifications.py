"""The verification-code service: begins a code for a field of a profile, and tries what comes back for it."""

from collections.abc import Mapping
from typing import Any

from kycmanager.commands import trail
from kycmanager.commands.model import WriteContext
from kycmanager.domain import verification as rules
from kycmanager.domain.records import Profile
from kycmanager.domain.verification import SentCode


def begin(context: WriteContext, profile: Profile, field: str, value: object, seed: bytes) -> bool:
    """Make a code for the value of a field, and tell of it whoever delivers it; False where it is too soon for another.

    `seed` is 32 random bytes: of them the code and its salt are made.
    """
    changes = context.changes
    held = changes.wallets.verification(profile.id, field)
    if not rules.may_send(held, now=context.now):
        return False
    code, salt = rules.code_of(seed)
    fresh_id = held.id if held is not None else changes.next_id("verification")
    changes.wallets.put_verification(
        rules.begun(
            held, id=fresh_id, kyc_id=profile.id, field=field, value=value, code=code, salt=salt, now=context.now
        )
    )
    sent = SentCode(
        changes.next_id("code"),
        profile.id,
        profile.customer_id,
        profile.brand,
        field,
        context.now,
        context.now + rules.CODE_SECONDS,
        {"code": code, "to": str(value)},
    )
    kept = changes.wallets.sealed_code(sent)
    changes.emit("verification.code", kept, brand=profile.brand, customer_id=profile.customer_id, kyc_id=profile.id)
    _audit(context, "verification.code", profile, field)
    return True


def try_all(context: WriteContext, profile: Profile, given: Mapping[str, Any]) -> tuple[frozenset[str], list[str]]:
    """Try the codes that came, by field; return which fields are confirmed by them, and which codes were wrong.

    Raises INVALID_DATA where no code is open, TOO_FREQUENT after too many tries. A wrong code is no error here, for the
    try is to be counted.
    """
    wallets = context.changes.wallets
    confirmed, wrong = set(), []
    for field, code in given.items():
        held = rules.ensure_open(wallets.verification(profile.id, field), field, now=context.now)
        after = rules.tried(held, code, now=context.now)
        wallets.put_verification(after)
        if after.confirmed_time:
            confirmed.add(field)
            _audit(context, "verification.confirmed", profile, field)
        else:
            wrong.append(field)
            _audit(context, "verification.failed", profile, field)
    return frozenset(confirmed), wrong


def _audit(context: WriteContext, action: str, profile: Profile, field: str) -> None:
    trail.audit(
        context,
        action,
        brand=profile.brand,
        customer_id=profile.customer_id,
        kyc_id=profile.id,
        details={"field": field},
    )
