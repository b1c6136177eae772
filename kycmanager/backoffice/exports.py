"""The audit as a file: CSV for a spreadsheet, JSON lines for a program, streamed a chunk at a time."""

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any

import msgspec
from aiohttp import web

from kycmanager.backoffice.audit import LOOK, PLACE, Filter, change_of, wanted
from kycmanager.backoffice.chosen import following
from kycmanager.backoffice.people import People
from kycmanager.backoffice.shell import visit_of
from kycmanager.domain.errors import Code, KycError, invalid
from kycmanager.domain.json_text import json_text
from kycmanager.domain.session import Session
from kycmanager.pages.gateway import Gateway
from kycmanager.pages.http import add_headers
from kycmanager.pages.texts import machine_time

CHUNK_ROWS = 500
AT_ONCE = 4
"""Exports under way, of all reviewers; a further one is refused."""

COLUMNS = (
    "id", "time", "brand", "customer_id", "kyc_id", "step_id", "document_id", "template_id", "action", "actor",
    "actor_id", "actor_session", "source", "reason", "comment", "change", "details",
)  # fmt: skip

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - spreadsheets take these too
_KINDS = {"csv": "text/csv", "jsonl": "application/jsonl"}

Row = dict[str, Any]


def guarded(value: object) -> str:
    """Return a cell that no spreadsheet takes for a formula: text that could be one begins with an apostrophe."""
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.lstrip(" ").startswith(_FORMULA) else text


class Exports:
    """Streams what the filters of the audit page show. The export is in the audit before its first row goes out."""

    def __init__(self, gateway: Gateway, people: People, lives: Callable[[int], bool]) -> None:
        self._gateway = gateway
        self._people = people
        self._lives = lives
        self._under_way = 0

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [web.get(f"{PLACE.path}/export", self.send, allow_head=False)]

    async def send(self, request: web.Request) -> web.StreamResponse:
        """Send the file; one that cannot be ended breaks off, so that no browser takes it for whole."""
        kind, chosen = request.query.get("as", ""), Filter.of(request.query)
        if kind not in _KINDS:
            raise invalid("as", f"must be one of {', '.join(_KINDS)}")
        data = wanted(chosen, self._people)
        if self._under_way >= AT_ONCE:
            raise KycError(Code.TOO_FREQUENT, "Too many exports are under way; try again when one has ended")
        self._under_way += 1
        try:
            return await self._stream(request, kind, chosen, data)
        finally:
            self._under_way -= 1

    async def _stream(self, request: web.Request, kind: str, chosen: Filter, data: Row) -> web.StreamResponse:
        visit = visit_of(request)
        assert visit.login is not None
        noted = {"action": "export", "details": {"audit": chosen.given, "as": kind}}
        await self._gateway.run(visit.who, "MngNoteKycAccess", noted)
        name = f"audit-{machine_time(self._people.now()).replace(':', '')}.{kind}"
        headers = {
            "Content-Type": f"{_KINDS[kind]}; charset=utf-8",
            "Content-Disposition": f'attachment; filename="{name}"',
        }
        response = web.StreamResponse(headers=headers)
        add_headers(response)
        chunks = self._chunks(visit.who, visit.login.id, data)
        first = await anext(chunks)  # what fails before the first row is told as a page
        await response.prepare(request)
        whole = False
        try:
            if kind == "csv":
                await response.write(line_of(COLUMNS))
            await response.write(self._written(kind, first))
            async for rows in chunks:
                await response.write(self._written(kind, rows))
            await response.write_eof()
            whole = True
        finally:
            if not whole and request.transport is not None:
                request.transport.abort()
        return response

    async def _chunks(self, who: Session, login_id: int, data: Row) -> AsyncIterator[list[Row]]:
        after: str | None = ""
        while after is not None:
            if not self._lives(login_id):
                raise KycError(Code.UNAUTHENTICATED, "The sign-in has ended")
            page = {**data, **following(after), "limit": CHUNK_ROWS, "look": LOOK}
            found = await self._gateway.run(who, "MngGetKycAudit", page)
            yield found["rows"]
            after = found["next"]

    def _written(self, kind: str, rows: list[Row]) -> bytes:
        if kind == "jsonl":
            return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)
        return b"".join(line_of([self._cell(row, name) for name in COLUMNS]) for row in rows)

    def _cell(self, row: Mapping[str, Any], name: str) -> object:
        if name == "time":
            return machine_time(row["time"])
        if name == "actor":
            return self._people.name(row["actor_session"], row["actor_id"])
        if name == "change":
            return change_of(row)
        return json_text(row["details"]) if name == "details" else row[name]


def line_of(values: Iterable[object]) -> bytes:
    """Return a line of CSV, each of its cells guarded."""
    text = io.StringIO()
    csv.writer(text).writerow([guarded(value) for value in values])
    return text.getvalue().encode()
