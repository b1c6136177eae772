"""What commands and doors need of the customers of wallets and of verification codes, as protocols."""

from collections.abc import Sequence
from typing import Any, Protocol

from msgspec import Struct

from kycmanager.domain.verification import SentCode, Verification
from kycmanager.domain.wallets import Callback, CustomerTypes, Identity, UsedChallenge, WalletName


class WalletState(Struct, frozen=True):
    """All that a base holds of them."""

    identities: Sequence[Identity]
    callbacks: Sequence[Callback]
    challenges: Sequence[UsedChallenge]
    verifications: Sequence[Verification]


class WalletChange(Struct, frozen=True, kw_only=True):
    """What a batch writes of them; those removed by their ids, digests, or profile and field."""

    identities: list[Identity] = []
    removed_identities: list[int] = []
    callbacks: list[Callback] = []
    removed_callbacks: list[int] = []
    challenges: list[UsedChallenge] = []
    forgotten_challenges: list[bytes] = []
    verifications: list[Verification] = []
    removed_verifications: list[tuple[int, str]] = []


class WalletRecords(Protocol):
    """Identities and what hangs on them, as of the last commit or, on the strand, as the batch has changed them."""

    @property
    def types(self) -> CustomerTypes:
        """What the settings ask of which type of customer."""
        ...

    def identity(self, identity_id: int) -> Identity | None: ...
    def identity_of(self, brand: str, name: WalletName) -> Identity | None:
        """Return the identity known by this in a brand, or None."""
        ...

    def identities_of(self, brand: str, customer_id: int) -> Sequence[Identity]:
        """Return the identities that stand for a customer, ids ascending."""
        ...

    def callback(self, identity_id: int) -> Callback | None: ...
    def challenge(self, digest: bytes) -> UsedChallenge | None: ...
    def verification(self, kyc_id: int, field: str) -> Verification | None: ...
    def opened_code(self, sent: SentCode) -> dict[str, Any]:
        """Return what a code's event holds, `{"code", "to"}`; nothing once the key of its profile is destroyed."""
        ...


class WalletReader(WalletRecords, Protocol):
    """What readers see besides."""

    def forgettable(self, now: int, limit: int) -> Sequence[bytes]:
        """Return up to `limit` used challenges that have run out."""
        ...


class WalletChanges(WalletRecords, Protocol):
    """What a write handler may do with them."""

    def put_identity(self, identity: Identity) -> None: ...
    def remove_identity(self, identity_id: int) -> None: ...
    def put_callback(self, callback: Callback) -> None: ...
    def remove_callback(self, identity_id: int) -> None: ...
    def put_challenge(self, challenge: UsedChallenge) -> None: ...
    def forget_challenge(self, digest: bytes) -> None: ...
    def put_verification(self, verification: Verification) -> None: ...
    def remove_verifications(self, kyc_id: int) -> None:
        """Let all of a profile go."""
        ...

    def sealed_code(self, sent: SentCode) -> SentCode:
        """Return a code as events may hold it: sealed where the vault seals."""
        ...
