"""Commands over HTTP: path, query and body become the data of a row, its reply the body of the answer."""

import asyncio
import re
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestPayloadError

from kycmanager.commands.execute import Call, Codec, Executor
from kycmanager.commands.model import Command, Kind
from kycmanager.domain.errors import Code, KycError, invalid
from kycmanager.domain.session import Session
from kycmanager.transports import json_strict, json_wire
from kycmanager.transports.rest import body
from kycmanager.transports.rest.answers import Answer
from kycmanager.transports.rest.gate import Gate
from kycmanager.transports.rest.routes import Handler, Route
from kycmanager.transports.rest.settings import RestSettings

SOURCE = "rest"
CODEC = Codec("json", json_wire.encode)
"""The name is the one of the JSON lines door: both share prepared replies."""

Observe = Callable[[str, int, float], None]
"""Is told the name of a command, the status of its answer, and the seconds it took."""

_OK = 200
_ID = re.compile(r"-?[1-9][0-9]{0,18}|0", re.ASCII)


class CommandDoor:
    """Answers the commands that have a route; no rule lives here."""

    def __init__(self, executor: Executor, gate: Gate, settings: RestSettings, observe: Observe) -> None:
        self._executor = executor
        self._gate = gate
        self._settings = settings
        self._observe = observe

    def routes(self) -> Iterator[Route]:
        """Make the routes of all rows."""
        for command in routed(self._executor.commands.values()):
            assert command.route is not None
            for method in command.route.methods:
                yield Route(method, command.route.path, self._handler(command))

    def _handler(self, command: Command) -> Handler:
        async def handle(request: web.BaseRequest, parameter: str) -> web.StreamResponse:
            started = time.perf_counter()
            try:
                result = await self._answer(command, request, parameter)
            except (ConnectionError, asyncio.CancelledError):
                raise  # the client has gone: nobody is answered, and nothing failed here
            except Exception as error:
                self._observe(command.name, _status(error), time.perf_counter() - started)
                raise
            self._observe(command.name, _OK, time.perf_counter() - started)
            return Answer(_OK, result)

        return handle

    async def _answer(self, command: Command, request: web.BaseRequest, parameter: str) -> bytes:
        session = self._gate.session(request)
        sent: dict[str, Any] = {}
        if request.body_exists:
            sent = await self._body(command, session, request)
        query = query_fields(request)
        data = {**query, **sent}
        if parameter:
            data["id"] = path_id(parameter)
        call = self._executor.admit(
            command, session, data, source=SOURCE, key=idempotency_key(request), texts=bool(query)
        )
        if command.kind is Kind.READ:
            return self._read(call)
        return await self._wait(call)

    async def _body(self, command: Command, session: Session, request: web.BaseRequest) -> dict[str, Any]:
        try:
            return await body.read_object(request, self._settings)
        except KycError:
            self._refuse_access(command, session)
            raise

    def _refuse_access(self, command: Command, session: Session) -> None:
        """Raise FORBIDDEN where the session may not call at all: that comes before what is wrong with its body."""
        try:
            self._executor.admit(command, session, {}, source=SOURCE)
        except KycError as error:
            if error.code is Code.FORBIDDEN:
                raise

    def _read(self, call: Call) -> bytes:
        results: list[bytes | KycError] = []
        self._executor.run(call, CODEC, results.append)
        (result,) = results
        if isinstance(result, KycError):
            raise result
        return result

    async def _wait(self, call: Call) -> bytes:
        """Wait for a write or a query; nobody who stops waiting stops it."""
        future: asyncio.Future[bytes | KycError] = asyncio.get_running_loop().create_future()
        self._executor.run(call, CODEC, partial(_settle, future))
        try:
            async with asyncio.timeout(self._settings.request_seconds):
                result = await future
        except TimeoutError:
            raise _unanswered(call.command) from None
        if isinstance(result, KycError):
            raise result
        return result


def _status(error: Exception) -> int:
    """Return the status of the answer that an exception becomes."""
    if isinstance(error, KycError):
        return error.code.status
    malformed = isinstance(error, (body.TooSlowError, RequestPayloadError))
    return (Code.INVALID_DATA if malformed else Code.INTERNAL).status


def routed(commands: Iterable[Command]) -> Iterator[Command]:
    """Give the rows that have a route."""
    return (command for command in commands if command.route is not None)


def path_id(text: str) -> int | str:
    """Return the id of a path; a text that is none stays one, made such that no conversion takes it for a number."""
    return int(text) if _ID.fullmatch(text) else f"{text} "


def query_fields(request: web.BaseRequest) -> dict[str, str]:
    """Return the query string as data; raises INVALID_DATA for a name that comes twice and for NUL."""
    if not request.rel_url.raw_query_string:
        return {}
    query = request.rel_url.query
    fields = dict(query)
    if len(fields) != len(query):
        twice = next(name for name in fields if len(query.getall(name)) > 1)
        raise invalid(twice[:64], "comes twice in the query")
    try:
        json_strict.refuse_unsafe_text(fields)
    except json_strict.DecodeError as error:
        raise invalid("query", str(error)) from None
    return fields


def idempotency_key(request: web.BaseRequest) -> str:
    """Return the Idempotency-Key header, "" without one; raises INVALID_DATA where it is not printable ASCII."""
    key: str = request.headers.get("Idempotency-Key", "")
    if key and not (key.isascii() and key.isprintable()):
        raise invalid("Idempotency-Key", "expected printable ASCII")
    return key


def _settle(future: asyncio.Future[bytes | KycError], result: bytes | KycError) -> None:
    if not future.done():
        future.set_result(result)


def _unanswered(command: Command) -> KycError:
    if command.kind is Kind.QUERY:
        return KycError(Code.OVERLOADED, "The answer took too long; ask for less, or again later")
    return KycError(Code.OUTCOME_UNKNOWN, "The answer took too long; read the record before trying again")
