"""The tokens of SEP-10: issued once for an answered challenge, verified by one algorithm and our own key alone.

They are signed by a key of their own, so none is ever good as a token of the manager, and none of those here.
"""

from functools import lru_cache

import jwt
from msgspec import Struct
from stellar_sdk import MuxedAccount, StrKey

from kycmanager.domain.errors import Code, KycError, invalid
from kycmanager.domain.wallets import ACCOUNT, CONTRACT, MEMO_ID, WalletName, memo_of
from kycmanager.ports import Clock

ALGORITHM = "HS256"
TOKEN_CHARACTERS_MAX = 4096
TOKENS_KEPT_MAX = 4096
MUXED = "M"

_CLAIMS = ["iss", "sub", "iat", "exp", "jti"]


class Wallet(Struct, frozen=True):
    """The verified caller: `shown` is the account as the token has it, `name` what customers are known by."""

    shown: str
    name: WalletName


def wallet_of(subject: str) -> Wallet:
    """Read the subject of a token: G..., G...:memo, M... or C...; INVALID_DATA for any other."""
    account, colon, memo = subject.partition(":")
    if account.startswith(MUXED) and not colon:
        muxed = _muxed(account)
        return Wallet(account, WalletName(muxed.account_id, MEMO_ID, str(muxed.account_muxed_id)))
    if not ACCOUNT.fullmatch(account) or not _is_account(account):
        raise invalid("account", "expected a Stellar account: G..., M... or C...")
    if not colon:
        return Wallet(account, WalletName(account))
    kind, text = memo_of(MEMO_ID, memo)
    if account.startswith(CONTRACT) or not text:
        raise invalid("memo", "expected a whole number of 64 bits, and none with a contract account")
    return Wallet(account, WalletName(account, kind, text))


def _muxed(account: str) -> MuxedAccount:
    try:
        found = MuxedAccount.from_account(account)
    except Exception:  # noqa: BLE001 - the library tells a wrong account by many exceptions
        found = None
    if found is None or found.account_muxed_id is None:
        raise invalid("account", "expected a Stellar account: G..., M... or C...")
    return found


def _is_account(account: str) -> bool:
    if account.startswith(CONTRACT):
        return StrKey.is_valid_contract(account)
    return StrKey.is_valid_ed25519_public_key(account)


class Tokens:
    """Issues and verifies them; `issuer` is the address of the endpoint."""

    def __init__(self, key: bytes, issuer: str, seconds: int, clock: Clock) -> None:
        self._key = key
        self._issuer = issuer
        self._seconds = seconds
        self._clock = clock
        # Half of a read is the signature of its token; only good ones are kept, and none is ever taken back.
        self._known = lru_cache(maxsize=TOKENS_KEPT_MAX)(self._read)

    def issue(self, subject: str, jti: str, client_domain: str = "") -> str:
        """Return a token for who has answered the challenge `jti`."""
        now = self._clock()
        claims: dict[str, object] = {
            "iss": self._issuer,
            "sub": subject,
            "iat": now,
            "exp": now + self._seconds,
            "jti": jti,
        }
        if client_domain:
            claims["client_domain"] = client_domain
        return jwt.encode(claims, self._key, algorithm=ALGORITHM)

    def verify(self, token: str) -> Wallet:
        """Return the caller; raises UNAUTHENTICATED."""
        try:
            expires, wallet = self._known(token)
        except (jwt.PyJWTError, KycError, ValueError, TypeError, AttributeError):
            raise refused() from None
        if expires <= self._clock():
            raise refused()
        return wallet

    def _read(self, token: str) -> tuple[int, Wallet]:
        """Return when a token ends, which the clock decides at each use, and whom it names."""
        if len(token) > TOKEN_CHARACTERS_MAX:
            raise refused()
        claims = jwt.decode(
            token,
            self._key,
            algorithms=[ALGORITHM],
            issuer=self._issuer,
            options={"require": _CLAIMS, "verify_exp": False, "verify_iat": False, "verify_aud": False},
        )
        expires, subject = claims["exp"], claims["sub"]
        if isinstance(expires, bool) or not isinstance(expires, int):
            raise refused()
        return expires, wallet_of(subject)


def refused() -> KycError:
    """Build the one answer to a missing or wrong token."""
    return KycError(Code.UNAUTHENTICATED, "A valid token of SEP-10 is required: Authorization: Bearer <token>")
