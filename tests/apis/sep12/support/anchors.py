"""The really started app with the door on, a Horizon stand-in beside it, and wallets that speak to both over HTTP."""

import json
import struct
import time
import zlib
from pathlib import Path
from typing import Any, NamedTuple, Self

import aiohttp
from stellar_sdk import Keypair, MuxedAccount, Network, TransactionEnvelope

from kycmanager.apis.sep12.stand_in import HorizonStandIn
from kycmanager.app import App
from kycmanager.config import from_table
from kycmanager.domain.enums import SessionType
from kycmanager.domain.errors import KycError
from kycmanager.domain.session import Session
from kycmanager.outbound.calls import Caller
from kycmanager.pages.gateway import Gateway

BRAND = "acme"
URL = "http://anchor.example.com"
HOME = "anchor.example.com"
PASSPHRASE = Network.TESTNET_NETWORK_PASSPHRASE
NAMES = {"first_name": "Ann", "last_name": "Example", "email_address": "ann@example.com"}


class Reply(NamedTuple):
    """An answer as it came."""

    status: int
    headers: Any
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


def png(filler: int = 0) -> bytes:
    """Make a small good picture."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    text = chunk(b"tEXt", b"Comment\0" + b"x" * filler) if filler else b""
    return b"\x89PNG\r\n\x1a\n" + head + text + chunk(b"IDAT", zlib.compress(b"\0\1\2\3")) + chunk(b"IEND", b"")


def muxed(keypair: Keypair, number: int) -> str:
    """Return the M account of a key and a number."""
    return MuxedAccount(keypair.public_key, number).account_muxed


class Anchor:
    """The app, its clock (`ahead` seconds before the real one), and the boss who reviews."""

    def __init__(self, folder: Path, horizon: HorizonStandIn, **settings: Any) -> None:
        self.ahead = 0
        self.folder = folder
        self.horizon = horizon
        sep12 = {"enabled": True, "brand": BRAND, "url": URL, "horizon": horizon.url, **settings.pop("sep12", {})}
        table = {
            "server": {"tcp": "127.0.0.1:0", "http": "127.0.0.1:0"},
            "tokens": {"failed_per_minute_max": 1000},
            **settings,
            "sep12": sep12,
        }
        self.config = from_table(table, {})
        self.app = App(self.config, folder, lambda *_: None, lambda: int(time.time()) + self.ahead)
        self._http: aiohttp.ClientSession | None = None
        self._boss = Session(sub=9, type=SessionType.ADMIN, brands=None)

    async def __aenter__(self) -> Self:
        self.folder.mkdir(exist_ok=True)
        await self.app.open()
        host, port = self.app.http_address
        self._http = aiohttp.ClientSession(f"http://{host}:{port}")
        self._gateway = Gateway(self.app.core.executor, lambda *_: None, source="test")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._http is not None
        await self._http.close()
        await self.app.close()

    @property
    def records(self) -> Any:
        return self.app.core.cache

    async def ask(self, method: str, path: str, token: str | None = None, **more: Any) -> Reply:
        headers = dict(more.pop("headers", {}))
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        assert self._http is not None
        async with self._http.request(method, path, headers=headers, **more) as answer:
            return Reply(answer.status, answer.headers, await answer.read())

    async def boss(self, command: str, **data: Any) -> Any:
        """Run a command as a manager."""
        return await self._gateway.run(self._boss, command, data)

    async def local(self, command: str, **data: Any) -> Any:
        return await self._gateway.run_local(None, command, data)

    async def refused(self, command: str, **data: Any) -> int:
        try:
            await self.boss(command, **data)
        except KycError as error:
            return error.code.status
        return 200

    async def template(self, code: str, *fields: dict[str, Any] | str, **more: Any) -> int:
        """Add a template; a field given by its name is a required text."""
        named = [{"name": each, "type": "text", "required": True} if isinstance(each, str) else each for each in fields]
        data = {"brand": BRAND, "code": code, "level": 1, "step_type": 1, "required": 0, **more}
        data["form_schema"] = {"sections": [{"fields": named}]}
        return (await self.boss("MngAddKycStepTemplate", **data))["template"]["id"]

    async def profile(self, customer_id: int) -> Any:
        return await self.boss("MngGetKycProfile", customer_id=customer_id, brand=BRAND)

    async def decide(self, customer_id: int, verb: str = "Approve", **more: Any) -> None:
        """Decide on every step of a customer that waits."""
        for step in (await self.profile(customer_id))["steps"]:
            if step["status"] == 1:
                await self.boss(f"Mng{verb}KycStep", id=step["id"], **more)

    def events(self, kind: str) -> list[Any]:
        return [event for event in self.heard if event.kind == kind]

    def listen(self) -> None:
        self.heard: list[Any] = []
        self.app.core.followers.append(lambda committed: self.heard.extend(committed.events))

    async def wallet(self, number: int | None = None, memo: str = "", key: Keypair | None = None) -> "Wallet":
        """Sign a new wallet in: by G, by G and memo, or by M."""
        keypair = key or Keypair.random()
        account = keypair.public_key if number is None else muxed(keypair, number)
        wallet = Wallet(self, keypair, account, memo)
        await wallet.sign_in()
        return wallet

    def signed(self, subject: str) -> str:
        """Return a good token for a subject that cannot sign in by itself."""
        return self.app.wallets.tokens.issue(subject, "jti")


class Wallet:
    """One wallet and its token."""

    def __init__(self, anchor: Anchor, keypair: Keypair, account: str, memo: str = "") -> None:
        self.anchor, self.keypair, self.account, self.memo = anchor, keypair, account, memo
        self.token = ""

    async def sign_in(self) -> None:
        query = {"account": self.account} | ({"memo": self.memo} if self.memo else {})
        given = await self.anchor.ask("GET", "/sep12/auth", params=query)
        assert given.status == 200, given
        got = await self.anchor.ask("POST", "/sep12/auth", json={"transaction": signed(given.body, self.keypair)})
        assert got.status == 200, got
        self.token = got.body["token"]

    async def ask(self, method: str, path: str = "", **more: Any) -> Reply:
        return await self.anchor.ask(method, f"/sep12/customer{path}", self.token, **more)

    async def get(self, **query: Any) -> Any:
        reply = await self.ask("GET", params=query)
        assert reply.status == 200, reply
        return reply.body

    async def put(self, **fields: Any) -> str:
        reply = await self.ask("PUT", json=fields)
        assert reply.status == 202, reply
        return reply.body["id"]

    async def error(self, method: str, path: str = "", **more: Any) -> tuple[int, str]:
        reply = await self.ask(method, path, **more)
        assert list(reply.body) == ["error"], reply
        return reply.status, reply.body["error"]

    async def upload(self, content: bytes | None = None, **fields: str) -> Reply:
        form = aiohttp.FormData()
        for name, value in fields.items():
            form.add_field(name, value)
        form.add_field("file", content or png(), filename="id.png", content_type="image/png")
        return await self.ask("POST", "/files", data=form)


def signed(challenge: dict[str, str], *keys: Keypair) -> str:
    """Sign a challenge as a wallet does."""
    envelope = TransactionEnvelope.from_xdr(challenge["transaction"], challenge["network_passphrase"])
    for key in keys:
        envelope.sign(key)
    return envelope.to_xdr()


class Told(Caller):
    """A caller whose other side is not asked: what it answers is given."""

    def __init__(self, answer):
        super().__init__()
        self.answer, self.urls = answer, []

    async def call(self, _method, url, **_):
        self.urls.append(url)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer
