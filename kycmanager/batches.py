"""What one transaction writes, and what a start reads."""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from kycmanager.desk_ports import LookupChange
from kycmanager.domain.lookup import LookupMark
from kycmanager.domain.outbound import Delivery
from kycmanager.domain.records import (
    AuditRow,
    BrandKey,
    Claim,
    Document,
    Event,
    FileKey,
    IdempotencyRecord,
    Note,
    Profile,
    ProfileKey,
    Revocation,
    SavedFilter,
    Step,
    Template,
    TemplateText,
)
from kycmanager.domain.users import Login, User
from kycmanager.outbound_ports import OutboundChange
from kycmanager.wallet_ports import WalletChange, WalletState


class TableChange(Struct):
    """What a batch does to one table: rows that are new, and rows whose values change. Only last values count."""

    inserted: list[Any]
    updated: list[Any]


class Batch(Struct, kw_only=True):
    """Everything one transaction writes. Rows are records; order within a list is the order of truth."""

    templates: TableChange
    template_texts: list[TemplateText]
    removed_templates: list[int]
    profiles: TableChange
    steps: TableChange
    documents: TableChange
    audit: list[AuditRow]
    events: list[Event]
    idempotency: list[IdempotencyRecord]
    revocations: list[Revocation]
    users: list[User] = []
    logins: list[Login] = []
    ended_logins: list[int] = []
    notes: list[Note] = []
    sealed_notes: list[Note] = []
    """Older notes, sealed now."""
    noteless: list[int] = []
    """The cases whose notes go."""
    claims: list[Claim] = []
    """New ones, and new leases of old ones."""
    released: list[int] = []
    """The cases whose claim goes."""
    filters: list[SavedFilter] = []
    wallets: WalletChange | None = None
    removed_filters: list[tuple[int, int, str]] = []
    """(session, sub, name) of those that go."""
    file_keys: list[FileKey] = []
    keys: list[ProfileKey] = []
    """Keys that are to be on the disk before what they have sealed."""
    outbound: OutboundChange | None = None
    lookup: LookupChange | None = None
    counters: dict[str, int]
    """The next free id per table, and of "event" and "audit", after this batch."""


class Snapshot(Struct, kw_only=True):
    """All the records of a base at start."""

    templates: Iterable[Template]
    template_texts: Iterable[TemplateText]
    profiles: Iterable[Profile]
    steps: Iterable[Step]
    documents: Iterable[Document]
    idempotency: Iterable[IdempotencyRecord]
    revocations: Iterable[Revocation]
    users: Iterable[User] = ()
    logins: Iterable[Login] = ()
    claims: Iterable[Claim] = ()
    notes: Iterable[Note] = ()
    filters: Iterable[SavedFilter] = ()
    wallets: WalletState | None = None
    brand_keys: Iterable[BrandKey] = ()
    profile_keys: Iterable[ProfileKey] = ()
    deliveries: Iterable[Delivery] = ()
    """Those that wait and those given up."""
    cursors: Iterable[tuple[str, int]] = ()
    marks: Iterable[tuple[str, int, str]] = ()
    lookups: Iterable[tuple[int, bytes]] = ()
    """The hashes of the answers of a step, by its id."""
    lookup_mark: LookupMark | None = None
    counters: dict[str, int]
