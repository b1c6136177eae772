"""Identities of wallets, callbacks, used challenges and verification codes in memory, and what a batch changes."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from msgspec.structs import replace

from kycmanager.domain.verification import SentCode, Verification
from kycmanager.domain.wallets import Callback, CustomerTypes, Identity, UsedChallenge, WalletName
from kycmanager.key_ports import Vault, place_of
from kycmanager.ports import ListQuery, Page
from kycmanager.store.indexes import Index
from kycmanager.wallet_ports import WalletChange, WalletState

"""Sealed codes are bound to numbers below this, where no step and no note is."""


class WalletTables:
    """The committed ones. Answers `WalletReader`."""

    def __init__(self, vault: Vault | None) -> None:
        self.vault = vault
        self.types = CustomerTypes()
        self._identities: dict[int, Identity] = {}
        self._index = Index(("customer_id",))
        self._names: dict[tuple[str, WalletName], int] = {}
        self._customers: dict[tuple[str, int], tuple[int, ...]] = {}
        self._callbacks: dict[int, Callback] = {}
        self._challenges: dict[bytes, UsedChallenge] = {}
        self._verifications: dict[int, dict[str, Verification]] = {}

    def load(self, state: WalletState | None) -> None:
        """Fill the empty tables."""
        if state is None:
            return
        for identity in state.identities:
            self.put_identity(identity)
        for callback in state.callbacks:
            self.put_callback(callback)
        for challenge in sorted(state.challenges, key=lambda each: each.expires):
            self.put_challenge(challenge)
        for verification in state.verifications:
            self.put_verification(verification)

    def identity(self, identity_id: int) -> Identity | None:
        """Return an identity, or None."""
        return self._identities.get(identity_id)

    def identity_of(self, brand: str, name: WalletName) -> Identity | None:
        """Return the identity known by this in a brand, or None."""
        return self._identities.get(self._names.get((brand, name), 0))

    def identities_of(self, brand: str, customer_id: int) -> Sequence[Identity]:
        """Return the identities that stand for a customer, ids ascending."""
        return [self._identities[each] for each in self._customers.get((brand, customer_id), ())]

    def page(self, query: ListQuery) -> Page:
        """List identities."""
        return self._index.page(query, self._identities.__getitem__)

    def callback(self, identity_id: int) -> Callback | None:
        """Return where a wallet wants to be told of an identity, or None."""
        return self._callbacks.get(identity_id)

    def challenge(self, digest: bytes) -> UsedChallenge | None:
        """Return a challenge that was answered, or None."""
        return self._challenges.get(digest)

    def forgettable(self, now: int, limit: int) -> Sequence[bytes]:
        """Return up to `limit` challenges that have run out; they stand in the order of their use."""
        return [each.digest for each in islice(self._challenges.values(), limit) if each.expires <= now]

    def verification(self, kyc_id: int, field: str) -> Verification | None:
        """Return how far a field is confirmed, or None."""
        return self._verifications.get(kyc_id, {}).get(field)

    def opened_code(self, sent: SentCode) -> dict[str, Any]:
        """Return what a code's event holds, opened where it is sealed."""
        if isinstance(sent.content, dict):
            return sent.content
        assert self.vault is not None
        return self.vault.open(sent.kyc_id, place_of(sent), sent.content)

    def put_identity(self, identity: Identity) -> None:
        """Keep an identity."""
        old = self._identities.get(identity.id)
        if old is None:
            self._index.add(identity)
        else:
            self._index.change(((old, identity),))
            self._leave_customer(old)
        self._identities[identity.id] = identity
        self._names[identity.brand, identity.name] = identity.id
        key = (identity.brand, identity.customer_id)
        self._customers[key] = tuple(sorted((*self._customers.get(key, ()), identity.id)))

    def remove_identity(self, identity_id: int) -> None:
        """Let an identity go."""
        gone = self._identities.pop(identity_id, None)
        if gone is not None:
            self._index.remove(gone)
            del self._names[gone.brand, gone.name]
            self._leave_customer(gone)

    def _leave_customer(self, identity: Identity) -> None:
        key = (identity.brand, identity.customer_id)
        left = tuple(each for each in self._customers[key] if each != identity.id)
        if left:
            self._customers[key] = left
        else:
            del self._customers[key]

    def put_callback(self, callback: Callback) -> None:
        """Keep where a wallet wants to be told, in the place of the one before."""
        self._callbacks[callback.id] = callback

    def remove_callback(self, identity_id: int) -> None:
        """Tell a wallet no more."""
        self._callbacks.pop(identity_id, None)

    def put_challenge(self, challenge: UsedChallenge) -> None:
        """Keep that a challenge was answered."""
        self._challenges[challenge.digest] = challenge

    def forget_challenge(self, digest: bytes) -> None:
        """Let a challenge go that has run out."""
        self._challenges.pop(digest, None)

    def put_verification(self, verification: Verification) -> None:
        """Keep how far a field is confirmed."""
        self._verifications.setdefault(verification.kyc_id, {})[verification.field] = verification

    def remove_verifications(self, kyc_id: int) -> None:
        """Let those of a profile go."""
        self._verifications.pop(kyc_id, None)

    def verifications_of(self, kyc_id: int) -> Sequence[Verification]:
        """Return those of a profile."""
        return list(self._verifications.get(kyc_id, {}).values())


class WalletOverlay:
    """What a batch changes, over the committed tables. Answers `WalletChanges`; `set_` can be undone."""

    def __init__(self, held: WalletTables, set_: Callable[[dict[Any, Any], Any, Any], None], *, seals: bool) -> None:
        self._held = held
        self._set = set_
        self._seals = seals
        self._identities: dict[int, Identity | None] = {}
        self._callbacks: dict[int, Callback | None] = {}
        self._challenges: dict[bytes, UsedChallenge | None] = {}
        self._verifications: dict[tuple[int, str], Verification | None] = {}

    @property
    def types(self) -> CustomerTypes:
        """What is asked of which type of customer."""
        return self._held.types

    def identity(self, identity_id: int) -> Identity | None:
        """Return an identity, or None."""
        if identity_id in self._identities:
            return self._identities[identity_id]
        return self._held.identity(identity_id)

    def identity_of(self, brand: str, name: WalletName) -> Identity | None:
        """Return the identity known by this in a brand, or None."""
        for identity in self._changed():
            if (identity.brand, identity.name) == (brand, name):
                return identity
        found = self._held.identity_of(brand, name)
        return None if found is None or found.id in self._identities else found

    def identities_of(self, brand: str, customer_id: int) -> Sequence[Identity]:
        """Return the identities that stand for a customer, ids ascending."""
        held = [each for each in self._held.identities_of(brand, customer_id) if each.id not in self._identities]
        mine = [each for each in self._changed() if (each.brand, each.customer_id) == (brand, customer_id)]
        return sorted([*held, *mine], key=lambda each: each.id)

    def _changed(self) -> Iterator[Identity]:
        return (identity for identity in self._identities.values() if identity is not None)

    def callback(self, identity_id: int) -> Callback | None:
        """Return where a wallet wants to be told of an identity, or None."""
        if identity_id in self._callbacks:
            return self._callbacks[identity_id]
        return self._held.callback(identity_id)

    def challenge(self, digest: bytes) -> UsedChallenge | None:
        """Return a challenge that was answered, or None."""
        return self._challenges[digest] if digest in self._challenges else self._held.challenge(digest)

    def verification(self, kyc_id: int, field: str) -> Verification | None:
        """Return how far a field is confirmed, or None."""
        if (kyc_id, field) in self._verifications:
            return self._verifications[kyc_id, field]
        return self._held.verification(kyc_id, field)

    def put_identity(self, identity: Identity) -> None:
        """Keep an identity."""
        self._set(self._identities, identity.id, identity)

    def remove_identity(self, identity_id: int) -> None:
        """Let an identity go."""
        self._set(self._identities, identity_id, None)

    def put_callback(self, callback: Callback) -> None:
        """Keep where a wallet wants to be told."""
        self._set(self._callbacks, callback.id, callback)

    def remove_callback(self, identity_id: int) -> None:
        """Tell a wallet no more."""
        self._set(self._callbacks, identity_id, None)

    def put_challenge(self, challenge: UsedChallenge) -> None:
        """Keep that a challenge was answered."""
        self._set(self._challenges, challenge.digest, challenge)

    def forget_challenge(self, digest: bytes) -> None:
        """Let a challenge go."""
        self._set(self._challenges, digest, None)

    def put_verification(self, verification: Verification) -> None:
        """Keep how far a field is confirmed."""
        self._set(self._verifications, (verification.kyc_id, verification.field), verification)

    def remove_verifications(self, kyc_id: int) -> None:
        """Let those of a profile go."""
        fields = {each.field for each in self._held.verifications_of(kyc_id)}
        fields |= {field for of_profile, field in self._verifications if of_profile == kyc_id}
        for field in sorted(fields):
            self._set(self._verifications, (kyc_id, field), None)

    def opened_code(self, sent: SentCode) -> dict[str, Any]:
        """Return what a code's event holds, opened where it is sealed."""
        return self._held.opened_code(sent)

    def sealed_code(self, sent: SentCode) -> SentCode:
        """Return a code as events may hold it."""
        vault = self._held.vault
        if not self._seals or vault is None or not isinstance(sent.content, dict):
            return sent
        return replace(sent, content=vault.seal(sent.kyc_id, place_of(sent), sent.content, ()))

    # -- the end of the batch

    @property
    def changed(self) -> bool:
        """Tell whether there is anything to commit: a used challenge has no audit row."""
        return bool(self._challenges)

    def change(self) -> WalletChange:
        """Return what the batch writes of all this."""
        return WalletChange(
            identities=list(self._changed()),
            removed_identities=[each for each, found in self._identities.items() if found is None],
            callbacks=[found for found in self._callbacks.values() if found is not None],
            removed_callbacks=[each for each, found in self._callbacks.items() if found is None],
            challenges=[found for found in self._challenges.values() if found is not None],
            forgotten_challenges=[each for each, found in self._challenges.items() if found is None],
            verifications=[found for found in self._verifications.values() if found is not None],
            removed_verifications=[each for each, found in self._verifications.items() if found is None],
        )

    def publish(self) -> None:
        """Bring the committed changes into memory."""
        held = self._held
        for identity_id, identity in self._identities.items():
            if identity is None:
                held.remove_identity(identity_id)
            else:
                held.put_identity(identity)
        for callback_id, callback in self._callbacks.items():
            if callback is None:
                held.remove_callback(callback_id)
            else:
                held.put_callback(callback)
        for digest, challenge in self._challenges.items():
            if challenge is None:
                held.forget_challenge(digest)
            else:
                held.put_challenge(challenge)
        gone = {kyc_id for (kyc_id, _), verification in self._verifications.items() if verification is None}
        for kyc_id in gone:
            held.remove_verifications(kyc_id)
        for verification in self._verifications.values():
            if verification is not None:
                held.put_verification(verification)
