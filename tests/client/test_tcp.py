"""The TCP client against real sockets: pipelining, refusals, limits of time, ends, TLS."""

import asyncio
import socket
import ssl

import pytest
from tls_files import certify

from kycmanager.client import (
    BadReply,
    BadRequest,
    ClientError,
    ConnectionLost,
    Encoding,
    RemoteError,
    ReplyTimeout,
    TcpClient,
)
from kycmanager.commands.model import Accepted
from kycmanager.domain.enums import StepType

BOTH = pytest.mark.parametrize("encoding", list(Encoding))


@BOTH
async def test_a_call_is_one_documented_message(serve, encoding):
    seen = []

    async def script(peer):
        seen.append(await peer.read())
        peer.answer(seen[0], {"accepted": True})

    address = await serve(script)
    async with TcpClient(*address, token="t0", encoding=encoding) as client:
        assert client.connected
        reply = await client.mng_require_kyc_step(customer_id=42, brand="acme", step_code="passport", reason="new")
    assert reply == Accepted()
    assert seen == [
        {
            "command": "MngRequireKycStep",
            "data": {"customer_id": 42, "brand": "acme", "step_code": "passport", "reason": "new"},
            "extID": "1",
            "__token": "t0",
        },
    ]
    assert list(seen[0]) == ["command", "data", "extID", "__token"]
    assert not client.connected


@BOTH
async def test_structs_enumerations_and_keys(serve, encoding):
    async def script(peer):
        request = await peer.read()
        assert request["data"]["step_type"] == 1
        assert request["data"]["idempotency_key"] == "k1"
        template = dict.fromkeys(("name", "description"), "") | {
            "id": 1, "brand": "ü", "level": 1, "code": "c", "step_type": 1, "required": 1, "status": 0,
            "sort_index": 0, "requirements": {}, "form_schema": {"a": [1]}, "created_time": 1, "updated_time": 1,
            "version": 1, "unknown": True,
        }  # fmt: skip
        peer.answer(request, {"template": template})

    async with TcpClient(*await serve(script), token="t", encoding=encoding) as client:
        reply = await client.mng_add_kyc_step_template(
            brand="ü", code="c", level=1, step_type=StepType.QUESTIONNAIRE, idempotency_key="k1"
        )
    assert reply.template.step_type is StepType.QUESTIONNAIRE
    assert reply.template.brand == "ü"
    assert reply.template.form_schema == {"a": [1]}


@BOTH
async def test_many_in_flight_are_matched_by_ext_id(serve, encoding):
    count = 50

    async def script(peer):
        for request in reversed([await peer.read() for _ in range(count)]):
            peer.answer(request, {"pong": True, "time": int(request["extID"])})
        await peer.read()

    async with TcpClient(*await serve(script), token="t", encoding=encoding) as client:
        replies = await asyncio.gather(*(client.ping() for _ in range(count)))
    assert [reply.time for reply in replies] == list(range(1, count + 1))


async def test_no_more_than_calls_max_are_in_flight(serve):
    async def script(peer):
        while True:
            pair = [await peer.read(), await peer.read()]
            await asyncio.sleep(0.01)
            assert not peer.reader._buffer
            for request in pair:
                peer.answer(request, {"pong": True, "time": 1})

    async with TcpClient(*await serve(script), token="t", calls_max=2) as client:
        assert len(await asyncio.gather(*(client.ping() for _ in range(6)))) == 6


@BOTH
async def test_a_refusal(serve, encoding):
    async def script(peer):
        request = await peer.read()
        more = {"error": "RET_STALE_VERSION", "message": "read it again"}
        peer.answer(request, {"version": 3}, status=409, **more)
        request = await peer.read()
        peer.send({"extID": request["extID"], "status": 404, "error": "RET_NOT_FOUND", "message": "m"})
        await peer.read()

    async with TcpClient(*await serve(script), token="t", encoding=encoding) as client:
        with pytest.raises(RemoteError) as caught:
            await client.mng_approve_kyc_step(id=1, version=2)
        assert (caught.value.status, caught.value.error) == (409, "RET_STALE_VERSION")
        assert caught.value.message == "read it again"
        assert caught.value.data == {"version": 3}
        assert str(caught.value) == "409 RET_STALE_VERSION: read it again"
        with pytest.raises(RemoteError) as caught:
            await client.mng_get_kyc_step(id=1)
        assert caught.value.data == {}
        assert client.connected


async def test_a_token_can_be_replaced(serve):
    peers = []

    async def script(peer):
        peers.append(peer)
        while True:
            peer.answer(await peer.read(), {"pong": True, "time": 1})

    async with TcpClient(*await serve(script), token="old") as client:
        await client.ping()
        client.token = "new"
        await client.ping()
    assert [request["__token"] for request in peers[0].seen] == ["old", "new"]


async def test_no_answer_in_time_and_the_late_one_meets_nobody(serve):
    async def script(peer):
        first = await peer.read()
        second = await peer.read()
        peer.answer(first, {"pong": True, "time": 1})
        peer.send({"extID": 77, "status": 200, "data": {}})
        peer.answer(second, {"pong": True, "time": 2})
        peer.answer(second, {"pong": True, "time": 3})
        await peer.read()

    async with TcpClient(*await serve(script), token="t", timeout_seconds=0.2) as client:
        with pytest.raises(ReplyTimeout, match=r"Ping was not answered within 0\.2 s"):
            await client.ping()
        assert (await client.ping()).time == 2


async def test_a_call_given_up_by_its_caller(serve, pong):
    async with TcpClient(*await serve(pong), token="t") as client:
        given_up = asyncio.create_task(client.ping())
        await asyncio.sleep(0)
        given_up.cancel()
        assert (await client.ping()).pong
        with pytest.raises(asyncio.CancelledError):
            await given_up


async def test_the_end_of_the_connection_fails_all_that_wait(serve):
    async def script(peer):
        for _ in range(3):
            await peer.read()

    async with TcpClient(*await serve(script), token="t") as client:
        results = await asyncio.gather(*(client.ping() for _ in range(3)), return_exceptions=True)
        assert {str(result) for result in results} == {"the daemon closed the connection"}
        assert all(isinstance(result, ConnectionLost) for result in results)
        assert len(set(map(id, results))) == 3
        assert not client.connected
        with pytest.raises(ConnectionLost, match="the daemon closed"):
            await client.ping()


async def test_the_reason_of_the_end_is_told(serve):
    async def script(peer):
        await peer.read()
        peer.send({"status": 413, "error": "LINE_TOO_LONG", "message": "over 1 MiB", "data": {}})

    async with TcpClient(*await serve(script), token="t") as client:
        with pytest.raises(ConnectionLost, match="after 413 LINE_TOO_LONG: over 1 MiB"):
            await client.ping()


async def test_a_reset(serve):
    async def script(peer):
        await peer.read()
        linger = b"\1\0\0\0\0\0\0\0"
        peer.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    async with TcpClient(*await serve(script), token="t") as client:
        with pytest.raises(ConnectionLost, match="the connection broke"):
            await client.ping()


async def test_closing_fails_what_waits_and_opening_again_works(serve, pong):
    hold = asyncio.Event()

    async def script(peer):
        await peer.read() if not hold.is_set() else await pong(peer)
        await hold.wait()

    client = TcpClient(*await serve(script), token="t")
    with pytest.raises(ConnectionLost, match="not open"):
        await client.ping()
    await client.close()
    await client.open()
    waiting = asyncio.create_task(client.ping())
    await asyncio.sleep(0.01)
    await client.close()
    await client.close()
    with pytest.raises(ConnectionLost, match="this client closed"):
        await waiting
    hold.set()
    await client.open()
    assert (await client.ping()).pong
    await client.close()


async def test_nobody_listens(unused_tcp_port):
    with pytest.raises(ConnectionLost, match="no connection to"):
        await TcpClient("127.0.0.1", unused_tcp_port, token="t").open()


@pytest.fixture
def unused_tcp_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@BOTH
async def test_a_reply_of_another_shape_fails_its_call_only(serve, encoding):
    async def script(peer):
        peer.answer(await peer.read(), {"pong": "yes"})
        peer.answer(await peer.read(), {"pong": True, "time": 1})
        await peer.read()

    async with TcpClient(*await serve(script), token="t", encoding=encoding) as client:
        with pytest.raises(BadReply, match="not what was expected"):
            await client.ping()
        assert (await client.ping()).pong


@BOTH
async def test_what_cannot_be_read_ends_the_connection(serve, encoding):
    async def script(peer):
        await peer.read()
        peer.writer.write(b"\r\nnonsense\r\n" if encoding is Encoding.JSON else b"\0\0\0\1\xc1")
        await peer.read()

    async with TcpClient(*await serve(script), token="t", encoding=encoding) as client:
        with pytest.raises(ConnectionLost, match="cannot be read"):
            await client.ping()


@BOTH
async def test_a_message_that_is_too_long_ends_the_connection(serve, encoding):
    async def script(peer):
        peer.answer(await peer.read(), {"pong": True, "time": 1, "more": "x" * 100_000})
        await peer.read()

    async with TcpClient(*await serve(script), token="t", encoding=encoding, message_bytes_max=50_000) as client:
        with pytest.raises(ConnectionLost, match="longer than 50000 bytes"):
            await client.ping()


async def test_an_empty_frame_cannot_be_read(serve):
    async def script(peer):
        await peer.read()
        peer.writer.write(b"\0\0\0\0")
        await peer.read()

    async with TcpClient(*await serve(script), token="t", encoding=Encoding.MSGPACK) as client:
        with pytest.raises(ConnectionLost, match="cannot be read"):
            await client.ping()


async def test_a_request_too_long_for_a_frame_is_the_callers_fault(serve, pong):
    client = TcpClient(*await serve(pong), token="t", encoding=Encoding.MSGPACK, request_bytes_max=1 << 30)
    async with client:
        with pytest.raises(BadRequest, match=r"longer than 16777215 bytes"):
            await client.customer_save_kyc_answers(id=1, answers={"text": "x" * (1 << 24)})
        assert (await client.ping()).pong


async def test_a_large_reply_arrives_whole(serve):
    async def script(peer):
        peer.answer(await peer.read(), {"commands": [], "definitions": {"text": "x" * 3_000_000}})
        await peer.read()

    async with TcpClient(*await serve(script), token="t") as client:
        assert len((await client.describe()).definitions["text"]) == 3_000_000


async def test_connecting_takes_too_long():
    # a backlog that is full answers no further connection
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        address = deaf.getsockname()
        filling = []
        for _ in range(8):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(address)
            filling.append(filler)
        await asyncio.sleep(0.05)
        with pytest.raises(ReplyTimeout, match="no connection to"):
            await TcpClient(*address, token="t", timeout_seconds=0.2).open()
        for filler in filling:
            filler.close()


async def test_errors_have_one_root():
    assert issubclass(RemoteError, ClientError)
    assert issubclass(ConnectionLost, ClientError)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    certify(folder)
    return folder


async def test_tls(serve, pong, certificate):
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    address = await serve(pong, ssl=server)
    async with TcpClient(
        *address, token="t", tls=ssl.create_default_context(cafile=certificate / "cert.pem")
    ) as client:
        assert (await client.ping()).pong
    with pytest.raises(ConnectionLost, match="certificate"):
        await TcpClient(*address, token="t", tls=ssl.create_default_context()).open()
