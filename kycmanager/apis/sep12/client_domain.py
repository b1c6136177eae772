"""The signing key of a wallet's own domain, read from its stellar.toml: public addresses only, bounded."""

import re
import tomllib

from stellar_sdk import StrKey

from kycmanager.domain.errors import KycError, invalid
from kycmanager.outbound.addresses import AddressRefused
from kycmanager.outbound.calls import Caller, CallFailed

ANSWER_BYTES_MAX = 102_400
"""What SEP-1 allows a stellar.toml to have."""

_DOMAIN = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_OK = 200


class ClientDomains:
    """Looks them up. `caller` keeps to public addresses; what it resolved is what it connects to."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def signing_key(self, domain: str) -> str:
        """Return the SIGNING_KEY of a domain; INVALID_DATA naming `client_domain` where it has none."""
        if not _DOMAIN.fullmatch(domain):
            raise invalid("client_domain", "expected the name of a host, such as wallet.example.com")
        try:
            answer = await self._caller.call("GET", f"https://{domain}/.well-known/stellar.toml")
        except (AddressRefused, CallFailed):
            raise _refused() from None  # one answer for every reason: nobody learns what is where
        if answer.status != _OK or answer.cut:
            raise _refused()
        try:
            key = tomllib.loads(answer.body.decode()).get("SIGNING_KEY", "")
        except (ValueError, RecursionError):
            raise _refused() from None
        if not isinstance(key, str) or not StrKey.is_valid_ed25519_public_key(key):
            raise _refused()
        return key

    async def close(self) -> None:
        """Give its connections back."""
        await self._caller.close()


def _refused() -> KycError:
    return invalid("client_domain", "its stellar.toml cannot be read over https, or has no SIGNING_KEY")
