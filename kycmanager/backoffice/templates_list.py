"""The page of the step templates: what each brand asks, by filters, with how many use it."""

from typing import Any

from aiohttp import web

from kycmanager.backoffice.chosen import Chosen, following
from kycmanager.backoffice.paths import PREFIX
from kycmanager.backoffice.shell import Key, Place, Shell, visit_of
from kycmanager.domain.enums import TemplateStatus
from kycmanager.domain.errors import KycError, invalid
from kycmanager.pages import texts
from kycmanager.pages.gateway import Gateway

PLACE = Place("templates", f"{PREFIX}/templates", "Templates")
KEYS = (
    Key("j k", "next, previous template"),
    Key("Enter", "open the template"),
    Key("n", "begin a new template"),
    Key("f", "go to the filters"),
    Key("m", "show more templates"),
)
ROWS = 50
LIST, ADD = "MngGetKycStepTemplates", "MngAddKycStepTemplate"
IMPACT = "MngGetKycTemplateImpact"

_DIGITS_MAX = 9


def path_of(template_id: int) -> str:
    """Return where a template stands."""
    return f"{PLACE.path}/{template_id}"


class Filter(Chosen, frozen=True, kw_only=True):
    """What the list is filtered by, as the address has it; "" is any."""

    brand: str = ""
    level: str = ""
    status: str = ""


def wanted(chosen: Filter) -> dict[str, Any]:
    """Return filters as the command takes them; raises KycError INVALID_DATA."""
    data: dict[str, Any] = {"brand": chosen.brand} if chosen.brand else {}
    for name in ("level", "status"):
        text = getattr(chosen, name)
        if text and not (text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX):
            raise invalid(name, "must be a number")
        if text:
            data[name] = int(text)
    return data


class TemplateList:
    """Shows the templates."""

    def __init__(self, shell: Shell, gateway: Gateway) -> None:
        self._shell = shell
        self._gateway = gateway

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the page."""
        return [web.get(PLACE.path, self.show), web.get(f"{PLACE.path}/rows", self.rows)]

    async def show(self, request: web.Request) -> web.Response:
        """Show the first templates; a filter that cannot be is shown with its fault."""
        chosen, fault, who = Filter.of(request.query), "", visit_of(request).who
        try:
            page = await self._page(request, chosen)
        except KycError as error:
            if error.data is None:
                raise
            page = {"rows": [], "count": 0, "capped": False, "next": None, "chosen": chosen}
            fault = error.message
        values = {
            **page,
            "fault": fault,
            "statuses": texts.choices(TemplateStatus),
            "may_add": self._gateway.may(who, ADD),
        }
        return self._shell.page(request, "templates.html", PLACE.name, values, keys=KEYS)

    async def rows(self, request: web.Request) -> web.Response:
        """Return further templates."""
        page = await self._page(request, Filter.of(request.query), request.query.get("after", ""))
        return self._shell.fragment(request, "parts/template_rows.html", page)

    async def _page(self, request: web.Request, chosen: Filter, after: str = "") -> dict[str, Any]:
        who = visit_of(request).who
        data = {**wanted(chosen), "limit": ROWS, **following(after)}
        found = await self._gateway.run(who, LIST, data)
        rows = []
        for row in found["rows"]:
            about = {name: row[name] for name in ("id", "brand", "level")}
            impact = await self._gateway.run(who, IMPACT, about)
            fields = sum(len(section.get("fields", ())) for section in row["form_schema"].get("sections", ()))
            rows.append({**row, "path": path_of(row["id"]), "using": impact["profiles_using"], "fields": fields})
        return {
            "rows": rows,
            "count": found["count"],
            "capped": found.get("count_capped", False),
            "next": found["next"],
            "chosen": chosen,
        }
