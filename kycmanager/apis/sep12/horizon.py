"""The one look outside: the signers of an account, asked of Horizon within a time limit."""

from typing import Any

import msgspec
from msgspec import Struct

from kycmanager.domain.errors import Code, KycError
from kycmanager.outbound.addresses import AddressRefused
from kycmanager.outbound.calls import Caller, CallFailed

ANSWER_BYTES_MAX = 262_144
_OK, _NOT_FOUND = 200, 404


class Signer(Struct, frozen=True):
    """A key and its weight."""

    key: str
    weight: int
    type: str = "ed25519_public_key"


class Thresholds(Struct, frozen=True):
    """What signatures must weigh together."""

    med_threshold: int


class Account(Struct, frozen=True):
    """An account as the network knows it."""

    thresholds: Thresholds
    signers: list[Signer]


class Horizon:
    """Asks Horizon; its address is the operator's own, so it may be private."""

    def __init__(self, url: str, seconds: float) -> None:
        self._url = url
        self._caller = Caller(allow_private=True, seconds=seconds, answer_bytes_max=ANSWER_BYTES_MAX)

    async def account(self, account: str) -> Account | None:
        """Return an account, None where the network has none of this name; raises OVERLOADED (503)."""
        try:
            answer = await self._caller.call("GET", f"{self._url}/accounts/{account}")
        except (AddressRefused, CallFailed) as fault:
            raise _unanswered(str(fault)) from None
        if answer.status == _NOT_FOUND:
            return None
        if answer.status != _OK or answer.cut:
            raise _unanswered(f"status {answer.status}")
        try:
            return msgspec.json.decode(answer.body, type=Account)
        except msgspec.MsgspecError:
            raise _unanswered("its answer is no account") from None

    async def close(self) -> None:
        """Give its connections back."""
        await self._caller.close()


def _unanswered(reason: Any) -> KycError:
    return KycError(Code.OVERLOADED, f"Horizon cannot be asked for the account ({reason}); try again later")
