"""What the daemon pushes: in order, beside the replies, to an iterator or a callback."""

import asyncio

import pytest

from kycmanager.client import ConnectionLost, Encoding, Notice, Push, TcpClient

BOTH = pytest.mark.parametrize("encoding", list(Encoding))


def event(seq):
    return {"event": "kyc:event", "type": 1, "data": {"seq": seq, "kind": "profile.updated"}}


@BOTH
async def test_pushes_come_in_order_even_before_the_reply(serve, encoding):
    async def script(peer):
        request = await peer.read()
        assert request["data"] == {"chanels": ["kyc:acme"], "after_seq": 0}
        peer.send(event(1))
        peer.answer(request, {"accepted": True})
        peer.send(event(2))
        peer.send(["n", "Hello", "More of it", "tok", 0, 20, 9, 1, {"a": 1}, None])
        await peer.read()

    async with TcpClient(*await serve(script), token="t", encoding=encoding) as client:
        await client.subscribe(chanels=["kyc:acme"], after_seq=0)
        pushes = client.pushes()
        first, second, notice = [await anext(pushes) for _ in range(3)]
    assert first == Push("kyc:event", 1, {"seq": 1, "kind": "profile.updated"})
    assert second.data["seq"] == 2
    assert notice == Notice("Hello", "More of it", "tok", 0, 20, 9, 1, {"a": 1}, None)
    assert [push async for push in pushes] == []


async def test_the_iterator_raises_when_the_connection_is_lost(serve):
    async def script(peer):
        await peer.read()
        peer.send(event(1))

    async with TcpClient(*await serve(script), token="t") as client:
        with pytest.raises(ConnectionLost):
            await client.ping()
        seen = []
        with pytest.raises(ConnectionLost, match="the daemon closed"):
            async for push in client.pushes():
                seen.append(push.data["seq"])
        assert seen == [1]
        with pytest.raises(ConnectionLost):
            await anext(client.pushes())


async def test_every_reader_sees_the_end(serve, pong):
    async with TcpClient(*await serve(pong), token="t") as client:
        readers = [asyncio.create_task(anext(client.pushes(), None)) for _ in range(3)]
        await client.ping()
        await client.close()
        assert await asyncio.gather(*readers) == [None, None, None]


async def test_no_pushes_before_opening():
    with pytest.raises(ConnectionLost, match="not open"):
        await anext(TcpClient("127.0.0.1", 1, token="t").pushes())


async def test_pushes_nobody_reads_end_the_connection_instead_of_being_lost(serve):
    async def script(peer):
        request = await peer.read()
        for seq in range(4):
            peer.send(event(seq))
        peer.answer(request, {"accepted": True})
        await peer.read()

    async with TcpClient(*await serve(script), token="t", pushes_max=3) as client:
        with pytest.raises(ConnectionLost, match="more than 3 pushes wait"):
            await client.subscribe(chanels=["kyc"])
        seen = []
        with pytest.raises(ConnectionLost, match="after_seq"):
            async for push in client.pushes():
                seen.append(push.data["seq"])
        assert seen == [0, 1, 2]


async def test_a_callback_takes_pushes_and_its_faults_hurt_nobody(serve):
    async def script(peer):
        request = await peer.read()
        peer.send(event(1))
        peer.send(event(2))
        peer.answer(request, {"accepted": True})
        await peer.read()

    seen, faults = [], []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: faults.append(context["exception"]))

    def take(push):
        seen.append(push.data["seq"])
        raise KeyError(push.data["seq"])

    async with TcpClient(*await serve(script), token="t", on_push=take) as client:
        assert (await client.subscribe(channels=["kyc"])).accepted
    assert seen == [1, 2]
    assert [type(fault) for fault in faults] == [KeyError, KeyError]
