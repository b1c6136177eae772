"""Answers as they are kept: sealed by the key of their profile, the uuids of the files they name in clear before it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from kycmanager.domain.records import NO_OBJECT
from kycmanager.vault.keyring import Keyring
from kycmanager.vault.sealing import SealError

VERSION = 1
_KIND = "answers"
_HEAD_BYTES = 3
_UUID_BYTES = 16

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class AnswerSeal:
    """Seals and opens answers; does no I/O.

    Sealed answers are

    - 1 byte: the version of this form, 1,
    - 2 bytes, big-endian: how many files they name, then 16 bytes for the uuid of each: a start counts what holds a
      file without opening anything,
    - 12 bytes: the nonce, then the ciphertext of the JSON and its tag of 16 bytes (AES-256-GCM).

    They are bound to profile, step, key and to their own clear head.
    """

    def __init__(self, keyring: Keyring, *, enabled: bool) -> None:
        self._keyring = keyring
        self._enabled = enabled

    def seal(self, kyc_id: int, step_id: int, answers: dict[str, Any], files: Sequence[str]) -> dict[str, Any] | bytes:
        """Return answers as they are kept: none, or those of a manager that does not encrypt, as they are."""
        if not answers or not self._enabled:
            return answers
        head = bytes((VERSION,)) + len(files).to_bytes(2) + b"".join([UUID(file).bytes for file in files])
        return head + self._keyring.sealing_key(kyc_id).seal(_encode(answers), _KIND, kyc_id, step_id, head)

    def open(self, kyc_id: int, step_id: int, kept: dict[str, Any] | bytes) -> dict[str, Any]:
        """Return the answers; those whose key was destroyed are empty. Raises SealError."""
        if isinstance(kept, dict):
            return kept
        if self._keyring.destroyed(kyc_id):
            return NO_OBJECT
        if kept[:1] != bytes((VERSION,)):
            raise SealError(f"answers of step {step_id} have a form this program does not know")
        size = _HEAD_BYTES + _UUID_BYTES * int.from_bytes(kept[1:_HEAD_BYTES])
        head, sealed = kept[:size], kept[size:]
        return _decode(self._keyring.profile_key(kyc_id).open(sealed, _KIND, kyc_id, step_id, head))

    @staticmethod
    def files(kept: bytes) -> list[str]:
        """Return the uuids of the files that sealed answers name."""
        end = _HEAD_BYTES + _UUID_BYTES * int.from_bytes(kept[1:_HEAD_BYTES])
        return [str(UUID(bytes=kept[at : at + _UUID_BYTES])) for at in range(_HEAD_BYTES, end, _UUID_BYTES)]
