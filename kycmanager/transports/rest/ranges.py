"""Ranges and entity tags of downloads (RFC 9110, sections 13 and 14)."""

import re

_RANGE = re.compile(r"bytes=\s*(?P<first>[0-9]{0,18})-(?P<last>[0-9]{0,18})\s*", re.ASCII | re.IGNORECASE)
_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e]*")')


class UnsatisfiableError(Exception):
    """The range lies outside the file: 416."""


def wanted(header: str, size: int) -> tuple[int, int] | None:
    """Return (offset, length) of a single range, None where the whole file is to be sent.

    Several ranges, other units and malformed headers are ignored, as the RFC allows. Raises UnsatisfiableError.
    """
    match = _RANGE.fullmatch(header)
    if match is None:
        return None
    first, last = match["first"], match["last"]
    if not first:
        if not last:
            return None
        offset, end = max(size - int(last), 0), size
    else:
        offset, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < offset:
            return None
    if offset >= end:
        raise UnsatisfiableError
    return offset, end - offset


def matches(header: str, tag: str) -> bool:
    """Tell whether an If-None-Match header names a quoted tag; weak ones count."""
    return header.strip() == "*" or tag in _TAG.findall(header)
