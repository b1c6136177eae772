"""The one gate every command passes: find, authenticate, access, decode, run, errors."""

import hashlib
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any, Protocol

import msgspec
from msgspec import UNSET, Struct

from kycmanager.commands.decoding import decode
from kycmanager.commands.model import (
    ACCEPTED,
    Command,
    Kind,
    PrepareContext,
    QueryContext,
    ReadContext,
    WriteContext,
)
from kycmanager.domain.enums import SessionType
from kycmanager.domain.errors import Code, KycError, forbidden, invalid
from kycmanager.domain.records import IdempotencyRecord
from kycmanager.domain.session import Session
from kycmanager.key_ports import KeyCare
from kycmanager.ports import (
    Changes,
    Clock,
    Daemon,
    Files,
    Prepared,
    Progress,
    Reader,
    Store,
    Strand,
    Subscriber,
    Tokens,
)

KEY_CHARACTERS_MAX = 128

_READ, _WRITE = Kind.READ, Kind.WRITE  # looking a member up in its enumeration costs as much as a call

Done = Callable[[bytes | KycError], None]
"""Takes the encoded data of the reply, or the refusal instead of it."""


def silently(_what: str, _done: int, _total: int) -> None:
    """Follow no progress."""


class Codec:
    """How a wire writes reply data; `name` tells prepared replies of one wire from another's."""

    __slots__ = ("accepted", "encode", "name")

    def __init__(self, name: str, encode: Callable[[Any], bytes]) -> None:
        self.name = name
        self.encode = encode
        self.accepted = b""
        """The acknowledgement most writes answer with, kept once it was encoded."""


class Faults(Protocol):
    """Where an unexpected exception goes: logged once, under the returned correlation id."""

    def __call__(self, command: str, error: BaseException) -> str:
        """Log the fault of a command, return its correlation id."""
        ...


class Call(Struct, frozen=True, gc=False):
    """A command that was found, whose caller may call it, with its decoded request."""

    command: Command
    session: Session
    request: Any
    source: str
    key: str


class Repeated(Struct, frozen=True, eq=False):
    """The reply to a write that was made before, under the same key: this time nothing was changed."""

    reply: Any


def _at_once(then: Callable[[], None]) -> None:
    """Take nothing back, and go on."""
    then()


class _Write(Struct, frozen=True, eq=False, gc=False):
    """A write on its way through the strand: what runs there, and what answers after the commit.

    `undo` takes back what was prepared for it, when it turns out that it is not made, and then goes on.
    """

    call: Call
    facts: Any
    codec: Codec
    done: Done
    refusal: Callable[[Call, BaseException], KycError]
    undo: Callable[[Callable[[], None]], None] = _at_once

    def run(self, changes: Changes, now: int) -> Any:
        """Make the write."""
        return apply(self.call, self.facts, changes, now)

    def finish(self, result: Any) -> None:
        """Answer it."""
        if result is ACCEPTED and self.codec.accepted:
            self.done(self.codec.accepted)
        elif isinstance(result, BaseException):
            refusal = self.refusal(self.call, result)
            # With the outcome unknown the write may be there: what it needs must stay.
            if refusal.code is Code.OUTCOME_UNKNOWN:
                self.done(refusal)
            else:
                self.undo(partial(self.done, refusal))
        elif isinstance(result, Repeated):
            self.undo(partial(self._answer, result.reply))
        else:
            self._answer(result)

    def _answer(self, result: Any) -> None:
        try:
            data = self.codec.encode(result)
            if result is ACCEPTED:
                self.codec.accepted = data
        except Exception as error:  # noqa: BLE001 - the strand must go on
            self.done(self.refusal(self.call, error))
        else:
            self.done(data)


class Executor:
    """Runs commands for every way in; transports only bring bytes to it and take replies from it."""

    def __init__(
        self,
        table: Iterable[Command],
        *,
        tokens: Tokens,
        records: Reader,
        strand: Strand,
        store: Store,
        files: Files,
        keys: KeyCare,
        clock: Clock,
        daemon: Daemon,
        prepared: Prepared,
        spawn: Callable[[Coroutine[Any, Any, None]], None],
        faults: Faults,
    ) -> None:
        self.commands = {command.name: command for command in table}
        self._tokens = tokens
        self._records = records
        self._strand = strand
        self._store = store
        self._files = files
        self._keys = keys
        self._clock = clock
        self._daemon = daemon
        self._prepared = prepared
        self._spawn = spawn
        self._faults = faults

    def find(self, name: str) -> Command:
        """Return the row of a command, or raise INVALID_METHOD."""
        command = self.commands.get(name)
        if command is None:
            raise KycError(Code.INVALID_METHOD, "Unknown command; Describe lists the known ones")
        return command

    def authenticate(self, token: str | None) -> Session:
        """Return the caller behind a token, or raise UNAUTHENTICATED or INVALID_CUSTOMER."""
        if not token:
            raise KycError(Code.UNAUTHENTICATED, "A valid token is required")
        return self._tokens.verify(token)

    def admit(
        self,
        command: Command,
        session: Session,
        data: dict[str, Any],
        *,
        source: str,
        key: str = "",
        texts: bool = False,
    ) -> Call:
        """Check the session type, decode the data. Raises KycError FORBIDDEN or INVALID_DATA."""
        if session.type not in command.access.sessions and not session.local:
            raise forbidden()
        given = key or data.get("idempotency_key", "")
        if not isinstance(given, str) or len(given) > KEY_CHARACTERS_MAX:
            raise invalid("idempotency_key", f"expected text of at most {KEY_CHARACTERS_MAX} characters")
        return Call(command, session, decode(command, data, texts=texts), source, given)

    def run(
        self,
        call: Call,
        codec: Codec,
        done: Done,
        subscriber: Subscriber | None = None,
        progress: Progress = silently,
    ) -> None:
        """Run an admitted call: reads answer before this returns, writes after their commit."""
        kind = call.command.kind
        try:
            if kind is _READ:
                done(self._read(call, codec, subscriber))
            elif kind is _WRITE and call.command.prepare is None:
                self._strand.post(_Write(call, None, codec, done, self._refusal))
            else:
                self._spawn(self._wait(call, codec, done, progress))
        except Exception as error:  # noqa: BLE001 - every fault becomes one answer
            done(self._refusal(call, error))

    def _refusal(self, call: Call, error: BaseException) -> KycError:
        if isinstance(error, KycError):
            error.__traceback__ = None  # its frames hold the call, and that who is given this: none would ever go
            return error
        correlation = self._faults(call.command.name, error)
        return KycError(Code.INTERNAL, "Something failed here; the log knows", {"correlation_id": correlation})

    def _read(self, call: Call, codec: Codec, subscriber: Subscriber | None) -> bytes:
        command = call.command
        target = command.access.scope(self._records, call.session, call.request)
        if command.prepared:
            ready = self._prepared.get(command.name, codec.name, target.id)
            if ready is not None:
                return ready
        context = ReadContext(
            session=call.session,
            now=self._clock(),
            source=call.source,
            records=self._records,
            daemon=self._daemon,
            subscriber=subscriber,
        )
        data = codec.encode(command.handler(context, call.request, target))
        if command.prepared:
            self._prepared.put(command.name, codec.name, target.id, target.brand, data)
        return data

    async def _wait(self, call: Call, codec: Codec, done: Done, progress: Progress) -> None:
        try:
            if call.command.kind is Kind.QUERY:
                done(codec.encode(await self._query(call, progress)))
            else:
                await self._prepare_and_write(call, codec, done)
        except Exception as error:  # noqa: BLE001 - as in run
            done(self._refusal(call, error))

    async def _query(self, call: Call, progress: Progress) -> Any:
        target = call.command.access.scope(self._records, call.session, call.request)
        context = QueryContext(
            session=call.session,
            now=self._clock(),
            source=call.source,
            records=self._records,
            store=self._store,
            files=self._files,
            keys=self._keys,
            progress=progress,
        )
        return await call.command.handler(context, call.request, target)

    async def _prepare_and_write(self, call: Call, codec: Codec, done: Done) -> None:
        prepare = call.command.prepare
        assert prepare is not None
        context = PrepareContext(
            session=call.session,
            now=self._clock(),
            source=call.source,
            records=self._records,
            files=self._files,
            keys=self._keys,
        )
        facts = await prepare.run(context, call.request)

        def undo(then: Callable[[], None]) -> None:
            if prepare.undo is None:
                then()
            else:
                self._spawn(_undone(prepare.undo(self._files, facts), then))

        write = _Write(call, facts, codec, done, self._refusal, undo)
        try:
            self._strand.post(write)
        except KycError as error:
            write.finish(error)


async def _undone(undo: Coroutine[Any, Any, None], then: Callable[[], None]) -> None:
    """Go on when it is undone, whatever becomes of that: who was refused finds everything as it was."""
    try:
        await undo
    finally:
        then()


def apply(call: Call, facts: Any, changes: Changes, now: int) -> Any:
    """Run a write on the strand: the key, the reach, the version, then the handler; return its reply or `Repeated`."""
    digest = b""
    if call.key:
        digest = _digest(call, changes.idempotency_secret)
        seen = changes.idempotency(_key_scope(call))
        if seen is not None and now < seen.time + changes.idempotency_seconds:
            # Up to version 0.1 the digests had no key; such a row is forgotten like all others.
            asked = digest if seen.digest == digest else _digest(call, b"")
            return Repeated(_repeat(call, seen, asked, changes))
    target = call.command.access.scope(changes, call.session, call.request)
    wanted = getattr(call.request, "version", UNSET)
    if wanted is not UNSET:
        _refuse_stale(wanted, target)
    context = WriteContext(call.session, now, call.source, changes, facts)
    reply = call.command.handler(context, call.request, target)
    if call.key:
        changes.remember(_kept(call, digest, reply, now))
    return reply


def _refuse_stale(wanted: int, target: Any) -> None:
    held = target.version if target is not None else 0
    if wanted == held:
        return
    raise KycError(
        Code.STALE_VERSION,
        "version: the record has changed since; read it again",
        {"version": held},
    )


def _key_scope(call: Call) -> str:
    # A customer is somebody else in every brand; a manager is the same whatever the token's brands.
    session = call.session
    brand = f"@{session.own_brand}" if session.type is SessionType.CUSTOMER else ""
    return f"{int(session.type)}:{session.sub}{brand}:{call.command.name}:{call.key}"


def _digest(call: Call, secret: bytes) -> bytes:
    """Return what is kept of the data of a request; who has the base alone cannot try what the data may have been."""
    data = msgspec.json.encode(call.request, order="deterministic")
    return hashlib.blake2b(data, digest_size=16, key=secret).digest()


def _kept(call: Call, digest: bytes, reply: Any, now: int) -> IdempotencyRecord:
    replay = call.command.replay
    record = replay.record(reply) if replay else None
    return IdempotencyRecord(
        scope=_key_scope(call),
        digest=digest,
        record_id=record.id if record else 0,
        record_version=record.version if record else 0,
        time=now,
    )


def _repeat(call: Call, seen: IdempotencyRecord, digest: bytes, changes: Changes) -> Any:
    if seen.digest != digest:
        raise KycError(Code.IDEMPOTENCY_CONFLICT, "idempotency_key: was used before with other data; take a new key")
    replay = call.command.replay
    if replay is None:
        return ACCEPTED
    # The answer shows a record: whoever lost the reach to it since does not see it again.
    call.command.access.scope(changes, call.session, call.request)
    if replay.reach is not None and seen.record_id:
        replay.reach(changes, call.session, seen.record_id)
    return replay.answer(changes, seen.record_id)
