"""More writes than can be taken: each is answered, reads go on, and what was refused has left nothing."""

import asyncio

import pytest

MANY = 3000


@pytest.fixture
async def narrow(serve):
    return await serve(write_queue_max=8, batch_commands_max=4)


def risks(client, count, **keys):
    """Spell writes that each leave one row of audit."""
    data = {"customer_id": 42, "brand": "acme", "risk_level": 1}
    return [client.line("MngSetKycRisk", data, extID=f"w{number}", **keys) for number in range(count)]


async def outcomes(client, count):
    """Take all answers, each once; return how many writes were taken and refused."""
    answers = {}
    while len(answers) < count:
        answer = await client.message()
        assert answer["extID"] not in answers
        answers[answer["extID"]] = answer["status"]
    assert set(answers) == {f"w{number}" for number in range(count)}
    statuses = list(answers.values())
    assert set(statuses) <= {200, 503}
    return statuses.count(200), statuses.count(503)


async def audited(client):
    found = await client.good("MngGetKycAudit", {"brand": "acme", "action": "profile.risk", "limit": 1})
    return found["count"]


@pytest.mark.parametrize("spelling", ["compact", "spaced", "packed"])
async def test_every_write_is_answered_once(narrow, pack_client, spelling):
    client = await narrow.connect(kind=pack_client) if spelling == "packed" else await narrow.connect()
    await narrow.profile(client)
    lines = risks(client, MANY)
    if spelling == "spaced":
        lines = [line.replace(b'{"command"', b'{ "command"') for line in lines]
    client.send(b"".join(lines))
    taken, refused = await outcomes(client, MANY)
    assert taken >= 8
    assert refused > 0
    assert await audited(client) == taken


async def test_many_clients_and_a_reader_beside(narrow):
    reader = await narrow.connect()
    kyc_id, _ = await narrow.profile(reader)
    clients = [await narrow.connect() for _ in range(20)]
    for client in clients:
        client.send(b"".join(risks(client, 500)))
    waiting = asyncio.gather(*(outcomes(client, 500) for client in clients))
    reads = 0
    while not waiting.done() or reads < 3:
        assert (await reader.good("MngGetKycProfile", {"id": kyc_id}))["profile"]["id"] == kyc_id
        assert (await reader.good("MngGetKycProfiles", {"brand": "acme"}))["count"] == 1
        reads += 1
    found = await waiting
    assert sum(refused for _, refused in found) > 0
    assert await audited(reader) == sum(taken for taken, _ in found)


async def test_reads_among_the_writes_are_answered(narrow):
    client = await narrow.connect()
    await narrow.profile(client)
    writes = risks(client, 1000)
    reads = [client.line("Ping", extID=f"p{number}") for number in range(1000)]
    client.send(b"".join(line for pair in zip(writes, reads, strict=True) for line in pair))
    statuses = {}
    for _ in range(2000):
        answer = await client.message()
        statuses[answer["extID"]] = answer["status"]
    assert {statuses[f"p{number}"] for number in range(1000)} == {200}
    assert len(statuses) == 2000
    assert (await client.ask("Ping"))["status"] == 200


async def test_a_client_that_leaves_in_its_rest(narrow):
    client = await narrow.connect()
    await narrow.profile(client)
    client.send(b"".join(risks(client, MANY)))
    await client.message()
    client.writer.transport.abort()
    other = await narrow.connect()
    async with asyncio.timeout(10):
        while narrow.app.tcp.connections > 1:
            await asyncio.sleep(0.01)
    assert (await other.ask("Ping"))["status"] == 200


async def test_refusals_are_counted(narrow):
    client = await narrow.connect()
    await narrow.profile(client)
    client.send(b"".join(risks(client, MANY)))
    _, refused = await outcomes(client, MANY)
    text = narrow.app.metrics.render().decode()
    (told,) = [line for line in text.splitlines() if "errors_total" in line and "MngSetKycRisk" in line]
    assert 'status="503"' in told
    assert float(told.split()[-1]) == refused
