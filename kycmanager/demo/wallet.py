"""A Stellar wallet plays against a daemon: it finds the door, signs in, does its KYC, is reviewed, and goes."""

import asyncio
import shutil
import socket
import tempfile
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp
from msgspec import Struct
from rich.console import Console
from stellar_sdk import Keypair, Network, TransactionEnvelope

from kycmanager.apis.sep12.stand_in import HorizonStandIn
from kycmanager.client import ClientError
from kycmanager.config import load
from kycmanager.demo.daemon import SETTINGS, DaemonFailed, DemoDaemon
from kycmanager.demo.samples import jpeg
from kycmanager.demo.story import Story, Unexpected, shown
from kycmanager.domain.enums import SessionType
from kycmanager.domain.wallet_example import settings_text, templates
from kycmanager.tokens.issue import issue_token
from kycmanager.tokens.keys import load_keys

BRAND = "acme"
_PICTURE = jpeg([[60, 200], [200, 60]])
_PASSPORT = {"type": "sep31-sender", "id_type": "passport", "id_number": "X1", "id_country_code": "DEU"}
_PERSON = {
    "type": "sep31-sender",
    "first_name": "Ann",
    "last_name": "Example",
    "birth_date": "1990-12-31",
    "email_address": "ann@example.com",
    "address_country_code": "DEU",
}


class Web(Struct, frozen=True):
    """A way to the daemon."""

    session: aiohttp.ClientSession

    async def ask(self, method: str, path: str, token: str = "", **more: Any) -> tuple[int, Any]:
        """Return the status and the body of an answer."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self.session.request(method, path, headers=headers, **more) as answer:
            text = await answer.text()
            return answer.status, text if path.endswith(".toml") else await answer.json()


class Performance:
    """One performance on a folder of its own; `command` starts the command line of the daemon."""

    def __init__(self, command: Sequence[str], console: Console, *, verbose: bool) -> None:
        self._command = command
        self._story = Story(console, verbose=verbose)

    def run(self) -> str:
        """Play it and clean up; return what went wrong, "" when nothing did."""
        folder = Path(tempfile.mkdtemp(prefix="kycmanager-sep12-"))
        try:
            return asyncio.run(self._play(folder))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    async def _play(self, folder: Path) -> str:
        story, port = self._story, _free_port()
        url = f"http://127.0.0.1:{port}"
        async with HorizonStandIn() as horizon:
            daemon = DemoDaemon(self._command, folder, settings=_settings(url, port, horizon.url))
            try:
                await daemon.start()
                async with aiohttp.ClientSession(url) as session:
                    await Scenes(story, Web(session), _manager(daemon)).play(horizon)
                story.tell("The daemon", "stops when it is asked to", came=daemon.stop(), expected=0)
                story.remark(f"\n{story.lines} lines, each compared with the reply it tells of.")
            except Unexpected as fault:
                return f"went wrong: {fault.line}: expected {shown(fault.expected)}, came {shown(fault.came)}"
            except (ClientError, DaemonFailed, aiohttp.ClientError) as fault:
                return f"{fault}; mend that, then start the demo again"
            finally:
                daemon.stop()
        return ""


class Scenes:
    """The scenes, one after another."""

    def __init__(self, story: Story, web: Web, manager: str) -> None:
        self._story = story
        self._web = web
        self._manager = manager
        self._token = ""

    async def play(self, horizon: HorizonStandIn) -> None:
        """Play them all."""
        key = Keypair.random()
        horizon.put(key.public_key)
        await self._prepare()
        await self._sign_in(key)
        customer = await self._send()
        await self._review(customer)
        await self._leave(key)

    async def _customer(self, method: str, path: str = "", **more: Any) -> tuple[int, Any]:
        return await self._web.ask(method, f"/sep12/customer{path}", self._token, **more)

    async def _prepare(self) -> None:
        for template in templates(BRAND):
            status, _ = await self._web.ask("POST", "/manager/kyc/templates", self._manager, json=template)
            asks = str(template["name"]).lower()
            self._story.tell("Operator", f"has the brand ask: {asks}", came=status, expected=200)

    async def _sign_in(self, key: Keypair) -> None:
        story = self._story
        story.scene("A wallet finds the door and signs in")
        status, text = await self._web.ask("GET", "/.well-known/stellar.toml")
        found = tomllib.loads(text)
        story.tell("Wallet", "reads stellar.toml", came=(status, "KYC_SERVER" in found), expected=(200, True))
        story.tell("Wallet", "is told to sign in first", came=(await self._customer("GET"))[0], expected=401)
        _, given = await self._web.ask("GET", "/sep12/auth", params={"account": key.public_key})
        envelope = TransactionEnvelope.from_xdr(given["transaction"], Network.TESTNET_NETWORK_PASSPHRASE)
        envelope.sign(key)
        signed = {"transaction": envelope.to_xdr()}
        status, got = await self._web.ask("POST", "/sep12/auth", json=signed)
        story.tell(
            "Wallet", "signs the challenge and has its token", came=(status, list(got)), expected=(200, ["token"])
        )
        self._token = got["token"]
        again, _ = await self._web.ask("POST", "/sep12/auth", json=signed)
        story.tell("Somebody", "sends the same challenge again", came=again, expected=400)

    async def _send(self) -> str:
        story = self._story
        story.scene("It does its KYC")
        query = {"type": "sep31-sender"}
        _, asked = await self._customer("GET", params=query)
        story.tell("Wallet", "asks what a sender has to tell", came=asked["status"], expected="NEEDS_INFO")
        status, made = await self._customer("PUT", json=_PERSON)
        story.tell("Wallet", "sends the person", came=(status, list(made)), expected=(202, ["id"]))
        form = aiohttp.FormData()
        for name, value in _PASSPORT.items():
            form.add_field(name, value)
        form.add_field("photo_id_front", _PICTURE, filename="front.jpg", content_type="image/jpeg")
        status, _ = await self._customer("PUT", data=form)
        story.tell("Wallet", "sends the passport and its picture", came=status, expected=202)
        _, waits = await self._customer("GET", params=query)
        story.tell("Wallet", "sees that it waits", came=waits["status"], expected="PROCESSING")
        return str(made["id"])

    async def _review(self, customer: str) -> None:
        story = self._story
        story.scene("Somebody reviews it, and the wallet sees it")
        where = {"customer_id": customer, "brand": BRAND}
        _, held = await self._web.ask("GET", "/manager/kyc/profiles/0", self._manager, params=where)
        for step in held["steps"]:
            status, _ = await self._web.ask("POST", f"/manager/kyc/steps/{step['id']}/approve", self._manager)
            story.tell("Manager", f"approves {step['name'].lower()}", came=status, expected=200)
        _, body = await self._customer("GET", params={"id": customer, "type": "sep31-sender"})
        story.tell("Wallet", "is accepted as a sender", came=body["status"], expected="ACCEPTED")
        _, other = await self._customer("GET", params={"id": customer, "type": "sep6-withdraw"})
        story.tell("Wallet", "still owes its bank account", came=sorted(_required(other)), expected=_BANK)

    async def _leave(self, key: Keypair) -> None:
        story = self._story
        story.scene("It goes")
        status, _ = await self._customer("DELETE", f"/{key.public_key}")
        story.tell("Wallet", "has its customer erased", came=status, expected=200)
        status, body = await self._customer("GET", params={"type": "sep31-sender"})
        story.tell("Wallet", "is nobody again", came=(status, body.get("id", "")), expected=(200, ""))


_BANK = ["bank_account_number", "bank_number"]


def _required(body: dict[str, Any]) -> list[str]:
    return [name for name, field in body["fields"].items() if not field.get("optional")]


def _manager(daemon: DemoDaemon) -> str:
    key = load_keys(load(daemon.config, {}).tokens, daemon.folder).signing
    return issue_token(key, session=SessionType.MANAGER, sub=9, brands=[BRAND], now=int(time.time()), ttl_seconds=3600)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _settings(url: str, port: int, horizon: str) -> str:
    text = SETTINGS.replace('http = "127.0.0.1:0"', f'http = "127.0.0.1:{port}"')
    return f"{text}\n{settings_text(BRAND, url, Network.TESTNET_NETWORK_PASSPHRASE, horizon)}"
