"""The vault: what the memory and the strand ask to have answers sealed and opened, and files held by their profile.

Answers as they are kept, sealed:

- 1 byte: the version of this form, 1,
- 2 bytes, big-endian: how many files they name, then 16 bytes for the uuid of each: a start counts what holds a file
  without opening anything,
- 12 bytes: the nonce, then the ciphertext of the JSON and its tag of 16 bytes (AES-256-GCM).

They are bound to profile, place (`key_ports.place_of`), key and to their own clear head.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import msgspec

from kycmanager.domain.lookup import secret_of
from kycmanager.domain.records import NO_OBJECT, FileFacts, FileKey, ProfileKey
from kycmanager.vault.keyring import Keyring
from kycmanager.vault.sealing import SealError

_VERSION = b"\x01"
_KIND = "answers"
NO_LOOKUP_KEY = b""
"""Where answers stand in clear there is no secret that their hashes could keep, and so no key."""
_HEAD_BYTES = 3
_UUID_BYTES = 16

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Vault:
    """Answers the port `Vault` by the keys of profiles and brands; no I/O. `sealing` is off where it only opens."""

    def __init__(self, keyring: Keyring, *, sealing: bool) -> None:
        self.keyring = keyring
        self.sealing = sealing

    def seal(self, kyc_id: int, place: int, answers: dict[str, Any], files: Sequence[str]) -> bytes:
        """Return answers as they are kept; `files` are those they name. INVALID_STATE where the key was destroyed."""
        head = _VERSION + len(files).to_bytes(2) + b"".join([UUID(file).bytes for file in files])
        return head + self.keyring.sealing_key(kyc_id).seal(_encode(answers), _KIND, kyc_id, place, head)

    def open(self, kyc_id: int, place: int, kept: bytes) -> dict[str, Any]:
        """Return sealed answers; those whose key was destroyed are empty. Raises SealError."""
        if self.keyring.destroyed(kyc_id):
            return NO_OBJECT
        if kept[:1] != _VERSION:
            raise SealError(f"what is sealed at {place} of profile {kyc_id} has a form this program does not know")
        end = _end_of_head(kept)
        return _decode(self.keyring.profile_key(kyc_id).open(kept[end:], _KIND, kyc_id, place, kept[:end]))

    def files(self, kept: bytes) -> list[str]:
        """Return the uuids of the files that sealed answers name."""
        places = range(_HEAD_BYTES, _end_of_head(kept), _UUID_BYTES)
        return [str(UUID(bytes=kept[at : at + _UUID_BYTES])) for at in places]

    def hold(self, file: FileFacts, kyc_id: int) -> FileKey:
        """Return the data key of an upload sealed by the profile that holds the file from now on; raises SealError."""
        return self.keyring.wrap_for_profile(
            kyc_id, file.file_id, self.keyring.open_for_brand(file.file_id, file.data_key)
        )

    def lookup_secret(self, key_id: bytes) -> bytes:
        """Return what answers are hashed with by the key of this id; empty where there is none, or it does not open."""
        if key_id == NO_LOOKUP_KEY:
            return b"" if self.sealing else secret_of(NO_LOOKUP_KEY)
        try:
            return self.keyring.lookup_secret(key_id)
        except SealError:
            return b""

    def unsaved(self) -> list[ProfileKey]:
        """Return the keys the store does not have yet: they go into the next batch."""
        return self.keyring.unsaved()

    def saved(self, keys: Iterable[ProfileKey]) -> None:
        """Learn that the batch with these keys was committed."""
        self.keyring.saved(keys)


def _end_of_head(kept: bytes) -> int:
    return _HEAD_BYTES + _UUID_BYTES * int.from_bytes(kept[1:_HEAD_BYTES])
