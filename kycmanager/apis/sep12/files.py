"""The files of SEP-12: uploaded before the fields that name them, and listed."""

from typing import Any

import msgspec
from aiohttp import web

from kycmanager.apis.sep12 import bodies
from kycmanager.apis.sep12.customer import Customers, text_of
from kycmanager.apis.sep12.rows import Rows
from kycmanager.apis.sep12.settings import DoorSettings
from kycmanager.apis.sep12.tokens import Wallet
from kycmanager.commands.execute import Codec
from kycmanager.domain.errors import Code, KycError, invalid
from kycmanager.domain.files import CUSTOMER, FileLabel, FileOwner, is_file_id
from kycmanager.file_ports import FileStore, StoredFile
from kycmanager.pages.texts import machine_time
from kycmanager.ports import Clock
from kycmanager.transports.rest.answers import Answer

FILE = "file"
_PLAIN = Codec("sep12 row", msgspec.json.encode)


class Files:
    """Answers them for a verified wallet. An upload nothing names goes after `waiting_seconds`."""

    def __init__(
        self,
        customers: Customers,
        rows: Rows,
        storage: FileStore,
        settings: DoorSettings,
        clock: Clock,
        waiting_seconds: int,
    ) -> None:
        self._customers = customers
        self._rows = rows
        self._storage = storage
        self._settings = settings
        self._clock = clock
        self._waiting_seconds = waiting_seconds

    async def post(self, request: web.BaseRequest, wallet: Wallet, _path: str) -> Answer:
        """Store one file for the customer."""
        kind = request.headers.get("Content-Type", "").lower()
        if not kind.startswith("multipart/form-data"):
            raise KycError(Code.INVALID_DATA, 'Content-Type: expected multipart/form-data with a part "file"')
        sent = await bodies.read(request, self._settings.rest, self._storage)
        try:
            about = self._customers.about(wallet, sent.fields)
            file = sent.files.get(FILE)
            if file is None:
                raise invalid(FILE, "is required")
            if len(sent.files) > 1:
                raise invalid(FILE, "send one file at a time")
            identity = await self._customers.opened(about)
            owner = FileOwner(CUSTOMER, identity["customer_id"], self._settings.brand)
            file.relabel(FileLabel(owner, bodies.PURPOSE, 0))
            stored = await file.finish()
        finally:
            await sent.drop()
        expires = self._clock() + self._waiting_seconds
        return Answer(200, msgspec.json.encode(_told(stored, str(identity["id"]), expires)))

    async def get(self, request: web.BaseRequest, wallet: Wallet, _path: str) -> Answer:
        """List one file, or those of a customer; what is out of reach is not there."""
        sent = await bodies.read(request, self._settings.rest)
        file_id, customer_id = text_of(sent.fields, "file_id"), text_of(sent.fields, "customer_id")
        if not (file_id or customer_id):
            raise invalid("file_id", "give file_id or customer_id")
        about = {**self._customers.about(wallet, sent.fields), "wallet_id": ""}
        found = await (self._one(about, file_id, customer_id) if file_id else self._all(about, customer_id))
        return Answer(200, msgspec.json.encode({"files": found}))

    async def _one(self, about: dict[str, Any], file_id: str, customer_id: str) -> list[dict[str, Any]]:
        file = await self._storage.find(file_id) if is_file_id(file_id) else None
        if file is None or (file.owner.kind, file.owner.brand) != (CUSTOMER, self._settings.brand):
            return []
        listed = self._listed({**about, "owner_id": file.owner.id})
        if listed is None or (customer_id and customer_id != listed["id"]):
            return []
        return [_told(file, listed["id"], 0)]

    async def _all(self, about: dict[str, Any], customer_id: str) -> list[dict[str, Any]]:
        listed = self._listed({**about, "wallet_id": customer_id})
        if listed is None:
            return []
        owner = FileOwner(CUSTOMER, listed["customer_id"], self._settings.brand)
        attached = [file for each in listed["files"] if (file := await self._storage.find(each)) is not None]
        waiting = [file for file in await self._storage.waiting(owner) if file.uuid not in listed["files"]]
        return [_told(file, listed["id"], 0) for file in (*attached, *waiting)]

    def _listed(self, data: dict[str, Any]) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = msgspec.json.decode(self._rows.read("SysGetSepFiles", data, _PLAIN))
        except KycError as error:
            if error.code is Code.NOT_FOUND:
                return None
            raise
        return found


def _told(file: StoredFile, customer_id: str, expires: int) -> dict[str, Any]:
    told: dict[str, Any] = {
        "file_id": file.uuid,
        "content_type": file.content_type,
        "size": file.file_size,
        "customer_id": customer_id,
    }
    if expires:
        told["expires_at"] = machine_time(expires)
    return told
