"""The real process, killed, and a wallet that was away: each change of the status is told once, in order, signed."""

import asyncio
import base64
import json

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from running import Process

from kycmanager.cli import control

SEED = "SCY4F6VEIIPXPLTNQSFT5427H64YK3H3LB27H7WAOVDQSV2UACRWTPGM"
ACCOUNT = "G" + "A" * 55
FORM = {"sections": [{"fields": [{"name": "first_name", "type": "text", "required": True}]}]}


@pytest.fixture
def daemon(tmp_path):
    process = Process(
        tmp_path / "data",
        config="[webhooks]\nallow_private = true\n"
        "[sep12]\nenabled = true\nbrand = 'acme'\nurl = 'https://kyc.example.com'\n",
    )
    keys = tmp_path / "data" / "keys"
    keys.mkdir(parents=True, mode=0o700)
    (keys / "sep12.seed").write_text(f"{SEED}\n")
    (keys / "sep12.seed").chmod(0o600)
    process.start()
    yield process
    process.kill()


class Desk:
    """What the wallet, its customer and a manager do."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.tokens = {}

    def local(self, command, **data):
        who = {"brand": "acme", "account": ACCOUNT}
        return control.call(self.daemon.folder, command, {**who, **data}, lambda *_: None)

    async def ask(self, path, data=None, *, method="POST", statuses=(200,), **query):
        token = self.tokens["customer" if path.startswith("/customer") else "admin"]
        async with (
            aiohttp.ClientSession("http://{}:{}".format(*self.daemon.http)) as http,
            http.request(method, path, json=data, params=query, headers={"Authorization": token}) as answer,
        ):
            assert answer.status in statuses, await answer.text()
            return await answer.json()

    async def begin(self, url):
        """Have a wallet name its URL, and one step asked; return the step."""
        self.customer = self.local("SysOpenSepIdentity")["identity"]["id"]
        self.local("SysSetSepCallback", url=url)
        self.tokens = {
            "admin": await asyncio.to_thread(self.daemon.issue, "admin", 1),
            "customer": await asyncio.to_thread(self.daemon.issue, "customer", self.customer, "acme"),
        }
        template = {"brand": "acme", "code": "sep12.default", "level": 1, "step_type": 1, "form_schema": FORM}
        await self.ask("/manager/kyc/templates", template)
        asked = {"customer_id": self.customer, "brand": "acme", "step_code": "sep12.default"}
        await self.ask("/manager/kyc/steps/require", asked)
        return (await self.ask("/customer/kyc", method="GET"))["steps"][0]["id"]

    async def hand_in(self, step):
        await self.ask(f"/customer/kyc/steps/{step}/submit", {"answers": {"first_name": "Ann"}})

    async def waiting(self, **query):
        return (await self.ask("/manager/kyc/deliveries", method="GET", channel="sep12", **query))["rows"]

    async def queued(self, count):
        async with asyncio.timeout(20):
            while len(await self.waiting()) < count:
                await asyncio.sleep(0.05)

    async def killed(self):
        self.daemon.kill()
        await asyncio.to_thread(self.daemon.start)


async def test_each_change_of_the_status_arrives_once_in_order(daemon, receiver):
    desk = Desk(daemon)
    step = await desk.begin(receiver.url)
    await receiver.down()
    await desk.hand_in(step)
    await desk.killed()
    await desk.queued(1)
    await desk.ask(f"/manager/kyc/steps/{step}/reject", {"reason": "unreadable"})
    await desk.queued(2)
    await desk.hand_in(step)
    await desk.killed()
    await desk.queued(3)
    await desk.ask(f"/manager/kyc/steps/{step}/approve")
    await desk.queued(4)
    await receiver.up()
    async with asyncio.timeout(60):
        while rows := await desk.waiting(state="waiting"):
            if rows[-1]["attempts"]:  # now, not in some seconds
                await desk.ask("/manager/kyc/deliveries/replay", {"id": rows[-1]["id"]}, statuses=(200, 404))
            await asyncio.sleep(0.2)
    bodies = [json.loads(call.body) for call in receiver.calls]
    assert [body["status"] for body in bodies] == ["PROCESSING", "NEEDS_INFO", "PROCESSING", "ACCEPTED"]
    assert {body["id"] for body in bodies} == {str(desk.customer)}
    key = Ed25519PrivateKey.from_private_bytes(base64.b32decode(SEED)[1:33]).public_key()
    for call in receiver.calls:
        time, signature = call.headers["Signature"].removeprefix("t=").split(", s=")
        key.verify(base64.b64decode(signature), f"{time}.127.0.0.1:{receiver.port}.".encode() + call.body)
        assert b"Ann" not in call.body
    assert [row["state"] for row in await desk.waiting()] == ["delivered"] * 4
