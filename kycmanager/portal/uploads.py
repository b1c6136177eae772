"""Files of a step: added with progress or by a plain form, looked at, and taken back while nothing was handed in."""

from typing import Any

from aiohttp import web

from kycmanager.domain.errors import Code, KycError, not_found
from kycmanager.file_ports import FileStore
from kycmanager.pages.gateway import Gateway
from kycmanager.pages.http import go, id_of
from kycmanager.portal import asked, telling
from kycmanager.portal.guard import UPLOAD
from kycmanager.portal.intake import receive
from kycmanager.portal.paths import FILES, STEPS, step_path
from kycmanager.portal.shell import is_part
from kycmanager.portal.step import StepPage
from kycmanager.portal.visits import visit_of
from kycmanager.transports.rest.readable import readable
from kycmanager.transports.rest.rendition import drawn, headers_of
from kycmanager.transports.rest.settings import RestSettings

_FILE_FAULTS = frozenset({Code.INVALID_FILE, Code.FILE_TOO_LARGE, Code.QUOTA_EXCEEDED, Code.TOO_FREQUENT})
DOCUMENTS = "parts/documents.html"


class Uploads:
    """Takes files in and shows them."""

    def __init__(self, page: StepPage, gateway: Gateway, storage: FileStore, settings: RestSettings) -> None:
        self._page = page
        self._gateway = gateway
        self._storage = storage
        self._settings = settings

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        step = f"{STEPS}/{{id}}"
        return [
            web.post(f"{step}/files", self.add, name=f"{UPLOAD}-document"),
            web.post(f"{step}/files/{{document}}/remove", self.remove),
            web.post(f"{step}/answers/{{number}}", self.answer, name=f"{UPLOAD}-answer"),
            web.get(f"{FILES}/{{name}}", self.show),
        ]

    async def add(self, request: web.Request) -> web.Response:
        """Store a file and attach it to the step."""
        found = await self._page.found(request)
        step, visit = found["step"], visit_of(request)
        known = {slot.type for slot in asked.slots(step, (), visit.words)} | {""}

        def check(type_: str) -> None:
            if type_ not in known:
                raise not_found("document")

        kind = ""
        try:
            file, kind = await receive(request, self._storage, visit.who, visit.csrf, self._settings, check)
            data = {"kyc_id": step["kyc_id"], "step_id": step["id"], "file_id": file.uuid, "type": kind}
            await self._gateway.run(visit.who, "CustomerAddKycDocument", data)
        except KycError as error:
            return await self._refused(request, found, error)
        if is_part(request):
            return await self._page.page(request, await self._page.found(request), part=DOCUMENTS)
        return go(f"{step_path(step['id'])}?said=added#documents")

    async def remove(self, request: web.Request) -> web.Response:
        """Take a document back."""
        found = await self._page.found(request)
        document = id_of(request, "document", "document")
        await self._gateway.run(visit_of(request).who, "CustomerRemoveKycDocument", {"id": document})
        if is_part(request):
            return await self._page.page(request, await self._page.found(request), part=DOCUMENTS)
        return go(f"{step_path(found['step']['id'])}?said=removed#documents")

    async def answer(self, request: web.Request) -> web.Response:
        """Store a file and keep it as the answer to a question for a file."""
        found = await self._page.found(request)
        step, visit = found["step"], visit_of(request)
        number = request.match_info["number"]
        names = {
            str(place): field["name"] for place, field in asked.fields_of(step) if field["type"] == "file_reference"
        }
        if number not in names:
            raise not_found("question")
        try:
            file, _ = await receive(request, self._storage, visit.who, visit.csrf, self._settings, lambda _: None)
            data = {"id": step["id"], "answers": {names[number]: file.uuid}}
            await self._gateway.run(visit.who, "CustomerSaveKycAnswers", data)
        except KycError as error:
            return await self._refused(request, found, error)
        if is_part(request):
            return web.json_response({"file_id": file.uuid, "file_name": file.original_name})
        return go(f"{step_path(step['id'])}?said=saved#field-{number}")

    async def show(self, request: web.Request) -> web.Response:
        """Show a small picture of one's own file, drawn here."""
        file = await readable(self._storage, visit_of(request).who, request.match_info["name"])
        rendition = await drawn(self._storage, file, {"kind": "thumb"}, self._settings.request_seconds)
        headers = {**headers_of(rendition), "Cache-Control": "private, max-age=3600"}
        return web.Response(body=rendition.content, content_type=rendition.content_type, headers=headers)

    async def _refused(self, request: web.Request, found: dict[str, Any], error: KycError) -> web.Response:
        """Say what is wrong with a file, beside it; all else is a fault like any other."""
        if error.code not in _FILE_FAULTS:
            raise error
        told = telling.file_refusal(error, visit_of(request).words, file_bytes_max=self._settings.file_bytes_max)
        if is_part(request):
            return web.json_response({"message": told}, status=error.code.status)
        return await self._page.page(request, found, file_fault=told)
