"""Uploads: a form or a raw body, streamed into the storage."""

from aiohttp import web

from kycmanager.domain.errors import Code, KycError, invalid
from kycmanager.domain.session import MANAGERS, Session
from kycmanager.transports import json_wire
from kycmanager.transports.rest import body, disposition, multipart
from kycmanager.transports.rest.answers import Answer
from kycmanager.transports.rest.commands import query_fields
from kycmanager.transports.rest.files import PUBLIC_SCOPE, Faults, owner_of, refused
from kycmanager.transports.rest.form import Form
from kycmanager.transports.rest.gate import Gate
from kycmanager.transports.rest.pace import PacedBody
from kycmanager.transports.rest.settings import MIB, RestSettings
from storagemanager import FileMeta, StorageError, StorageManager, Upload

FORM_BYTES_MAX = MIB
"""What a form may hold besides the file: heads, fields, parts nobody asked for."""

_SCOPES = frozenset(str(scope) for scope in range(PUBLIC_SCOPE + 1))


class UploadDoor:
    """Answers POST /upload for any valid session."""

    def __init__(self, gate: Gate, storage: StorageManager, settings: RestSettings, faults: Faults) -> None:
        self._gate = gate
        self._storage = storage
        self._settings = settings
        self._faults = faults

    async def handle(self, request: web.BaseRequest, _parameter: str) -> web.StreamResponse:
        """Store the file and tell what is known of it."""
        session = self._gate.session(request)
        fields = query_fields(request)
        kind: str = request.headers.get("Content-Type", "")
        try:
            if multipart.is_form(kind):
                meta = await self._form(request, session, fields, kind)
            else:
                meta = await self._raw(request, session, fields, kind)
        except StorageError as error:
            raise refused(error, self._faults) from None
        return Answer(200, json_wire.encode(told(meta)))

    async def _raw(self, request: web.BaseRequest, session: Session, fields: dict[str, str], kind: str) -> FileMeta:
        upload = self._receive(session, fields, raw_name(request), kind, request.content_length)
        async with upload:
            body.begin(request)
            content = PacedBody(request, self._settings)
            while piece := await content.read():
                await upload.write(piece)
            return await upload.finish()

    async def _form(self, request: web.BaseRequest, session: Session, fields: dict[str, str], kind: str) -> FileMeta:
        bytes_max = self._settings.file_bytes_max + FORM_BYTES_MAX
        if (request.content_length or 0) > bytes_max:
            raise self._too_large()

        def receive(known: dict[str, str], name: str, declared: str) -> Upload:
            return self._receive(session, known, name, declared, None)

        form = Form(receive, fields)
        try:
            parser = multipart.Multipart(multipart.boundary_of(kind))
            body.begin(request)
            content = PacedBody(request, self._settings)
            while piece := await content.read():
                if content.received > bytes_max:
                    raise self._too_large()
                for event in parser.feed(piece):
                    await form.take(event)
            parser.close()
            return await form.finish()
        except multipart.MultipartError as error:
            raise body.bad_body(f"multipart: {error}") from None
        finally:
            await form.abort()

    def _receive(
        self, session: Session, fields: dict[str, str], name: str, declared: str, length: int | None
    ) -> Upload:
        return self._storage.receive(
            original_name=name,
            declared_type=declared,
            owner=owner_of(session, fields.get("brand", "")),
            purpose=fields.get("purpose", ""),
            scope=self._scope(session, fields.get("scope", "0")),
            length_hint=length,
        )

    def _scope(self, session: Session, text: str) -> int:
        """Return the scope asked for; only managers publish files, and only where the settings allow it."""
        if text not in _SCOPES:
            raise invalid("scope", f"expected 0 to {PUBLIC_SCOPE}")
        scope = int(text)
        if scope == PUBLIC_SCOPE and not (self._settings.public_scope and session.type in MANAGERS):
            raise invalid("scope", "public files are not allowed here")
        return scope

    def _too_large(self) -> KycError:
        return KycError(Code.FILE_TOO_LARGE, f"file: the file is larger than {self._settings.file_bytes_max} bytes")


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


def told(meta: FileMeta) -> dict[str, object]:
    """Return the answer to an upload: the union of the two documented shapes (manager API, section 6)."""
    return {
        "file_id": meta.uuid,
        "file_name": meta.storage_name,
        "files": [
            {
                "uuid": meta.uuid,
                "storage_name": meta.storage_name,
                "original_name": meta.original_name,
                "extension": meta.extension,
                "signature": meta.signature,
                "content_type": meta.content_type,
                "file_size": meta.file_size,
                "checksum": meta.checksum,
            }
        ],
        "uploaded": [
            {
                "uuid": meta.uuid,
                "file_name": meta.storage_name,
                "original_name": meta.original_name,
                "content_type": meta.content_type,
                "file_size": meta.file_size,
                "scope": meta.scope,
                "purpose": meta.purpose,
            }
        ],
    }
