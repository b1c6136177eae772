"""What a backup holds: its list of files with their hashes, written last."""

import os
from pathlib import Path

import msgspec
from msgspec import Struct

NAME = "manifest.json"
FORMAT = 1

KYC = Path("bases") / "kyc.db"
STORAGE = Path("bases") / "storage.db"
KEYS = Path("bases") / "keys.db"
FILES = Path("storage")


class BackupError(Exception):
    """Something that ends a backup or a restore: what it is, and what to do next."""


class Entry(Struct, frozen=True):
    """One file of a backup: its path in it, its bytes, their SHA-256 in hexadecimal."""

    path: str
    size: int
    sha256: str


class Manifest(Struct, frozen=True, kw_only=True):
    """All of a backup. `time` is when it began, in Unix seconds; `audit` to `hash` are the head of the audit in it."""

    format: int
    program: str
    time: int
    audit: int
    link: int
    hash: str
    counts: dict[str, int]
    files: list[Entry]
    faults: list[tuple[str, str]]
    """Stored files that were damaged or missing before the backup: (what, fault)."""


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a backup; raises BackupError."""
    try:
        manifest = msgspec.json.decode((folder / NAME).read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise BackupError(f"{folder} is no finished backup: it has no {NAME}; name another") from None
    except OSError as fault:
        raise BackupError(f"{folder / NAME} cannot be read ({fault.strerror}); name another backup") from None
    except msgspec.MsgspecError as fault:
        raise BackupError(f"{folder / NAME} is damaged ({fault}); name another backup") from None
    if manifest.format != FORMAT:
        raise BackupError(f"{folder} was made by another program ({manifest.program}); restore it with that one")
    return manifest


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest, durably."""
    with (folder / NAME).open("xb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")
        file.flush()
        os.fsync(file.fileno())
