"""The parts of an upload form: fields are gathered, the file goes on to the storage piece by piece."""

from collections.abc import Callable

from kycmanager.domain.errors import invalid
from kycmanager.transports.rest.multipart import Event, Part, PartEnd
from storagemanager import FileMeta, Upload

FILE = "file"
FIELDS = frozenset({"purpose", "brand", "scope"})
FIELD_BYTES_MAX = 1024

Receive = Callable[[dict[str, str], str, str], Upload]
"""Begins an upload from the fields so far, the file's name and its declared type."""


class Form:
    """Takes the events of one form. Every error is for the client; `abort` is to be called in the end."""

    def __init__(self, receive: Receive, fields: dict[str, str]) -> None:
        self._receive = receive
        self._fields = fields
        self._given: set[str] = set()
        self._part: str = ""
        self._value = bytearray()
        self._upload: Upload | None = None

    async def take(self, event: Event) -> None:
        """Take the next event. Raises KycError INVALID_DATA, StorageError."""
        if isinstance(event, Part):
            self._begin(event)
        elif isinstance(event, PartEnd):
            self._end()
        elif self._part == FILE and self._upload is not None:
            await self._upload.write(event)
        elif self._part in FIELDS:
            self._value += event
            if len(self._value) > FIELD_BYTES_MAX:
                raise invalid(self._part, f"longer than {FIELD_BYTES_MAX} bytes")

    async def finish(self) -> FileMeta:
        """Store the file for good; raises INVALID_DATA where the form had none, StorageError."""
        if self._upload is None:
            raise invalid(FILE, "is required")
        return await self._upload.finish()

    async def abort(self) -> None:
        """Drop what was not finished."""
        if self._upload is not None:
            await self._upload.abort()

    def _begin(self, part: Part) -> None:
        self._part = part.name
        if part.name in self._given:
            raise invalid(part.name[:64], "comes twice")
        self._given.add(part.name)
        if part.name == FILE:
            if not part.file_name:
                raise invalid(FILE, "needs a file name")
            self._upload = self._receive(self._fields, part.file_name, part.content_type)

    def _end(self) -> None:
        name, self._part = self._part, ""
        if name not in FIELDS:
            return
        content, self._value = bytes(self._value), bytearray()
        try:
            value = content.decode()
        except UnicodeDecodeError:
            raise invalid(name, "is not UTF-8") from None
        if self._upload is not None and value != self._fields.get(name, ""):
            # what the file belongs to is settled with its first byte
            raise invalid(name, "must come before the file, or in the query")
        self._fields[name] = value
