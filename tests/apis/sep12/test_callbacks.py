"""Where a wallet wants to be told: kept, replaced, refused, and called with a signature it can verify."""

import asyncio
import base64
import json

import pytest
from aiohttp import web
from anchors import NAMES, Keypair, Told

from kycmanager.apis.sep12.client_domain import ClientDomains
from kycmanager.domain.errors import KycError
from kycmanager.outbound.addresses import AddressRefused
from kycmanager.outbound.calls import Answer

PRIVATE_ALLOWED = pytest.mark.parametrize("settings", [{"webhooks": {"allow_private": True}}], indirect=True)


@pytest.fixture
async def receiver():
    """A wallet's server; what it is sent is in its queue."""
    sent = asyncio.Queue()

    async def take(request):
        await sent.put((request.path, request.headers, await request.read()))
        return web.Response()

    runner = web.ServerRunner(web.Server(take))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}", sent
    await runner.cleanup()


@PRIVATE_ALLOWED
async def test_a_wallet_is_told_each_status(anchor, receiver):
    url, sent = receiver
    wallet = await anchor.wallet()
    made = await wallet.put(**NAMES)
    assert (await wallet.ask("PUT", "/callback", json={"id": made, "url": f"{url}/old"})).body == {}
    assert (await wallet.ask("PUT", "/callback", json={"url": f"{url}/kyc"})).status == 200
    await anchor.decide(int(made))
    path, headers, body = await asyncio.wait_for(sent.get(), 30)
    assert (path, json.loads(body)) == ("/kyc", await wallet.get())
    stamp, signature = (part.partition("=")[2] for part in headers["Signature"].split(", "))
    signed = f"{stamp}.{url.removeprefix('http://')}.".encode() + body
    anchor.app.wallets.keypair.verify(signed, base64.b64decode(signature))


@pytest.mark.parametrize(
    "url",
    ["", "x", "ftp://wallet.example.com", "http://wallet.example.com", "https://127.0.0.1/x", "https://10.0.0.1",
     "https://[::1]/", "https://user:word@wallet.example.com", "https://wallet.example.com/#x", "https://2130706433/", 5],
)  # fmt: skip
async def test_urls_that_are_refused(anchor, url):
    wallet = await anchor.wallet()
    await wallet.put(first_name="Ann")
    status, reason = await wallet.error("PUT", "/callback", json={"url": url})
    assert (status, reason.partition(":")[0]) == (400, "url")


async def test_a_callback_needs_a_customer(anchor):
    wallet = await anchor.wallet()
    assert (await wallet.error("PUT", "/callback", json={"url": "https://wallet.example.com"}))[0] == 404


async def test_a_callback_of_a_user_by_memo_and_by_each_form(anchor):
    wallet = await anchor.wallet()
    made = await wallet.put(memo="5", first_name="Ann")
    for kind in ("json", "data", "params"):
        sent = {"memo": "5", "account": wallet.account, "url": f"https://wallet.example.com/{kind}"}
        assert (await wallet.ask("PUT", "/callback", **{kind: sent})).status == 200
        kept = anchor.records.wallets.callback(int(made))
        assert (kept.url, kept.memo, kept.customer_id) == (sent["url"], "5", int(made))
    assert kept.version == 3
    await anchor.boss("MngLinkKycIdentity", id=int(made), customer_id=77)
    assert anchor.records.wallets.callback(int(made)).customer_id == 77
    assert (await wallet.ask("DELETE", f"/{wallet.account}", json={"memo": "5"})).status == 200
    assert anchor.records.wallets.callback(int(made)) is None


KEY = Keypair.random().public_key
GOOD = f'SIGNING_KEY="{KEY}"\n'.encode()


async def test_the_key_of_a_client_domain():
    caller = Told(Answer(200, GOOD, cut=False))
    assert await ClientDomains(caller).signing_key("wallet.example.com") == KEY
    assert caller.urls == ["https://wallet.example.com/.well-known/stellar.toml"]


@pytest.mark.parametrize(
    "answer",
    [Answer(302, GOOD, cut=False), Answer(200, GOOD, cut=True), Answer(200, b"= x", cut=False),
     Answer(200, b"\xff", cut=False), Answer(200, b"SIGNING_KEY=5", cut=False), Answer(200, b'SIGNING_KEY="G"', cut=False),
     Answer(200, b"", cut=False), AddressRefused("x")],
)  # fmt: skip
async def test_a_client_domain_without_a_key(answer):
    with pytest.raises(KycError) as caught:
        await ClientDomains(Told(answer)).signing_key("wallet.example.com")
    assert caught.value.message == "client_domain: its stellar.toml cannot be read over https, or has no SIGNING_KEY"


@pytest.mark.parametrize(
    "name", ["", "localhost", "a", "1.2.3.4", "x_y.example.com", "EXAMPLE.com", "a.b:1", "a.b/c", "[::1]", "a..b"]
)
async def test_what_is_no_domain_is_never_called(name):
    caller = Told(Answer(200, GOOD, cut=False))
    with pytest.raises(KycError):
        await ClientDomains(caller).signing_key(name)
    assert caller.urls == []
