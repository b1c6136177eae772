"""The stored file a name means, if the caller may read it: the one rule for originals and renditions, API and pages."""

import re

from aiohttp import web

from kycmanager.domain.files import FILE_ID, check_readable, is_public
from kycmanager.domain.session import Session
from kycmanager.file_ports import FileStore, StoredFile
from kycmanager.transports.rest.gate import Gate

_NAME = re.compile(rf"({FILE_ID})(?:\.([a-z0-9]{{1,8}}))?")


class Readable:
    """Finds files by `<uuid>` or `<uuid>.<extension>`; `public` tells whether files of scope 3 need no token."""

    def __init__(self, gate: Gate, storage: FileStore, *, public: bool) -> None:
        self._gate = gate
        self._storage = storage
        self._public = public

    async def find(self, request: web.BaseRequest, name: str) -> StoredFile:
        """Return the file the caller may read; nothing is looked up for a stranger where no file is public."""
        if self._public and "Authorization" not in request.headers:
            file = await named(self._storage, name)
            if file is not None and is_public(file.scope, public=self._public, held=file.held):
                return file
        return await readable(self._storage, self._gate.session(request), name)


async def readable(storage: FileStore, session: Session, name: str) -> StoredFile:
    """Return the file a caller may read; raises what `check_readable` does."""
    file = await named(storage, name)
    check_readable(session, None if file is None else file.owner, held=file is not None and file.held)
    assert file is not None
    return file


async def named(storage: FileStore, name: str) -> StoredFile | None:
    """Return the file of a name, None where there is none."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    file = await storage.find(match[1])
    return file if file is not None and match[2] in {None, file.extension} else None
