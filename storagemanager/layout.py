"""Where a file lies: the uuid is its name, and nothing that is not a uuid ever becomes one."""

import re

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
SEALED = ".sealed"
"""Ends the name of a file that is encrypted on the disk."""

_STORAGE_NAME = re.compile(rf"({_UUID.pattern})\.([a-z0-9]{{1,8}})(?:{re.escape(SEALED)})?")
_EXTENSION = re.compile(r"[a-z0-9]{1,8}")


def is_uuid(text: object) -> bool:
    """Tell whether `text` is a lower-case uuid with hyphens, the only shape that is ever looked up."""
    return isinstance(text, str) and _UUID.fullmatch(text) is not None


def is_extension(text: str) -> bool:
    """Tell whether `text` can end a storage name: 1 to 8 of a-z and 0-9."""
    return _EXTENSION.fullmatch(text) is not None


def uuid_of(name: str) -> str | None:
    """Return the uuid of a name on the disk, "<uuid>.<ext>" or "<uuid>.<ext>.sealed", None for any other name."""
    match = _STORAGE_NAME.fullmatch(name)
    return match[1] if match else None
