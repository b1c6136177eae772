"""The bounds of the HTTP door."""

from msgspec import Struct

KIB = 1024
MIB = 1024 * KIB


class RestSettings(Struct, frozen=True, kw_only=True):
    """A bound for every size and wait; sizes in bytes, times in seconds."""

    body_bytes_max: int = MIB
    """Largest JSON body; a larger one is answered 413 LINE_TOO_LONG."""
    file_bytes_max: int = 20 * MIB
    """Largest upload, the same as the storage's; told early where the client names the length."""
    connections_max: int = 20_000
    """Open connections, those of other doors included; further ones are closed at once."""
    keepalive_seconds: float = 75
    header_seconds: float = 30
    """How long the head of a begun request may take to arrive."""
    body_seconds: float = 30
    """How long a JSON body may take to arrive."""
    request_seconds: float = 30
    """How long an answer may take once the body is there."""
    discard_seconds: float = 2
    """How long the rest of a refused body is read and thrown away, so that the client sees its answer."""
    stall_seconds: float = 30
    """How long a client may take no byte of its answer."""
    upload_grace_seconds: float = 10
    """An upload may be slower than `upload_rate_min` this long."""
    upload_rate_min: int = KIB
    """Bytes per second an upload must reach on average after the grace, or it is closed."""
    public_scope: bool = False
    """Whether files of scope 3 are served without a token."""
    docs: bool = True
    """Whether /docs and /openapi.json are served."""
    fast_path: bool = True
    """Whether hot reads are answered in front of the HTTP parser."""
