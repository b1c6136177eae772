"""The bodies over REST that are no command's: refusals, uploads, health (manager API, sections 4 and 6)."""

from typing import Any

from msgspec import UNSET, Struct, UnsetType


class Refusal(Struct, frozen=True, kw_only=True):
    """Why a request was refused: `error` is a stable name for machines, `message` is for people."""

    error: str
    message: str
    data: dict[str, Any] | UnsetType = UNSET


class StoredFile(Struct, frozen=True, kw_only=True):
    """An uploaded file as it is kept; `signature` is the type its content really has.

    Managers are told what was found in it: `file_state` is accepted, or quarantined until somebody decides.
    """

    uuid: str
    storage_name: str
    original_name: str
    extension: str
    signature: str
    content_type: str
    file_size: int
    checksum: str
    file_state: str | UnsetType = UNSET
    findings: list[str] | UnsetType = UNSET


class UploadedFile(Struct, frozen=True, kw_only=True):
    """An uploaded file as its uploader asked for it."""

    uuid: str
    file_name: str
    original_name: str
    content_type: str
    file_size: int
    scope: int
    purpose: str


class UploadReply(Struct, frozen=True, kw_only=True):
    """The file is on disk; `file_id` is what documents and answers refer to."""

    file_id: str
    file_name: str
    files: list[StoredFile]
    uploaded: list[UploadedFile]


class Alive(Struct, frozen=True, kw_only=True):
    """The process lives."""

    alive: bool


class Readiness(Struct, frozen=True, kw_only=True):
    """Whether the daemon takes commands, and why it does not."""

    ready: bool
    reasons: list[str]
