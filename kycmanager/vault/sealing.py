"""The one way bytes are sealed here: AES-256-GCM, a random nonce before the ciphertext, bound to what they are."""

import hashlib
import os

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
ID_BYTES = 8
NONCE_BYTES = 12
TAG_BYTES = 16
WRAP_BYTES = NONCE_BYTES + KEY_BYTES + TAG_BYTES
"""How long a sealed key is."""

_encode = msgspec.msgpack.Encoder().encode


class SealError(Exception):
    """What was sealed does not open: it was changed, moved to another place, or sealed by another key."""


class Key:
    """A key and its id, which follows from the key and tells nothing of it. Shows neither when printed."""

    __slots__ = ("_cipher", "id", "material")

    def __init__(self, material: bytes) -> None:
        self.id = hashlib.sha256(b"id of a key:" + material).digest()[:ID_BYTES]
        self.material = material
        self._cipher = AESGCM(material)

    def __repr__(self) -> str:
        return f"Key({self.id.hex()})"

    def seal(self, plain: bytes, kind: str, *names: int | str | bytes) -> bytes:
        """Return `plain` sealed as what `kind` and `names` say it is: it opens under the same words only."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, self._bound(kind, names))

    def open(self, sealed: bytes, kind: str, *names: int | str | bytes) -> bytes:
        """Return what was sealed; raises SealError."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], self._bound(kind, names))
        except (InvalidTag, ValueError):
            shown = " ".join(str(name) for name in names if not isinstance(name, bytes))
            raise SealError(f"{kind} {shown}: does not open with the key {self.id.hex()}") from None

    def wrap(self, other: "Key", kind: str, *names: int | str | bytes) -> bytes:
        """Return another key sealed by this one."""
        return self.seal(other.material, kind, *names)

    def unwrap(self, wrapped: bytes, kind: str, *names: int | str | bytes) -> "Key":
        """Return a key this one has sealed; raises SealError."""
        return Key(self.open(wrapped, kind, *names))

    def _bound(self, kind: str, names: tuple[int | str | bytes, ...]) -> bytes:
        """Spell what the bytes are so that no two things are spelt alike; the key's own id is part of it."""
        return _encode((kind, names, self.id))


def new_key() -> Key:
    """Make a random key."""
    return Key(os.urandom(KEY_BYTES))
