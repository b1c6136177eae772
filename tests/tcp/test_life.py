"""How a connection ends: by its client, by a bound, by the daemon's stop; on both event loops."""

import asyncio
import socket
import ssl

import pytest
from tls_files import certify

MIB = 1 << 20


async def gone(daemon, seconds=10):
    async with asyncio.timeout(seconds):
        while daemon.app.tcp.connections:
            await asyncio.sleep(0.02)


async def test_half_closed_client_gets_its_answers(daemon, client):
    await daemon.profile(client)
    lines = [
        client.line("MngSetKycRisk", {"customer_id": 42, "brand": "acme", "risk_level": n % 4}, extID=n)
        for n in range(5)
    ]
    client.send(b"".join(lines) + client.line("Ping", extID="last") + b'{"half')
    client.writer.write_eof()
    assert {reply["extID"] for reply in await client.messages(6)} == {*range(5), "last"}
    assert await client.ended() == b""
    await gone(daemon)


async def test_client_that_leaves(daemon, client):
    client.send(b'{"half')
    client.writer.close()
    await gone(daemon)


async def test_never_reading_client_is_cut_off(serve):
    daemon = await serve(slow_seconds=1)
    client = await daemon.connect()
    kyc_id, _ = await daemon.profile(client, steps=20, name="n" * 200)
    await client.good("MngGetKycProfile", {"id": kyc_id})
    client.writer.transport.pause_reading()
    (connection,) = daemon.app.tcp._door.connections
    line = client.line("MngGetKycProfile", {"id": kyc_id}) + client.line("MngGetKycProfile", {"id": kyc_id}, extID=1)
    most = 0
    async with asyncio.timeout(10):
        while not connection.closed:
            if client.writer.transport.get_write_buffer_size() < MIB:
                client.send(line * 50)
            most = max(most, connection.transport.get_write_buffer_size() + connection._out_bytes)
            await asyncio.sleep(0)
    assert most <= MIB
    await gone(daemon)
    assert (await (await daemon.connect()).ask("Ping"))["status"] == 200


async def test_never_reading_client_is_cut_off_over_http_too(serve):
    daemon = await serve(slow_seconds=1)
    with socket.create_connection(daemon.app.http_address) as deaf:
        deaf.setblocking(False)
        await asyncio.get_running_loop().sock_sendall(
            deaf, b"GET /docs/static/swagger-ui-bundle.js HTTP/1.1\r\nHost: a\r\n\r\n" * 20
        )
        async with asyncio.timeout(8):
            while not daemon.app.rest.connections:
                await asyncio.sleep(0.01)
            while daemon.app.rest.connections:
                await asyncio.sleep(0.05)
    assert (await (await daemon.connect()).ask("Ping"))["status"] == 200


async def test_answers_that_come_late_to_a_client_that_does_not_read(serve):
    daemon = await serve(out_buffer_bytes_max=64 * 1024)
    client = await daemon.connect()
    kyc_id, _ = await daemon.profile(client, steps=20, name="n" * 200)
    client.writer.transport.pause_reading()
    (connection,) = daemon.app.tcp._door.connections
    while not connection.unread_since:
        client.send(client.line("MngGetKycProfile", {"id": kyc_id}))
        await asyncio.sleep(0)
    # as the answer of a query does that was asked for before
    connection.answer(b'"late"', "MngGetKycAudit", 0.0, b"{%b}" % (b" " * 8_000_000))
    connection.flush()
    connection.answer(b'"later"', "MngGetKycAudit", 0.0, b"{}")
    connection.flush()
    await gone(daemon, 4)


async def test_client_that_reads_late_gets_everything(daemon, client):
    kyc_id, _ = await daemon.profile(client, steps=20, name="n" * 200)
    client.writer.transport.pause_reading()
    for number in range(1200):
        client.send(client.line("MngGetKycProfile", {"id": kyc_id}, extID=number))
    (connection,) = daemon.app.tcp._door.connections
    async with asyncio.timeout(10):
        while not connection.unread_since:
            await asyncio.sleep(0.01)
    client.writer.transport.resume_reading()
    assert [reply["extID"] for reply in await client.messages(1200)] == list(range(1200))
    assert (await client.ask("Ping"))["status"] == 200


async def test_slow_line(serve):
    daemon = await serve(frame_seconds=1)
    client = await daemon.connect()
    start = asyncio.get_running_loop().time()
    with pytest.raises((ConnectionError, TimeoutError, AssertionError)):
        for _ in range(40):
            client.send(b"{")
            await client.writer.drain()
            if client.reader.at_eof():
                raise ConnectionError
            await asyncio.sleep(0.1)
    assert asyncio.get_running_loop().time() - start < 3.5


async def test_whole_lines_before_a_half_one_are_no_slow_line(serve):
    daemon = await serve(frame_seconds=1)
    client = await daemon.connect()
    line = client.line("Ping")
    rest = b""
    for _ in range(20):
        client.send(rest + line[:20])
        rest = line[20:]
        await asyncio.sleep(0.1)
    assert len([await client.message() for _ in range(19)]) == 19


async def test_idle_client(serve):
    daemon = await serve(idle_seconds=1)
    client, listener = await daemon.connect(), await daemon.connect()
    await listener.good("Subscribe", {"chanels": ["kyc"]})
    assert await client.ended(4) == b""
    await asyncio.sleep(0.7)
    assert (await listener.ask("Ping"))["status"] == 200


async def test_too_many_connections(serve):
    daemon = await serve(connections_max=2)
    kept = [await daemon.connect() for _ in range(2)]
    for each in kept:
        assert (await each.ask("Ping"))["status"] == 200
    third = await daemon.connect()
    reply = await third.message()
    assert (reply["status"], reply["error"]) == (503, "OVERLOADED")
    assert await third.ended() == b""
    kept[0].writer.close()
    async with asyncio.timeout(5):
        while daemon.app.tcp.connections > 1:
            await asyncio.sleep(0.01)
    assert (await (await daemon.connect()).ask("Ping"))["status"] == 200


async def test_socket_options(daemon, client):
    await client.good("Ping")
    (connection,) = daemon.app.tcp._door.connections
    opened = connection.transport.get_extra_info("socket")
    assert opened.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL):
        assert 0 < opened.getsockopt(socket.IPPROTO_TCP, option) <= 60
    assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_stop_answers_what_was_taken(daemon, client, monkeypatch):
    await daemon.profile(client)
    commit, store = daemon.app.core.store.commit, daemon.app.core.store

    async def slow(batch):
        await asyncio.sleep(0.3)
        await commit(batch)

    monkeypatch.setattr(store, "commit", slow)
    client.send(client.line("MngSetKycRisk", {"customer_id": 42, "brand": "acme", "risk_level": 1}, extID="w"))
    await asyncio.sleep(0.1)
    stopping = asyncio.create_task(daemon.app.tcp.drain(5))
    await asyncio.sleep(0.05)
    client.send(client.line("Ping", extID="late"))
    late, written = await client.messages(2)
    assert (late["extID"], late["status"], late["error"]) == ("late", 503, "RET_ERR_SHUTDOWN")
    assert (written["extID"], written["status"]) == ("w", 200)
    assert await client.ended() == b""
    client.writer.close()
    await stopping
    assert daemon.app.tcp.connections == 0
    with pytest.raises(OSError):
        await daemon.connect()


async def test_stop_does_not_wait_for_clients_that_stay(daemon, client):
    await client.good("Ping")
    start = asyncio.get_running_loop().time()
    await daemon.app.tcp.drain(0.3)
    await daemon.app.tcp.close()
    await daemon.app.tcp.close()
    assert asyncio.get_running_loop().time() - start < 2
    assert daemon.app.tcp.connections == 0


@pytest.fixture
def certificate(tmp_path):
    return certify(tmp_path)[0]


async def test_tls(serve, certificate):
    context = ssl.create_default_context(cafile=str(certificate))
    daemon = await serve(ssl=context, tls=("cert.pem", "key.pem"))
    client = await daemon.connect()
    kyc_id, _ = await daemon.profile(client)
    for _ in range(3):
        assert (await client.ask("MngGetKycProfile", {"id": kyc_id}))["status"] == 200
    lingering = await daemon.connect()
    await lingering.good("Ping")
    client.writer.close()
    await daemon.app.tcp.drain(2)
    assert await lingering.ended() == b""
