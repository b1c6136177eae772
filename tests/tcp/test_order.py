"""Writes of a connection in their order, bounded in number, and answered in time whatever happens."""

import asyncio
import socket
import struct

import msgspec
import pytest

from kycmanager.domain.errors import Code, KycError


async def upload(daemon, customer=42):
    from storagemanager import Owner

    upload = daemon.app.core.storage.receive(
        original_name="a.txt",
        declared_type="text/plain",
        owner=Owner(kind="customer", id=customer, brand="acme"),
        purpose="",
        scope=0,
    )
    await upload.write(b"a contract\n")
    return (await upload.finish()).uuid


class Gate:
    """Holds the base's commits until it is opened."""

    def __init__(self, monkeypatch, store):
        self.open = asyncio.Event()
        self._commit = store.commit
        monkeypatch.setattr(store, "commit", self.commit)

    async def commit(self, batch):
        await self.open.wait()
        await self._commit(batch)


@pytest.fixture
def gate(daemon, monkeypatch):
    return Gate(monkeypatch, daemon.app.core.store)


async def test_writes_run_in_their_order(daemon, client):
    await daemon.profile(client)
    data = {"customer_id": 42, "brand": "acme"}
    client.send(b"".join(client.line("MngSetKycRisk", data | {"risk_level": n % 4}, extID=n) for n in range(200)))
    assert [reply["extID"] for reply in await client.messages(200)] == list(range(200))
    found = await client.good("MngGetKycProfile", data)
    assert found["profile"]["risk_level"] == 199 % 4


async def test_write_waits_for_one_that_still_prepares(daemon, client, monkeypatch):
    kyc_id, _ = await daemon.profile(client)
    files = daemon.app.core.executor._files
    ready, pin = asyncio.Event(), files.pin

    async def slow(file_ids):
        await ready.wait()
        await pin(file_ids)

    monkeypatch.setattr(files, "pin", slow)
    file_id = await upload(daemon)
    data = {"customer_id": 42, "brand": "acme"}
    lines = (
        client.line("MngSetKycRisk", data | {"risk_level": 1}, extID="before"),
        client.line("MngAddKycDocument", {"kyc_id": kyc_id, "file_id": file_id}, extID="slow"),
        client.line("MngSetKycRisk", data | {"risk_level": 2}, extID="after"),
    )
    client.send(b"".join(lines))
    assert (await client.message())["extID"] == "before"
    await asyncio.sleep(0.1)
    assert daemon.app.core.cache.profile(kyc_id).risk_level == 1
    ready.set()
    assert [reply["extID"] for reply in await client.messages(2)] == ["slow", "after"]
    rows = (await client.good("MngGetKycAudit", data))["rows"]
    assert [row["action"] for row in rows[:2]] == ["profile.risk", "document.added"]


async def test_hot_reads_overtake_waiting_writes(daemon, client, gate):
    gate.open.set()
    kyc_id, _ = await daemon.profile(client)
    gate.open.clear()
    client.send(client.line("MngSetKycRisk", {"customer_id": 42, "brand": "acme", "risk_level": 1}, extID="w"))
    for number in range(3):
        client.send(client.line("MngGetKycProfile", {"id": kyc_id}, extID=number))
        assert (await client.message())["extID"] == number
    gate.open.set()
    assert (await client.message())["extID"] == "w"


async def test_over_its_bound_a_connection_is_not_read(serve, monkeypatch):
    daemon = await serve(in_flight_max=4)
    client = await daemon.connect()
    await daemon.profile(client)
    gate = Gate(monkeypatch, daemon.app.core.store)
    data = {"customer_id": 42, "brand": "acme", "risk_level": 1}
    client.send(
        b"".join(client.line("MngSetKycRisk", data, extID=n) for n in range(20)) + client.line("Ping", extID="p")
    )
    await asyncio.sleep(0.2)
    (connection,) = daemon.app.tcp._door.connections
    assert len(connection._pending) == 4
    assert not connection._reading
    other = await daemon.connect()
    assert (await other.ask("Ping"))["status"] == 200
    gate.open.set()
    replies = await client.messages(21)
    assert [reply["status"] for reply in replies] == [200] * 21
    assert [reply["extID"] for reply in replies] == [*range(20), "p"]
    assert connection._reading
    assert (await client.ask("Ping"))["status"] == 200


async def test_over_the_bound_of_all_writes_503(serve, monkeypatch):
    daemon = await serve(write_queue_max=2, batch_commands_max=1)
    client = await daemon.connect()
    await daemon.profile(client)
    gate = Gate(monkeypatch, daemon.app.core.store)
    data = {"customer_id": 42, "brand": "acme", "risk_level": 1}
    client.send(client.line("MngSetKycRisk", data, extID=0))
    await asyncio.sleep(0.1)
    client.send(b"".join(client.line("MngSetKycRisk", data, extID=n) for n in range(1, 6)))
    refused = await client.messages(3)
    assert {(reply["status"], reply["error"]) for reply in refused} == {(503, "OVERLOADED")}
    gate.open.set()
    assert [reply["status"] for reply in await client.messages(3)] == [200] * 3


async def test_queries_at_once_are_few(daemon, client, monkeypatch):
    store, ready = daemon.app.core.store, asyncio.Event()
    audit, running = store.audit, []

    async def slow(query):
        running.append(query)
        await ready.wait()
        return await audit(query)

    monkeypatch.setattr(store, "audit", slow)
    client.send(b"".join(client.line("MngGetKycAudit", extID=n) for n in range(10)))
    await asyncio.sleep(0.2)
    assert len(running) == 4
    ready.set()
    assert sorted([reply["extID"] for reply in await client.messages(10)]) == list(range(10))


async def test_write_not_done_in_time(serve, monkeypatch):
    daemon = await serve(request_seconds=2)
    client = await daemon.connect()
    await daemon.profile(client)
    gate = Gate(monkeypatch, daemon.app.core.store)
    reply = await client.ask("MngSetKycRisk", {"customer_id": 42, "brand": "acme", "risk_level": 1})
    assert (reply["status"], reply["error"]) == (503, "OUTCOME_UNKNOWN")
    gate.open.set()
    while daemon.app.core.cache.profile_of(42, "acme").risk_level != 1:
        await asyncio.sleep(0.01)
    assert await client.silent()
    assert len([line for line in client.raw if b"OUTCOME" in line]) == 1


async def test_query_not_done_in_time(serve, monkeypatch):
    daemon = await serve(request_seconds=2)
    client = await daemon.connect()

    async def never(query):
        await asyncio.sleep(2.5)
        raise KycError(Code.NOT_FOUND, "too late")

    monkeypatch.setattr(daemon.app.core.store, "audit", never)
    reply = await client.ask("MngGetKycAudit")
    assert (reply["status"], reply["error"]) == (503, "OVERLOADED")


async def test_client_that_leaves_does_not_undo_its_write(daemon, client, gate):
    gate.open.set()
    kyc_id, _ = await daemon.profile(client)
    gate.open.clear()
    client.send(client.line("MngSetKycRisk", {"customer_id": 42, "brand": "acme", "risk_level": 3}))
    await client.writer.drain()
    await asyncio.sleep(0.1)
    opened = client.writer.get_extra_info("socket")
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # it hangs up, it does not end
    client.writer.transport.abort()
    while daemon.app.tcp.connections:
        await asyncio.sleep(0.01)
    gate.open.set()
    while daemon.app.core.cache.profile(kyc_id).risk_level != 3:
        await asyncio.sleep(0.01)


async def test_fault_is_answered_without_its_inside(daemon, client, monkeypatch):
    def broken(*_):
        raise RuntimeError("secret inside")

    commands = daemon.app.core.executor.commands
    monkeypatch.setitem(commands, "Ping", msgspec.structs.replace(commands["Ping"], handler=broken))
    reply = await client.ask("Ping")
    assert (reply["status"], reply["error"]) == (500, "RET_ERROR")
    assert "correlation_id" in reply["data"]
    assert b"secret" not in client.raw[-1]
