"""What the core needs of the world outside, as protocols; app.py alone chooses who answers them."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol

from msgspec import Struct

from kycmanager.batches import Batch, Snapshot
from kycmanager.desk_ports import DeskChanges, DeskReader, DeskRecords, LookupChanges
from kycmanager.domain.outbound import Delivery
from kycmanager.domain.records import (
    AuditRow,
    Document,
    Event,
    FileFacts,
    IdempotencyRecord,
    Profile,
    Record,
    Revocation,
    Step,
    Template,
    TemplateText,
)
from kycmanager.domain.session import Session
from kycmanager.outbound_ports import DeliveryQuery, OutboundChanges
from kycmanager.statistics_ports import Statistics
from kycmanager.user_ports import UserChanges, UserRecords
from kycmanager.wallet_ports import WalletChanges, WalletReader, WalletRecords


class Clock(Protocol):
    """The time of day."""

    def __call__(self) -> int:
        """Return Unix seconds, never going back."""
        ...


Progress = Callable[[str, int, int], None]
"""`progress(what, done, total)` of long work; a total of 0 is not known yet."""


class Page(Struct, frozen=True, gc=False):
    """One page of a list: `next` is the cursor of the page after it, None at the end."""

    rows: Sequence[Any]
    count: int
    capped: bool
    next: str | None


class ListQuery(Struct, frozen=True, kw_only=True, gc=False):
    """What a list asks of the indexes.

    `brands` None = all. `filters` are exact values of indexed fields. `after` is the opaque cursor of a page.
    `order` is "id", "-id", "updated_time" or "-updated_time".
    """

    brands: frozenset[str] | None
    filters: dict[str, Any]
    updated_from: int = 0
    updated_to: int = 0
    order: str = "id"
    limit: int = 100
    offset: int = 0
    after: str | None = None


class Records(Protocol):
    """The records as of the last commit or, on the strand, as the batch has changed them so far."""

    @property
    def users(self) -> UserRecords: ...
    @property
    def desk(self) -> DeskRecords: ...
    @property
    def wallets(self) -> WalletRecords: ...
    def template(self, template_id: int) -> Template | None: ...
    def template_by_code(self, brand: str, code: str) -> Template | None: ...
    def active_templates(self, brand: str) -> Sequence[Template]: ...
    def template_text(self, template_id: int, version: int) -> TemplateText: ...
    def template_in_use(self, template_id: int) -> bool: ...
    def profile(self, kyc_id: int) -> Profile | None: ...
    def profile_of(self, customer_id: int, brand: str) -> Profile | None: ...
    def step(self, step_id: int) -> Step | None: ...
    def steps_of(self, kyc_id: int) -> Sequence[Step]: ...
    def answers(self, step: Step) -> dict[str, Any]:
        """Return what was answered; opens it where it is sealed."""
        ...

    def document(self, document_id: int) -> Document | None: ...
    def documents_of(self, kyc_id: int) -> Sequence[Document]: ...
    def document_with_file(self, file_id: str) -> Document | None:
        """Return one document this file is attached to: it tells whose the file has become."""
        ...


class Lists(Protocol):
    """The sorted indexes behind the list commands; only committed records are in them."""

    def list_templates(self, query: ListQuery) -> Page: ...
    def list_profiles(self, query: ListQuery) -> Page: ...
    def list_documents(self, query: ListQuery) -> Page: ...
    def list_identities(self, query: ListQuery) -> Page: ...
    def profiles_of_customer(self, customer_id: int) -> Sequence[Profile]: ...
    def due(self, now: int, limit: int) -> Sequence[tuple[str, int]]:
        """Return up to `limit` ("step" | "document", id) whose expire_time has passed, oldest first."""
        ...


class Reader(Records, Lists, Protocol):
    """What read handlers see: the committed records and their lists."""

    @property
    def desk(self) -> DeskReader: ...
    @property
    def wallets(self) -> WalletReader: ...
    @property
    def statistics(self) -> Statistics: ...
    def template_impact(self, brand: str, level: int, template_id: int) -> tuple[int, int]:
        """Count the profiles with a step of the template, and those of the brand asked for the level without one."""
        ...

    def answered_files(self, step: Step) -> Sequence[str]:
        """Return the uuids of the files that answers name, also those that can be opened no more."""
        ...


class Changes(Records, Protocol):
    """What a write handler may do: read as `Records`, put new values, and tell of them. It never waits."""

    @property
    def users(self) -> UserChanges: ...
    @property
    def desk(self) -> DeskChanges: ...
    @property
    def wallets(self) -> WalletChanges: ...
    @property
    def outbound(self) -> OutboundChanges: ...
    @property
    def lookup(self) -> LookupChanges: ...
    def next_id(self, table: str) -> int:
        """Return a fresh id of "template", "profile", "step", "document", "note", "login", "delivery" or "audit".

        None is used again.
        """
        ...

    def put_template(self, template: Template) -> None: ...
    def remove_template(self, template_id: int) -> None: ...
    def put_profile(self, profile: Profile) -> None: ...
    def put_step(self, step: Step) -> Step:
        """Keep a step; return it as it is kept, its answers sealed."""
        ...

    def put_document(self, document: Document) -> None: ...
    def revoke(self, revocation: Revocation) -> None: ...
    def hold_file(self, file: FileFacts, kyc_id: int) -> None:
        """Have the data key of an attached file sealed by its profile from now on; once more does nothing."""
        ...

    idempotency_secret: bytes
    """What the digests of requests are keyed with; it lies outside of the base."""
    idempotency_seconds: int
    """How long a key repeats the first answer."""

    def idempotency(self, scope: str) -> IdempotencyRecord | None:
        """Return the accepted write under a key."""
        ...

    def remember(self, record: IdempotencyRecord) -> None:
        """Keep an accepted write under its key."""
        ...

    def tell(self, audit: AuditRow) -> None:
        """Add an audit row; its id came from `next_id`."""
        ...

    def emit(self, kind: str, record: Record, *, brand: str, customer_id: int, kyc_id: int) -> None:
        """Append an event; it gets the next number of the feed."""
        ...


class AuditQuery(Struct, frozen=True, kw_only=True):
    """What the audit is asked for; 0, "" and None mean "any". Newest first, ids below `before_id` when not 0.

    With `from_id` no row below it is looked at, and what is counted is what lies between the two.
    """

    brands: frozenset[str] | None
    customer_id: int = 0
    kyc_id: int = 0
    step_id: int = 0
    document_id: int = 0
    action: str = ""
    actor_id: int = 0
    time_from: int = 0
    time_to: int = 0
    before_id: int = 0
    from_id: int = 0
    limit: int = 100
    offset: int = 0


class AuditHead(Struct, frozen=True, kw_only=True):
    """Where the chain of the audit ends: its last link, the last row in it, the hash that stands for all before.

    `told_time` is when a head was last written down outside the base, `agreed_time` when the base was last found to be
    the one that head tells of, both in Unix seconds, 0 = never.
    """

    link: int
    audit_id: int
    hash: str
    told_time: int
    agreed_time: int


class DataFault(Exception):
    """A value the base cannot take; nothing of the batch was written."""


class StoreFull(Exception):
    """The disk is full; nothing of the batch was written."""


class OutcomeUnknown(Exception):
    """The commit failed half way: it may or may not be on disk. Reopen and compare before the next write."""


class StoreRefused(Exception):
    """The base cannot be opened: damaged, newer than the code, or held by another process. Says what to do next."""


class StoreHeld(StoreRefused):
    """Another process has the base open: a daemon that runs, starts or stops."""


class Store(Protocol):
    """A durable home of the records; every adapter passes tests/contracts/store."""

    async def open(self) -> None:
        """Open, check and migrate the base; raises StoreRefused."""
        ...

    async def load(self, progress: Progress) -> Snapshot:
        """Read everything the cache needs; `progress(table, done, total)`."""
        ...

    async def commit(self, batch: Batch) -> None:
        """Write one batch in one transaction, on disk when it returns.

        Raises DataFault or StoreFull (nothing written) or OutcomeUnknown.
        """
        ...

    async def reopen(self) -> dict[str, int]:
        """Throw the connection away, open a new one, return the counters of the base: which batch was its last."""
        ...

    async def audit(self, query: AuditQuery) -> tuple[Sequence[AuditRow], int, bool]:
        """Return (rows, count, capped): the count is exact up to 10,000."""
        ...

    async def audit_window(self, query: AuditQuery, rows: int) -> tuple[int, bool]:
        """Return where the newest `rows` rows of the times and the cursor of a query begin, and whether more lie below.

        Whatever else is asked, so much can be looked at in bounded time.
        """
        ...

    def audit_head(self) -> AuditHead:
        """Return where the chain of the audit ends."""
        ...

    async def deliveries(self, query: DeliveryQuery) -> tuple[Sequence[Delivery], int, bool]:
        """Return (rows, count, capped): newest first, the count exact up to 10,000."""
        ...

    async def events_after(self, seq: int, limit: int) -> Sequence[Event]:
        """Return the events with a number above `seq`, in order."""
        ...

    async def maintain(self) -> None:
        """Checkpoint and forget what has run out; called between batches, never fails a write."""
        ...

    async def close(self) -> None: ...


class Files(Protocol):
    """The stored files, as far as commands need them."""

    async def facts(self, file_ids: Collection[str]) -> dict[str, FileFacts]:
        """Return what is known of those files; a missing or malformed id is left out."""
        ...

    async def pin(self, file_ids: Collection[str]) -> None:
        """Keep these files: they are about to be attached."""
        ...

    async def unpin(self, file_ids: Collection[str]) -> None:
        """Let these files go: their attachment was refused."""
        ...

    async def waiting_of(self, kind: str, owner_id: int, brand: str) -> list[str]:
        """Return the uuids of the uploads of an owner that nothing holds yet, a bounded number."""
        ...

    async def erase(self, file_ids: Collection[str]) -> int:
        """Remove files for good, whatever holds them; return how many there were."""
        ...

    def held(self, file_id: str) -> bool:
        """Tell whether the content of a file is held back."""
        ...

    async def verdict(self, file_id: str) -> tuple[str, tuple[str, ...]]:
        """Return the state of a file, accepted, quarantined, released or refused, and what was found in it."""
        ...

    async def decide(self, file_id: str, *, release: bool) -> tuple[str, bool]:
        """Release or refuse a file; return the state it had, and whether the move was allowed and made."""
        ...

    async def put_back(self, file_id: str, state: str) -> None:
        """Give a file the state it had: the decision on it was refused."""
        ...

    async def verify(self, progress: Progress) -> tuple[int, list[tuple[str, str]]]:
        """Read every file again; return how many were checked, and (object, fault) of each that is not intact."""
        ...


class Subscriber(Protocol):
    """A connection that can be pushed to."""

    def subscribe(self, session: Session, channels: Sequence[str], after_seq: int | None) -> None: ...
    def unsubscribe(self, channels: Sequence[str]) -> None: ...


class Prepared(Protocol):
    """Encoded replies of hot reads, kept until what they tell of changes."""

    def get(self, command: str, codec: str, target_id: int) -> bytes | None: ...
    def put(self, command: str, codec: str, target_id: int, brand: str, data: bytes) -> None: ...


class Daemon(Protocol):
    """What the daemon tells of itself."""

    def facts(self) -> dict[str, int | str]:
        """Return version, started_time, event_seq, profiles, queue_depth and the like: no personal data."""
        ...


class Tokens(Protocol):
    """The judge of tokens."""

    def verify(self, token: str) -> Session:
        """Return the caller, or raise KycError UNAUTHENTICATED or INVALID_CUSTOMER."""
        ...


class Job(Protocol):
    """A write on the strand."""

    def run(self, changes: Changes, now: int, /) -> Any:
        """Make the changes; what it returns is its result, an exception takes its changes back."""
        ...

    def finish(self, result: Any, /) -> None:
        """Take the result, or a KycError or exception instead of it, once the outcome is on disk."""
        ...


class Strand(Protocol):
    """The one queue of writes."""

    def post(self, job: Job) -> None:
        """Queue a write.

        Raises KycError OVERLOADED or SHUTDOWN at once when nothing more is taken.
        """
        ...
