"""The dashboard: what was decided and how fast, what waits and what runs out, as figures, tables, plots and CSV."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from kycmanager.backoffice.chosen import Chosen
from kycmanager.backoffice.exports import line_of
from kycmanager.backoffice.paths import PREFIX
from kycmanager.backoffice.people import People
from kycmanager.backoffice.shell import Key, Place, Shell, visit_of
from kycmanager.domain.errors import KycError, invalid
from kycmanager.domain.statistics import DAY_SECONDS, OTHER
from kycmanager.pages.gateway import Gateway
from kycmanager.pages.texts import span

PLACE = Place("dashboard", f"{PREFIX}/dashboard", "Dashboard")
KEYS = (Key("f", "go to the filters"),)
PERIODS = (("7", "7 days"), ("30", "30 days"), ("90", "90 days"), ("365", "a year"))
PERIOD = "30"

TABLES = {
    "days": (
        "day", "submitted", "approved", "rejected", "skipped", "reopened", "first_touch_counted",
        "first_touch_median_seconds", "first_touch_p90_seconds", "decision_counted", "decision_median_seconds",
        "decision_p90_seconds",
    ),
    "reasons": ("decision", "reason", "count"),
    "levels": ("level", "approved"),
    "queue": ("older_than_seconds", "not_older_than_seconds", "cases"),
}  # fmt: skip
"""The tables one can have as CSV, and their columns."""

_MINUTE = 60
_DAY = "%Y-%m-%d"


class Filter(Chosen, frozen=True, kw_only=True):
    """What is shown, as the form and the address have it; `since` and `until` are days, and go before the period."""

    brand: str = ""
    period: str = ""
    since: str = ""
    until: str = ""


def wanted(chosen: Filter, now: int) -> dict[str, Any]:
    """Return filters as the command takes them; raises KycError INVALID_DATA."""
    until = _time_of("until", chosen.until) if chosen.until else now
    if chosen.since:
        since = _time_of("since", chosen.since)
    else:
        period = chosen.period or PERIOD
        if period not in dict(PERIODS):
            raise invalid("period", f"must be one of {', '.join(dict(PERIODS))}")
        since = max(1, until - (int(period) - 1) * DAY_SECONDS)
    brand = {"brand": chosen.brand} if chosen.brand else {}
    return {**brand, "time_from": since, "time_to": until}


def _time_of(name: str, text: str) -> int:
    """Return a second of the day that a field names."""
    try:
        found = datetime.strptime(text, _DAY).replace(tzinfo=UTC)
    except ValueError:
        raise invalid(name, "must be a day like 2026-01-31") from None
    return max(1, int(found.timestamp()))


def day_of(time: int) -> str:
    """Return the day of UTC a time is in."""
    return datetime.fromtimestamp(time, UTC).strftime(_DAY)


def length(seconds: int) -> str:
    """Return a length of time, below a minute in seconds."""
    return f"{seconds} s" if seconds < _MINUTE else span(seconds)


def bands(found: Iterable[Mapping[str, int]]) -> list[dict[str, Any]]:
    """Return the bands of age with what each is called, and where it begins."""
    told, below = [], 0
    for band in found:
        end = band["seconds_max"]
        name = f"up to {_whole(end)}" if end and not below else f"{_whole(below)} to {_whole(end)}"
        told.append(
            {"name": name if end else f"over {_whole(below)}", "above": below, "end": end, "cases": band["cases"]}
        )
        below = end
    return told


def _whole(seconds: int) -> str:
    return f"{seconds // DAY_SECONDS} d" if seconds % DAY_SECONDS == 0 else f"{seconds // 3600} h"


def _rows(table: str, found: Mapping[str, Any]) -> Iterable[tuple[Any, ...]]:
    """Return the rows of a table as they are written down."""
    if table == "days":
        for day in found["days"]:
            times = [day[what][name] for what in ("first_touch", "decision") for name in ("counted", "median", "p90")]
            counts = [day[name] for name in ("submitted", "approved", "rejected", "skipped", "reopened")]
            yield (day_of(day["day"]), *counts, *times)
    elif table == "reasons":
        yield from ((each["kind"], each["reason"], each["decisions"]) for each in found["reasons"])
    elif table == "levels":
        yield from ((each["level"], each["approved"]) for each in found["levels"])
    else:
        yield from ((each["above"], each["end"] or "", each["cases"]) for each in bands(found["queue_age"]["bands"]))


class Dashboard:
    """Shows the figures, and hands them out."""

    def __init__(self, shell: Shell, gateway: Gateway, people: People) -> None:
        self._shell = shell
        self._gateway = gateway
        self._people = people

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the page."""
        return [
            web.get(PLACE.path, self.show),
            web.get(f"{PLACE.path}/numbers", self.send, allow_head=False),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """Show the figures; a filter that cannot be is shown with its fault, and without figures."""
        chosen, fault, found = Filter.of(request.query), "", None
        try:
            found = await self._found(request, chosen)
        except KycError as error:
            fault = error.message
        values = {
            "chosen": chosen,
            "fault": fault,
            "found": found,
            "total": _total(found) if found else {},
            "bands": bands(found["queue_age"]["bands"]) if found else [],
            "periods": PERIODS,
            "period": chosen.period or PERIOD,
            "other": OTHER,
            "length": length,
            "day_of": day_of,
        }
        return self._shell.page(request, "dashboard.html", PLACE.name, values, keys=KEYS)

    async def send(self, request: web.Request) -> web.Response:
        """Send one of the tables as CSV; who took it is in the audit first."""
        table, chosen = request.query.get("table", ""), Filter.of(request.query)
        if table not in TABLES:
            raise invalid("table", f"must be one of {', '.join(TABLES)}")
        found = await self._found(request, chosen)
        noted = {"action": "export", "details": {"statistics": table, "filter": chosen.given}}
        await self._gateway.run(visit_of(request).who, "MngNoteKycAccess", noted)
        lines = [line_of(TABLES[table]), *map(line_of, _rows(table, found))]
        name = f"{table}-{day_of(found['days'][0]['day'])}-{day_of(found['days'][-1]['day'])}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return web.Response(body=b"".join(lines), content_type="text/csv", charset="utf-8", headers=headers)

    async def _found(self, request: web.Request, chosen: Filter) -> dict[str, Any]:
        data = wanted(chosen, self._people.now())
        return await self._gateway.run(visit_of(request).who, "MngGetKycStatistics", data)


def _total(found: Mapping[str, Any]) -> dict[str, int]:
    names = ("submitted", "approved", "rejected", "skipped", "reopened")
    return {name: sum(day[name] for day in found["days"]) for name in names}
