"""The users and their sign-ins in memory, and what a batch changes of them; they are few."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from msgspec.structs import replace

from kycmanager.domain.users import Login, User, UserStatus, tells_secret
from kycmanager.key_ports import NO_PROFILE, Vault
from kycmanager.user_ports import Links


class UserTables:
    """The committed users and sign-ins; `epoch` rises with every change. Answers `UserRecords`."""

    def __init__(self, vault: Vault | None = None) -> None:
        self.epoch = 0
        self.vault = vault
        self._users: dict[int, User] = {}
        self._names: dict[str, int] = {}
        self._logins: dict[int, Login] = {}
        self._keys: dict[bytes, int] = {}
        self.links: Links | None = None
        """Makes the one-time links of customers."""
        self.is_revoked: Callable[[str], bool] = lambda _jti: False
        """Tells whether a pass is revoked, and so used up, as of the last commit."""

    def load(self, users: Iterable[User], logins: Iterable[Login]) -> None:
        """Fill the empty tables."""
        for user in users:
            self.put_user(user)
        for login in logins:
            self.put_login(login)

    def user(self, user_id: int) -> User | None:
        """Return a user, or None."""
        return self._users.get(user_id)

    def user_named(self, name: str) -> User | None:
        """Return the user of this name, or None."""
        return self._users.get(self._names.get(name, 0))

    def totp_of(self, user: User) -> bytes:
        """Return the secret of a user's one-time codes."""
        if not user.totp or tells_secret(user):
            return user.totp
        assert self.vault is not None
        return bytes.fromhex(self.vault.open(NO_PROFILE, user.id, user.totp)["totp"])

    def in_clear(self) -> list[int]:
        """Return the users whose secret is not sealed."""
        return [user.id for user in self._users.values() if tells_secret(user)]

    def users(self) -> Sequence[User]:
        """Return all users, ids ascending."""
        return [self._users[user_id] for user_id in sorted(self._users)]

    def login(self, login_id: int) -> Login | None:
        """Return a sign-in, or None."""
        return self._logins.get(login_id)

    def login_with(self, key: bytes) -> Login | None:
        """Return the sign-in whose cookie has this hash, or None."""
        return self._logins.get(self._keys.get(key, 0))

    def logins(self) -> Sequence[Login]:
        """Return all sign-ins, ids ascending."""
        return [self._logins[login_id] for login_id in sorted(self._logins)]

    def put_user(self, user: User) -> None:
        """Keep a user."""
        self.epoch += 1
        self._users[user.id] = user
        if user.status is not UserStatus.REMOVED:
            self._names[user.name] = user.id
        elif self._names.get(user.name) == user.id:
            del self._names[user.name]

    def put_login(self, login: Login) -> None:
        """Keep a sign-in."""
        self._logins[login.id] = login
        self._keys[login.cookie_hash] = login.id

    def end_login(self, login_id: int) -> None:
        """Let a sign-in go."""
        self.epoch += 1
        gone = self._logins.pop(login_id, None)
        if gone is not None:
            del self._keys[gone.cookie_hash]


class UserOverlay:
    """What a batch changes, over the committed tables. Answers `UserChanges`; `set_` can be undone."""

    def __init__(self, held: UserTables, set_: Callable[[dict[Any, Any], Any, Any], None]) -> None:
        self._held = held
        self._set = set_
        self._users: dict[int, User] = {}
        self._logins: dict[int, Login | None] = {}
        self._used_passes: dict[str, bool] = {}

    def user(self, user_id: int) -> User | None:
        """Return a user, or None."""
        return self._users.get(user_id) or self._held.user(user_id)

    def user_named(self, name: str) -> User | None:
        """Return the user of this name, or None."""
        for user in self._users.values():
            if user.name == name and user.status is not UserStatus.REMOVED:
                return user
        found = self._held.user_named(name)
        return None if found is None or found.id in self._users else found

    def totp_of(self, user: User) -> bytes:
        """Return the secret of a user's one-time codes."""
        return self._held.totp_of(user)

    def users(self) -> Sequence[User]:
        """Return all users, ids ascending."""
        both = {user.id: user for user in self._held.users()} | self._users
        return [both[user_id] for user_id in sorted(both)]

    def login(self, login_id: int) -> Login | None:
        """Return a sign-in, or None."""
        return self._logins[login_id] if login_id in self._logins else self._held.login(login_id)

    def login_with(self, key: bytes) -> Login | None:
        """Return the sign-in whose cookie has this hash, or None."""
        return next((login for login in self.logins() if login.cookie_hash == key), None)

    def logins(self) -> Sequence[Login]:
        """Return all sign-ins, ids ascending."""
        both = {login.id: login for login in self._held.logins()} | self._logins
        return [login for login_id in sorted(both) if (login := both[login_id]) is not None]

    def put_user(self, user: User) -> None:
        """Keep a user, the secret of the codes sealed where the vault seals."""
        vault = self._held.vault
        if vault is not None and vault.sealing and tells_secret(user):
            user = replace(user, totp=vault.seal(NO_PROFILE, user.id, {"totp": user.totp.hex()}, ()))
        self._set(self._users, user.id, user)

    def put_login(self, login: Login) -> None:
        """Keep a sign-in."""
        self._set(self._logins, login.id, login)

    @property
    def links(self) -> Links:
        """What makes the one-time links of customers."""
        assert self._held.links is not None
        return self._held.links

    def use_pass(self, pass_id: str) -> bool:
        """Mark a pass as used up; its revocation, which the caller puts, is what keeps it so."""
        if pass_id in self._used_passes or self._held.is_revoked(pass_id):
            return False
        self._set(self._used_passes, pass_id, True)
        return True

    def end_login(self, login_id: int) -> None:
        """Let a sign-in go."""
        self._set(self._logins, login_id, None)

    @property
    def changed(self) -> bool:
        """Tell whether there is anything to commit: the last use of a sign-in has no audit row."""
        return bool(self._users or self._logins)

    def changes(self) -> tuple[list[User], list[Login], list[int]]:
        """Return the users and sign-ins to write, and the ids of those that have ended."""
        logins = [login for login in self._logins.values() if login is not None]
        ended = [login_id for login_id, login in self._logins.items() if login is None and self._held.login(login_id)]
        return list(self._users.values()), logins, ended

    def publish(self) -> None:
        """Bring the committed changes into memory."""
        for user in self._users.values():
            self._held.put_user(user)
        for login_id, login in self._logins.items():
            if login is None:
                self._held.end_login(login_id)
            else:
                self._held.put_login(login)
