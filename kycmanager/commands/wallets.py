"""Identities of Stellar wallets: rows the SEP-12 door runs for a verified token, and what managers do with them."""

from typing import Annotated, Any

from msgspec import Meta

from kycmanager.commands import scopes, trail
from kycmanager.commands.model import (
    ACCEPTED,
    END,
    ID_MAX,
    Accepted,
    AnyId,
    Brand,
    Command,
    Kind,
    Language,
    ReadContext,
    Reply,
    Request,
    Time,
    WriteContext,
    local_row,
)
from kycmanager.commands.wallet_view import Stranger, WalletCustomerReply, customer_of
from kycmanager.domain.enums import DocumentStatus
from kycmanager.domain.errors import Code, KycError, not_found
from kycmanager.domain.outbound import BEFORE, CALLBACKS
from kycmanager.domain.session import Session
from kycmanager.domain.wallets import Callback, Identity, UsedChallenge, WalletName, reaches
from kycmanager.ports import Records

Account = Annotated[str, Meta(pattern=rf"^[GC][A-Z2-7]{{55}}{END}")]
Memo = Annotated[str, Meta(max_length=64)]
MemoType = Annotated[str, Meta(pattern=rf"^(id|text|hash)?{END}")]
Digest = Annotated[str, Meta(pattern=rf"^[0-9a-f]{{64}}{END}")]
Url = Annotated[str, Meta(min_length=1, max_length=2048)]
TypeName = Annotated[str, Meta(max_length=64)]
WalletId = Annotated[str, Meta(max_length=32)]

FORGOTTEN_AT_ONCE = 1000


class WalletRequest(Request, frozen=True, kw_only=True):
    """Who asks, and about whom: `token_memo` is the memo of the token, of type id; `memo` the one that is meant.

    A `wallet_id`, where it is given, goes before the memo.
    """

    brand: Brand
    account: Account
    token_memo: Memo = ""
    memo_type: MemoType = ""
    memo: Memo = ""
    wallet_id: WalletId = ""
    type: TypeName = ""
    lang: Language = ""

    @property
    def name(self) -> WalletName:
        """Whom the request means."""
        return WalletName(self.account, self.memo_type, self.memo)

    @property
    def caller(self) -> WalletName:
        """Who asks."""
        return WalletName(self.account, "id" if self.token_memo else "", self.token_memo)


class SetCallback(WalletRequest, frozen=True, kw_only=True):
    """Where a wallet wants to be told of its customer."""

    url: Url


class GetSepFiles(WalletRequest, frozen=True, kw_only=True):
    """Whose files are meant; `owner_id`, the customer a file belongs to, goes before all else."""

    owner_id: AnyId = 0


class SepFilesReply(Reply, frozen=True, kw_only=True):
    """The customer, and the uuids of the files attached for it."""

    id: str
    customer_id: int
    files: list[str]


class UseChallenge(Request, frozen=True, kw_only=True):
    """The SHA-256 of a challenge that was answered, in hex, and when it runs out."""

    digest: Digest
    expires: Time


class IdentityReply(Reply, frozen=True, kw_only=True):
    """One identity."""

    identity: Identity


def customer_not_found() -> KycError:
    """Build the one answer for an unknown customer and for another account's."""
    return not_found("customer")


def asked_for(records: Records, _session: Session, request: WalletRequest) -> Identity | None:
    """Find the identity a wallet asks for, None where nothing is known of it yet; NOT_FOUND for an id out of reach."""
    if not request.wallet_id:
        return records.wallets.identity_of(request.brand, request.name)
    text = request.wallet_id
    found = records.wallets.identity(int(text)) if text.isascii() and text.isdecimal() else None
    if found is None or str(found.id) != text or found.brand != request.brand or not reaches(request.caller, found):
        raise customer_not_found()
    return found


def known(records: Records, session: Session, request: WalletRequest) -> Identity:
    """Find the identity a wallet asks for; NOT_FOUND where nothing is known of it."""
    found = asked_for(records, session, request)
    if found is None:
        raise customer_not_found()
    return found


def of_files(records: Records, session: Session, request: GetSepFiles) -> Identity:
    """Find the identity whose files are meant; NOT_FOUND where the caller reaches none."""
    if not request.owner_id:
        return known(records, session, request)
    wallets = records.wallets
    # What a linked wallet sent before still belongs to its own number.
    candidates: list[Identity | None] = [*wallets.identities_of(request.brand, request.owner_id)]
    candidates.append(wallets.identity(request.owner_id))
    for found in candidates:
        if found is not None and found.brand == request.brand and reaches(request.caller, found):
            return found
    raise customer_not_found()


def opened(context: WriteContext, request: WalletRequest, target: Identity | None) -> Identity:
    """Return the identity, made now where nothing was known of it; a new one stands for a customer of its own."""
    if target is not None:
        return target
    changes = context.changes
    wallets = changes.wallets
    while True:
        free = wallets.types.id_base + changes.next_id("identity") - 1
        if free > ID_MAX:
            raise KycError(Code.INVALID_STATE, "No id is left for a new customer; lower sep12.customer_id_base")
        # Under another base in the settings, or in the CRM, a number may be in use.
        if wallets.identity(free) is None and changes.profile_of(free, request.brand) is None:
            break
    name = request.name
    made = Identity(
        free, request.brand, free, name.account, name.memo_type, name.memo, context.now, context.now, version=1
    )
    put_identity(context, "identity.created", made)
    return made


def put_identity(context: WriteContext, kind: str, identity: Identity, details: dict[str, Any] | None = None) -> None:
    """Keep an identity, and tell of it."""
    changes = context.changes
    changes.wallets.put_identity(identity)
    tell_identity(context, kind, identity, details)


def tell_identity(context: WriteContext, kind: str, identity: Identity, details: dict[str, Any] | None = None) -> None:
    """Tell what has happened to an identity."""
    profile = context.changes.profile_of(identity.customer_id, identity.brand)
    kyc_id = profile.id if profile is not None else 0
    context.changes.emit(kind, identity, brand=identity.brand, customer_id=identity.customer_id, kyc_id=kyc_id)
    trail.audit(
        context,
        kind,
        brand=identity.brand,
        customer_id=identity.customer_id,
        kyc_id=kyc_id,
        details={"identity": identity.id, "account": identity.account, **(details or {})},
    )


def get_customer(context: ReadContext, request: WalletRequest, target: Identity | None) -> WalletCustomerReply:
    """Show a customer to its wallet, or what is asked of a new one."""
    return customer_of(context.records, target or Stranger(request.brand), request.type, request.lang)


def open_identity(context: WriteContext, request: WalletRequest, target: Identity | None) -> IdentityReply:
    """Return the identity of a wallet's customer, made now where there is none."""
    return IdentityReply(identity=opened(context, request, target))


def get_identity(_context: ReadContext, _request: WalletRequest, target: Identity) -> IdentityReply:
    """Show an identity to the door."""
    return IdentityReply(identity=target)


def get_files(context: ReadContext, _request: GetSepFiles, target: Identity) -> SepFilesReply:
    """List the files attached for a customer."""
    records = context.records
    profile = records.profile_of(target.customer_id, target.brand)
    held = records.documents_of(profile.id) if profile is not None else ()
    files = [each.file_id for each in held if each.status is not DocumentStatus.DELETED]
    return SepFilesReply(id=str(target.id), customer_id=target.customer_id, files=list(dict.fromkeys(files)))


def set_callback(context: WriteContext, request: SetCallback, target: Identity) -> Accepted:
    """Keep where a wallet wants to be told, in the place of the URL before."""
    wallets = context.changes.wallets
    wallets.types.of(request.type)
    old = wallets.callback(target.id)
    wallets.put_callback(
        Callback(
            target.id,
            target.brand,
            target.customer_id,
            request.url,
            target.account,
            target.memo_type,
            target.memo,
            request.type,
            request.lang,
            old.created_time if old else context.now,
            context.now,
            old.version + 1 if old else 1,
        )
    )
    status = customer_of(context.changes, target, request.type, request.lang).status
    context.changes.outbound.set_mark(CALLBACKS, target.id, BEFORE + status)
    trail.audit(
        context,
        "identity.callback",
        brand=target.brand,
        customer_id=target.customer_id,
        details={"identity": target.id, "replaced": old is not None},
    )
    return ACCEPTED


def use_challenge(context: WriteContext, request: UseChallenge, _target: None) -> Accepted:
    """Keep that a challenge was answered; the second time it is refused."""
    digest = bytes.fromhex(request.digest)
    if context.changes.wallets.challenge(digest) is not None:
        raise KycError(Code.DUPLICATE_RECORD, "transaction: this challenge was used already; ask for a new one")
    context.changes.wallets.put_challenge(UsedChallenge(digest, request.expires))
    return ACCEPTED


def forget_challenges(context: WriteContext, request: "ForgetChallenges", _target: None) -> Accepted:
    """Forget challenges that have run out."""
    wallets = context.changes.wallets
    for text in request.digests:
        found = wallets.challenge(bytes.fromhex(text))
        if found is not None and found.expires <= context.now:
            wallets.forget_challenge(found.digest)
    return ACCEPTED


class ForgetChallenges(Request, frozen=True, kw_only=True):
    """The digests of challenges that have run out, as the timer found them."""

    digests: Annotated[list[Digest], Meta(max_length=FORGOTTEN_AT_ONCE)]


COMMANDS: tuple[Command, ...] = (
    local_row(
        "SysGetSepCustomer",
        "SEP-12: show a customer to its wallet",
        WalletRequest,
        WalletCustomerReply,
        get_customer,
        asked_for,
        Code.NOT_FOUND,
        kind=Kind.READ,
    ),
    local_row(
        "SysGetSepIdentity",
        "SEP-12: find the identity of a wallet's customer",
        WalletRequest,
        IdentityReply,
        get_identity,
        known,
        Code.NOT_FOUND,
        kind=Kind.READ,
    ),
    local_row(
        "SysGetSepFiles",
        "SEP-12: list the files of a wallet's customer",
        GetSepFiles,
        SepFilesReply,
        get_files,
        of_files,
        Code.NOT_FOUND,
        kind=Kind.READ,
    ),
    local_row(
        "SysOpenSepIdentity",
        "SEP-12: find or make the identity of a wallet's customer",
        WalletRequest,
        IdentityReply,
        open_identity,
        asked_for,
        Code.NOT_FOUND,
        Code.INVALID_STATE,
    ),
    local_row(
        "SysSetSepCallback",
        "SEP-12: keep where a wallet wants to be told",
        SetCallback,
        Accepted,
        set_callback,
        known,
        Code.NOT_FOUND,
    ),
    local_row(
        "SysUseSepChallenge",
        "SEP-12: keep that a challenge was answered",
        UseChallenge,
        Accepted,
        use_challenge,
        scopes.anything,
        Code.DUPLICATE_RECORD,
    ),
    local_row(
        "SysForgetSepChallenges",
        "SEP-12: forget challenges that have run out",
        ForgetChallenges,
        Accepted,
        forget_challenges,
        scopes.anything,
    ),
)
