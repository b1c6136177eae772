"""What lets a customer into the pages of customers: one-time links, and the visits that come of links and tokens."""

from typing import Literal

from msgspec import Struct

from kycmanager.domain.enums import SessionType
from kycmanager.domain.session import Session

MARK = "pass:"
"""Begins the id of every pass, so that none is ever taken for the jti of a token."""


class Pass(Struct, frozen=True, kw_only=True):
    """A signed pass. Times in Unix seconds; `issued` is that of the link or token it comes from.

    `token` is the jti of the token a visit was begun with, "" for a link; `used` is when a visit was last used.
    """

    kind: Literal["link", "visit"]
    pass_id: str
    customer_id: int
    brand: str
    issued: int
    expires: int
    token: str = ""
    used: int = 0

    def __repr__(self) -> str:
        return f"Pass({self.kind}, {self.customer_id}, {self.brand!r})"

    @property
    def session(self) -> Session:
        """Who comes with it."""
        return Session(
            sub=self.customer_id,
            type=SessionType.CUSTOMER,
            brands=frozenset({self.brand}),
            jti=self.token or self.pass_id,
            issued=self.issued,
            expires=self.expires,
        )
