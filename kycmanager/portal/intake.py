"""An uploaded file on its way in: a form whose word is checked before a byte of the file is kept."""

from collections.abc import Callable

from aiohttp import web

from kycmanager.domain.errors import Code, KycError, invalid
from kycmanager.domain.files import label_of
from kycmanager.domain.session import Session
from kycmanager.file_ports import FileStore, IncomingFile, StoredFile
from kycmanager.pages.http import WORD_FIELD, WORD_HEADER, is_of_own_site, is_word
from kycmanager.transports.rest import body, multipart
from kycmanager.transports.rest.multipart import Event, Part, PartEnd
from kycmanager.transports.rest.pace import PacedBody
from kycmanager.transports.rest.settings import RestSettings
from kycmanager.transports.rest.upload import FORM_BYTES_MAX

FILE = "file"
FIELDS = frozenset({WORD_FIELD, "type"})
FIELD_BYTES_MAX = 1024
PURPOSE = "kyc"


class Intake:
    """Receives the one file of a form. Inputs for files that were left empty are passed over."""

    def __init__(self, storage: FileStore, session: Session, word: str) -> None:
        self.fields: dict[str, str] = {}
        self._storage = storage
        self._session = session
        self._word = word
        self._part = ""
        self._value = bytearray()
        self._incoming: IncomingFile | None = None

    async def take(self, event: Event) -> None:
        """Take the next event of the form; raises what is wrong with form or file."""
        if isinstance(event, Part):
            self._begin(event)
        elif isinstance(event, PartEnd):
            self._end()
        elif self._part == FILE and self._incoming is not None:
            await self._incoming.write(event)
        elif self._part in FIELDS:
            self._value += event
            if len(self._value) > FIELD_BYTES_MAX:
                raise invalid(self._part, f"longer than {FIELD_BYTES_MAX} bytes")

    async def finish(self) -> StoredFile:
        """Store the file for good; raises INVALID_FILE where none was chosen."""
        if self._incoming is None:
            missing = {"field": FILE, "code": "missing", "message": "is required"}
            raise KycError(Code.INVALID_FILE, "file: is required", {"errors": [missing]})
        return await self._incoming.finish()

    async def abort(self) -> None:
        """Drop what was not finished."""
        if self._incoming is not None:
            await self._incoming.abort()

    def _begin(self, part: Part) -> None:
        self._part = part.name if part.file_name is None or part.name == FILE else ""
        if part.name != FILE or not part.file_name:
            self._part = "" if part.name == FILE else self._part
            return
        if self._incoming is not None:
            raise invalid(FILE, "comes twice; send one at a time")
        if not is_word(self.fields.get(WORD_FIELD, ""), self._word):
            raise foreign()
        label = label_of(self._session, {"purpose": PURPOSE}, public=False)
        self._incoming = self._storage.receive(name=part.file_name, declared_type=part.content_type, label=label)

    def _end(self) -> None:
        name, self._part = self._part, ""
        if name in FIELDS:
            content, self._value = bytes(self._value), bytearray()
            self.fields[name] = content.decode(errors="replace")


def foreign() -> KycError:
    """Build the refusal of a form that no page of ours sent."""
    return KycError(Code.FORBIDDEN, "This form is from an older visit or from another site; nothing was changed")


async def receive(
    request: web.BaseRequest,
    storage: FileStore,
    session: Session,
    word: str,
    settings: RestSettings,
    check: Callable[[str], None],
) -> tuple[StoredFile, str]:
    """Return the stored file and the type the form names, which `check` has passed.

    A refused form is read to its end, within the bound of a file: a browser that still sends does not see an answer.
    """
    kind: str = request.headers.get("Content-Type", "")
    if not multipart.is_form(kind) or not is_of_own_site(request):
        raise foreign()
    intake = Intake(storage, session, word)
    intake.fields[WORD_FIELD] = request.headers.get(WORD_HEADER, "")
    bytes_max = settings.file_bytes_max + FORM_BYTES_MAX
    if (request.content_length or 0) > bytes_max:
        raise too_large(settings.file_bytes_max)
    content = PacedBody(request, settings)
    try:
        parser = multipart.Multipart(multipart.boundary_of(kind))
        body.begin(request)
        while piece := await content.read():
            if content.received > bytes_max:
                raise too_large(settings.file_bytes_max)
            for event in parser.feed(piece):
                await intake.take(event)
        parser.close()
        check(intake.fields.get("type", ""))
        return await intake.finish(), intake.fields.get("type", "")
    except multipart.MultipartError as error:
        raise body.bad_body(f"multipart: {error}") from None
    except KycError:
        while content.received <= bytes_max and await content.read():
            pass
        raise
    finally:
        await intake.abort()


def too_large(limit: int) -> KycError:
    """Build the refusal of a file over the limit."""
    return KycError(Code.FILE_TOO_LARGE, f"file: the file is larger than {limit} bytes")
