"""The one error of the package and its closed list of codes."""

import errno
from enum import StrEnum

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class StorageErrorCode(StrEnum):
    """Why storage said no. The names are stable; callers map them to their own answers."""

    EMPTY = "EMPTY"
    """The file has no bytes."""
    TOO_LARGE = "TOO_LARGE"
    """The file is larger than `StorageSettings.file_bytes_max`."""
    REFUSED_TYPE = "REFUSED_TYPE"
    """The extension is not one of `StorageSettings.extensions`."""
    SIGNATURE_MISMATCH = "SIGNATURE_MISMATCH"
    """The content is not what the extension says."""
    STRUCTURE = "STRUCTURE"
    """The content is cut off, malformed, cannot be decoded within bounds, or hides a second format."""
    ACTIVE_CONTENT = "ACTIVE_CONTENT"
    """The document carries what a viewer would run, fetch or unpack, and the policy refuses that."""
    INVALID = "INVALID"
    """A field beside the file (purpose, scope, owner) cannot be stored."""
    QUOTA = "QUOTA"
    """A quota of the owner or its brand has no room for the file; see `QuotaError`."""
    RATE = "RATE"
    """The owner has begun as many uploads as it may in this hour; see `QuotaError`."""
    MALWARE = "MALWARE"
    """The malware scanner found something; see `MalwareError`."""
    UNSCANNED = "UNSCANNED"
    """The malware scanner gave no clear answer; nothing was kept."""
    FULL = "FULL"
    """No room is left on the disk; nothing was kept, later attempts may succeed."""
    BUSY = "BUSY"
    """A bound on concurrent work is reached; try again."""
    UNAVAILABLE = "UNAVAILABLE"
    """The disk or the base refused the work; nothing was kept."""
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
    """The commit failed in a way that tells nothing; the next start decides."""
    NOT_FOUND = "NOT_FOUND"
    """No such file."""
    NO_RENDITION = "NO_RENDITION"
    """Files of this type have no rendition, or the file has no such page."""
    BROKEN = "BROKEN"
    """The stored file or its metadata row is missing or damaged, and is not served."""
    BASE_DAMAGED = "BASE_DAMAGED"
    """The base cannot be read; it must be restored."""
    BASE_NEWER = "BASE_NEWER"
    """The base was written by a newer program."""
    BASE_MISMATCH = "BASE_MISMATCH"
    """The base and the stored files do not belong together."""
    CLOSED = "CLOSED"
    """The manager or the upload has ended."""


class StorageError(Exception):
    """What storage raises: a code for programs, a field and a reason for people.

    `str()` of it is "field: reason".
    """

    def __init__(self, code: StorageErrorCode, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.code = code
        self.field = field
        self.reason = reason


class QuotaError(StorageError):
    """QUOTA or RATE: `quota` names the limit, `used` and `limit` are files, bytes or uploads as its name says.

    `of_brand` tells the quotas of a brand from those of an owner, whose names begin with the owner's kind.
    """

    def __init__(
        self, code: StorageErrorCode, quota: str, used: int, limit: int, reason: str, *, owner_kind: str, of_brand: bool
    ) -> None:
        super().__init__(code, quota, reason)
        self.quota = quota
        self.owner_kind = owner_kind
        self.of_brand = of_brand
        self.used = used
        self.limit = limit


class MalwareError(StorageError):
    """MALWARE: `signature` is the scanner's name for what it found."""

    def __init__(self, signature: str) -> None:
        super().__init__(StorageErrorCode.MALWARE, "file", "malware was found in the file, nothing was stored")
        self.signature = signature


def from_os(error: OSError, field: str = "file") -> StorageError:
    """Translate a fault of the file system: FULL where room is missing, UNAVAILABLE for all else."""
    if error.errno in _FULL:
        return StorageError(StorageErrorCode.FULL, field, "no room is left in the storage")
    name = errno.errorcode.get(error.errno or 0, "an unnamed fault")
    return StorageError(StorageErrorCode.UNAVAILABLE, field, f"the storage answered {name}")
