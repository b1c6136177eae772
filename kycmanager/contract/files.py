"""The generated files: which there are, writing them, and telling which are out of date."""

from collections.abc import Callable
from pathlib import Path

from kycmanager.commands.model import Command
from kycmanager.contract import clients, openapi, reference

FILES: dict[str, Callable[[tuple[Command, ...]], str]] = {
    "kycmanager/contract/generated/openapi.json": openapi.text,
    "kycmanager/client/generated/methods.py": clients.text,
    "docs/generated/commands.md": reference.commands_text,
    "docs/generated/access.md": reference.access_text,
}
"""By path under the root of the source tree; every one is a pure function of the table."""


def stale(table: tuple[Command, ...], root: Path) -> list[str]:
    """Return the files that are missing or are not what the table says, in the order of FILES."""
    return [path for path, make in FILES.items() if _read(root / path) != make(table).encode()]


def write(table: tuple[Command, ...], root: Path) -> list[str]:
    """Write the files that are stale and return their paths."""
    written = stale(table, root)
    for path in written:
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(FILES[path](table).encode())
    return written


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
