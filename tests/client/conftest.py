"""Small real servers for the clients to talk to."""

import asyncio
import json
from contextlib import asynccontextmanager

import msgpack
import pytest
from aiohttp import web


class Peer:
    """The server's side of one connection: reads requests, sends whatever a test wants."""

    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer
        self.binary = None
        self.seen = []

    async def read(self):
        first = b""
        if self.binary is None:
            first = await self.reader.readexactly(1)
            self.binary = first == b"\0"
        if self.binary:
            head = first + await self.reader.readexactly(4 - len(first))
            request = msgpack.unpackb(await self.reader.readexactly(int.from_bytes(head)))
        else:
            line = first + await self.reader.readuntil(b"\r\n")
            request = json.loads(line)
        self.seen.append(request)
        return request

    def send(self, value):
        if self.binary:
            body = msgpack.packb(value)
            self.writer.write(len(body).to_bytes(4) + body)
        else:
            self.writer.write(json.dumps(value).encode() + b"\r\n")

    def answer(self, request, data, status=200, **more):
        self.send({"extID": request["extID"], "status": status, "data": data, **more})


@pytest.fixture
async def serve():
    """Return a function that runs a script for every connection and gives (host, port)."""
    servers, tasks = [], set()

    async def start(script, **options):
        async def handle(reader, writer):
            tasks.add(asyncio.current_task())
            try:
                await script(Peer(reader, writer))
            except (asyncio.IncompleteReadError, ConnectionError):
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(handle, "127.0.0.1", 0, **options)
        servers.append(server)
        return server.sockets[0].getsockname()

    yield start
    for server in servers:
        server.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for server in servers:
        await server.wait_closed()


@pytest.fixture
def pong():
    """Return a script that answers every Ping, in order."""

    async def script(peer):
        while True:
            request = await peer.read()
            peer.answer(request, {"pong": True, "time": int(request["extID"])})

    return script


@asynccontextmanager
async def running(handler):
    async def handle(request):
        return await handler(request)

    app = web.Application(client_max_size=64 << 20)
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.fixture
def http():
    """Return a context manager that serves a handler and gives its URL."""
    return running
