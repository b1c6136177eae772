"""Passwords by argon2id: hashed and checked in threads of their own, few at once, for each takes memory and time."""

import asyncio
import base64
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type

from kycmanager.domain.errors import Code, KycError
from kycmanager.domain.users import plain

MEMORY_KIB = 46 * 1024
PASSES = 2
SALT_BYTES, HASH_BYTES = 16, 32
AT_ONCE = 2
WAITING_MAX = 32
"""Checks that wait for a thread; a further one is refused at once."""

T = TypeVar("T")

_hasher = PasswordHasher(
    time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=1, hash_len=HASH_BYTES, salt_len=SALT_BYTES, type=Type.ID
)


def hash_of(password: str) -> str:
    """Return the hash of a password with its parameters; takes a tenth of a second."""
    return _hasher.hash(plain(password))


def nobodys_hash() -> str:
    """Return a hash that no password has, at the same cost to check as any other."""
    salt, digest = (
        base64.b64encode(secrets.token_bytes(size)).rstrip(b"=").decode() for size in (SALT_BYTES, HASH_BYTES)
    )
    return f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p=1${salt}${digest}"


class Passwords:
    """Checks passwords beside the event loop."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, "passwords")
        self._nobodys = nobodys_hash()
        self._waiting = 0

    async def fits(self, kept: str, password: str) -> bool:
        """Tell whether a password is the one of a hash; "" is nobody's and takes as long. Raises OVERLOADED."""
        return await self._beside(_fits, kept or self._nobodys, plain(password))

    async def hash_of(self, password: str) -> str:
        """Return the hash of a password with its parameters. Raises OVERLOADED."""
        return await self._beside(hash_of, password)

    async def _beside(self, work: Callable[..., T], *args: str) -> T:
        if self._waiting >= WAITING_MAX:
            raise KycError(Code.OVERLOADED, "Too many people sign in at this moment; try again in a few seconds")
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, work, *args)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _fits(kept: str, password: str) -> bool:
    try:
        return _hasher.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False
