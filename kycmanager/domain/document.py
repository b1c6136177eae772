"""The life of a document: its one table of moves."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

from kycmanager.domain.enums import DocumentStatus
from kycmanager.domain.errors import Code, KycError
from kycmanager.domain.records import Document

_DECIDED = frozenset(
    {DocumentStatus.APPROVED, DocumentStatus.REJECTED, DocumentStatus.EXPIRED, DocumentStatus.DELETED},
)

TRANSITIONS: Mapping[DocumentStatus, frozenset[DocumentStatus]] = MappingProxyType(
    {
        DocumentStatus.UPLOADED: _DECIDED | {DocumentStatus.PENDING},
        DocumentStatus.PENDING: _DECIDED,
        DocumentStatus.APPROVED: frozenset({DocumentStatus.EXPIRED, DocumentStatus.REJECTED}),
        DocumentStatus.REJECTED: frozenset(),
        DocumentStatus.EXPIRED: frozenset(),
        DocumentStatus.DELETED: frozenset(),
    },
)
"""Every allowed move (manager API, section 3, "Life of a step")."""

USABLE = frozenset({DocumentStatus.UPLOADED, DocumentStatus.PENDING, DocumentStatus.APPROVED})
"""The statuses in which a document lets its step be submitted."""

DOCUMENTS_MAX = 500
"""Usable documents of one profile. Rejected, expired and deleted ones do not count: there is always a way to room."""


def ensure_room(held: Sequence[Document]) -> None:
    """Raise INVALID_STATE when a profile with these documents takes no further one."""
    if len(held) < DOCUMENTS_MAX:
        return
    if sum(document.status in USABLE for document in held) >= DOCUMENTS_MAX:
        raise KycError(
            Code.INVALID_STATE,
            f"Profile has {DOCUMENTS_MAX} documents that are uploaded, pending or approved; it takes no more",
        )


def allows(document: Document, to: DocumentStatus) -> bool:
    """Tell whether the document may become `to` now."""
    return to in TRANSITIONS[document.status]


def move(document: Document, to: DocumentStatus, *, now: int, **changes: Any) -> Document:
    """Give the document in its new status, with other fields changed as named; `now` in Unix seconds.

    Raises INVALID_STATE when the table has no such move.
    """
    if not allows(document, to):
        raise KycError(
            Code.INVALID_STATE,
            f"Document has status {DocumentStatus(document.status).name.lower()}; "
            f"it cannot become {DocumentStatus(to).name.lower()}",
        )
    return amend(document, now=now, status=to, **changes)


def amend(document: Document, *, now: int, **changes: Any) -> Document:
    """Give the next version of the document with some fields changed; a new status goes through `move`."""
    return replace(document, version=document.version + 1, updated_time=now, **changes)
