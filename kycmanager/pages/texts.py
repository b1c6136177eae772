"""The words pages use for what the records hold as numbers."""

from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

from kycmanager.domain.enums import (
    DocumentStatus,
    ProfileStatus,
    RiskLevel,
    SessionType,
    StepStatus,
    StepType,
    TemplateStatus,
)

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400

CLOSED = {
    "profile": ProfileStatus,
    "step": StepStatus,
    "document": DocumentStatus,
    "risk": RiskLevel,
    "kind": StepType,
    "session": SessionType,
    "template": TemplateStatus,
}


def label(what: str, value: int) -> str:
    """Return the word for a value of an enumeration: `label("step", 1)` is "pending"."""
    return CLOSED[what](value).name.lower().replace("_", " ")


def choices(kind: type[IntEnum]) -> list[tuple[str, str]]:
    """Return (value, word) of each member, for a list to choose from."""
    return [(str(int(member)), member.name.lower().replace("_", " ")) for member in kind]


def span(seconds: int) -> str:
    """Return a length of time in its two largest units: 3 d 4 h, 2 h 5 min, 40 min."""
    seconds = max(0, seconds)
    if seconds >= _DAY:
        return f"{seconds // _DAY} d {seconds % _DAY // _HOUR} h"
    if seconds >= _HOUR:
        return f"{seconds // _HOUR} h {seconds % _HOUR // _MINUTE} min"
    return f"{seconds // _MINUTE} min"


def moment(time: int) -> str:
    """Return a time as people of every country read it, in UTC; "" for 0."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M") if time else ""


def machine_time(time: int) -> str:
    """Return a time for the attribute `datetime`."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def size(count: int) -> str:
    """Return a size in bytes, KB or MB."""
    for unit, factor in (("MB", 1_000_000), ("KB", 1000)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count} bytes"


FILTERS: dict[str, Any] = {
    "label": label,
    "span": span,
    "moment": moment,
    "machine_time": machine_time,
    "size": size,
}
"""What templates call."""
