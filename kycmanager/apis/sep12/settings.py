"""What the door is told by the settings."""

from msgspec import Struct

from kycmanager.transports.rest.settings import RestSettings

PREFIX = "/sep12"
AUTH = f"{PREFIX}/auth"
TOML = "/.well-known/stellar.toml"


class DoorSettings(Struct, frozen=True, kw_only=True):
    """Where the door stands and whom it trusts; times in seconds. `url` has no slash at its end."""

    brand: str
    url: str
    home_domain: str
    web_auth_domain: str
    network_passphrase: str
    horizon: str
    horizon_seconds: int
    token_seconds: int
    rest: RestSettings

    @property
    def kyc_server(self) -> str:
        """The address wallets append the paths of SEP-12 to."""
        return self.url + PREFIX

    @property
    def auth_endpoint(self) -> str:
        """The address of SEP-10, and the issuer of its tokens."""
        return self.url + AUTH
