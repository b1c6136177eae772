"""The master keys: read from a file or the environment, made at the first start, joined by a new one to rotate."""

import base64
import binascii
import os
from pathlib import Path

from kycmanager.config import MASTER_VARIABLE, Encryption
from kycmanager.key_files import KeyFileError, locked_folder, read_private, write_private
from kycmanager.vault.sealing import KEY_BYTES, Key

KEYS_MAX = 16
"""Master keys accepted at once."""


class Masters:
    """The master keys in force, the current one first. `place` names where they come from."""

    def __init__(self, keys: list[Key], place: str) -> None:
        self.place = place
        self._keys = {key.id: key for key in keys}

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def current(self) -> Key:
        """The key that seals from now on; raises KeyFileError where there is none."""
        for key in self._keys.values():
            return key
        raise KeyFileError(f"{self.place}: there is no master key; set encryption.enabled to true to have one made")

    @property
    def ids(self) -> tuple[bytes, ...]:
        """The ids of all keys, the current one first."""
        return tuple(self._keys)

    def get(self, key_id: bytes) -> Key:
        """Return a key by its id; raises KeyFileError naming the id."""
        key = self._keys.get(key_id)
        if key is None:
            raise KeyFileError(_missing(self.place, key_id))
        return key


def load_masters(settings: Encryption, data_dir: Path, *, wraps: int) -> Masters:
    """Read the master keys; where nothing was ever sealed (`wraps` is 0) a missing file is made. Raises KeyFileError.

    A lost key is never replaced silently: beside ciphertext a new one would open nothing.
    """
    if settings.master_key:
        return Masters(_parsed(settings.master_key.replace(",", "\n"), MASTER_VARIABLE), MASTER_VARIABLE)
    path = data_dir / settings.key_file
    try:
        with locked_folder(path.parent):
            if not path.exists():
                if wraps:
                    raise KeyFileError(
                        f"{path} is missing, and bases/keys.db holds {wraps} keys that only a master key from it opens:"
                        f" put the file back, or set {MASTER_VARIABLE}; a new one would open nothing",
                    )
                if not settings.enabled:
                    return Masters([], str(path))
                write_private(path, _line(os.urandom(KEY_BYTES)))
            return Masters(_parsed(read_private(path).decode("utf-8", "replace"), str(path)), str(path))
    except OSError as fault:
        raise KeyFileError(
            f"{path}: {fault.strerror}; make the folder writable for the daemon or set encryption.key_file",
        ) from None


def add_master(settings: Encryption, data_dir: Path) -> None:
    """Put a new master key before those in the file; raises KeyFileError where they come from the environment."""
    if settings.master_key:
        raise KeyFileError(
            f"{MASTER_VARIABLE} holds one key: make a new one with `openssl rand -base64 32`, put it and a comma before"
            " the old one, restart the daemon, then run this again",
        )
    path = data_dir / settings.key_file
    with locked_folder(path.parent):
        write_private(path, _line(os.urandom(KEY_BYTES)) + read_private(path))


def check_known(masters: Masters, counts: dict[bytes, int]) -> None:
    """Raise KeyFileError if some of the keys, counted by the master key that seals them, could not be opened."""
    for key_id, count in counts.items():
        if count and key_id not in masters.ids:
            raise KeyFileError(f"{_missing(masters.place, key_id)}; {count} keys in bases/keys.db are sealed by it")


def _missing(place: str, key_id: bytes) -> str:
    return f"{place} does not hold the master key {key_id.hex()}: put it back as one more line, after the current key"


def _line(material: bytes) -> bytes:
    return base64.urlsafe_b64encode(material) + b"\n"


def _parsed(text: str, place: str) -> list[Key]:
    lines = [line.strip() for line in text.splitlines()]
    keys = [_key(line, place) for line in lines if line and not line.startswith("#")]
    if not keys or len(keys) > KEYS_MAX:
        raise KeyFileError(f"{place} holds {len(keys)} master keys, not 1 to {KEYS_MAX}; put the right ones there")
    return keys


def _key(line: str, place: str) -> Key:
    try:
        material = base64.b64decode(line.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        material = b""
    if len(material) != KEY_BYTES:
        raise KeyFileError(
            f"{place} holds a line that is no master key: each is {KEY_BYTES} random bytes in base64, the current one"
            " first; correct it, or restore the file from where you keep it",
        )
    return Key(material)
