"""What commands and pages need of the users and their sign-ins, as protocols; the store answers them."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from kycmanager.domain.users import Login, User


class UserRecords(Protocol):
    """Users and sign-ins as of the last commit or, on the strand, as the batch has changed them so far."""

    def user(self, user_id: int) -> User | None:
        """Return a user, a removed one too, or None."""
        ...

    def user_named(self, name: str) -> User | None:
        """Return the user of this name, or None; a removed one has none any more."""
        ...

    def totp_of(self, user: User) -> bytes:
        """Return the secret of a user's one-time codes, opened where it is sealed; empty where none are asked."""
        ...

    def users(self) -> Sequence[User]:
        """Return all users, the removed ones too, ids ascending."""
        ...

    def login(self, login_id: int) -> Login | None: ...
    def login_with(self, key: bytes) -> Login | None:
        """Return the sign-in whose cookie has this hash, or None."""
        ...

    def logins(self) -> Sequence[Login]:
        """Return all sign-ins, ids ascending."""
        ...


class Link(Struct, frozen=True):
    """A one-time link of a customer: the id of its pass, where it leads, and when it runs out."""

    pass_id: str
    url: str
    expires: int


class Links(Protocol):
    """Makes the one-time links of customers."""

    def link(self, customer_id: int, brand: str, now: int, seconds: int) -> Link:
        """Make a link for a customer, signed; 0 seconds are those of the settings."""
        ...


class UserChanges(UserRecords, Protocol):
    """What a write handler may do with them."""

    def put_user(self, user: User) -> None: ...
    def put_login(self, login: Login) -> None: ...
    @property
    def links(self) -> Links: ...
    def use_pass(self, pass_id: str) -> bool:
        """Mark a pass of a customer as used up in this batch; False where it was used up or revoked before."""
        ...

    def end_login(self, login_id: int) -> None:
        """Let a sign-in go; one that is gone already is no fault."""
        ...
