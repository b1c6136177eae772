"""The two keys of the door: the seed that signs challenges and callbacks, and what signs tokens; made on first use."""

import base64
import secrets
from collections.abc import Callable
from pathlib import Path

from stellar_sdk import Keypair
from stellar_sdk.exceptions import Ed25519SecretSeedInvalidError

from kycmanager.key_files import KeyFileError, locked_folder, read_private, write_private

TOKEN_KEY_BYTES_MIN = 32


def load_seed(path: Path) -> Keypair:
    """Return the key pair of the seed in a file, made when it is missing. Raises KeyFileError."""
    text = _read(path, _new_seed, "sep12.key_file").decode("ascii", "replace")
    try:
        return Keypair.from_secret(text.strip())
    except (Ed25519SecretSeedInvalidError, ValueError):
        raise KeyFileError(
            f"{path} holds no Stellar seed (S...); put it there, or move the file away to get a new one"
        ) from None


def load_token_key(path: Path) -> bytes:
    """Return the key that signs tokens, made when its file is missing. Raises KeyFileError."""
    made = base64.urlsafe_b64encode(secrets.token_bytes(48)) + b"\n"
    found = _read(path, lambda: made, "sep12.token_key_file").strip()
    if len(found) < TOKEN_KEY_BYTES_MIN:
        raise KeyFileError(
            f"{path} holds no key of {TOKEN_KEY_BYTES_MIN} bytes or more; move the file away to get a new one"
        )
    return found


def _new_seed() -> bytes:
    return f"{Keypair.random().secret}\n".encode()


def _read(path: Path, new: Callable[[], bytes], setting: str) -> bytes:
    try:
        with locked_folder(path.parent):
            if not path.exists():
                write_private(path, new())
            return read_private(path)
    except OSError as fault:
        raise KeyFileError(
            f"{path}: {fault.strerror}; make the folder writable for the daemon or set {setting}"
        ) from None
