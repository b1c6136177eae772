"""What a command is: one row from which dispatch, access, routes, documents and clients are made."""

from collections.abc import Awaitable, Callable, Coroutine
from enum import Enum
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from kycmanager.domain.enums import SessionType
from kycmanager.domain.errors import Code
from kycmanager.domain.files import FILE_ID
from kycmanager.domain.records import Record
from kycmanager.domain.session import NOBODY, Session
from kycmanager.key_ports import KeyCare
from kycmanager.ports import Changes, Daemon, Files, Progress, Reader, Records, Store, Subscriber

ID_MAX = 2**53 - 1
END = r"(?![\s\S])"
"""The true end of a text in every dialect of patterns; `$` lets a line feed through."""

Id = Annotated[int, Meta(ge=1, le=ID_MAX)]
AnyId = Annotated[int, Meta(ge=0, le=ID_MAX)]
Level = Annotated[int, Meta(ge=1, le=100)]
Brand = Annotated[str, Meta(pattern=rf"^[A-Za-z0-9_.-]{{1,64}}{END}")]
StepCode = Annotated[str, Meta(pattern=rf"^[A-Za-z0-9_.:-]{{1,64}}{END}")]
Name = Annotated[str, Meta(max_length=200)]
Text = Annotated[str, Meta(max_length=4000)]
Reason = Annotated[str, Meta(max_length=200)]
Source = Annotated[str, Meta(max_length=64)]
DocumentType = Annotated[str, Meta(max_length=64)]
FileId = Annotated[str, Meta(pattern=f"^{FILE_ID}{END}")]
Time = Annotated[int, Meta(ge=0, le=ID_MAX)]
Language = Annotated[str, Meta(pattern=rf"^(?:[A-Za-z]{{2,8}}(?:[-_][A-Za-z0-9]{{1,8}}){{0,3}})?{END}")]
Flag = Annotated[int, Meta(ge=0, le=1)]


class Request(Struct, frozen=True, kw_only=True):
    """The data of a command; unknown keys are ignored (manager API, section 1)."""


class WriteRequest(Request, frozen=True, kw_only=True):
    """The data of a write; `version` makes it conditional on the version of the record it names."""

    version: Id | UnsetType = UNSET


class ListRequest(Request, frozen=True, kw_only=True):
    """The data of a list: `after` is the cursor of the page before, and wins over `offset`."""

    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    offset: Annotated[int, Meta(ge=0, le=10_000)] = 0
    after: Annotated[str, Meta(max_length=64)] = ""


class Reply(Struct, frozen=True, kw_only=True):
    """The data of an answer."""


class Accepted(Reply, frozen=True, kw_only=True):
    """The change is on disk."""

    accepted: bool = True


ACCEPTED = Accepted()


class Kind(Enum):
    """How a command runs: at once over the cache, on the strand, or awaiting the base's read-only connection."""

    READ = "read"
    WRITE = "write"
    QUERY = "query"


class Context(Struct, frozen=True, gc=False):
    """What every handler is given besides its request and its target."""

    session: Session
    now: int
    source: str


class ReadContext(Context, frozen=True):
    """For plain functions over the cache."""

    records: Reader
    daemon: Daemon
    subscriber: Subscriber | None


class QueryContext(Context, frozen=True):
    """For questions to the base."""

    records: Reader
    store: Store
    files: Files
    keys: KeyCare
    progress: Progress


class WriteContext(Context, frozen=True):
    """For changes on the strand; `facts` is what `prepare` found out before."""

    changes: Changes
    facts: Any


class PrepareContext(Context, frozen=True):
    """For what must be awaited before the strand."""

    records: Reader
    files: Files
    keys: KeyCare


class Access(Struct, frozen=True):
    """Who may call, and on what: `scope(records, session, request)` returns the target or raises KycError."""

    sessions: frozenset[SessionType]
    scope: Callable[[Records, Session, Any], Any]


class Route(Struct, frozen=True):
    """Where the command stands in REST; `{id}` in the path is `data.id`."""

    methods: tuple[str, ...]
    path: str


class Prepare(Struct, frozen=True):
    """What a write awaits before the strand, and what undoes it when the write is refused after all."""

    run: Callable[[PrepareContext, Any], Awaitable[Any]]
    undo: Callable[[Files, Any], Coroutine[Any, Any, None]] | None = None


class Replay(Struct, frozen=True):
    """How a repeated write under an idempotency key is answered: from the record it made, not from a copy."""

    record: Callable[[Any], Record | None]
    answer: Callable[[Records, int], Any]
    reach: Callable[[Records, Session, int], Any] | None = None
    """Looks whether the caller still reaches the record, where the scope cannot know which it is."""


class Command(Struct, frozen=True, kw_only=True):
    """One row of the table. `access` has no default on purpose. `noun` names what `id` is the id of.

    `prepared` says that the reply depends on the target alone, so its bytes are kept until the target changes.
    """

    name: str
    summary: str
    request: type[Request]
    reply: type[Reply]
    access: Access
    kind: Kind
    handler: Callable[[Any, Any, Any], Any]
    errors: tuple[Code, ...]
    route: Route | None
    noun: str = ""
    prepared: bool = False
    prepare: Prepare | None = None
    replay: Replay | None = None


def local_row(
    name: str,
    summary: str,
    request: type[Request],
    reply: type[Reply],
    handler: Callable[[Any, Any, Any], Any],
    scope: Callable[[Records, Session, Any], Any],
    *errors: Code,
    kind: Kind = Kind.WRITE,
    prepare: Prepare | None = None,
) -> Command:
    """Build the row of a command that no token reaches: the daemon calls it, its pages or its operator."""
    return Command(
        name=name,
        summary=summary,
        request=request,
        reply=reply,
        access=Access(NOBODY, scope),
        kind=kind,
        handler=handler,
        errors=errors,
        route=None,
        prepare=prepare,
    )


COMMON_ERRORS = (
    Code.INVALID_DATA,
    Code.INVALID_CUSTOMER,
    Code.UNAUTHENTICATED,
    Code.FORBIDDEN,
    Code.TOO_FREQUENT,
    Code.INTERNAL,
    Code.SHUTDOWN,
)
"""What every command may answer."""

WRITE_ERRORS = (
    Code.STALE_VERSION,
    Code.IDEMPOTENCY_CONFLICT,
    Code.OVERLOADED,
    Code.OUTCOME_UNKNOWN,
    Code.STORAGE_FULL,
)
"""What every write may answer besides."""


def errors_of(command: Command) -> tuple[Code, ...]:
    """Return every code the command may answer, the common ones included."""
    common = COMMON_ERRORS + (WRITE_ERRORS if command.kind is Kind.WRITE else ())
    return common + tuple(code for code in command.errors if code not in common)
