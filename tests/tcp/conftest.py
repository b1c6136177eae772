"""A real daemon on free ports, its clock and tokens, and clients that speak both wires."""

import asyncio
import contextlib
import json
import struct
import time

import msgpack
import msgspec
import pytest
import uvloop

from kycmanager.app import App
from kycmanager.config import Config, Limits, Server
from kycmanager.domain.enums import SessionType
from kycmanager.tokens.issue import issue_token
from kycmanager.tokens.keys import load_keys

PATIENCE = 10


def pytest_asyncio_loop_factories(config, item):
    """The loop the daemon runs on; what depends on the loop is tested on the other one too."""
    if item.path.name == "test_life.py":
        return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}
    return {"uvloop": uvloop.new_event_loop}


class Clock:
    def __init__(self):
        self.ahead = 0

    def __call__(self):
        return int(time.time()) + self.ahead


class Client:
    """JSON lines, one token unless another is given."""

    def __init__(self, reader, writer, token):
        self.reader, self.writer, self.token = reader, writer, token
        self.raw = []
        self.pushes = []
        self._count = 0

    def line(self, command, data=None, end=b"\r\n", **keys):
        message = {"command": command, "data": data or {}, "extID": "x", "__token": self.token} | keys
        message = {key: value for key, value in message.items() if value is not None}
        return json.dumps(message, separators=(",", ":")).encode() + end

    def send(self, data):
        self.writer.write(data)

    async def message(self):
        line = await asyncio.wait_for(self.reader.readline(), PATIENCE)
        assert line.endswith(b"\r\n"), line
        self.raw.append(line)
        return json.loads(line)

    async def messages(self, count):
        return [await self.message() for _ in range(count)]

    async def ask(self, command, data=None, **keys):
        self._count += 1
        ext = keys.pop("extID", f"q{self._count}")
        self.send(self.line(command, data, extID=ext, **keys))
        while True:
            message = await self.message()
            if "event" not in message:
                assert message["extID"] == ext
                return message
            self.pushes.append(message)

    async def good(self, command, data=None, **keys):
        reply = await self.ask(command, data, **keys)
        assert reply["status"] == 200, reply
        return reply["data"]

    async def push(self):
        if self.pushes:
            return self.pushes.pop(0)
        message = await self.message()
        assert "event" in message, message
        return message

    async def silent(self):
        """Nothing but the answer to a Ping is on its way."""
        await self.good("Ping")
        return not self.pushes

    async def ended(self, seconds=PATIENCE):
        with contextlib.suppress(ConnectionError):
            return await asyncio.wait_for(self.reader.read(), seconds)
        return b""


class PackClient(Client):
    """The same in msgpack."""

    def line(self, command, data=None, **keys):
        message = {"command": command, "data": data or {}, "extID": "x", "__token": self.token} | keys
        return frame(msgpack.packb({key: value for key, value in message.items() if value is not None}))

    async def message(self):
        head = await asyncio.wait_for(self.reader.readexactly(4), PATIENCE)
        content = await asyncio.wait_for(self.reader.readexactly(struct.unpack(">I", head)[0]), PATIENCE)
        return msgpack.unpackb(content)


def frame(content):
    return struct.pack(">I", len(content)) + content


class Daemon:
    def __init__(self, app, clock, ssl):
        self.app, self.clock, self._ssl = app, clock, ssl
        self._keys = load_keys(app.config.tokens, app.core.data_dir)
        self._writers = []

    def token(self, session=SessionType.MANAGER, sub=7, brands=("acme",), ttl=3600):
        return issue_token(
            self._keys.signing, session=session, sub=sub, brands=brands, now=self.clock(), ttl_seconds=ttl
        )

    async def connect(self, token="", kind=Client):
        reader, writer = await asyncio.open_connection(*self.app.tcp_address, ssl=self._ssl, limit=1 << 24)
        self._writers.append(writer)
        return kind(reader, writer, token or self.token())

    async def profile(self, client, customer=42, brand="acme", steps=1, name="Passport"):
        """A profile with its steps; the ids of both."""
        for number in range(steps):
            data = {"brand": brand, "code": f"s{number}", "level": 1, "name": name, "step_type": 4, "required": 1}
            reply = await client.ask("MngAddKycStepTemplate", data)
            assert reply["status"] in {200, 409}, reply
        await client.good("MngSetKycRequiredLevel", {"customer_id": customer, "brand": brand, "level": 1})
        found = await client.good("MngGetKycProfile", {"customer_id": customer, "brand": brand})
        return found["profile"]["id"], [step["id"] for step in found["steps"]]

    async def close(self):
        for writer in self._writers:
            writer.close()
        await self.app.close()


@pytest.fixture
async def serve(tmp_path):
    """Start a daemon with other limits."""
    running = []

    async def start(ssl=None, tls=("", ""), **limits):
        config = Config(
            server=Server(tcp="127.0.0.1:0", http="127.0.0.1:0", tls_cert=tls[0], tls_key=tls[1]),
            limits=msgspec.structs.replace(Limits(), **limits),
        )
        clock = Clock()
        app = App(config, tmp_path, lambda *_: None, clock)
        await app.open()
        running.append(Daemon(app, clock, ssl))
        return running[-1]

    yield start
    for daemon in running:
        await daemon.close()


@pytest.fixture
async def daemon(serve):
    return await serve()


@pytest.fixture
async def client(daemon):
    return await daemon.connect()


@pytest.fixture
def pack_client():
    return PackClient


@pytest.fixture
def framed():
    return frame
