"""Raw bodies that are received past the parser: what stands around them is understood as before."""

import asyncio
import errno
import hashlib
import json
import ssl
from typing import Any

import pytest

from kycmanager.transports.rest import direct
from kycmanager.transports.rest.connection import Connection

NAME = 'Content-Disposition: attachment; filename="a.csv"\r\n'
NEXT = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"


def text(size: int) -> bytes:
    row = b"number,reference,purpose\n"
    return (row * (size // len(row) + 1))[:size]


def head(rest: Any, length: int, more: str = "") -> bytes:
    token = rest.token()
    return (
        f"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\nAuthorization: {token}\r\n{NAME}{more}\r\n"
    ).encode()


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Read one answer with a length."""
    lines = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)).decode().split("\r\n")
    length = next(int(line.partition(":")[2]) for line in lines if line.lower().startswith("content-length:"))
    return int(lines[0].split()[1]), await asyncio.wait_for(reader.readexactly(length), 10)


def checksum(content: bytes) -> str:
    return json.loads(content)["files"][0]["checksum"]


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How much was left to be received directly, each time that was done."""
    seen: list[int] = []
    begin = direct.Receiver.__init__

    def watched(self: Any, connection: Any, transport: Any, left: int, over: Any) -> None:
        seen.append(left)
        begin(self, connection, transport, left, over)

    monkeypatch.setattr(direct.Receiver, "__init__", watched)
    return seen


@pytest.mark.parametrize("size", [2, 70_000, 1_048_576, 1_048_577, 3_000_000])
@pytest.mark.parametrize("with_head", [0, 1, 60_000, 200_000])
async def test_what_follows_a_body_is_the_next_request(rest, taken, size: int, with_head: int) -> None:
    content = text(size)
    async with rest.connected() as (reader, writer):
        for _ in range(2):
            taken.clear()
            writer.write(head(rest, size) + content[:with_head])
            await asyncio.sleep(0.05)
            writer.write(content[with_head:] + NEXT)
            status, found = await answer(reader)
            assert (status, checksum(found)) == (200, hashlib.sha256(content).hexdigest())
            assert bool(taken) is (with_head < size)
            assert (await answer(reader))[0] == 200
    assert rest.faults == []


async def test_a_head_that_comes_with_more_than_a_stream_holds(rest, taken, monkeypatch) -> None:
    content, early, held = text(1_000_000), 300_000, bytearray()
    receive = Connection.data_received

    def together(self: Any, data: bytes) -> None:
        held.extend(data)
        if len(held) >= early or not data:
            whole = bytes(held)
            held.clear()
            receive(self, whole)

    monkeypatch.setattr(Connection, "data_received", together)
    async with rest.connected() as (reader, writer):
        writer.write(head(rest, len(content)) + content)
        status, found = await answer(reader)
        assert (status, checksum(found)) == (200, hashlib.sha256(content).hexdigest())
    assert 0 < taken[0] < len(content) - early
    assert rest.faults == []


async def test_an_upload_that_comes_before_the_answer_to_the_one_before(rest, taken) -> None:
    contents = [text(3_000_000 + number) for number in range(4)]
    async with rest.connected() as (reader, writer):
        for content in contents:
            writer.write(head(rest, len(content)) + content)
        for content in contents:
            status, found = await answer(reader)
            assert (status, checksum(found)) == (200, hashlib.sha256(content).hexdigest())
    assert len(taken) == len(contents)
    assert rest.faults == []


@pytest.mark.parametrize("step", [1, 7, 1000])
async def test_a_body_in_small_pieces(rest, taken, step: int) -> None:
    content = text(40 * step)
    async with rest.connected() as (reader, writer):
        writer.write(head(rest, len(content), "Expect: 100-continue\r\n"))
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        for start in range(0, len(content), step):
            writer.write(content[start : start + step])
            await asyncio.sleep(0.001)
        status, found = await answer(reader)
    assert (status, checksum(found)) == (200, hashlib.sha256(content).hexdigest())
    assert taken == [len(content)]


async def test_the_rest_of_a_body_that_failed_is_thrown_away_and_the_connection_goes_on(rest, monkeypatch) -> None:
    def full(_uuid: str) -> None:
        raise OSError(errno.ENOSPC, "no room")

    content = text(6_000_000)
    async with rest.connected() as (reader, writer):
        with monkeypatch.context() as patch:
            patch.setattr(rest.core.storage._backend, "begin", full)
            writer.write(head(rest, len(content)) + content + NEXT)
            assert (await answer(reader))[0] == 507
            assert (await answer(reader))[0] == 200
        writer.write(head(rest, 1000) + text(1000))
        assert (await answer(reader))[0] == 200
    assert len(rest.stored()) == 1


@pytest.mark.parametrize(("path", "status"), [(b"/uploads", 404), (b"/upload", 401)])
async def test_a_body_that_nobody_reads_does_not_stop_the_connection(rest, taken, path: bytes, status: int) -> None:
    async with rest.connected() as (reader, writer):
        writer.write(b"POST " + path + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n")
        assert (await answer(reader))[0] == status
        writer.write(bytes(2_000_000) + NEXT)
        assert (await answer(reader))[0] == 200
    assert taken == []


async def test_a_client_that_goes_in_the_middle_leaves_nothing(rest, taken) -> None:
    async with rest.connected() as (_, writer):
        writer.write(head(rest, 9_000_000) + text(3_000_000))
        await writer.drain()
        while not rest.stored():
            await asyncio.sleep(0.01)
    while rest.stored():
        await asyncio.sleep(0.01)
    assert len(taken) == 1
    assert rest.faults == []


async def test_through_tls(make, taken, tls: ssl.SSLContext) -> None:
    rest = await make({"ssl_context": tls})
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection(*rest.server.address, ssl=trusting)
    for size in (500_000, 3_000_000):
        content = text(size)
        writer.write(head(rest, size))
        await asyncio.sleep(0.05)
        writer.write(content + NEXT)
        status, found = await answer(reader)
        assert (status, checksum(found)) == (200, hashlib.sha256(content).hexdigest())
        assert (await answer(reader))[0] == 200
    assert taken == [500_000, 3_000_000]
    writer.close()
    await writer.wait_closed()
