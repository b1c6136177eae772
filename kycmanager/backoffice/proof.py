"""Proving who one is: a password or a code is looked at only as fast as guessing may go, wherever it is asked."""

from kycmanager.backoffice.pace import Tries
from kycmanager.backoffice.passwords import Passwords
from kycmanager.domain.errors import Code, KycError
from kycmanager.domain.totp import counter_of
from kycmanager.domain.users import PASSWORD_CHARS_MAX, User, UserStatus
from kycmanager.ports import Clock


class Proof:
    """Looks at passwords and codes; whoever asks for a look says how it ended, else it counts as failed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tries = Tries(clock)
        self._passwords = Passwords()

    def begin(self, name: str, address: str) -> None:
        """Count a try; raises TOO_FREQUENT where it comes too soon after those that failed."""
        wait = self._tries.wait(name, address)
        if wait:
            raise KycError(Code.TOO_FREQUENT, f"Too many tries from here. Try again in {wait} seconds.")
        self._tries.begin(name, address)

    def succeeded(self, name: str, address: str) -> None:
        """Take a try back: it was none."""
        self._tries.succeeded(name, address)

    async def password_fits(self, user: User | None, password: str) -> bool:
        """Tell whether it is the user's, who may sign in; nobody's takes as long to check. Raises OVERLOADED."""
        active = user if user is not None and user.status is UserStatus.ACTIVE else None
        fits = await self._passwords.fits(active.password if active else "", password[: PASSWORD_CHARS_MAX + 1])
        return fits and active is not None

    def counter(self, secret: bytes, code: str, *, after: int) -> int:
        """Return the half minute whose code this is, 0 where it is none that may still be used."""
        return counter_of(secret, code, self._clock(), after=after)

    async def hash_of(self, password: str) -> str:
        """Return what is kept of a password. Raises OVERLOADED."""
        return await self._passwords.hash_of(password)

    def close(self) -> None:
        """Let the threads go."""
        self._passwords.close()
