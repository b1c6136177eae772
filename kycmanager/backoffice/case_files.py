"""The files of a case: renditions for the viewer, originals to take away; each look leaves a row in the audit."""

import html
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from kycmanager.backoffice.case_read import CASES, CaseReader, path_of
from kycmanager.backoffice.case_view import beside, file_ids
from kycmanager.backoffice.recent import Recent
from kycmanager.backoffice.shell import Shell, visit_of
from kycmanager.backoffice.visits import Visit
from kycmanager.domain.errors import Code, KycError, not_found
from kycmanager.file_ports import FileRendition, FileStore, StoredFile
from kycmanager.pages.gateway import Gateway
from kycmanager.pages.http import HEADERS, form_of, go, id_of, number
from kycmanager.transports.rest.download import send
from kycmanager.transports.rest.readable import readable
from kycmanager.transports.rest.rendition import drawn, headers_of

SHOWN_MAX = 10_000
"""Cases remembered as shown: their small pictures belong to the look that was written down."""

_SMALL = "thumb"
_HELD = "quarantined"
_TOLD = frozenset({Code.NOT_FOUND, Code.INVALID_FILE, Code.INVALID_STATE, Code.OVERLOADED, Code.INTERNAL})
"""Refusals that are said in the place of the picture."""


class CaseFiles:
    """Serves what belongs to a case, by the rule of GET /storage/{name} and its rendition."""

    def __init__(
        self, shell: Shell, gateway: Gateway, reader: CaseReader, storage: FileStore, request_seconds: float
    ) -> None:
        self._shell = shell
        self._gateway = gateway
        self._reader = reader
        self._storage = storage
        self._request_seconds = request_seconds
        self._shown: Recent[tuple[int, int], None] = Recent()

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of files."""
        place = f"{CASES}/{{kyc_id}}/files/{{file_id}}"
        return [
            web.get(place, self.view),
            web.get(f"{place}/rendition", self.rendition),
            web.get(f"{place}/download", self.download),
            web.post(f"{place}/release", self.release),
            web.post(f"{place}/refuse", self.refuse),
        ]

    def shown(self, visit: Visit, kyc_id: int) -> None:
        """Remember that a sign-in was shown a case, and that this is in the audit."""
        assert visit.login is not None
        self._shown.keep((visit.login.id, kyc_id), None, SHOWN_MAX)

    async def view(self, request: web.Request) -> web.Response:
        """Show a file in the viewer, or two side by side."""
        kyc_id = id_of(request, "kyc_id", "case")
        values = await self.opened(request, kyc_id, request.match_info["file_id"])
        return self._shell.fragment(request, "parts/case_viewer.html", {"viewer": values, "path": path_of(kyc_id)})

    async def opened(self, request: web.Request, kyc_id: int, file_id: str) -> dict[str, Any]:
        """Return what the viewer shows of a file: its pages, or why it cannot be drawn."""
        who = visit_of(request).who
        found = await self._reader.profile(who, kyc_id)
        if file_id not in file_ids(found):
            raise not_found("file")
        page = number(request.query, "page") if "page" in request.query else 1
        is_double = request.query.get("beside") == "1"
        sheets = [await self._sheet(request, found, file_id, page)]
        other = beside(found, file_id)
        pages = sheets[0]["pages"]
        if is_double and other:
            sheets.append(await self._sheet(request, found, other, 1))
        elif is_double and page < pages:
            sheets.append(await self._sheet(request, found, file_id, page + 1))
        return {
            "file_id": file_id,
            "sheets": sheets,
            "page": page,
            "pages": pages,
            "double": is_double,
            "doubles": bool(other) or pages > 1,
        }

    async def _sheet(self, request: web.Request, found: Mapping[str, Any], file_id: str, page: int) -> dict[str, Any]:
        document = next((each for each in found["documents"] if each["file_id"] == file_id), None)
        sheet: dict[str, Any] = {
            "file_id": file_id,
            "page": page,
            "pages": 0,
            "text": "",
            "fault": "",
            "held": None,
            "name": document["file_name"] if document else "file of the answers",
            "document_id": document["id"] if document else 0,
        }
        try:
            rendition = await self._drawn(request, file_id, {"page": str(page)})
        except KycError as error:
            if error.code not in _TOLD:
                raise
            return {**sheet, "fault": error.message, "held": await self._held(request, file_id)}
        if rendition.content_type.startswith("text/"):
            await self._note(request, found, file_id, "view", {"page": page})
            return {**sheet, "pages": rendition.pages, "text": html.unescape(rendition.content.decode())}
        return {**sheet, "pages": rendition.pages}

    async def _held(self, request: web.Request, file_id: str) -> dict[str, Any] | None:
        """Return why a file is held back and whether the caller decides of it, None for any other."""
        who = visit_of(request).who
        try:
            file = (await self._gateway.run(who, "MngGetKycFile", {"file_id": file_id}))["file"]
        except KycError:
            return None  # that it cannot be drawn is said already
        if file["file_state"] != _HELD:
            return None
        return {"findings": file["findings"], "may_decide": self._gateway.may(who, "MngDecideKycFile")}

    async def release(self, request: web.Request) -> web.Response:
        """Release a file that is held back."""
        return await self._decide(request, {"decision": "release"}, "The file is released.")

    async def refuse(self, request: web.Request) -> web.Response:
        """Refuse a file that is held back, for good."""
        reason = form_of(request).get("reason", "").strip()
        return await self._decide(request, {"decision": "refuse", "reason": reason}, "The file is refused.")

    async def _decide(self, request: web.Request, data: dict[str, Any], said: str) -> web.Response:
        found, file_id = await self._found(request)
        try:
            await self._gateway.run(visit_of(request).who, "MngDecideKycFile", {"file_id": file_id, **data})
        except KycError as error:
            if error.code is not Code.INVALID_STATE:
                raise
            self._shell.tell(request, f"{error.message}.", kind="fault")
        else:
            self._shell.tell(request, said)
        return go(f"{path_of(found['profile']['id'])}?file={file_id}")

    async def rendition(self, request: web.Request) -> web.Response:
        """Send a rendition: `kind` and `page` as the API takes them."""
        found, file_id = await self._found(request)
        rendition = await self._drawn(request, file_id, request.query)
        kind = request.query.get("kind", "")
        visit = visit_of(request)
        assert visit.login is not None
        kyc_id = found["profile"]["id"]
        if kind != _SMALL or (visit.login.id, kyc_id) not in self._shown:
            await self._note(request, found, file_id, "view", {"page": int(request.query.get("page", "1"))})
        return web.Response(
            body=rendition.content, headers={**headers_of(rendition), "Content-Type": rendition.content_type}
        )

    async def download(self, request: web.Request) -> web.StreamResponse:
        """Send the original, as an attachment."""
        found, file_id = await self._found(request)
        file = await self._readable(request, file_id)
        await self._note(request, found, file_id, "download", {})
        return await send(request, self._storage, file, HEADERS)

    async def _found(self, request: web.Request) -> tuple[dict[str, Any], str]:
        """Return the case and the file of the path; a file of another case is as unknown as one that is not there."""
        kyc_id, file_id = id_of(request, "kyc_id", "case"), request.match_info["file_id"]
        found = await self._reader.profile(visit_of(request).who, kyc_id)
        if file_id not in file_ids(found):
            raise not_found("file")
        return found, file_id

    async def _readable(self, request: web.Request, file_id: str) -> StoredFile:
        return await readable(self._storage, visit_of(request).who, file_id)

    async def _drawn(self, request: web.Request, file_id: str, fields: Mapping[str, str]) -> FileRendition:
        return await drawn(self._storage, await self._readable(request, file_id), fields, self._request_seconds)

    async def _note(
        self, request: web.Request, found: Mapping[str, Any], file_id: str, action: str, details: dict[str, Any]
    ) -> None:
        document_id = file_ids(found)[file_id]
        about = {"document_id": document_id} if document_id else {}
        data = {"action": action, "kyc_id": found["profile"]["id"], **about, "details": {**details, "file_id": file_id}}
        await self._gateway.run(visit_of(request).who, "MngNoteKycAccess", data)
