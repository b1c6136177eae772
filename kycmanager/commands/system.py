"""The daemon itself: liveness, what it is, what it can do, pushes, and the operator's revocations."""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from kycmanager.commands import scopes, trail
from kycmanager.commands.model import (
    ACCEPTED,
    Accepted,
    Access,
    AnyId,
    Command,
    Id,
    Kind,
    QueryContext,
    ReadContext,
    Reply,
    Request,
    Route,
    Time,
    WriteContext,
    errors_of,
    local_row,
)
from kycmanager.domain.enums import SessionType
from kycmanager.domain.errors import Code, KycError
from kycmanager.domain.records import Revocation
from kycmanager.domain.session import ANYONE, MANAGERS

Channel = Annotated[str, Meta(max_length=160)]
Channels = Annotated[list[Channel], Meta(max_length=1000)]


class Nothing(Request, frozen=True, kw_only=True):
    """No data."""


class Pong(Reply, frozen=True, kw_only=True):
    """The daemon is alive; `time` in Unix seconds."""

    pong: bool
    time: int


class ServerFacts(Reply, frozen=True, kw_only=True):
    """What runs here."""

    name: str
    version: str
    time: int
    started_time: int
    event_seq: int
    profiles: int
    steps: int
    documents: int
    templates: int
    connections: int
    queue_depth: int


class CommandFacts(Struct, frozen=True, kw_only=True):
    """One row of the command table; `request` and `reply` are JSON schemas."""

    name: str
    summary: str
    kind: str
    sessions: list[str]
    methods: list[str]
    path: str
    errors: list[str]
    request: dict[str, Any]
    reply: dict[str, Any]


class TableReply(Reply, frozen=True, kw_only=True):
    """The command table as data; `definitions` holds the schemas the rows refer to."""

    commands: list[CommandFacts]
    definitions: dict[str, Any]


class Subscribe(Request, frozen=True, kw_only=True):
    """Channels, spelt `chanels` by the first clients; `after_seq` asks for what was missed since."""

    chanels: Channels = []
    channels: Channels = []
    after_seq: AnyId | None = None


class Unsubscribe(Request, frozen=True, kw_only=True):
    """Channels to leave."""

    chanels: Channels = []
    channels: Channels = []


class RevokeToken(Request, frozen=True, kw_only=True):
    """The token to refuse from now on; `expires` is when it would have run out by itself."""

    jti: Annotated[str, Meta(min_length=1, max_length=128)]
    expires: Time


class RevokeSubject(Request, frozen=True, kw_only=True):
    """The subject whose tokens issued before `not_before` are refused from now on."""

    session: SessionType
    sub: Id
    not_before: Time


class Counts(Reply, frozen=True, kw_only=True):
    """What the bases hold."""

    templates: int
    profiles: int
    steps: int
    documents: int
    events: int


class Fault(Struct, frozen=True):
    """A stored file or row that is not what it was."""

    object: str
    fault: str


class VerifyReply(Reply, frozen=True, kw_only=True):
    """How many files were read again, and what is wrong."""

    checked: int
    faults: list[Fault]


def ping(context: ReadContext, _request: Nothing, _target: None) -> Pong:
    """Answer."""
    return Pong(pong=True, time=context.now)


def server_info(context: ReadContext, _request: Nothing, _target: None) -> ServerFacts:
    """Tell what runs here."""
    return msgspec.convert({"name": "kycmanager", "time": context.now, **context.daemon.facts()}, ServerFacts)


def _connected(context: ReadContext) -> Any:
    if context.subscriber is None:
        raise KycError(Code.INVALID_METHOD, "Pushes need a connection; use TCP")
    return context.subscriber


def subscribe(context: ReadContext, request: Subscribe, target: tuple[str, ...]) -> Accepted:
    """Push the events of these channels to this connection."""
    _connected(context).subscribe(context.session, target, request.after_seq)
    return ACCEPTED


def unsubscribe(context: ReadContext, _request: Unsubscribe, target: tuple[str, ...]) -> Accepted:
    """Stop pushing the events of these channels to this connection."""
    _connected(context).unsubscribe(target)
    return ACCEPTED


def revoke_token(context: WriteContext, request: RevokeToken, _target: None) -> Accepted:
    """Refuse one token from now on."""
    context.changes.revoke(Revocation(jti=request.jti, session=0, sub=0, not_before=0, expires=request.expires))
    trail.audit(context, "token.revoked", brand="", details={"jti": request.jti})
    return ACCEPTED


def revoke_subject(context: WriteContext, request: RevokeSubject, _target: None) -> Accepted:
    """Refuse the tokens a subject holds."""
    context.changes.revoke(
        Revocation(jti="", session=request.session, sub=request.sub, not_before=request.not_before, expires=0),
    )
    trail.audit(
        context,
        "token.subject_revoked",
        brand="",
        details={"session": int(request.session), "sub": request.sub, "not_before": request.not_before},
    )
    return ACCEPTED


def check(context: ReadContext, _request: Nothing, _target: None) -> Counts:
    """Count what was loaded: opening has checked the bases already."""
    facts = context.daemon.facts()
    names = ("templates", "profiles", "steps", "documents")
    return Counts(**{name: int(facts[name]) for name in names}, events=int(facts["event_seq"]))


async def verify(context: QueryContext, _request: Nothing, _target: None) -> VerifyReply:
    """Read every stored file again and compare it with what was recorded."""
    checked, faults = await context.files.verify(context.progress)
    return VerifyReply(checked=checked, faults=[Fault(name, fault) for name, fault in faults])


def _facts(command: Command, schemas: dict[type, dict[str, Any]]) -> CommandFacts:
    return CommandFacts(
        name=command.name,
        summary=command.summary,
        kind=command.kind.value,
        sessions=[kind.name.lower() for kind in sorted(command.access.sessions)],
        methods=list(command.route.methods) if command.route else [],
        path=command.route.path if command.route else "",
        errors=sorted({code.wire_name for code in errors_of(command)}),
        request=schemas[command.request],
        reply=schemas[command.reply],
    )


def describe_table(table: tuple[Command, ...]) -> TableReply:
    """Turn the rows that tokens can reach into data."""
    rows = [command for command in table if command.access.sessions]
    types = list({each: None for command in rows for each in (command.request, command.reply)})
    schemas, definitions = msgspec.json.schema_components(types, ref_template="#/definitions/{name}")
    by_type = dict(zip(types, schemas, strict=True))
    return TableReply(commands=[_facts(command, by_type) for command in rows], definitions=definitions)


def describe_row(table: Callable[[], tuple[Command, ...]]) -> Command:
    """Make the row that answers with the whole table, itself included."""

    def describe(_context: ReadContext, _request: Nothing, _target: None) -> TableReply:
        return describe_table(table())

    return Command(
        name="Describe",
        summary="Show every command with its types, access and errors",
        request=Nothing,
        reply=TableReply,
        access=Access(MANAGERS, scopes.anything),
        kind=Kind.READ,
        handler=describe,
        errors=(),
        route=Route(("GET",), "/manager/kyc/describe"),
    )


COMMANDS: tuple[Command, ...] = (
    Command(
        name="Ping",
        summary="Tell that the daemon is alive",
        request=Nothing,
        reply=Pong,
        access=Access(ANYONE, scopes.anything),
        kind=Kind.READ,
        handler=ping,
        errors=(),
        route=Route(("GET",), "/ping"),
    ),
    Command(
        name="ServerInfo",
        summary="Tell what runs here",
        request=Nothing,
        reply=ServerFacts,
        access=Access(MANAGERS, scopes.anything),
        kind=Kind.READ,
        handler=server_info,
        errors=(),
        route=Route(("GET",), "/manager/kyc/server"),
    ),
    Command(
        name="Subscribe",
        summary="Push the events of channels to this connection",
        request=Subscribe,
        reply=Accepted,
        access=Access(ANYONE, scopes.channels),
        kind=Kind.READ,
        handler=subscribe,
        errors=(Code.INVALID_METHOD,),
        route=None,
    ),
    Command(
        name="Unsubscribe",
        summary="Stop pushing the events of channels to this connection",
        request=Unsubscribe,
        reply=Accepted,
        access=Access(ANYONE, scopes.channels),
        kind=Kind.READ,
        handler=unsubscribe,
        errors=(Code.INVALID_METHOD,),
        route=None,
    ),
    local_row(
        "SysRevokeToken", "Operator: refuse one token from now on", RevokeToken, Accepted, revoke_token, scopes.anything
    ),
    local_row(
        "SysRevokeSubject",
        "Operator: refuse the tokens a subject holds",
        RevokeSubject,
        Accepted,
        revoke_subject,
        scopes.anything,
    ),
    local_row(
        "SysCheck", "Operator: count what the bases hold", Nothing, Counts, check, scopes.anything, kind=Kind.READ
    ),
    local_row(
        "SysVerify",
        "Operator: read every stored file again and name what is not intact",
        Nothing,
        VerifyReply,
        verify,
        scopes.anything,
        kind=Kind.QUERY,
    ),
)
