"""An uploaded file on its way in: a form whose word is checked before a byte of the file is kept."""

from collections.abc import Callable

from aiohttp import web

from kycmanager.domain.errors import Code, KycError, invalid
from kycmanager.domain.files import label_of
from kycmanager.domain.session import Session
from kycmanager.file_ports import FileStore, StoredFile
from kycmanager.pages.http import WORD_FIELD, WORD_HEADER, is_of_own_site, is_word
from kycmanager.transports.rest import multipart
from kycmanager.transports.rest.form import FILE, FileForm
from kycmanager.transports.rest.form_body import FormBody
from kycmanager.transports.rest.multipart import Part
from kycmanager.transports.rest.settings import RestSettings

PURPOSE = "kyc"


class Intake(FileForm):
    """Receives the one file of a form. Inputs for files that were left empty are passed over."""

    names = frozenset({WORD_FIELD, "type"})

    def __init__(self, storage: FileStore, session: Session, word: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self._storage = storage
        self._session = session
        self._word = word

    async def finish(self) -> StoredFile:
        """Store the file for good; raises INVALID_FILE where none was chosen."""
        if self._incoming is None:
            missing = {"field": FILE, "code": "missing", "message": "is required"}
            raise KycError(Code.INVALID_FILE, "file: is required", {"errors": [missing]})
        return await self._incoming.finish()

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

    def _keep(self, name: str, content: bytes) -> None:
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
    content = FormBody(request, settings)
    try:
        await content.read(intake.take)
        check(intake.fields.get("type", ""))
        return await intake.finish(), intake.fields.get("type", "")
    except KycError:
        await content.skip()
        raise
    finally:
        content.close()
        await intake.abort()
