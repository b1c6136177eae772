"""Whatever bytes come, nothing is raised, every whole request is answered, and others are served."""

import asyncio
import json
import random

import msgpack
import pytest

PIECES = [
    b'{"command":"MngGetKycProfile","data":{"id":1},"extID":"a","__token":"%b"}\r\n',
    b'{"command":"MngGetKycProfile","data":{"id":999999999999999},"extID":"a","__token":"%b"}\r\n',
    b'{"command":"Subscribe","data":{"chanels":["kyc"],"after_seq":0},"extID":1,"__token":"%b"}\n',
    b'{"command":"MngSetKycRisk","data":{"customer_id":42,"brand":"acme","risk_level":1},"__token":"%b"}\n',
    b'{"command":"MngGetKycAudit","__token":"%b"}\r\n',
]


@pytest.fixture
async def faults(daemon):
    """What the loop would have logged."""
    found = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: found.append(context))
    return found


def mangled(chance, token):
    piece = chance.choice(PIECES).replace(b"%b", token.encode())
    for _ in range(chance.choice((0, 0, 1, 1, 2, 5))):
        place = chance.randrange(len(piece))
        kind = chance.randrange(4)
        if kind == 0:
            piece = piece[:place] + bytes([chance.randrange(256)]) + piece[place + 1 :]
        elif kind == 1:
            piece = piece[:place] + piece[place + chance.randrange(9) :]
        elif kind == 2:
            piece = piece[:place] + chance.choice((b'"', b"{", b"[", b"\\u0000", b"\n", b"1e999", b",")) + piece[place:]
        else:
            piece = piece[:place] + piece
    return piece


async def test_mangled_lines(daemon, faults):
    chance = random.Random(20)
    good = await daemon.connect()
    await daemon.profile(good)
    for _ in range(20):
        client = await daemon.connect()
        sent = b"".join(mangled(chance, client.token) for _ in range(150)).lstrip(b"\0")
        cuts = sorted(chance.randrange(len(sent)) for _ in range(chance.randrange(30)))
        for start, stop in zip([0, *cuts], [*cuts, len(sent)], strict=True):
            client.send(sent[start:stop])
            if chance.random() < 0.3:
                await asyncio.sleep(0)
        client.send(b"\n" + client.line("Ping", extID="the end"))
        owed = len([line for line in sent.split(b"\n") if line.strip(b" \t\r")])
        replies = 0
        while True:
            message = await client.message()
            replies += "event" not in message
            if message.get("extID") == "the end":
                break
        assert replies <= owed + 1
        while replies < owed + 1:
            replies += "event" not in await client.message()
        assert all(line.isascii() and json.loads(line) for line in client.raw)
    assert (await good.ask("Ping"))["status"] == 200
    assert faults == []


async def test_random_frames(daemon, faults, pack_client, framed):
    chance = random.Random(21)
    for _ in range(10):
        client = await daemon.connect(kind=pack_client)
        for _ in range(200):
            content = bytearray(msgpack.packb({"command": "Ping", "data": {"a": [1, "x"]}, "__token": client.token}))
            for _ in range(chance.randrange(4)):
                content[chance.randrange(len(content))] = chance.randrange(256)
            client.send(framed(bytes(content)))
        for message in await client.messages(200):
            assert message["status"] in {200, 400, 401, 405, 429}
    assert faults == []


async def test_random_bytes(daemon, faults):
    chance = random.Random(22)
    for _ in range(30):
        client = await daemon.connect()
        client.send(chance.randbytes(chance.randrange(1, 20_000)))
        client.writer.write_eof()
        await client.ended()
    assert faults == []
    assert (await (await daemon.connect()).ask("Ping"))["status"] == 200
