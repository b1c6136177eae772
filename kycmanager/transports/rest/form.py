"""The parts of an upload form, in any order: fields are gathered, the file goes on to the storage piece by piece."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Protocol

from kycmanager.domain.errors import invalid
from kycmanager.domain.files import FileLabel
from kycmanager.file_ports import FileStore, IncomingFile, StoredFile
from kycmanager.transports.rest.multipart import Event, Part, PartEnd

FILE = "file"
BRAND = "brand"
FIELD_BYTES_MAX = 1024


class Judge(Protocol):
    """Who judges the fields of a form."""

    def __call__(self, fields: Mapping[str, str], *, brand_may_follow: bool) -> FileLabel:
        """Return the label the fields so far make; raises what is wrong with them."""
        ...


class FileForm(ABC):
    """Takes the events of one form with one file. Every error is for the client; `abort` is to be called in the end."""

    names: ClassVar[frozenset[str]]
    """Those of the fields that are kept."""

    def __init__(self) -> None:
        self._part = ""
        self._value = bytearray()
        self._incoming: IncomingFile | None = None

    async def take(self, event: Event) -> None:
        """Take the next event; raises what is wrong with form or file."""
        if isinstance(event, Part):
            self._begin(event)
        elif isinstance(event, PartEnd):
            self._end()
        elif self._part == FILE and self._incoming is not None:
            await self._incoming.write(event)
        elif self._part in self.names:
            self._value += event
            if len(self._value) > FIELD_BYTES_MAX:
                raise invalid(self._part, f"longer than {FIELD_BYTES_MAX} bytes")

    async def abort(self) -> None:
        """Drop what was not finished."""
        if self._incoming is not None:
            await self._incoming.abort()

    def _end(self) -> None:
        name, self._part = self._part, ""
        if name in self.names:
            content, self._value = bytes(self._value), bytearray()
            self._keep(name, content)

    @abstractmethod
    def _begin(self, part: Part) -> None:
        """Look at the head of a part: set `_part` to what it is, `_incoming` where it is the file."""

    @abstractmethod
    def _keep(self, name: str, content: bytes) -> None:
        """Keep the value of a field."""


class Form(FileForm):
    """The form of an upload: it says whose the file is. Raises INVALID_DATA, and what judge and storage do.

    `fields` are those of the query: a part of the same name stands above them.
    """

    names = frozenset({"purpose", BRAND, "scope"})

    def __init__(self, storage: FileStore, judge: Judge, fields: dict[str, str]) -> None:
        super().__init__()
        self._storage = storage
        self._judge = judge
        self._fields = fields
        self._given: set[str] = set()
        self._owned = False

    async def finish(self) -> StoredFile:
        """Store the file for good; raises INVALID_DATA where the form had none, or no brand where one is needed."""
        if self._incoming is None:
            raise invalid(FILE, "is required")
        if not self._owned:
            self._incoming.relabel(self._label(brand_may_follow=False))
        return await self._incoming.finish()

    def _begin(self, part: Part) -> None:
        self._part = part.name
        if part.name in self._given:
            raise invalid(part.name[:64], "comes twice")
        self._given.add(part.name)
        if part.name == FILE:
            if not part.file_name:
                raise invalid(FILE, "needs a file name")
            label = self._label(brand_may_follow=BRAND not in self._given)
            self._incoming = self._storage.receive(name=part.file_name, declared_type=part.content_type, label=label)

    def _keep(self, name: str, content: bytes) -> None:
        try:
            self._fields[name] = content.decode()
        except UnicodeDecodeError:
            raise invalid(name, "is not UTF-8") from None
        if self._incoming is not None:
            self._incoming.relabel(self._label(brand_may_follow=BRAND not in self._given))

    def _label(self, *, brand_may_follow: bool) -> FileLabel:
        label = self._judge(self._fields, brand_may_follow=brand_may_follow)
        self._owned = label.owner is not None
        return label
