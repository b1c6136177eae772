"""A cipher for the storage's tests: wraps data keys by one key, holds some itself, and can be told to fail."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storagemanager import StorageError, StorageErrorCode


class Cipher:
    def __init__(self, key: bytes = b"w" * 32) -> None:
        self.key = AESGCM(key)
        self.sealing = True
        self.fail = False
        self.held: dict[str, bytes] = {}

    async def wrap(self, uuid: str, brand: str, key: bytes) -> bytes:
        if self.fail:
            raise StorageError(StorageErrorCode.UNAVAILABLE, "file", "no key")
        nonce = os.urandom(12)
        return nonce + self.key.encrypt(nonce, key, f"{uuid} {brand}".encode()) + brand.encode()

    async def unwrap(self, wrapped: dict[str, bytes]) -> dict[str, bytes]:
        found = {}
        for uuid, given in wrapped.items():
            sealed = given or self.held.get(uuid)
            try:
                bound = f"{uuid} {sealed[60:].decode()}".encode() if sealed else b""
                found |= {uuid: self.key.decrypt(sealed[:12], sealed[12:60], bound)} if sealed else {}
            except InvalidTag:
                continue
        return found
