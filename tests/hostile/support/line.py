"""A TCP connection that speaks either wire and passes over what nobody asked for."""

import asyncio
import itertools
import json
from typing import Any, Self

import msgpack
from talk import PATIENCE, framed


class Line:
    """One request under way at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, packed: bool) -> None:
        self._reader, self._writer, self._packed = reader, writer, packed
        self._numbers = itertools.count(1)

    @classmethod
    async def open(cls, address: tuple[str, int], *, packed: bool = False) -> Self:
        return cls(*await asyncio.open_connection(*address, limit=1 << 24), packed=packed)

    async def call(self, command: str, data: dict[str, Any], token: str) -> dict[str, Any]:
        """Send a request and return its answer."""
        ext = str(next(self._numbers))
        message = {"command": command, "data": data, "extID": ext, "__token": token}
        if self._packed:
            self._writer.write(framed(msgpack.packb(message)))
        else:
            self._writer.write(json.dumps(message).encode() + b"\r\n")
        async with asyncio.timeout(PATIENCE):
            while True:
                found = await self._next()
                if isinstance(found, dict) and found.get("extID") == ext:
                    return found

    async def _next(self) -> Any:
        if not self._packed:
            return json.loads(await self._reader.readuntil(b"\n"))
        length = int.from_bytes(await self._reader.readexactly(4))
        return msgpack.unpackb(await self._reader.readexactly(length))

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()
