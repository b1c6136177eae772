"""The keys of tokens: the manager's own, made on first use, and the public ones of other issuers."""

import base64
import hmac
import secrets
from pathlib import Path
from typing import Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from msgspec import Struct

from kycmanager.config import SECRET_BYTES_MIN, SECRET_VARIABLE, PublicKey, Tokens
from kycmanager.key_files import KeyFileError, locked_folder, read_private, write_private

RSA_BITS_MIN = 2048
_RSA_BITS_NEW = 3072
_KEY_FILE_BYTES_MAX = 65_536

Algorithm = Literal["HS256", "RS256", "EdDSA"]
PrivateMaterial = bytes | RSAPrivateKey | Ed25519PrivateKey
PublicMaterial = bytes | RSAPublicKey | Ed25519PublicKey


class SigningKey(Struct, frozen=True):
    """The key that signs what this manager issues."""

    algorithm: Algorithm
    material: PrivateMaterial

    def __repr__(self) -> str:
        return f"SigningKey({self.algorithm})"


class VerifyingKey(Struct, frozen=True):
    """A key that tokens are checked with. Its kind fixes `algorithm`; "" means that the claim may be anything."""

    algorithm: Algorithm
    material: PublicMaterial
    kid: str = ""
    issuer: str = ""
    audience: str = ""

    def __repr__(self) -> str:
        return f"VerifyingKey({self.algorithm}, kid={self.kid!r}, issuer={self.issuer!r})"


class Keys(Struct, frozen=True):
    """The manager's own key and everything it takes tokens by, its own key first."""

    signing: SigningKey
    verifying: tuple[VerifyingKey, ...]


def load_keys(tokens: Tokens, data_dir: Path) -> Keys:
    """Read all keys of [tokens]; the manager's own is made when its file is missing. Raises KeyFileError."""
    signing = _own_key(tokens, data_dir / tokens.key_file)
    others = (_issuer_key(entry, data_dir / entry.file) for entry in tokens.public_keys)
    return Keys(signing, (VerifyingKey(signing.algorithm, _public_part(signing.material)), *others))


def derived(key: SigningKey, purpose: str) -> bytes:
    """Return a secret of 32 bytes for another purpose, which tells nothing of the key."""
    material = key.material
    if not isinstance(material, bytes):
        form = serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        material = material.private_bytes(*form)
    return hmac.digest(material, f"kycmanager {purpose}".encode(), "sha256")


def _own_key(tokens: Tokens, path: Path) -> SigningKey:
    if tokens.secret:
        return SigningKey("HS256", tokens.secret.encode())
    try:
        with locked_folder(path.parent):
            if not path.exists():
                write_private(path, _new_key(tokens.algorithm))
            content = read_private(path)
    except OSError as fault:
        raise KeyFileError(
            f"{path}: {fault.strerror}; make the folder writable for the daemon or set tokens.key_file",
        ) from None
    return _parse_own(tokens.algorithm, content, path)


def _parse_own(algorithm: str, content: bytes, path: Path) -> SigningKey:
    if algorithm == "hs256":
        if b"-----BEGIN" in content or len(content.strip()) < SECRET_BYTES_MIN:
            raise KeyFileError(
                f"{path} holds no secret of {SECRET_BYTES_MIN} bytes or more; set tokens.algorithm to the kind of the"
                f" key, move the file away to get a new one, or set {SECRET_VARIABLE}",
            )
        return SigningKey("HS256", content.strip())
    try:
        key = serialization.load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if algorithm == "rs256" and isinstance(key, RSAPrivateKey) and key.key_size >= RSA_BITS_MIN:
        return SigningKey("RS256", key)
    if algorithm == "eddsa" and isinstance(key, Ed25519PrivateKey):
        return SigningKey("EdDSA", key)
    wanted = f"RSA key of {RSA_BITS_MIN} bits or more" if algorithm == "rs256" else "Ed25519 key"
    raise KeyFileError(
        f"{path} holds no unencrypted private {wanted} (PEM); set tokens.algorithm to the kind of the key,"
        " or move the file away to get a new one",
    )


def _issuer_key(entry: PublicKey, path: Path) -> VerifyingKey:
    """Read the public key of another issuer; a private key or a secret is refused, it has no business here."""
    try:
        with path.open("rb") as file:
            content = file.read(_KEY_FILE_BYTES_MAX)
    except OSError as fault:
        raise KeyFileError(
            f"{path}: {fault.strerror}; put the issuer's public key there (tokens.public_keys)"
        ) from None
    try:
        key = serialization.load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    algorithm: Algorithm
    if isinstance(key, RSAPublicKey) and key.key_size >= RSA_BITS_MIN:
        algorithm = "RS256"
    elif isinstance(key, Ed25519PublicKey):
        algorithm = "EdDSA"
    else:
        raise KeyFileError(
            f"{path} holds no public RSA key of {RSA_BITS_MIN} bits or more and no public Ed25519 key (PEM);"
            " ask the issuer for one",
        )
    return VerifyingKey(algorithm, key, entry.kid, entry.issuer, entry.audience)


def _public_part(material: PrivateMaterial) -> PublicMaterial:
    return material if isinstance(material, bytes) else material.public_key()


def _new_key(algorithm: str) -> bytes:
    if algorithm == "hs256":
        return base64.urlsafe_b64encode(secrets.token_bytes(48)) + b"\n"
    key = generate_private_key(65_537, _RSA_BITS_NEW) if algorithm == "rs256" else Ed25519PrivateKey.generate()
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
