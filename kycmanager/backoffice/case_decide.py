"""Deciding on the page of a case: only what the page that was looked at still shows is decided on."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web
from msgspec import Struct

from kycmanager.backoffice.case_read import CASES, CONFLICT, CaseReader, path_of
from kycmanager.backoffice.case_story import document_name
from kycmanager.backoffice.case_view import mark_of
from kycmanager.backoffice.shell import Shell, visit_of
from kycmanager.domain.errors import Code, KycError, invalid, not_found
from kycmanager.pages.gateway import Gateway
from kycmanager.pages.http import form_of, go, id_of, is_partial, number

_DAY = timedelta(days=1)


class Decision(Struct, frozen=True):
    """A decision: on "steps" or "documents", its command, what it takes of the form, and how it is told."""

    kind: str
    name: str
    command: str
    takes: tuple[str, ...]
    done: str


DECISIONS = (
    Decision("steps", "approve", "MngApproveKycStep", ("comment",), "Approved"),
    Decision("steps", "reject", "MngRejectKycStep", ("reason", "comment"), "Rejected"),
    Decision("steps", "skip", "MngSkipKycStep", ("reason",), "Skipped"),
    Decision("steps", "reopen", "MngReopenKycStep", ("comment",), "The rejection is taken back"),
    Decision("documents", "approve", "MngApproveKycDocument", ("comment",), "Approved"),
    Decision("documents", "reject", "MngRejectKycDocument", ("reason", "comment"), "Rejected"),
)
_REASONED = frozenset({"reject", "skip"})


def _end_of(day: str) -> int:
    """Return the last second of a day, in UTC; raises KycError INVALID_DATA."""
    try:
        first = datetime.fromisoformat(f"{day}T00:00:00+00:00")
        return int((first + _DAY).timestamp()) - 1
    except (ValueError, OverflowError):
        raise invalid("expires", "must be a day such as 2030-01-31") from None


class CaseDecisions:
    """Runs the decisions; one from a page that is out of date is refused, and the page says what has changed."""

    def __init__(self, shell: Shell, gateway: Gateway, reader: CaseReader) -> None:
        self._shell = shell
        self._gateway = gateway
        self._reader = reader

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of all decisions."""
        place = f"{CASES}/{{kyc_id}}"
        decisions = [
            web.post(f"{place}/{each.kind}/{{record_id}}/{each.name}", self._handler(each)) for each in DECISIONS
        ]
        return [*decisions, web.post(f"{place}/risk", self.risk)]

    def _handler(self, decision: Decision) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def decide(request: web.Request) -> web.Response:
            return await self._decide(request, decision)

        return decide

    async def _decide(self, request: web.Request, decision: Decision) -> web.Response:
        form, record_id = form_of(request), id_of(request, "record_id", decision.kind[:-1])
        found = await self._found(request)
        record = next((each for each in found[decision.kind] if each["id"] == record_id), None)
        if record is None:
            raise not_found(decision.kind[:-1])
        if decision.name in _REASONED and not form.get("reason", "").strip():
            raise invalid("reason", "is required; say why")
        name = document_name(record) if decision.kind == "documents" else record["name"] or record["code"]
        data: dict[str, Any] = {"id": record_id, **{field: form.get(field, "").strip() for field in decision.takes}}
        done = decision.done
        if decision.name == "approve" and (day := form.get("expires", "").strip()):
            data["expire_time"] = _end_of(day)
            done = f"{done} until {day}"
        return await self._run(request, found, decision.command, data, f"{done}: {name}.")

    async def risk(self, request: web.Request) -> web.Response:
        """Set the risk of the customer."""
        found = await self._found(request)
        profile, form = found["profile"], form_of(request)
        data = {
            "customer_id": profile["customer_id"],
            "brand": profile["brand"],
            "risk_level": number(form, "risk_level"),
            "reason": form.get("reason", "").strip(),
        }
        return await self._run(request, found, "MngSetKycRisk", data, "The risk is set.")

    async def _found(self, request: web.Request) -> dict[str, Any]:
        return await self._reader.profile(visit_of(request).who, id_of(request, "kyc_id", "case"))

    async def _run(
        self, request: web.Request, found: dict[str, Any], command: str, data: dict[str, Any], said: str
    ) -> web.Response:
        who, form, kyc_id = visit_of(request).who, form_of(request), found["profile"]["id"]
        if mark_of(found) != form.get("mark", ""):
            return await self._refused(request, kyc_id, "")
        try:
            await self._gateway.run(who, command, {**data, "version": number(form, "version")})
        except KycError as error:
            if error.code.status != CONFLICT:
                raise
            said = "" if error.code is Code.STALE_VERSION else f"{error.message}."
            return await self._refused(request, kyc_id, said)
        if not is_partial(request):
            self._shell.tell(request, said)
            return go(path_of(kyc_id))
        values = await self._reader.whole(who, kyc_id)
        return self._shell.fragment(request, "parts/case_drawn.html", {**values, "said": said, "partial": True})

    async def _refused(self, request: web.Request, kyc_id: int, why: str) -> web.Response:
        """Show the case as it is now, with what has changed since the page was drawn; nothing was decided."""
        who = visit_of(request).who
        await self._gateway.run(who, "MngNoteKycAccess", {"action": "view", "kyc_id": kyc_id})
        stale = await self._reader.since(who, kyc_id, number(form_of(request), "seen"))
        values = {**await self._reader.whole(who, kyc_id), "stale": stale, "said": why}
        if is_partial(request):
            drawn = {**values, "partial": True}
            return self._shell.fragment(request, "parts/case_drawn.html", drawn, status=CONFLICT)
        return self._shell.page(request, "case.html", "queue", values, status=CONFLICT)
