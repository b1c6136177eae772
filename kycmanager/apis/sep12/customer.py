"""The endpoints of SEP-12 on one customer: show, send, confirm, delete, and where to tell of it."""

import re
import secrets
from typing import Any

import msgspec
from aiohttp import web

from kycmanager.apis.sep12 import bodies
from kycmanager.apis.sep12.rows import Rows
from kycmanager.apis.sep12.settings import DoorSettings
from kycmanager.apis.sep12.tokens import Wallet
from kycmanager.apis.sep12.view import encoded
from kycmanager.commands.execute import Codec
from kycmanager.commands.wallet_view import VERIFICATION
from kycmanager.domain.errors import Code, KycError, invalid
from kycmanager.domain.files import CUSTOMER, FileLabel, FileOwner, is_file_id
from kycmanager.domain.wallets import named
from kycmanager.file_ports import FileStore
from kycmanager.outbound.addresses import AddressRefused, check_url
from kycmanager.transports.rest.answers import Answer

FILE_ID = "_file_id"
PARAMETERS = frozenset({"id", "account", "memo", "memo_type", "type", "transaction_id", "lang"})
TEXT_CHARACTERS_MAX = 256

_VIEW = Codec("sep12", encoded)
_PLAIN = Codec("sep12 row", msgspec.json.encode)
_DONE = b"{}"
_ACCEPTED = 202
_LANGUAGE = re.compile(r"[A-Za-z]{2}(?:[-_][A-Za-z0-9]{1,8})*", re.ASCII)


class Customers:
    """Answers them for a verified wallet. `allow_private` lets callbacks go to private addresses."""

    def __init__(self, rows: Rows, storage: FileStore, settings: DoorSettings, *, allow_private: bool) -> None:
        self._rows = rows
        self._storage = storage
        self._settings = settings
        self._allow_private = allow_private

    def about(self, wallet: Wallet, fields: dict[str, Any]) -> dict[str, Any]:
        """Return whom a request is about, as the rows take it; FORBIDDEN or INVALID_DATA where it may not be."""
        given = {name: text_of(fields, name) for name in PARAMETERS}
        name = named(
            wallet.name, wallet.shown, account=given["account"], memo=given["memo"], memo_type=given["memo_type"]
        )
        if given["transaction_id"] and not given["type"]:
            raise invalid("type", "is required with transaction_id")
        if given["lang"] and not _LANGUAGE.fullmatch(given["lang"]):
            raise invalid("lang", "expected a language of ISO 639-1, such as en")
        return {
            "brand": self._settings.brand,
            "account": name.account,
            "token_memo": wallet.name.memo,
            "memo_type": name.memo_type,
            "memo": name.memo,
            "wallet_id": given["id"],
            "type": given["type"],
            "lang": given["lang"],
        }

    def identity(self, about: dict[str, Any]) -> dict[str, Any] | None:
        """Return the identity, None where nothing is known of it; NOT_FOUND for an id out of reach."""
        try:
            found: dict[str, Any] = msgspec.json.decode(self._rows.read("SysGetSepIdentity", about, _PLAIN))["identity"]
        except KycError as error:
            if error.code is Code.NOT_FOUND and not about["wallet_id"]:
                return None
            raise
        return found

    async def opened(self, about: dict[str, Any]) -> dict[str, Any]:
        """Return the identity, made now where there was none."""
        found = self.identity(about)
        if found is None:
            found = (await self._rows.run("SysOpenSepIdentity", about))["identity"]
        assert found is not None
        return found

    async def get(self, request: web.BaseRequest, wallet: Wallet, _path: str) -> Answer:
        """Show the customer, or what is asked of a new one."""
        sent = await bodies.read(request, self._settings.rest)
        return self._shown(self.about(wallet, sent.fields))

    def _shown(self, about: dict[str, Any]) -> Answer:
        return Answer(200, self._rows.read("SysGetSepCustomer", about, _VIEW))

    async def put(self, request: web.BaseRequest, wallet: Wallet, _path: str) -> Answer:
        """Take what is sent for the customer."""
        sent = await bodies.read(request, self._settings.rest, self._storage)
        try:
            about = self.about(wallet, sent.fields)
            data = {**about, **_given(sent.fields), "seed": secrets.token_hex(32)}
            identity = self.identity(about)
            for field in sent.files:
                if field + FILE_ID in sent.fields:
                    raise invalid(field, f"send the file or {field}{FILE_ID}, not both")
            if sent.files:
                identity = identity or await self.opened(about)
                data["files"] |= await self._stored(sent, identity)
        finally:
            await sent.drop()
        customer_id = identity["customer_id"] if identity else 0
        done = await self._rows.run("SysPutSepCustomer", data, customer_id)
        _refuse_wrong(done["wrong"])
        return Answer(_ACCEPTED, msgspec.json.encode({"id": done["id"]}))

    async def _stored(self, sent: bodies.Sent, identity: dict[str, Any]) -> dict[str, str]:
        """Store the files as the customer's; return their uuids by field."""
        owner = FileOwner(CUSTOMER, identity["customer_id"], self._settings.brand)
        found = {}
        for field, file in sent.files.items():
            file.relabel(FileLabel(owner, bodies.PURPOSE, 0))
            try:
                found[field] = (await file.finish()).uuid
            except KycError as error:
                raise KycError(error.code, f"{field}: {error.message}", error.data) from None
        return found

    async def confirm(self, request: web.BaseRequest, wallet: Wallet, _path: str) -> Answer:
        """Take codes alone, and show the customer."""
        sent = await bodies.read(request, self._settings.rest)
        if not text_of(sent.fields, "id"):
            raise invalid("id", "is required")
        about = self.about(wallet, sent.fields)
        given = _given(sent.fields)
        if given["values"] or given["files"] or not given["verifications"]:
            raise invalid("data", f"expected id and the codes of fields, each named like email_address{VERIFICATION}")
        identity = self.identity(about)
        assert identity is not None
        data = {**about, **given, "seed": secrets.token_hex(32)}
        done = await self._rows.run("SysConfirmSepCustomer", data, identity["customer_id"])
        _refuse_wrong(done["wrong"])
        return self._shown(about)

    async def delete(self, request: web.BaseRequest, wallet: Wallet, path: str) -> Answer:
        """Erase the personal data of the customer, where no retention forbids it."""
        sent = await bodies.read(request, self._settings.rest)
        if path not in {wallet.shown, wallet.name.account}:
            raise KycError(Code.FORBIDDEN, "account: is not the one of the token")
        about = self.about(wallet, {**sent.fields, "account": path})
        identity = self.identity(about)
        customer_id = identity["customer_id"] if identity else 0
        await self._rows.run("SysEraseSepCustomer", about, customer_id)
        return Answer(200, _DONE)

    async def callback(self, request: web.BaseRequest, wallet: Wallet, _path: str) -> Answer:
        """Keep where the wallet wants to be told."""
        sent = await bodies.read(request, self._settings.rest)
        about = self.about(wallet, sent.fields)
        url = sent.fields.get("url")
        if not isinstance(url, str) or not url:
            raise invalid("url", "is required")
        try:
            check_url(url, allow_private=self._allow_private)
        except AddressRefused as fault:
            raise invalid("url", str(fault)) from None
        identity = self.identity(about)
        customer_id = identity["customer_id"] if identity else 0
        await self._rows.run("SysSetSepCallback", {**about, "url": url}, customer_id)
        return Answer(200, _DONE)


def text_of(fields: dict[str, Any], name: str) -> str:
    """Return a parameter as text, "" without it; a memo may come as a number in JSON."""
    value = fields.get(name, "")
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or len(value) > TEXT_CHARACTERS_MAX:
        raise invalid(name, f"expected text of at most {TEXT_CHARACTERS_MAX} characters")
    return value


def _given(fields: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Sort what is sent: values of fields, files by their id, and codes."""
    values: dict[str, Any] = {}
    files: dict[str, Any] = {}
    codes: dict[str, Any] = {}
    for name, value in fields.items():
        if name in PARAMETERS:
            continue
        if name.endswith(FILE_ID) and name != FILE_ID:
            files[name.removesuffix(FILE_ID)] = _uuid(name, value)
        elif name.endswith(VERIFICATION) and name != VERIFICATION:
            codes[name.removesuffix(VERIFICATION)] = str(value)
        else:
            values[name] = value
    return {"values": values, "files": files, "verifications": codes}


def _uuid(name: str, value: Any) -> str:
    if not is_file_id(value):
        raise invalid(name, "is no stored file of this customer")
    return value


def _refuse_wrong(fields: list[str]) -> None:
    if fields:
        raise invalid(f"{fields[0]}{VERIFICATION}", "is not the code that was sent")
