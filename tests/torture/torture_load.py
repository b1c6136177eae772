"""The load: customers written to from several connections at once, each with one write under way, until it all breaks."""

import asyncio
import hashlib
import itertools
import json
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import aiohttp
import msgpack
from papers import a_pdf
from torture_model import BRAND, Customer, Op, after

CUSTOMERS_PER_LINE = 12
ANSWER_SECONDS_MAX = 30.0
BROKEN = (ConnectionError, asyncio.IncompleteReadError, aiohttp.ClientError, OSError)
"""What the end of the daemon looks like from here."""


UNKNOWN = "OUTCOME_UNKNOWN"
RETRY_SECONDS = 0.02
MAY_REFUSE = frozenset({503, 507})


class Trouble:
    """What writes were answered while something was made to fail."""

    def __init__(self) -> None:
        self.refused: Counter[int] = Counter()
        self.acknowledged = 0
        self.seconds_max = 0.0
        self.wrong: list[str] = []
        """Refusals that are none of those a failing disk may cause."""

    def add(self, text: str, status: int, seconds: float) -> None:
        self.refused[status] += 1
        self.seconds_max = max(self.seconds_max, seconds)
        if status not in MAY_REFUSE:
            self.wrong.append(text)


class Refused(Exception):  # noqa: N818 - what happened
    """The daemon refused a write that must succeed."""


class Line:
    """A TCP connection with many requests under way, in JSON or msgpack."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, packed: bool) -> None:
        self._reader, self._writer, self._packed = reader, writer, packed
        self._numbers = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[tuple[int, Any]]] = {}
        self._task = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, address: tuple[str, int], *, packed: bool) -> "Line":
        return cls(*await asyncio.open_connection(*address, limit=1 << 24), packed=packed)

    async def call(self, command: str, data: dict[str, Any], token: str, key: str = "") -> tuple[int, Any]:
        """Send a request and wait; raises ConnectionError where the connection has gone."""
        if self._task.done() or self._writer.is_closing():
            raise ConnectionResetError
        ext = str(next(self._numbers))
        keyed = data | {"idempotency_key": key} if key else data
        message = {"command": command, "data": keyed, "extID": ext, "__token": token}
        future = self._waiting[ext] = asyncio.get_running_loop().create_future()
        if self._packed:
            body = msgpack.packb(message)
            self._writer.write(len(body).to_bytes(4) + body)
        else:
            self._writer.write(json.dumps(message).encode() + b"\r\n")
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            return await future

    @property
    def closed(self) -> bool:
        """Whether the daemon has gone."""
        return self._task.done()

    async def _read(self) -> None:
        try:
            while True:
                if self._packed:
                    length = int.from_bytes(await self._reader.readexactly(4))
                    message = msgpack.unpackb(await self._reader.readexactly(length))
                else:
                    message = json.loads(await self._reader.readuntil(b"\n"))
                status = message["status"]
                told = message["data"] if status == 200 else (message["error"], message["message"])
                self._waiting.pop(message["extID"]).set_result((status, told))
        except BROKEN:
            for future in self._waiting.values():
                future.set_exception(ConnectionResetError("the daemon has gone"))
            self._waiting.clear()
        finally:
            self._writer.close()

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


class Load:
    """All the writing of one harness; what it knows goes on over the kills."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.seed = seed
        self.numbers = itertools.count(1)
        self.customers: dict[int, Customer] = {}
        self.files: dict[str, tuple[str, int]] = {}
        """Acknowledged uploads: checksum and size by uuid."""
        self.loose: dict[int, list[str]] = {}
        self.acknowledged = 0
        self.uploaded = 0
        self.touched: set[int] = set()
        self.faults: list[str] = []
        self.over = False
        """The daemon is being ended: what it refuses from now on is not held against it."""
        self.trouble: Trouble | None = None
        self.told: Callable[[], None] = lambda: None
        """Called after every acknowledgement, before anything else is sent or read."""

    def customer(self) -> Customer:
        """Take a new customer, or one that was left unfinished by a kill."""
        unfinished = [each for each in self.idle if not each.done]
        if unfinished and self.rng.random() < 0.5:
            chosen = self.rng.choice(unfinished)
            self.idle.remove(chosen)
            return chosen
        number = next(self.numbers)
        made = self.customers[number] = Customer(number, f"{self.seed}-{number}")
        return made

    async def run(self, tcp: tuple[str, int], http: tuple[str, int], tokens: Any, lines: int) -> None:
        """Write until the daemon has gone. `tokens(who, customer)` gives a token."""
        self.idle = [each for each in list(self.customers.values())[-200:] if not each.done]
        self.touched = set()
        self.over = False
        self.tokens = tokens
        opened = [await Line.open(tcp, packed=bool(number % 2)) for number in range(lines)]
        async with aiohttp.ClientSession(f"http://{http[0]}:{http[1]}") as rest:
            writers = [self._write(line, rest) for line in opened for _ in range(CUSTOMERS_PER_LINE)]
            await asyncio.gather(*writers)
            for line in opened:
                await line.close()

    async def _write(self, line: Line, rest: aiohttp.ClientSession) -> None:
        try:
            while True:
                customer = self.customer()
                self.touched.add(customer.number)
                try:
                    while not customer.done and customer.under_way is None:
                        await self._one(customer, line, rest)
                except BROKEN:
                    if self.over or self.trouble is None or line.closed:
                        return
                    await asyncio.sleep(RETRY_SECONDS)  # a connection of HTTP was not to be had
        except Refused as refused:
            self.faults.append(f"refused: {refused}")

    async def _one(self, customer: Customer, line: Line, rest: aiohttp.ClientSession) -> None:
        loose = self.loose.setdefault(customer.number, [])
        if not loose and "paper" in customer.steps and customer.rng.random() < 0.4:
            loose += await self._upload(customer, rest)
        op = customer.next_op(loose)
        customer.under_way = op
        asked = time.monotonic()
        status, told = await self._send(op, customer, line, rest)
        if status != 200:
            if await self._refused(f"{op.command} {op.data}", status, told, asked) != UNKNOWN:
                customer.under_way = None
            return
        customer.state, customer.under_way = after(customer.state, op), None
        self._acknowledged(customer, op, told)
        if op.command in {"MngSetKycRequiredLevel", "kyc.set_required_level", "MngRequireKycStep"}:
            await self._look(customer, line)

    async def _refused(self, what: str, status: int, told: Any, asked: float) -> str:
        """Return the name of a refusal that had to be expected; it says that nothing was done, or that it may have been."""
        if self.over:
            raise ConnectionResetError
        if self.trouble is None:
            raise Refused(f"{what}: {status} {told}")
        name = str(told["error"] if isinstance(told, dict) else told[0])
        self.trouble.add(f"{what}: {status} {told}", status, time.monotonic() - asked)
        await asyncio.sleep(RETRY_SECONDS)
        return name

    async def _send(self, op: Op, customer: Customer, line: Line, rest: aiohttp.ClientSession) -> tuple[int, Any]:
        token = self.tokens(op.who, customer.number)
        if op.command == "MngSetKycRisk" and customer.rng.random() < 0.5:
            headers = {"Authorization": token, **({"Idempotency-Key": op.key} if op.key else {})}
            async with rest.post("/manager/kyc/risk", json=op.data, headers=headers) as answer:
                return answer.status, await answer.json()
        return await line.call(op.command, op.data, token, op.key)

    def _acknowledged(self, customer: Customer, op: Op, told: Any) -> None:
        self.acknowledged += 1
        if self.trouble is not None:
            self.trouble.acknowledged += 1
        customer.acknowledged += 1
        if op.key:
            customer.keyed.append((op, told))
        if op.command == "CustomerAddKycDocument":
            file_id = op.data["file_id"]
            customer.documents[file_id] = told["document"]["id"]
            self.loose[customer.number].remove(file_id)
        self.told()

    async def _look(self, customer: Customer, line: Line) -> None:
        """Read what was just written: the ids, and whether it is there."""
        data = {"customer_id": customer.number, "brand": BRAND}
        status, told = await line.call("MngGetKycProfile", data, self.tokens("manager", 0))
        if self.over:
            raise ConnectionResetError
        if status != 200 or customer.learn(told) != customer.state:
            self.faults.append(f"read after write of {customer.number}: {status} {told}, believed {customer.state}")

    async def _upload(self, customer: Customer, rest: aiohttp.ClientSession) -> list[str]:
        """Return the uuid of a new file, or nothing where that was refused."""
        content = a_pdf(f"{customer.number} {customer.rng.random()} " + "x" * customer.rng.choice((10, 3_000, 300_000)))
        headers = {"Authorization": self.tokens("customer", customer.number)}
        if customer.rng.random() < 0.5:
            body: Any = aiohttp.FormData()
            body.add_field("file", content, filename="paper.pdf")
        else:
            body, headers["Content-Disposition"] = content, 'attachment; filename="paper.pdf"'
        asked = time.monotonic()
        async with rest.post("/upload", data=body, headers=headers) as answer:
            told = await answer.json()
        if answer.status != 200:
            await self._refused("upload", answer.status, told, asked)
            return []
        self.files[told["file_id"]] = hashlib.sha256(content).hexdigest(), len(content)
        self.uploaded += 1
        self.told()
        return [str(told["file_id"])]
