import asyncio
import ssl

import pytest
from aiohttp import web
from receiver import Receiver
from tls_files import certify

from kycmanager.outbound.addresses import AddressRefused
from kycmanager.outbound.calls import Caller, CallFailed


@pytest.fixture
async def callers():
    made = []

    def make(**settings):
        made.append(Caller(**{"allow_private": True, "seconds": 5, **settings}))
        return made[-1]

    yield make
    for caller in made:
        await caller.close()


async def test_a_call_and_its_answer(callers, receiver):
    async def answer(request, _call):
        return web.Response(status=201, text=request.method)

    receiver.answer = answer
    caller = callers()
    found = await caller.call("POST", receiver.url, body=b"{}", headers={"X-Own": "1"})
    assert (found.status, found.body, found.cut) == (201, b"POST", False)
    assert (receiver.calls[0].body, receiver.calls[0].headers["X-Own"]) == (b"{}", "1")
    assert (await caller.call("GET", receiver.url)).body == b"GET"


async def test_a_private_address_is_not_called(callers, receiver, monkeypatch):
    caller = callers(allow_private=False)
    for url in (receiver.url, receiver.url.replace("http", "https"), f"https://localhost:{receiver.port}/"):
        with pytest.raises(AddressRefused):
            await caller.call("POST", url, body=b"{}")
    assert receiver.calls == []


async def test_what_was_looked_at_is_what_is_connected_to(callers, receiver, monkeypatch):
    """A name that answers with another address the second time is never asked a second time."""
    asked = []
    loop = asyncio.get_running_loop()
    real = loop.getaddrinfo

    async def look_up(host, port, **options):
        asked.append(host)
        return await real("127.0.0.1" if len(asked) == 1 else "127.0.0.2", port, **options)

    monkeypatch.setattr(loop, "getaddrinfo", look_up)
    assert (await callers().call("POST", f"http://wallet.example:{receiver.port}/hook", body=b"{}")).status == 200
    assert asked == ["wallet.example"]
    assert receiver.calls[0].headers["Host"] == f"wallet.example:{receiver.port}"


async def test_a_redirect_is_an_answer(callers, receiver):
    async def answer(_request, _call):
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    receiver.answer = answer
    assert (await callers().call("POST", receiver.url, body=b"{}")).status == 307
    assert [call.path for call in receiver.calls] == ["/hook"]


async def test_a_giant_answer_is_cut(callers, receiver):
    async def answer(_request, _call):
        return web.Response(body=b"x" * (8 << 20))

    receiver.answer = answer
    found = await callers().call("POST", receiver.url, body=b"{}")
    assert (found.status, len(found.body), found.cut) == (200, 65_536, True)


async def test_an_answer_that_never_ends_is_cut_and_one_that_never_begins_fails(callers, receiver):
    async def endless(request, _call):
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"a")
        await asyncio.sleep(30)
        return response

    async def silent(_request, _call):
        await asyncio.sleep(30)
        return web.Response()

    caller = callers(seconds=0.3)
    receiver.answer = endless
    found = await caller.call("POST", receiver.url, body=b"{}")
    assert (found.status, found.cut) == (200, True)
    receiver.answer = silent
    with pytest.raises(CallFailed, match="timeout"):
        await caller.call("POST", receiver.url, body=b"{}")


async def test_no_cookie_is_kept(callers, receiver):
    async def answer(_request, _call):
        response = web.Response()
        response.set_cookie("a", "b")
        return response

    receiver.answer = answer
    caller = callers()
    for _ in range(2):
        await caller.call("POST", receiver.url, body=b"{}")
    assert all("Cookie" not in call.headers for call in receiver.calls)


async def test_nobody_there(callers, receiver):
    await receiver.down()
    with pytest.raises(CallFailed, match="unreachable"):
        await callers().call("POST", receiver.url, body=b"{}")


async def test_what_is_no_http(callers):
    async def serve(_reader, writer):
        writer.write(b"\x00\x01\x02 nothing\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    caller = callers()
    with pytest.raises(CallFailed, match="broken"):
        await caller.call("POST", f"http://127.0.0.1:{port}/", body=b"{}")
    with pytest.raises(CallFailed, match=r"tls|unreachable"):
        await caller.call("POST", f"https://127.0.0.1:{port}/", body=b"{}")
    server.close()
    await server.wait_closed()


def certificate(folder):
    """Make a certificate for 127.0.0.1 by nobody known; return what serves and what trusts it."""
    files = certify(folder)
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(*files)
    return serving, ssl.create_default_context(cafile=files[0])


async def test_a_certificate_nobody_vouches_for(callers, tmp_path):
    serving, trusting = certificate(tmp_path)
    async with Receiver(tls=serving) as receiver:
        with pytest.raises(CallFailed, match="certificate"):
            await callers().call("POST", receiver.url, body=b"{}")
        assert receiver.calls == []
        assert (await callers(tls=trusting).call("POST", receiver.url, body=b"{}")).status == 200
        with pytest.raises(CallFailed, match="certificate"):
            await callers(tls=trusting).call("POST", receiver.url.replace("127.0.0.1", "localhost"), body=b"{}")
