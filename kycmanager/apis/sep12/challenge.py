"""Challenges of SEP-10: made, and read again once a wallet has signed them."""

from msgspec import Struct
from stellar_sdk import Keypair, ManageData, TransactionEnvelope
from stellar_sdk.sep.ed25519_public_key_signer import Ed25519PublicKeySigner
from stellar_sdk.sep.stellar_web_authentication import (
    build_challenge_transaction,
    read_challenge_transaction,
    verify_challenge_transaction_signed_by_client_master_key,
    verify_challenge_transaction_threshold,
)

from kycmanager.apis.sep12.horizon import Account
from kycmanager.domain.errors import KycError, invalid

CHALLENGE_SECONDS = 900
CHALLENGE_CHARACTERS_MAX = 16_384
SIGNERS_MAX = 40
_ED25519 = "ed25519_public_key"


class Answered(Struct, frozen=True):
    """A challenge of ours: whom it was made for, and what makes it the one it is."""

    subject: str
    account: str
    digest: str
    expires: int
    client_domain: str


class Challenges:
    """Makes and reads them, for one home domain and one network."""

    def __init__(self, keypair: Keypair, home_domain: str, web_auth_domain: str, network_passphrase: str) -> None:
        self._keypair = keypair
        self._home = home_domain
        self._web_auth = web_auth_domain
        self._network = network_passphrase

    def make(self, account: str, memo: str, client_domain: str = "", client_key: str = "") -> str:
        """Return a fresh challenge for a G or M account, signed by us, as XDR in base64."""
        return build_challenge_transaction(
            server_secret=self._keypair.secret,
            client_account_id=account,
            home_domain=self._home,
            web_auth_domain=self._web_auth,
            network_passphrase=self._network,
            timeout=CHALLENGE_SECONDS,
            client_domain=client_domain or None,
            client_signing_key=client_key or None,
            memo=int(memo) if memo else None,
        )

    def read(self, text: str) -> Answered:
        """Return a challenge that is ours and still good; INVALID_DATA for any other text."""
        if len(text) > CHALLENGE_CHARACTERS_MAX:
            raise _refused("is too long")
        try:
            read = read_challenge_transaction(text, self._keypair.public_key, self._home, self._web_auth, self._network)
            return _answered(read.transaction, read.client_account_id, read.memo)
        except KycError:
            raise
        except Exception as error:  # noqa: BLE001 - the library and its decoders tell a wrong text by many exceptions
            raise _refused(_reason(error)) from None

    def check(self, text: str, account: Account | None) -> None:
        """Return if the signatures suffice for the account, or for its master key alone where there is none."""
        try:
            if account is None:
                verify_challenge_transaction_signed_by_client_master_key(
                    text, self._keypair.public_key, self._home, self._web_auth, self._network
                )
                return
            signers = [
                Ed25519PublicKeySigner(each.key, each.weight)
                for each in account.signers[:SIGNERS_MAX]
                if each.type == _ED25519 and each.weight > 0
            ]
            verify_challenge_transaction_threshold(
                text,
                self._keypair.public_key,
                self._home,
                self._web_auth,
                self._network,
                account.thresholds.med_threshold,
                signers,
            )
        except Exception as error:  # noqa: BLE001 - as in `read`
            raise _refused(_reason(error)) from None


def _answered(envelope: TransactionEnvelope, shown: str, memo: int | None) -> Answered:
    transaction = envelope.transaction
    bounds = transaction.preconditions.time_bounds if transaction.preconditions is not None else None
    if bounds is None:
        raise _refused("has no time bounds")
    source = transaction.operations[0].source
    assert source is not None
    domain = next(
        (
            operation.data_value.decode()
            for operation in transaction.operations
            if isinstance(operation, ManageData)
            and operation.data_name == "client_domain"
            and operation.data_value is not None
        ),
        "",
    )
    return Answered(
        subject=shown if memo is None else f"{shown}:{memo}",
        account=source.account_id,
        digest=envelope.hash().hex(),
        expires=bounds.max_time,
        client_domain=domain,
    )


def _reason(error: Exception) -> str:
    """Return what the library says of a challenge, nothing of what its decoders do."""
    text = str(error)
    return text[:200] if type(error).__module__.startswith("stellar_sdk.sep") and text else "is no challenge of ours"


def _refused(reason: str) -> KycError:
    return invalid("transaction", reason)
