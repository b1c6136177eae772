"""Who signs in to the pages: users with a role and brands, what they prove themselves by, and their sign-ins."""

import unicodedata
from enum import IntEnum

from msgspec import Struct

from kycmanager.domain.enums import SessionType
from kycmanager.domain.session import Session
from kycmanager.domain.totp import SECRET_BYTES

ROLES: dict[str, SessionType] = {
    kind.name.lower(): kind
    for kind in (SessionType.MANAGER, SessionType.ADMIN, SessionType.CRM_MANAGER, SessionType.CRM_ADMIN)
}
"""What a user may be, by the name on the command line."""

PASSWORD_CHARS_MIN = 12
PASSWORD_CHARS_MAX = 128
PASSWORD_DISTINCT_MIN = 5
LOGINS_MAX = 20
"""Sign-ins of one user or token at once; a further one ends the oldest."""

USED_SECONDS = 60
"""How exactly the last use of a sign-in is written down."""


class UserStatus(IntEnum):
    """Whether a user may sign in. A removed one stays known, so that the audit can always name who it was."""

    ACTIVE = 0
    DISABLED = 1
    REMOVED = 2


class User(Struct, frozen=True, gc=False, kw_only=True):
    """A person who may sign in: `id` is the subject of the sessions and never used again, `brands` None for all.

    `password` is a hash with its parameters (argon2id). `totp` is the secret of the one-time codes, empty = none asked;
    it is kept sealed, and so longer, where the vault seals; `UserRecords.totp_of` opens it;
    `totp_counter` is the last half minute whose code was used.
    """

    id: int
    name: str
    role: SessionType
    brands: tuple[str, ...] | None
    status: UserStatus
    password: str
    totp: bytes
    totp_counter: int
    created_time: int
    updated_time: int
    version: int

    def __repr__(self) -> str:
        return f"User({self.id}, {self.name!r}, {self.role.name}, {self.status.name})"


class Login(Struct, frozen=True, gc=False, kw_only=True):
    """One sign-in of a browser. `cookie_hash` is the SHA-256 of what its cookie holds; `user_id` 0 = by a token.

    `session`, `sub`, `brands`, `jti` and `issued` are those of the token; of a user only `session` and `sub` are kept
    here, the rest follows from the user. `used_time` is exact to `USED_SECONDS`.
    """

    id: int
    cookie_hash: bytes
    user_id: int
    session: SessionType
    sub: int
    brands: tuple[str, ...] | None
    jti: str
    issued: int
    created_time: int
    used_time: int
    expires: int
    address: str
    agent: str

    def __repr__(self) -> str:
        return f"Login({self.id}, {self.session.name} {self.sub})"

    def is_of(self, session: Session) -> bool:
        """Tell whether this is a sign-in of the caller."""
        return (self.session, self.sub) == (session.type, session.sub)


def tells_secret(user: User) -> bool:
    """Tell whether the secret of a user's codes stands in clear: a sealed one is longer."""
    return 0 < len(user.totp) <= SECRET_BYTES


def spelled(name: str) -> str:
    """Return a user's name as it is kept: people do not remember capitals."""
    return name.strip().lower()


def plain(password: str) -> str:
    """Return a password as it is hashed: the same letters typed on another keyboard are the same password."""
    return unicodedata.normalize("NFKC", password)


def password_fault(password: str, name: str) -> str:
    """Return why a password may not be used, "" when it may."""
    text = plain(password)
    if len(text) < PASSWORD_CHARS_MIN:
        return f"shorter than {PASSWORD_CHARS_MIN} characters; three or four words are easy to remember"
    if len(text) > PASSWORD_CHARS_MAX:
        return f"longer than {PASSWORD_CHARS_MAX} characters"
    if len(set(text)) < PASSWORD_DISTINCT_MIN:
        return f"made of fewer than {PASSWORD_DISTINCT_MIN} different characters"
    if spelled(name) in text.lower():
        return "one that holds the name of the user"
    return ""


def session_of(login: Login, user: User | None) -> Session | None:
    """Return who is signed in; None when the user may not be any more."""
    if not login.user_id:
        brands = None if login.brands is None else frozenset(login.brands)
        return Session(
            sub=login.sub,
            type=login.session,
            brands=brands,
            jti=login.jti,
            issued=login.issued,
            expires=login.expires,
        )
    if user is None or user.status is not UserStatus.ACTIVE:
        return None
    return Session(
        sub=user.id,
        type=user.role,
        brands=None if user.brands is None else frozenset(user.brands),
        issued=login.issued,
        expires=login.expires,
    )
