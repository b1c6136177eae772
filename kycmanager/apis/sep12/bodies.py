"""What wallets send, in three forms: JSON, a form in the URL's coding, and multipart with files."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web
from msgspec import Struct

from kycmanager.apis.sep12 import unnamed
from kycmanager.domain.errors import Code, KycError, invalid
from kycmanager.domain.files import FileLabel
from kycmanager.file_ports import FileStore, IncomingFile
from kycmanager.transports import json_strict
from kycmanager.transports.rest import body
from kycmanager.transports.rest.commands import query_fields
from kycmanager.transports.rest.form_body import FormBody
from kycmanager.transports.rest.multipart import Event, Part, PartEnd
from kycmanager.transports.rest.settings import RestSettings

PARTS_MAX = 128
FILES_MAX = 16
FIELDS_MAX = 200
FIELD_BYTES_MAX = 16_384
TEXT_BYTES_MAX = 262_144
"""All the texts of a form together."""

PURPOSE = "kyc"

_JSON = "application/json"
_URLENCODED = "application/x-www-form-urlencoded"
_KINDS = f"Content-Type: expected multipart/form-data, {_URLENCODED} or {_JSON}"


class Sent(Struct):
    """What came: fields by name, and files that are not finished yet; `drop` is to be called in the end."""

    fields: dict[str, Any]
    files: dict[str, IncomingFile]

    async def drop(self) -> None:
        """Drop the files that were not finished."""
        for file in self.files.values():
            await file.abort()


async def read(request: web.BaseRequest, settings: RestSettings, storage: FileStore | None = None) -> Sent:
    """Return what a request says in its query and its body, the body above the query.

    Without `storage` files are refused. Raises KycError INVALID_DATA or FILE_TOO_LARGE, TooSlowError, and what the
    storage does.
    """
    fields: dict[str, Any] = dict(query_fields(request))
    if not request.body_exists:
        return Sent(fields, {})
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _form(request, settings, storage, fields)
    if kind not in {_JSON, _URLENCODED, ""}:
        raise KycError(Code.INVALID_DATA, _KINDS)
    content = await body.read_bytes(request, settings)
    if content and not kind:
        raise KycError(Code.INVALID_DATA, _KINDS)
    given = body.decode_object(content) if kind == _JSON else _pairs(content)
    return Sent({**fields, **_plain(given)}, {})


def _plain(given: Mapping[str, Any]) -> dict[str, Any]:
    """Refuse too many fields, and values that no field has; null is a field that was left out."""
    if len(given) > FIELDS_MAX:
        raise KycError(Code.INVALID_DATA, f"body: has at most {FIELDS_MAX} fields")
    for name, value in given.items():
        if isinstance(value, dict):
            raise invalid(name[:64], "must be text or a number; the names of SEP-9 are flat, with dots in them")
    return {name: value for name, value in given.items() if value is not None}


def _pairs(content: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            content.decode(), keep_blank_values=True, strict_parsing=bool(content), errors="strict",
            max_num_fields=FIELDS_MAX,
        )  # fmt: skip
    except (ValueError, UnicodeDecodeError):
        raise body.bad_body(f"is not {_URLENCODED} in UTF-8 with at most {FIELDS_MAX} fields") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise body.bad_body("a field comes twice")
    _safe(fields)
    return fields


def _safe(fields: dict[str, str]) -> None:
    try:
        json_strict.refuse_unsafe_text(fields)
    except json_strict.DecodeError as error:
        raise body.bad_body(str(error)) from None


async def _form(
    request: web.BaseRequest, settings: RestSettings, storage: FileStore | None, fields: dict[str, Any]
) -> Sent:
    content = FormBody(request, settings, files_max=FILES_MAX if storage else 0, parts_max=PARTS_MAX)
    form = _Form(storage, fields)
    try:
        await content.read(form.take)
    except BaseException:
        await form.sent.drop()
        raise
    finally:
        content.close()
    return form.sent


class _Form:
    """Takes the parts of one form: texts are gathered, files go on to the storage, their owner is told later."""

    def __init__(self, storage: FileStore | None, fields: dict[str, Any]) -> None:
        self.sent = Sent(fields, {})
        self._storage = storage
        self._given: set[str] = set()
        self._part: Part | None = None
        self._text = bytearray()
        self._text_bytes = 0

    async def take(self, event: Event) -> None:
        """Take the next event."""
        if isinstance(event, Part):
            self._begin(event)
        elif isinstance(event, PartEnd):
            self._end()
        elif self._part is not None and unnamed.is_file(self._part):
            await self._write(self._part, event)
        else:
            self._text += event
            self._text_bytes += len(event)
            if len(self._text) > FIELD_BYTES_MAX or self._text_bytes > TEXT_BYTES_MAX:
                raise invalid(self._part.name[:64] if self._part else "body", "is too long for a field")

    def _begin(self, part: Part) -> None:
        self._part = part
        name = part.name
        if name in self._given:
            raise invalid(name[:64], "comes twice")
        self._given.add(name)
        if not unnamed.is_file(part):
            return
        if self._storage is None:
            raise invalid(name[:64], "no file is taken here")
        if part.file_name == "":
            raise invalid(name[:64], "needs a file name")
        if len(self.sent.files) >= FILES_MAX:
            raise invalid(name[:64], f"one request has at most {FILES_MAX} files")
        if unnamed.tells_type(part):
            self._receive(part, part.file_name or "")

    def _receive(self, part: Part, file_name: str) -> IncomingFile:
        assert self._storage is not None
        label = FileLabel(None, PURPOSE, 0)
        file = self._storage.receive(name=file_name, declared_type=part.content_type, label=label)
        self.sent.files[part.name] = file
        return file

    async def _write(self, part: Part, piece: memoryview) -> None:
        """Hand a piece of a file on; the first ones wait where they are to tell its type."""
        file = self.sent.files.get(part.name)
        if file is None:
            self._text += piece
            if len(self._text) < unnamed.OPENING_BYTES:
                return
            piece, self._text = memoryview(self._text), bytearray()
            file = self._receive(part, unnamed.name_for(part, bytes(piece[: unnamed.OPENING_BYTES])))
        await file.write(piece)

    def _end(self) -> None:
        part, self._part = self._part, None
        content, self._text = bytes(self._text), bytearray()
        if part is None or part.name in self.sent.files:
            return
        if unnamed.is_file(part):
            raise unnamed.unknown(part)
        try:
            text = content.decode()
        except UnicodeDecodeError:
            raise invalid(part.name[:64], "is not UTF-8") from None
        _safe({part.name: text})
        self.sent.fields[part.name] = text
