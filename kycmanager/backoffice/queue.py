"""The queue page: the cases that wait, by filters one can keep, and the way to the next one."""

import asyncio
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from msgspec.structs import replace

from kycmanager.backoffice.case_read import path_of
from kycmanager.backoffice.chosen import Chosen, following
from kycmanager.backoffice.guard import PASSIVE, STREAM
from kycmanager.backoffice.live import Live
from kycmanager.backoffice.paths import PREFIX
from kycmanager.backoffice.people import People
from kycmanager.backoffice.recent import Recent
from kycmanager.backoffice.shell import Key, Place, Shell, visit_of
from kycmanager.domain.case import ANY
from kycmanager.domain.enums import RiskLevel, StepStatus
from kycmanager.domain.errors import KycError
from kycmanager.domain.session import Session
from kycmanager.pages import texts
from kycmanager.pages.gateway import Gateway
from kycmanager.pages.http import add_headers, form_of, go, number

PLACE = Place("queue", f"{PREFIX}/queue", "Queue")
EVENTS = f"{PREFIX}/events"

KEYS = (
    Key("j k", "next, previous case"),
    Key("Enter", "open the case"),
    Key("n", "claim the next case that nobody holds, and open it"),
    Key("f", "go to the filters"),
    Key("m", "show more cases"),
)
ROWS = 50
WAITING = (("1", "1 hour"), ("4", "4 hours"), ("24", "1 day"), ("72", "3 days"), ("168", "7 days"))
"""The lengths of waiting one can choose, in hours."""

SEEN_MAX = 10_000
"""Looks at the queue remembered: a page that draws itself anew is the same look."""

_HOUR = 3600
_FILTER_NAME_CHARS_MAX = 64


class Filter(Chosen, frozen=True, kw_only=True):
    """What the queue is filtered by, as the form and the address have it; "" is any."""

    brand: str = ""
    level: str = ""
    step_code: str = ""
    step_status: str = ""
    risk_level: str = ""
    assignee: str = ""
    waiting: str = ""
    order: str = ""


def kept(fields: Mapping[str, Any], session: Session) -> Filter:
    """Read a kept filter, whose values are those of the commands."""
    shown = {name: value for name, value in fields.items() if value != ANY}
    if "assignee" in shown:
        shown["assignee"] = {session.sub: "me", 0: "nobody"}.get(shown["assignee"], shown["assignee"])
    return Filter.of(shown)


def wanted(chosen: Filter, session: Session, now: int) -> dict[str, Any]:
    """Return filters as the commands take them; raises KycError INVALID_DATA."""
    data: dict[str, Any] = {name: value for name in ("brand", "step_code", "order") if (value := getattr(chosen, name))}
    for name in ("level", "step_status", "risk_level"):
        if value := getattr(chosen, name):
            data[name] = number(chosen.given, name)
    if chosen.assignee:
        known = {"me": session.sub, "nobody": 0}
        data["assignee"] = known[chosen.assignee] if chosen.assignee in known else number(chosen.given, "assignee")
        if chosen.assignee == "me":
            data["assignee_session"] = int(session.type)
    if chosen.waiting:
        data["waiting_to"] = max(0, now - number(chosen.given, "waiting") * _HOUR)
    return data


class Queue:
    """Shows the queue, keeps filters, gives out cases, and tells open pages what happens."""

    def __init__(self, shell: Shell, gateway: Gateway, people: People, live: Live) -> None:
        self._shell = shell
        self._gateway = gateway
        self._people = people
        self._live = live
        self._seen: Recent[tuple[int, str], None] = Recent()

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the page."""
        return [
            web.get(PREFIX, self.enter),
            web.get(f"{PREFIX}/", self.enter),
            web.get(PLACE.path, self.show),
            web.get(f"{PLACE.path}/rows", self.rows),
            web.post(f"{PLACE.path}/next", self.next),
            web.post(f"{PLACE.path}/filters", self.keep),
            web.post(f"{PLACE.path}/filters/remove", self.forget),
            web.get(EVENTS, self.events, name=STREAM, allow_head=False),
        ]

    async def enter(self, _request: web.Request) -> web.Response:
        """Begin the day at the queue."""
        return go(PLACE.path)

    async def show(self, request: web.Request) -> web.Response:
        """Show the first cases; a filter that cannot be is shown with its fault."""
        chosen, fault, who = Filter.of(request.query), "", visit_of(request).who
        try:
            page = await self._page(request, chosen)
        except KycError as error:
            page, fault = _nothing(chosen), error.message
        saved = await self._gateway.run(who, "MngGetKycFilters")
        values = {
            **page,
            "partial": False,
            "fault": fault,
            "saved": [
                {"name": row["name"], "address": found.address, "on": found.given == chosen.given}
                for row in saved["rows"]
                if (found := kept(row["filter"], who))
            ],
            "keepable": replace(chosen, waiting="").given,
            "statuses": texts.choices(StepStatus),
            "risks": texts.choices(RiskLevel),
            "waits": WAITING,
            "live": EVENTS,
        }
        return self._shell.page(request, "queue.html", PLACE.name, values, keys=KEYS)

    async def rows(self, request: web.Request) -> web.Response:
        """Return further cases, or the first ones anew."""
        page = await self._page(request, Filter.of(request.query), request.query.get("after", ""))
        return self._shell.fragment(request, "parts/queue_rows.html", {**page, "partial": True})

    async def _page(self, request: web.Request, chosen: Filter, after: str = "") -> dict[str, Any]:
        who, now = visit_of(request).who, self._people.now()
        data = {**wanted(chosen, who, now), "limit": ROWS, **following(after)}
        found, _ = await asyncio.gather(
            self._gateway.run(who, "MngGetKycQueue", data), self._note(request, chosen, after)
        )
        rows = [
            {
                **row,
                "path": path_of(row["kyc_id"]),
                "waited": now - row["waiting_since"],
                "holder": self._people.holder(who, row),
            }
            for row in found["rows"]
        ]
        return {
            "rows": rows,
            "count": found["count"],
            "capped": found.get("count_capped", False),
            "next": found["next"],
            "chosen": chosen,
            "first": not after,
        }

    async def _note(self, request: web.Request, chosen: Filter, after: str) -> None:
        """Write the look into the audit; what a page that was looked at asks for by itself is not another one."""
        visit = visit_of(request)
        assert visit.login is not None
        look = visit.login.id, chosen.address
        known = look in self._seen
        self._seen.keep(look, None, SEEN_MAX)
        if after or not (known and request.headers.get(PASSIVE) == "1"):
            details = {"queue": chosen.given, **following(after)}
            await self._gateway.run(visit.who, "MngNoteKycAccess", {"action": "search", "details": details})

    async def next(self, request: web.Request) -> web.Response:
        """Claim the next case of the filters, and open it."""
        form, who = form_of(request), visit_of(request).who
        chosen = Filter.of(form)
        data = wanted(chosen, who, self._people.now())
        data.pop("assignee", None)  # what is given out is what nobody holds
        if "leaving" in form:
            data["leaving"] = number(form, "leaving")
        case = (await self._gateway.run(who, "MngNextKycCase", data))["case"]
        if case is None:
            which = "No other case is free" if "leaving" in form else "No case is free"
            self._shell.tell(request, f"{which} that fits these filters." if chosen.given else f"{which} now.")
            return go(f"{PLACE.path}{chosen.address}")
        return go(path_of(case["kyc_id"]))

    async def keep(self, request: web.Request) -> web.Response:
        """Keep the filters under a name, all but the length of waiting, which means another time every day."""
        form, who = form_of(request), visit_of(request).who
        chosen = replace(Filter.of(form), waiting="")
        name = form.get("name", "").strip()[:_FILTER_NAME_CHARS_MAX]
        try:
            data = {"name": name, "filter": wanted(chosen, who, 0)}
            await self._gateway.run(who, "MngSaveKycFilter", data)
        except KycError as error:
            self._shell.tell(request, f"The filter is not kept. {error.message}.", kind="fault")
        else:
            self._shell.tell(request, f"The filter “{name}” is kept.")
        return go(f"{PLACE.path}{chosen.address}")

    async def forget(self, request: web.Request) -> web.Response:
        """Forget a kept filter."""
        name = form_of(request).get("name", "")
        await self._gateway.run(visit_of(request).who, "MngDeleteKycFilter", {"name": name})
        self._shell.tell(request, f"The filter “{name}” is forgotten.")
        return go(PLACE.path)

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Tell this page of what happens, until it goes."""
        visit = visit_of(request)
        assert visit.login is not None
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        add_headers(response)
        await self._live.serve(request, response, visit.who, visit.login.id)
        return response


def _nothing(chosen: Filter) -> dict[str, Any]:
    return {"rows": [], "count": 0, "capped": False, "next": None, "chosen": chosen, "first": True}
