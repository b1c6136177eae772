"""The editor of a step template: the form as people edit it, its faults, whom it concerns, and the saving."""

from typing import Any

from aiohttp import web
from msgspec.structs import replace

from kycmanager.backoffice import templates_changes, templates_draft
from kycmanager.backoffice.paths import PREFIX
from kycmanager.backoffice.shell import Key, Shell, visit_of
from kycmanager.backoffice.templates_actions import act
from kycmanager.backoffice.templates_checks import UPDATE, Preview, faults_of, impact_of, of_refusal, slot, title, told
from kycmanager.backoffice.templates_draft import JSON, Draft
from kycmanager.backoffice.templates_list import ADD, PLACE, path_of
from kycmanager.backoffice.templates_view import cards
from kycmanager.domain.enums import StepType, TemplateStatus
from kycmanager.domain.errors import Code, KycError
from kycmanager.domain.form_schema import Fault
from kycmanager.domain.json_text import json_text
from kycmanager.domain.session import Session
from kycmanager.pages import texts
from kycmanager.pages.gateway import Gateway
from kycmanager.pages.http import LARGE, form_of, go, is_partial
from kycmanager.pages.messages import Messages

SHOW = "MngGetKycStepTemplate"
DRAFT = f"{PLACE.path}/draft"
KEYS = (
    Key("s", "see what saving changes, then save"),
    Key("c", "begin a new template that is like this one"),
    Key("v", "edit as JSON, or as fields"),
)

_ID = "{id:[0-9]{1,16}}"


class TemplateEdit:
    """Edits a template; what is being edited stands in the page alone until it is saved."""

    def __init__(self, shell: Shell, gateway: Gateway, messages: Messages) -> None:
        self._shell = shell
        self._gateway = gateway
        self._preview = Preview(messages)

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the page."""
        return [
            web.get(f"{PLACE.path}/new", self.new),
            web.post(DRAFT, self.draft, name=LARGE),
            web.get(f"{PLACE.path}/{_ID}", self.show),
        ]

    async def new(self, request: web.Request) -> web.Response:
        """Begin a new template, like another one where the address names one."""
        visit = visit_of(request)
        like = request.query.get("from", "")
        if like.isascii() and like.isdigit():
            draft = templates_draft.clone(await self._template(visit.who, int(like)))
        else:
            draft = templates_draft.fresh(visit.brands[0] if len(visit.brands) == 1 else "")
        return await self._page(request, draft, focus="code", judged=[])  # nothing is wrong before anything is typed

    async def show(self, request: web.Request) -> web.Response:
        """Show a template in the editor; one of another brand is as unknown as one that is not there."""
        template = await self._template(visit_of(request).who, int(request.match_info["id"]))
        return await self._page(request, templates_draft.of_template(template))

    async def draft(self, request: web.Request) -> web.Response:
        """Take what stands in the editor, do what the button says, and show it anew; only `save` keeps anything."""
        form = form_of(request)
        draft, do = templates_draft.read(form), form.get("do", "")
        if do in {"review", "save"}:
            return await self._saved(request, draft, confirmed=do == "save")
        if do == "rebase":
            return await self._page(request, await self._rebased(visit_of(request).who, draft))
        draft, focus = act(draft, do, form.get("language", ""))
        target = request.headers.get("HX-Target", "") if is_partial(request) else ""
        if target in {"side", "preview"}:
            values = await self._values(request, draft)
            return self._shell.fragment(request, f"parts/template_{target}.html", {**values, "partial": True})
        return await self._page(request, draft, focus=focus)

    async def _saved(self, request: web.Request, draft: Draft, *, confirmed: bool) -> web.Response:
        who = visit_of(request).who
        current = await self._template(who, draft.id) if draft.id else None
        if current is not None and current["version"] != draft.version:
            return await self._page(request, draft, stale=current)
        faults = faults_of(self._gateway, who, draft)
        if faults:
            return await self._page(request, draft, judged=faults)
        if not confirmed:
            return await self._confirm(request, draft, current)
        try:
            template = await self._save(who, draft)
        except KycError as error:
            if error.code is Code.STALE_VERSION and draft.id:
                return await self._page(request, draft, stale=await self._template(who, draft.id))
            refused = of_refusal(error)
            if error.code is Code.NOT_FOUND:
                refused = [Fault("brand", "not_found", "is no brand of yours")]
            if not refused:
                raise
            return await self._page(request, draft, judged=refused)
        self._shell.tell(request, f"The template “{template['code']}” is saved as version {template['version']}.")
        return leave(request, path_of(template["id"]))

    async def _save(self, who: Session, draft: Draft) -> dict[str, Any]:
        if draft.id:
            data = {"id": draft.id, "version": draft.version, **draft.data}
            return (await self._gateway.run(who, UPDATE, data))["template"]  # type: ignore[no-any-return]
        return (await self._gateway.run(who, ADD, draft.data))["template"]  # type: ignore[no-any-return]

    async def _rebased(self, who: Session, draft: Draft) -> Draft:
        """Return the draft as if it had begun with what is saved now."""
        current = await self._template(who, draft.id)
        return replace(draft, version=current["version"], origin=templates_draft.origin_of(current))

    async def _confirm(self, request: web.Request, draft: Draft, current: dict[str, Any] | None) -> web.Response:
        status = current["status"] if current else TemplateStatus.ACTIVE
        values = {
            "draft": draft,
            "carried": self._carried(draft),
            "current": current,
            "changes": templates_changes.between(current, draft.data) if current else [],
            "impact": await impact_of(self._gateway, visit_of(request).who, draft.data, draft.id, status),
            "action": DRAFT,
        }
        return self._answer(request, "confirm", draft, values)

    async def _page(
        self,
        request: web.Request,
        draft: Draft,
        *,
        focus: str = "",
        judged: list[Fault] | None = None,
        stale: dict[str, Any] | None = None,
    ) -> web.Response:
        values = await self._values(request, draft, judged)
        faults = values["faults"]
        if judged:
            focus = faults[0]["slot"]
        news = None
        if stale is not None:
            mine = templates_changes.between(stale, draft.data) if not faults else []
            news = {"current": stale, "theirs": templates_changes.since(draft.origin, stale), "mine": mine}
        values |= {"focus": slot(focus), "stale": news, "partial": False}
        return self._answer(request, "editor", draft, values)

    def _answer(self, request: web.Request, part: str, draft: Draft, values: dict[str, Any]) -> web.Response:
        if is_partial(request):
            return self._shell.fragment(request, f"parts/template_{part}.html", values)
        around = {"part": f"parts/template_{part}.html", "draft": draft, "path": path_of(draft.id)}
        return self._shell.page(request, "template.html", PLACE.name, {**around, **values}, keys=KEYS)

    async def _values(self, request: web.Request, draft: Draft, judged: list[Fault] | None = None) -> dict[str, Any]:
        """Return what the editor and its side show of a draft."""
        who, gateway = visit_of(request).who, self._gateway
        may_save = gateway.may(who, UPDATE if draft.id else ADD)
        faults = judged if judged is not None else faults_of(gateway, who, draft) if may_save else []
        status = draft.origin.get("status", TemplateStatus.ACTIVE) if draft.id else TemplateStatus.ACTIVE
        seen = told(faults if draft.view != JSON else [_of_json(each) for each in faults])
        at: dict[str, str] = {}
        for each in seen:
            at[each["slot"]] = f"{at[each['slot']]}; {each['message']}" if each["slot"] in at else each["message"]
        form = form_of(request) if request.method == "POST" else {}
        do = form.get("do", "")
        sent = {} if do == "forget" else form
        handed_in = do == "hand-in" or sent.get("handed_in", "") == "1"
        return {
            "draft": draft,
            "status": status,
            "faults": seen,
            "at": at,
            "slot": slot,
            "title": title,
            "form": cards(draft),
            "carried": self._carried(draft),
            "impact": await impact_of(gateway, who, draft.data, draft.id, status),
            "preview": self._preview.drawn(draft, sent, handed_in=handed_in),
            "may_save": may_save,
            "may_add": gateway.may(who, ADD),
            "may_change": gateway.may(who, UPDATE),
            "kinds": texts.choices(StepType),
            "action": DRAFT,
            "back": PLACE.path,
            "path": path_of(draft.id),
            "prefix": PREFIX,
            "focus": "",
        }

    @staticmethod
    def _carried(draft: Draft) -> dict[str, str]:
        """Return the JSON of a draft for hidden fields."""
        held = {"form_schema": draft.schema, "requirements": draft.requirements}
        return {name: draft.raw.get(name) or json_text(value) for name, value in held.items()}

    async def _template(self, who: Session, template_id: int) -> dict[str, Any]:
        return (await self._gateway.run(who, SHOW, {"id": template_id}))["template"]  # type: ignore[no-any-return]


def leave(request: web.Request, path: str) -> web.Response:
    """Send the browser to another page, whichever way it asked."""
    if is_partial(request):
        return web.Response(status=204, headers={"HX-Redirect": path})
    return go(path)


def _of_json(fault: Fault) -> Fault:
    """Return a fault of the form where the JSON view shows it: at its one text."""
    if fault.field.startswith("sections"):
        return Fault("form_schema", fault.code, f"{fault.field} {fault.message}")
    return fault
