"""The page of one case: where the customer stands, what was asked and handed in, who works on it, what happened."""

from typing import Any

from aiohttp import web

from kycmanager.backoffice.case_files import CaseFiles
from kycmanager.backoffice.case_read import CASES, CONFLICT, CaseReader, path_of
from kycmanager.backoffice.case_view import holder_mark, mark_of
from kycmanager.backoffice.people import People
from kycmanager.backoffice.shell import Key, Shell, visit_of
from kycmanager.domain.errors import KycError
from kycmanager.pages.gateway import Gateway
from kycmanager.pages.http import form_of, go, id_of, is_partial, number

KEYS = (
    Key("j k", "next, previous step"),
    Key("Enter", "open the first file of the marked step"),
    Key("d", "mark and open the next document"),
    Key("a", "approve what is marked: the step, or the document"),
    Key("e", "approve what is marked until a day"),
    Key("r", "reject what is marked, with a reason"),
    Key("u", "undo the rejection of the marked step"),
    Key("+ - 0", "larger, smaller, as large as fits"),
    Key("[ ]", "turn the picture to the left, to the right"),
    Key("← →", "previous, next page"),
    Key("s", "front and back, or two pages, side by side"),
    Key("c", "claim the case, or keep it for another while"),
    Key("x", "let the case go"),
    Key("n", "claim the next case that nobody holds, and open it"),
    Key("w", "write a note"),
    Key("l", "make a one-time link for the customer"),
    Key("m", "show more of the history"),
)


class Case:
    """Shows a case, its claim, its notes and its history."""

    def __init__(self, shell: Shell, gateway: Gateway, people: People, reader: CaseReader, files: CaseFiles) -> None:
        self._shell = shell
        self._gateway = gateway
        self._people = people
        self._reader = reader
        self._files = files

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the page."""
        place = f"{CASES}/{{kyc_id}}"
        return [
            web.get(place, self.show),
            web.post(f"{place}/claim", self.claim),
            web.post(f"{place}/take-over", self.take_over),
            web.post(f"{place}/release", self.release),
            web.post(f"{place}/notes", self.note),
            web.get(f"{place}/history", self.history),
            web.get(f"{place}/changes", self.changes),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """Show the case; one of another brand is as unknown as one that is not there."""
        visit, kyc_id = visit_of(request), id_of(request, "kyc_id", "case")
        await self._gateway.run(visit.who, "MngNoteKycAccess", {"action": "view", "kyc_id": kyc_id})
        self._files.shown(visit, kyc_id)
        values = await self._reader.whole(visit.who, kyc_id)
        if file_id := request.query.get("file", ""):
            values["viewer"] = await self._files.opened(request, kyc_id, file_id)
        return self._shell.page(request, "case.html", "queue", values, keys=KEYS)

    async def claim(self, request: web.Request) -> web.Response:
        """Claim the case, or keep it for another lease."""
        return await self._do(request, "MngClaimKycCase", {}, "You hold this case now.")

    async def take_over(self, request: web.Request) -> web.Response:
        """Take the case from whoever holds it."""
        return await self._do(request, "MngClaimKycCase", {"take_over": True}, "You have taken this case over.")

    async def release(self, request: web.Request) -> web.Response:
        """Let the case go."""
        return await self._do(request, "MngReleaseKycCase", {}, "You have let this case go.")

    async def note(self, request: web.Request) -> web.Response:
        """Write a note down."""
        who, kyc_id = visit_of(request).who, id_of(request, "kyc_id", "case")
        text = form_of(request).get("text", "").strip()
        await self._gateway.run(who, "MngAddKycNote", {"kyc_id": kyc_id, "text": text})
        if not is_partial(request):
            self._shell.tell(request, "The note is written.")
            return go(path_of(kyc_id))
        return self._shell.fragment(request, "parts/case_noted.html", await self._reader.whole(who, kyc_id))

    async def history(self, request: web.Request) -> web.Response:
        """Show a further part of the time line."""
        who, kyc_id = visit_of(request).who, id_of(request, "kyc_id", "case")
        values = await self._reader.history(who, kyc_id, request.query.get("after", ""))
        return self._shell.fragment(request, "parts/case_history.html", values)

    async def changes(self, request: web.Request) -> web.Response:
        """Tell an open page what has changed since it was drawn, or who holds the case now, if anything has."""
        who, kyc_id = visit_of(request).who, id_of(request, "kyc_id", "case")
        values: dict[str, Any] = {"path": path_of(kyc_id), "stale": None, "holder": None}
        if mark_of(await self._reader.profile(who, kyc_id)) != request.query.get("mark", ""):
            values["stale"] = await self._reader.since(who, kyc_id, number(request.query, "seen"))
        else:
            held = (await self._gateway.run(who, "MngGetKycCase", {"kyc_id": kyc_id}))["case"]
            if holder_mark(held) == request.query.get("holder", ""):
                return web.Response(status=204)
            values["holder"] = self._people.holder(who, held)
        return self._shell.fragment(request, "parts/case_changed.html", values)

    async def _do(self, request: web.Request, command: str, data: dict[str, Any], said: str) -> web.Response:
        kyc_id = id_of(request, "kyc_id", "case")
        try:
            await self._gateway.run(visit_of(request).who, command, {"kyc_id": kyc_id, **data})
        except KycError as error:
            if error.code.status != CONFLICT:
                raise
            self._shell.tell(request, self._explained(error), kind="fault")
        else:
            self._shell.tell(request, said)
        return go(path_of(kyc_id))

    def _explained(self, error: KycError) -> str:
        """Say why something cannot be done any more; the page shows what holds now."""
        held = error.data or {}
        if "assignee" in held:
            name = self._people.name(held["assignee_session"], held["assignee"])
            return f"{name} was faster and holds this case now."
        return f"{error.message}. This is what holds now."
