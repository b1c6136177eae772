"""Erasing a customer: the key is destroyed and the files are removed first, then the records are emptied.

Whatever cuts it off, asking again finishes it. The audit keeps its rows, which name numbers only.
"""

from typing import Any

from msgspec import Struct

from kycmanager.commands import trail
from kycmanager.commands.model import (
    ACCEPTED,
    Accepted,
    Brand,
    Command,
    Id,
    Prepare,
    PrepareContext,
    Reason,
    Request,
    WriteContext,
    local_row,
)
from kycmanager.commands.wallets import WalletRequest, known, tell_identity
from kycmanager.domain import erasure
from kycmanager.domain.errors import Code, KycError, not_found
from kycmanager.domain.files import CUSTOMER
from kycmanager.domain.records import Profile
from kycmanager.domain.session import Session
from kycmanager.domain.wallets import Identity
from kycmanager.ports import OutcomeUnknown, Reader, Records, StoreFull


class EraseCustomer(Request, frozen=True, kw_only=True):
    """The customer to erase in a brand."""

    customer_id: Id
    brand: Brand
    reason: Reason = ""


class Erased(Struct, frozen=True):
    """What is gone before the strand: of which profile, and how many files."""

    kyc_id: int
    files: int


def named(records: Records, _session: Session, request: EraseCustomer) -> Profile:
    """Find the profile the operator names."""
    found = records.profile_of(request.customer_id, request.brand)
    if found is None:
        raise not_found("profile")
    return found


async def destroy(context: PrepareContext, request: EraseCustomer) -> Erased:
    """Destroy what a profile the operator names has sealed and stored."""
    profile = named(context.records, context.session, request)
    return await _destroy(context, profile, request.customer_id, request.brand)


async def destroy_wallet(context: PrepareContext, request: WalletRequest) -> Erased:
    """Destroy what the customer of a wallet has sealed and stored; that of a linked one belongs to the CRM."""
    identity = known(context.records, context.session, request)
    profile = context.records.profile_of(identity.id, identity.brand)
    return await _destroy(context, profile, identity.id, identity.brand)


async def _destroy(context: PrepareContext, profile: Profile | None, customer_id: int, brand: str) -> Erased:
    records = context.records
    files = set(await context.files.waiting_of(CUSTOMER, customer_id, brand))
    if profile is not None:
        retention = records.wallets.types.retention_seconds
        steps = records.steps_of(profile.id)
        erasure.ensure_erasable(profile, steps, retention_seconds=retention, now=context.now)
        files |= _files_of(records, profile)
        try:
            await context.keys.erase(profile.id)
        except StoreFull:
            raise KycError(Code.STORAGE_FULL, "The disk is full; nothing was erased") from None
        except OutcomeUnknown:
            raise KycError(Code.OUTCOME_UNKNOWN, "The base of keys failed; ask again to finish the erasure") from None
    removed = await context.files.erase(files) if files else 0
    return Erased(profile.id if profile is not None else 0, removed)


def _files_of(records: Reader, profile: Profile) -> set[str]:
    found = {document.file_id for document in records.documents_of(profile.id) if document.file_id}
    for step in records.steps_of(profile.id):
        found.update(records.answered_files(step))
    return found


def erase_customer(context: WriteContext, request: EraseCustomer, target: Profile) -> Accepted:
    """Empty the records of a customer."""
    _empty(context, target, request.reason)
    return ACCEPTED


def erase_wallet(context: WriteContext, _request: WalletRequest, target: Identity) -> Accepted:
    """Empty the records of a wallet's customer, and forget what it was known by."""
    profile = context.changes.profile_of(target.id, target.brand)
    if profile is not None:
        _empty(context, profile, "")
    tell_identity(context, "identity.removed", target)
    context.changes.wallets.remove_callback(target.id)
    context.changes.wallets.remove_identity(target.id)
    return ACCEPTED


def _empty(context: WriteContext, profile: Profile, reason: str) -> None:
    changes, sent = context.changes, context.facts
    steps, documents = changes.steps_of(profile.id), changes.documents_of(profile.id)
    for step in steps:
        trail.put_step(context, "step.expired", erasure.erased_step(step, context.now))
    for document in documents:
        trail.put_document(context, "document.deleted", erasure.erased_document(document, context.now))
    changes.desk.remove_notes(profile.id)
    changes.wallets.remove_verifications(profile.id)
    fresh = trail.recalculate(context, erasure.erased_profile(profile))
    details: dict[str, Any] = {"steps": len(steps), "documents": len(documents), "files": sent.files}
    trail.audit(
        context,
        "profile.erased",
        brand=profile.brand,
        customer_id=profile.customer_id,
        kyc_id=profile.id,
        reason=reason,
        old_status=profile.status,
        new_status=fresh.status,
        details=details,
    )


COMMANDS: tuple[Command, ...] = (
    local_row(
        "SysEraseKycCustomer",
        "Operator: erase the personal data of a customer",
        EraseCustomer,
        Accepted,
        erase_customer,
        named,
        Code.NOT_FOUND,
        Code.STORAGE_FULL,
        Code.OUTCOME_UNKNOWN,
        prepare=Prepare(destroy),
    ),
    local_row(
        "SysEraseSepCustomer",
        "SEP-12: erase the customer of a wallet",
        WalletRequest,
        Accepted,
        erase_wallet,
        known,
        Code.NOT_FOUND,
        Code.STORAGE_FULL,
        Code.OUTCOME_UNKNOWN,
        prepare=Prepare(destroy_wallet),
    ),
)
