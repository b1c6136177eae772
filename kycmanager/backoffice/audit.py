"""The audit explorer: who did what to whom, by filters, page by page, and where the chain of the audit ends."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from kycmanager.backoffice.case_read import path_of
from kycmanager.backoffice.case_story import moved
from kycmanager.backoffice.chosen import Chosen, following
from kycmanager.backoffice.paths import PREFIX
from kycmanager.backoffice.people import People
from kycmanager.backoffice.shell import Key, Place, Shell, visit_of
from kycmanager.contract.feed import ACTIONS
from kycmanager.domain.errors import Code, KycError, invalid
from kycmanager.domain.json_text import json_text
from kycmanager.pages import texts
from kycmanager.pages.gateway import Gateway

PLACE = Place("audit", f"{PREFIX}/audit", "Audit")
KEYS = (
    Key("j k", "next, previous row"),
    Key("Enter", "open the case of the row"),
    Key("f", "go to the filters"),
    Key("m", "show more rows, or look further back"),
)
ROWS = 50
LOOK = 10_000
"""Rows looked at for one answer, so that it comes soon however rare what is looked for is."""

_DIGITS_MAX = 16
_MINUTE_CHARS, _DAY_CHARS = len("2026-01-31T23:59"), len("2026-01-31")
_TIMES = frozenset({"expire_time", "expires", "lease_until", "not_before"})
"""The details that are times."""


class Filter(Chosen, frozen=True, kw_only=True):
    """What is looked for, as the form and the address have it; "" is any. `actor` is a user's name or a number."""

    customer: str = ""
    case: str = ""
    actor: str = ""
    action: str = ""
    step: str = ""
    document: str = ""
    brand: str = ""
    since: str = ""
    until: str = ""


def wanted(chosen: Filter, people: People) -> dict[str, Any]:
    """Return filters as the command takes them; raises KycError INVALID_DATA."""
    data: dict[str, Any] = {name: value for name in ("action", "brand") if (value := getattr(chosen, name))}
    for name, field in (
        ("customer", "customer_id"),
        ("case", "kyc_id"),
        ("step", "step_id"),
        ("document", "document_id"),
    ):
        if text := getattr(chosen, name):
            data[field] = _number(name, text)
    if chosen.actor:
        data["actor_id"] = people.number(chosen.actor) or _number("actor", chosen.actor)
    if chosen.since:
        data["time_from"] = _moment("since", chosen.since)[0]
    if chosen.until:
        data["time_to"] = _moment("until", chosen.until)[1]
    return data


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX and int(text)):
        raise invalid(
            name, "must be a number above 0" if name != "actor" else "is no user's name and no number above 0"
        )
    return int(text)


def _moment(name: str, text: str) -> tuple[int, int]:
    """Return the first and the last second of a day, a minute or a second in UTC."""
    try:
        first = int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())
    except (ValueError, OverflowError):
        first = 0
    if first <= 0:
        raise invalid(name, "must be a day such as 2026-01-31, or a time such as 2026-01-31T09:30, in UTC")
    return first, first + {_DAY_CHARS: 86_399, _MINUTE_CHARS: 59}.get(len(text), 0)


class Audit:
    """Shows the audit. Looking at it is a look at personal data, and so in the audit itself."""

    def __init__(self, shell: Shell, gateway: Gateway, people: People) -> None:
        self._shell = shell
        self._gateway = gateway
        self._people = people

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the page."""
        return [web.get(PLACE.path, self.show), web.get(f"{PLACE.path}/rows", self.rows)]

    async def show(self, request: web.Request) -> web.Response:
        """Show the newest rows; a filter that cannot be is shown with its fault."""
        chosen, fault = Filter.of(request.query), ""
        try:
            page = await self._page(request, chosen)
        except KycError as error:
            if error.code is not Code.INVALID_DATA:
                raise
            page, fault = {"chosen": chosen, "rows": [], "count": 0, "capped": False, "next": None}, error.message
        who = visit_of(request).who
        values = {
            **page,
            "partial": False,
            "fault": fault,
            "head": await self._gateway.run_local(who, "SysGetAuditHead", {}),
            "actions": [name for name, _ in ACTIONS],
        }
        return self._shell.page(request, "audit.html", PLACE.name, values, keys=KEYS)

    async def rows(self, request: web.Request) -> web.Response:
        """Return further rows."""
        page = await self._page(request, Filter.of(request.query), request.query.get("after", ""))
        return self._shell.fragment(request, "parts/audit_rows.html", {**page, "partial": True})

    async def _page(self, request: web.Request, chosen: Filter, after: str = "") -> dict[str, Any]:
        who, data = visit_of(request).who, wanted(chosen, self._people)
        cursor = following(after)
        looked = {"action": "search", "details": {"audit": chosen.given, **cursor}}
        await self._gateway.run(who, "MngNoteKycAccess", looked)
        found = await self._gateway.run(who, "MngGetKycAudit", {**data, **cursor, "limit": ROWS, "look": LOOK})
        return {
            "chosen": chosen,
            "rows": [self._row(row) for row in found["rows"]],
            "count": found["count"],
            "capped": found.get("count_capped", False),
            "next": found["next"],
        }

    def _row(self, row: dict[str, Any]) -> dict[str, Any]:
        return {
            **row,
            "actor": self._people.name(row["actor_session"], row["actor_id"]),
            "path": path_of(row["kyc_id"]) if row["kyc_id"] else "",
            "target": [
                (word, row[field])
                for word, field in (("step", "step_id"), ("document", "document_id"), ("template", "template_id"))
                if row[field]
            ],
            "change": change_of(row),
            "facts": [(name.replace("_", " "), said(value, name)) for name, value in row["details"].items()],
        }


def change_of(row: Mapping[str, Any]) -> str:
    """Return what became of the status in words, "" where it stayed; a row of an unknown kind shows the numbers."""
    before, after = row["old_status"], row["new_status"]
    if before == after:
        return ""
    before, after = moved(row) or (before, after)
    return f"{before} → {after}"


def said(value: object, name: str = "") -> str:
    """Return a value of the details as people read it; `name` tells whether a number is a time."""
    if name in _TIMES and type(value) is int and value:
        return f"{texts.moment(value)} UTC"
    if isinstance(value, list) and all(isinstance(each, str | int) for each in value):
        return ", ".join(str(each) for each in value) or "none"
    if isinstance(value, dict) and all(isinstance(each, str | int) for each in value.values()):
        return ", ".join(f"{name} {each}" for name, each in value.items()) or "everything"
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    return str(value) if isinstance(value, str | int | float) else json_text(value)
