"""What commands and pages need of the reviewers' desk, as protocols; the store answers them.

The desk is the queue of cases, who holds them, the notes on them, and the filters reviewers keep.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, Protocol

from msgspec import Struct

from kycmanager.domain.case import CaseFilter
from kycmanager.domain.lookup import LookupMark
from kycmanager.domain.reasons import Reasons
from kycmanager.domain.records import Claim, Note, Profile, SavedFilter

Order = Literal["risk", "age"]


class CaseQuery(Struct, frozen=True, kw_only=True, gc=False):
    """What is asked of the queue: the riskiest cases first and the oldest of those, or by "age" the oldest first."""

    filter: CaseFilter
    now: int
    order: Order = "risk"
    limit: int = 100
    offset: int = 0
    after: str = ""


class SearchQuery(Struct, frozen=True, kw_only=True, gc=False):
    """What is searched for; 0 and "" mean "any". `brands` None = all. Answered by profiles, ids ascending."""

    brands: frozenset[str] | None
    customer_id: int = 0
    checksum: str = ""
    file_name: str = ""
    document_type: str = ""
    field: str = ""
    value: str = ""
    """What was answered to the field, where that is not ""."""
    limit: int = 100
    offset: int = 0
    after: str = ""


class ProfilePage(Struct, frozen=True, gc=False):
    """One page of profiles, how many there are in all, and the cursor of the page after it, None at the end.

    It is `partial` where not all answers are indexed yet.
    """

    rows: Sequence[Profile]
    count: int
    next: str | None
    partial: bool = False


class LookupChange(Struct):
    """What a batch does to the index of answers: rows (step, hashes) that are put in place of others, rows that go.

    With `anew` all others go, and with no `mark` then, that of the index too.
    """

    put: list[tuple[int, bytes]]
    removed: list[int]
    anew: bool = False
    mark: LookupMark | None = None


class LookupRecords(Protocol):
    """The index of answers as of the last commit."""

    @property
    def fields(self) -> Sequence[str]:
        """The fields whose answers may be searched, as the settings have them."""
        ...

    @property
    def mark(self) -> LookupMark | None:
        """What the index holds, None where there is none."""
        ...

    @property
    def partial(self) -> bool:
        """Whether it is still being made."""
        ...

    @property
    def live(self) -> bool:
        """Whether a batch may have to change it."""
        ...

    @property
    def due(self) -> Literal["", "begin", "next", "drop"]:
        """What is to be done to have it as the settings want it: make it anew, go on with that, remove it, nothing."""
        ...

    def progress(self) -> tuple[int, int]:
        """Return how many profiles it knows, and how many there are."""
        ...


class LookupChanges(Protocol):
    """How an index of answers is made."""

    def begin(self, key: bytes) -> None:
        """Make the index anew, empty, of hashes by this key; from now on every batch keeps it true."""
        ...

    def go_on(self, limit: int) -> None:
        """Index the next profiles, where it is not whole."""
        ...

    def drop(self) -> None:
        """Remove the index."""
        ...


class DeskRecords(Protocol):
    """The desk as of the last commit or, on the strand, as the batch has changed it so far."""

    @property
    def reasons(self) -> Reasons:
        """The reasons for rejections, and what customers are told."""
        ...

    def claim(self, kyc_id: int) -> Claim | None:
        """Return the claim on a case, one whose lease is over too."""
        ...

    def note(self, note_id: int) -> Note | None: ...
    def notes_of(self, kyc_id: int) -> Sequence[Note]:
        """Return the notes on a case, ids ascending."""
        ...

    def text_of(self, note: Note) -> str:
        """Return what a note says, opened where it is sealed."""
        ...

    def filters_of(self, session: int, sub: int) -> Sequence[SavedFilter]:
        """Return the filters a reviewer keeps, by name."""
        ...


class DeskReader(DeskRecords, Protocol):
    """What readers see besides: the committed queue."""

    @property
    def lookup(self) -> LookupRecords: ...

    def queue(self, query: CaseQuery) -> ProfilePage:
        """Return a page of the cases that wait. Raises KycError INVALID_DATA for `after`."""
        ...

    def sharing(self, checksum: str, kyc_id: int, brands: frozenset[str] | None, limit: int) -> ProfilePage:
        """Return the first other profiles of these brands that hold a file with the checksum, ids ascending."""
        ...

    def lapsed(self, now: int, limit: int) -> Sequence[int]:
        """Return up to `limit` cases whose claim is still there though its lease is over."""
        ...


class DeskChanges(DeskRecords, Protocol):
    """What a write handler may do with it."""

    lease_seconds: int
    """How long a claim lasts unless it is renewed."""

    @property
    def lookup(self) -> LookupRecords: ...

    def claims_of(self, session: int, sub: int) -> Sequence[int]:
        """Return the cases a reviewer has claimed, those whose lease is over too."""
        ...

    def free(self, query: CaseQuery) -> Iterable[int]:
        """Return the cases nobody holds that may fit, in order; what the batch has changed of them is not looked at."""
        ...

    def search(self, query: SearchQuery) -> ProfilePage:
        """Return a page of the committed profiles that fit. Raises KycError INVALID_DATA for `after`."""
        ...

    def put_claim(self, claim: Claim) -> None: ...
    def remove_claim(self, kyc_id: int) -> None: ...
    def put_note(self, note: Note) -> Note:
        """Keep a note, sealed where the vault seals; return it as it is kept."""
        ...

    def remove_notes(self, kyc_id: int) -> None:
        """Let the notes on a case go: its customer is erased."""
        ...

    def put_filter(self, saved: SavedFilter) -> None: ...
    def remove_filter(self, saved: SavedFilter) -> None: ...
