"""The values of the package: settings, owners, file metadata and reports."""

from typing import Literal

from msgspec import Struct

from storagemanager.layout import SEALED
from storagemanager.sealed import sealed_size

DEFAULT_EXTENSIONS = (
    "png",
    "jpg",
    "jpeg",
    "gif",
    "webp",
    "ico",
    "pdf",
    "txt",
    "csv",
    "doc",
    "docx",
    "xls",
    "xlsx",
    "heic",
    "tif",
    "tiff",
)
"""What is accepted unless the settings say otherwise. svg is known but left out: it is active content."""


class InspectionSettings(Struct, frozen=True, kw_only=True):
    """The bounds of the decoders that every image and document must pass."""

    pixels_max: int = 40_000_000
    """Of one image, or of one page of it."""
    seconds: float = 2.0
    """Processor time of one file."""
    memory_bytes: int = 256 * 1024 * 1024
    processes_max: int = 2


class StorageSettings(Struct, frozen=True, kw_only=True):
    """The limits of a storage. Sizes are bytes, times are seconds."""

    file_bytes_max: int = 20 * 1024 * 1024
    extensions: tuple[str, ...] = DEFAULT_EXTENSIONS
    unattached_seconds: int = 86_400
    """How long an upload lives that nothing pins."""
    chunk_bytes: int = 1024 * 1024
    """What comes is gathered to this size before a worker thread writes and hashes it; a whole number of pages."""
    uploads_max: int = 256
    """Uploads under way at once; one more is BUSY. Each holds up to twice `chunk_bytes` in memory."""
    cache_entries_max: int = 20_000
    """Metadata kept in memory, about 1 KB each."""
    orphans_max: int = 1_000
    """More files without metadata than this at open are no crash's leftovers: BASE_MISMATCH, nothing is removed."""
    recheck_seconds: int = 600
    """A file whose hash was checked this recently, and whose inode has not changed since, is served unchecked."""
    threads: int = 4
    inspection: InspectionSettings = InspectionSettings()


class Owner(Struct, frozen=True, kw_only=True):
    """Who uploaded a file: `kind` is "customer", "manager" or another lower-case word."""

    kind: str
    id: int
    brand: str


class FileMeta(Struct, frozen=True, kw_only=True, gc=False):
    """What is known of one stored file; all of it comes from the file and the caller, none from the client's claims.

    `original_name` and `declared_type` are the exceptions: the client's words, kept as data and never acted on.
    """

    uuid: str
    original_name: str
    extension: str
    signature: str
    """The MIME type detected in the content."""
    content_type: str
    """The MIME type to serve it with, from the extension."""
    declared_type: str
    file_size: int
    checksum: str
    """SHA-256, lower-case hex."""
    scope: int
    purpose: str
    owner_kind: str
    owner_id: int
    brand: str
    created_time: int
    pins: int = 0
    """How many attachments hold the file."""
    loose_since: int = 0
    """Unix seconds since when nothing holds it; counts only while `pins` is 0."""
    data_key: bytes | None = None
    """The key the file is sealed with, itself sealed; empty where somebody else holds it, None for a file in clear."""

    @property
    def storage_name(self) -> str:
        """The file's name in the storage, "<uuid>.<extension>"."""
        return f"{self.uuid}.{self.extension}"

    @property
    def disk_name(self) -> str:
        """The file's name on the disk: a sealed file is none of its extension."""
        return self.storage_name if self.data_key is None else self.storage_name + SEALED

    @property
    def disk_size(self) -> int:
        """The file's size on the disk in bytes."""
        return self.file_size if self.data_key is None else sealed_size(self.file_size)

    @property
    def attached(self) -> bool:
        """Whether something holds the file; one that is held never expires."""
        return self.pins > 0


class OpenReport(Struct, frozen=True, kw_only=True):
    """What `open` found and mended. The tuples hold storage names (uuids for `damaged_rows`), none is dropped."""

    temporary_removed: int = 0
    orphans_removed: int = 0
    expired: int = 0
    missing: tuple[str, ...] = ()
    wrong_size: tuple[str, ...] = ()
    damaged_rows: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    """Names in the storage folder that are none of ours; they are left alone."""


class VerifyReport(Struct, frozen=True, kw_only=True):
    """What `verify` found; `files` and `file_bytes` count what was hashed and found intact."""

    files: int = 0
    file_bytes: int = 0
    missing: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()
    damaged_rows: tuple[str, ...] = ()
    unopened: tuple[str, ...] = ()
    """Sealed files whose key does not open; nothing more can be said of them."""
    orphans: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    base_problem: str = ""
    """What the base's own full check complains of."""

    @property
    def intact(self) -> bool:
        """Whether every row has its intact file and every file its row."""
        found = (self.missing, self.damaged, self.damaged_rows, self.unopened, self.orphans, self.base_problem)
        return not any(found)


class PinReport(Struct, frozen=True, kw_only=True):
    """What `reconcile_pins` changed; `unknown` names attached uuids that have no metadata."""

    pinned: int
    unpinned: int
    unknown: tuple[str, ...]


class StorageStats(Struct, frozen=True, kw_only=True):
    """Counts for metrics; `free_bytes` is None where the backend cannot tell."""

    files: int
    file_bytes: int
    attached: int
    uploads_active: int
    cache_entries: int
    free_bytes: int | None


UploadState = Literal["open", "finishing", "stored", "failed", "aborted"]
