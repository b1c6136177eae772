"""Who is calling: the verified content of a token."""

from msgspec import Struct

from kycmanager.domain.enums import SessionType

MANAGERS = frozenset(
    {
        SessionType.MANAGER,
        SessionType.ADMIN,
        SessionType.DEALER,
        SessionType.CRM_MANAGER,
        SessionType.CRM_ADMIN,
    },
)
"""The session types that may use the manager commands."""

DECIDERS = frozenset({SessionType.ADMIN, SessionType.CRM_ADMIN})
"""The session types that may look into a file that is held back, and release or refuse it."""

CUSTOMERS = frozenset({SessionType.CUSTOMER})
HOOK_CALLERS = MANAGERS | {SessionType.SYSTEM}
ANYONE = frozenset(SessionType)
NOBODY: frozenset[SessionType] = frozenset()
"""No token reaches such a command: only the daemon itself and its control socket."""


class Session(Struct, frozen=True, kw_only=True):
    """A verified caller. `brands` is None for all brands, else the brands of its scope (maybe none).

    `local` marks the daemon itself and the operator at its control socket; no token makes one.
    """

    sub: int
    type: SessionType
    brands: frozenset[str] | None
    jti: str = ""
    issued: int = 0
    expires: int = 0
    local: bool = False

    def sees(self, brand: str) -> bool:
        """Tell whether objects of this brand exist for the caller."""
        return self.brands is None or brand in self.brands

    @property
    def is_customer(self) -> bool:
        """Tell whether the caller is a customer, who gets the customer's view of everything."""
        return self.type is SessionType.CUSTOMER

    def may_follow(self, brand: str, customer_id: int) -> bool:
        """Tell whether events of a customer of a brand exist for the caller: customers have their own only."""
        if self.is_customer:
            return customer_id == self.sub and brand == self.own_brand
        return self.type in MANAGERS and self.sees(brand)

    @property
    def own_brand(self) -> str:
        """The one brand of a customer's token."""
        (brand,) = self.brands or ("",)
        return brand
