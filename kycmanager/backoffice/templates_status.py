"""Disabling, enabling and archiving a template: what it means, asked for once more before it is done."""

from typing import Any

from aiohttp import web
from msgspec import Struct

from kycmanager.backoffice import templates_changes
from kycmanager.backoffice.shell import Key, Shell, visit_of
from kycmanager.backoffice.templates_checks import UPDATE, impact_of
from kycmanager.backoffice.templates_draft import origin_of, read_origin
from kycmanager.backoffice.templates_edit import SHOW
from kycmanager.backoffice.templates_list import PLACE, path_of
from kycmanager.domain.enums import TemplateStatus
from kycmanager.domain.errors import Code, KycError, not_found
from kycmanager.domain.json_text import json_text
from kycmanager.domain.session import Session
from kycmanager.pages.gateway import Gateway
from kycmanager.pages.http import form_of, go, number

DELETE = "MngDeleteKycStepTemplate"
KEYS = (Key("s", "do it"),)

_PLACE = f"{PLACE.path}/{{id:[0-9]{{1,16}}}}/status"


class Deed(Struct, frozen=True, kw_only=True):
    """Something one can do to a template: in which status it is afterwards, by which command, and its words."""

    status: TemplateStatus
    command: str
    title: str
    done: str


DEEDS = {
    "enable": Deed(status=TemplateStatus.ACTIVE, command=UPDATE, title="Enable", done="is active now"),
    "disable": Deed(status=TemplateStatus.DISABLED, command=UPDATE, title="Disable", done="is disabled now"),
    "archive": Deed(status=TemplateStatus.ARCHIVED, command=DELETE, title="Archive", done="is archived now"),
}


class TemplateStatusPage:
    """Asks, then does."""

    def __init__(self, shell: Shell, gateway: Gateway) -> None:
        self._shell = shell
        self._gateway = gateway

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the page."""
        return [web.get(_PLACE, self.ask), web.post(_PLACE, self.do)]

    async def ask(self, request: web.Request) -> web.Response:
        """Tell what it means, and ask."""
        template = await self._template(request)
        return await self._page(request, template, _deed(request.query.get("to", "")))

    async def do(self, request: web.Request) -> web.Response:
        """Do it, unless the template was changed since it was asked."""
        form, who = form_of(request), visit_of(request).who
        name = form.get("to", "")
        deed, template_id = _deed(name)[1], int(request.match_info["id"])
        data: dict[str, Any] = {"id": template_id, "version": number(form, "version")}
        if deed.command == UPDATE:
            data["status"] = deed.status
        before = await self._template(request)
        try:
            await self._gateway.run(who, deed.command, data)
        except KycError as error:
            if error.code is not Code.STALE_VERSION:
                raise
            changes = templates_changes.since(read_origin(form.get("origin", "")), before)
            return await self._page(request, before, _deed(name), changes=changes)
        if deed.command == DELETE and not await self._is_there(who, template_id):
            self._shell.tell(request, f"The template “{before['code']}” is removed.")
            return go(PLACE.path)
        self._shell.tell(request, f"The template “{before['code']}” {deed.done}.")
        return go(path_of(template_id))

    async def _page(
        self,
        request: web.Request,
        template: dict[str, Any],
        wanted: tuple[str, Deed],
        *,
        changes: list[templates_changes.Change] | None = None,
    ) -> web.Response:
        who = visit_of(request).who
        name, deed = wanted
        impact = await impact_of(self._gateway, who, template, template["id"], deed.status)
        assert impact is not None  # its brand and level were good when it was saved
        values = {
            "template": template,
            "to": name,
            "deed": deed,
            "removes": deed.command == DELETE and not impact["profiles_using"],
            "impact": impact,
            "changes": changes,
            "origin": json_text(origin_of(template)),
            "path": path_of(template["id"]),
            "may_change": self._gateway.may(who, deed.command),
        }
        return self._shell.page(request, "template_status.html", PLACE.name, values, keys=KEYS)

    async def _template(self, request: web.Request) -> dict[str, Any]:
        data = {"id": int(request.match_info["id"])}
        found: dict[str, Any] = (await self._gateway.run(visit_of(request).who, SHOW, data))["template"]
        return found

    async def _is_there(self, who: Session, template_id: int) -> bool:
        try:
            await self._gateway.run(who, SHOW, {"id": template_id})
        except KycError:
            return False
        return True


def _deed(name: str) -> tuple[str, Deed]:
    if name not in DEEDS:
        raise not_found("page")
    return name, DEEDS[name]
