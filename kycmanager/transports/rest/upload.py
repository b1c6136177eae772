"""Uploads: a form or a raw body, streamed into the storage."""

from functools import partial

from aiohttp import web

from kycmanager.domain.errors import invalid
from kycmanager.domain.files import label_of
from kycmanager.domain.session import MANAGERS, Session
from kycmanager.file_ports import FileStore, StoredFile
from kycmanager.transports import json_wire
from kycmanager.transports.rest import body, disposition, multipart
from kycmanager.transports.rest.answers import Answer
from kycmanager.transports.rest.commands import query_fields
from kycmanager.transports.rest.form import Form
from kycmanager.transports.rest.form_body import FormBody
from kycmanager.transports.rest.gate import Gate
from kycmanager.transports.rest.pace import PacedBody
from kycmanager.transports.rest.settings import RestSettings


class UploadDoor:
    """Answers POST /upload for any valid session."""

    def __init__(self, gate: Gate, storage: FileStore, settings: RestSettings) -> None:
        self._gate = gate
        self._storage = storage
        self._settings = settings

    async def handle(self, request: web.BaseRequest, _parameter: str) -> web.StreamResponse:
        """Store the file and tell what is known of it."""
        session = self._gate.session(request)
        fields = query_fields(request)
        kind: str = request.headers.get("Content-Type", "")
        if multipart.is_form(kind):
            file = await self._form(request, session, fields)
        else:
            file = await self._raw(request, session, fields, kind)
        return Answer(200, json_wire.encode(told(file, verdict=session.type in MANAGERS)))

    async def _raw(self, request: web.BaseRequest, session: Session, fields: dict[str, str], kind: str) -> StoredFile:
        incoming = self._storage.receive(
            name=raw_name(request),
            declared_type=kind,
            label=label_of(session, fields, public=self._settings.public_scope),
            length_hint=request.content_length,
        )
        content = PacedBody(request, self._settings)
        try:
            body.begin(request)
            while size := await content.read_into(await incoming.room()):
                await incoming.took(size)
            return await incoming.finish()
        finally:
            content.close()
            await incoming.abort()

    async def _form(self, request: web.BaseRequest, session: Session, fields: dict[str, str]) -> StoredFile:
        content = FormBody(request, self._settings)
        form = Form(self._storage, partial(label_of, session, public=self._settings.public_scope), fields)
        try:
            await content.read(form.take)
            return await form.finish()
        finally:
            content.close()
            await form.abort()


def raw_name(request: web.BaseRequest) -> str:
    """Return the file name a raw body comes with; raises INVALID_DATA without one."""
    header = request.headers.get("Content-Disposition", "")
    try:
        _, parameters = disposition.parse(header)
        name = disposition.file_name(parameters)
    except disposition.DispositionError:
        name = None
    if not name:
        raise invalid(
            "file", 'send a form with a part "file", or the bytes with Content-Disposition: attachment; filename="..."'
        )
    return name


def told(file: StoredFile, *, verdict: bool) -> dict[str, object]:
    """Return the answer to an upload: the union of the two documented shapes (manager API, section 6).

    With `verdict` also what was found in it, which is not for customers to know.
    """
    found: dict[str, object] = {"file_state": file.state, "findings": file.findings} if verdict else {}
    return {
        "file_id": file.uuid,
        "file_name": file.storage_name,
        "files": [
            {
                "uuid": file.uuid,
                "storage_name": file.storage_name,
                "original_name": file.original_name,
                "extension": file.extension,
                "signature": file.signature,
                "content_type": file.content_type,
                "file_size": file.file_size,
                "checksum": file.checksum,
                **found,
            }
        ],
        "uploaded": [
            {
                "uuid": file.uuid,
                "file_name": file.storage_name,
                "original_name": file.original_name,
                "content_type": file.content_type,
                "file_size": file.file_size,
                "scope": file.scope,
                "purpose": file.purpose,
            }
        ],
    }
