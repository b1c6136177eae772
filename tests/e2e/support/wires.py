"""The three ways in, spoken by hand: JSON lines, msgpack frames, HTTP; none of the product's own clients."""

import asyncio
import contextlib
import json
import ssl
from typing import Any, NamedTuple, Self

import aiohttp
import msgpack

from kycmanager.commands import TABLE

ROUTES = {command.name: command.route for command in TABLE if command.route is not None}


class Reply(NamedTuple):
    """`body` is the data of a success, or {"error", "message"[, "data"]}; `raw` the bytes without the extID."""

    status: int
    body: Any
    raw: bytes = b""


class Ask(NamedTuple):
    """One request; `key` is an idempotency key."""

    command: str
    data: dict[str, Any]
    token: str | None
    key: str = ""


def frame_of(ask: Ask, ext: str) -> dict[str, Any]:
    data = ask.data | ({"idempotency_key": ask.key} if ask.key else {})
    frame = {"command": ask.command, "data": data, "extID": ext}
    return frame if ask.token is None else frame | {"__token": ask.token}


def reply_of(message: dict[str, Any], raw: bytes) -> Reply:
    if message["status"] == 200:
        assert message.keys() == {"extID", "status", "data"}, message
        return Reply(200, message["data"], raw)
    assert message.keys() - {"data"} == {"extID", "status", "error", "message"}, message
    # where REST leaves the details of a refusal out, TCP has an empty object
    told = {key: message[key] for key in ("error", "message", "data") if message.get(key)}
    return Reply(message["status"], told, raw)


class Tcp:
    """A connection over TCP; many requests may be in flight."""

    encoding = "json"

    def __init__(self, address: tuple[str, int], tls: ssl.SSLContext | None = None) -> None:
        self._address = address
        self._tls = tls
        self._number = 0
        self.events: list[dict[str, Any]] = []
        """Pushes that came between replies."""

    async def __aenter__(self) -> Self:
        self.reader, self.writer = await asyncio.open_connection(*self._address, ssl=self._tls, limit=1 << 26)
        return self

    async def __aexit__(self, *_error: object) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await self.writer.wait_closed()

    def encode(self, message: dict[str, Any]) -> bytes:
        return json.dumps(message).encode() + b"\r\n"

    async def read(self) -> tuple[dict[str, Any], bytes]:
        line = await self.reader.readuntil(b"\r\n")
        return json.loads(line), line

    async def many(self, asks: list[Ask]) -> list[Reply]:
        """Send all, wait for all; the replies stand in the order of the requests."""
        first = self._number
        self._number += len(asks)
        exts = [f"{number:09}" for number in range(first, self._number)]
        self.writer.write(b"".join(self.encode(frame_of(ask, ext)) for ask, ext in zip(asks, exts, strict=True)))
        await self.writer.drain()
        replies: dict[str, Reply] = {}
        async with asyncio.timeout(30):
            while len(replies) < len(asks):
                message, raw = await self.read()
                if "event" in message:
                    self.events.append(message)
                else:
                    ext = message["extID"]
                    replies[ext] = reply_of(message, raw.replace(ext.encode(), b""))
        return [replies[ext] for ext in exts]

    async def drain(self, seconds: float = 0.2) -> list[dict[str, Any]]:
        """Return the pushes that have come, once nothing has come for some time."""
        try:
            while True:
                async with asyncio.timeout(seconds):
                    message, _ = await self.read()
                assert "event" in message, message
                self.events.append(message)
        except TimeoutError:
            found, self.events = self.events, []
            return found

    async def call(self, command: str, data: dict[str, Any], token: str | None, key: str = "") -> Reply:
        """Send one request and wait for its answer."""
        return (await self.many([Ask(command, data, token, key)]))[0]


class Msgpack(Tcp):
    """The same in msgpack."""

    encoding = "msgpack"

    def encode(self, message: dict[str, Any]) -> bytes:
        body = msgpack.packb(message)
        return len(body).to_bytes(4) + body

    async def read(self) -> tuple[dict[str, Any], bytes]:
        length = int.from_bytes(await self.reader.readexactly(4))
        body = await self.reader.readexactly(length)
        return msgpack.unpackb(body), body


def unroutable(ask: Ask) -> bool:
    """Tell whether a request cannot be written as an HTTP request."""
    route = ROUTES.get(ask.command)
    return route is None or ("{id}" in route.path and "id" not in ask.data)


class Rest:
    """HTTP requests."""

    encoding = "rest"

    def __init__(self, address: tuple[str, int], tls: ssl.SSLContext | None = None) -> None:
        self.url = f"http{'s' if tls else ''}://{address[0]}:{address[1]}"
        self._tls = tls

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(limit=16, ssl=self._tls or True)
        self.http = aiohttp.ClientSession(self.url, connector=connector)
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.http.close()
        await asyncio.sleep(0)

    async def call(self, command: str, data: dict[str, Any], token: str | None, key: str = "") -> Reply:
        """Send a command to its route: the id in the path, the rest in the query or the body."""
        route = ROUTES[command]
        method, path, rest = route.methods[0], route.path, dict(data)
        if "{id}" in path:
            path = path.replace("{id}", str(rest.pop("id")))
        headers = {} if token is None else {"Authorization": token}
        if key:
            headers["Idempotency-Key"] = key
        sent: dict[str, Any] = {"json": rest}
        if method in {"GET", "DELETE"}:
            sent = {"params": {name: _query(value) for name, value in rest.items()}}
        return await self.ask(method, path, headers=headers, **sent)

    async def ask(self, method: str, path: str, **named: Any) -> Reply:
        """Send any request whose answer is JSON."""
        async with self.http.request(method, path, **named) as answer:
            raw = await answer.read()
            return Reply(answer.status, json.loads(raw), raw)

    async def many(self, asks: list[Ask]) -> list[Reply]:
        """Send all, wait for all."""
        return list(await asyncio.gather(*(self.call(*ask) for ask in asks)))

    async def upload(self, content: bytes, name: str, token: str | None, **query: str) -> Reply:
        """Upload a raw body."""
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        if token is not None:
            headers["Authorization"] = token
        return await self.ask("POST", "/upload", data=content, headers=headers, params=query)


def _query(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
