"""The page of one step: its form, kept or handed in, with every fault at its field."""

from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp import web

from kycmanager.domain.answers import file_references
from kycmanager.domain.errors import Code, KycError
from kycmanager.file_ports import FileStore
from kycmanager.pages.forms import draw, read
from kycmanager.pages.gateway import Gateway
from kycmanager.pages.http import LARGE, form_of, go, id_of
from kycmanager.portal import asked
from kycmanager.portal.home import SYMBOLS, title_of
from kycmanager.portal.paths import FILES, HOME, STEPS, step_path
from kycmanager.portal.shell import Shell
from kycmanager.portal.visits import visit_of
from kycmanager.transports.rest.readable import readable

SUBMIT = "submit"
NAMED_FILES_MAX = 50


class StepPage:
    """Shows a step and takes its answers; `accept` is what the browser offers to choose from."""

    def __init__(self, shell: Shell, gateway: Gateway, storage: FileStore, *, accept: str, file_bytes_max: int) -> None:
        self._shell = shell
        self._gateway = gateway
        self._storage = storage
        self._upload = {"accept": accept, "bytes_max": file_bytes_max}

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the page."""
        place = f"{STEPS}/{{id}}"
        return [web.get(place, self.show), web.post(place, self.answer, name=LARGE)]

    async def show(self, request: web.Request) -> web.Response:
        """Show the step as it stands."""
        return await self.page(request, await self.found(request))

    async def answer(self, request: web.Request) -> web.Response:
        """Keep the answers, or hand the step in; what is refused is shown with what was typed."""
        found, form = await self.found(request), form_of(request)
        step = found["step"]
        given = read(step["form_schema"], form)
        submits = form.get("action") == SUBMIT
        command = "CustomerSubmitKycStep" if submits else "CustomerSaveKycAnswers"
        try:
            await self._gateway.run(visit_of(request).who, command, {"id": step["id"], "answers": given})
        except KycError as error:
            faults = (error.data or {}).get("errors", [])
            if error.code is not Code.INVALID_DATA or not faults:
                raise
            return await self.page(request, found, answers=given, faults=faults)
        return go(f"{HOME}?said=submitted" if submits else f"{step_path(step['id'])}?said=saved")

    async def found(self, request: web.Request) -> dict[str, Any]:
        """Return the step and its documents; raises NOT_FOUND, and FORBIDDEN for another's."""
        visit = visit_of(request)
        data = {"id": id_of(request, "id", "step"), "lang": visit.words.language}
        return await self._gateway.run(visit.who, "CustomerGetKycStep", data)

    async def page(
        self,
        request: web.Request,
        found: Mapping[str, Any],
        *,
        answers: Mapping[str, Any] | None = None,
        faults: Iterable[Mapping[str, Any]] = (),
        file_fault: str = "",
        part: str = "step.html",
    ) -> web.Response:
        """Return the page or its part; `file_fault` is what is wrong with a file that was sent."""
        visit, step = visit_of(request), found["step"]
        shown = step["answers"] if answers is None else answers
        names = await self._file_names(request, step["form_schema"], shown)
        faults = list(faults)
        form = draw(step["form_schema"], shown, visit.words, faults=faults, files=names)
        state = asked.state(step, found["documents"])
        values = {
            "step": step,
            "title": title_of(step, visit.words.language),
            "path": step_path(step["id"]),
            "files": FILES,
            "form": form,
            "state": state,
            "symbol": SYMBOLS[state],
            "open": asked.is_open(step),
            "slots": asked.slots(step, found["documents"], visit.words) if asked.takes_documents(step) else [],
            "upload": self._upload,
            "file_fault": file_fault,
        }
        return self._shell.page(request, part, values, status=400 if faults or file_fault else 200)

    async def _file_names(
        self, request: web.Request, form_schema: dict[str, Any], answers: Mapping[str, Any]
    ) -> dict[str, str]:
        """Return the names of the files the answers point to, as far as they are the customer's."""
        names: dict[str, str] = {}
        for uuid in file_references(form_schema, answers)[:NAMED_FILES_MAX]:
            try:
                names[uuid] = (await readable(self._storage, visit_of(request).who, uuid)).original_name
            except KycError as error:
                if error.code not in {Code.NOT_FOUND, Code.FORBIDDEN, Code.INVALID_STATE}:
                    raise
        return names
