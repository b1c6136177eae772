"""The App with an outbound worker, the shortest ways to events, and to what became of deliveries."""

import asyncio
import contextlib
import sqlite3
from typing import Any

import msgspec
from running import Running

from kycmanager.commands.execute import Codec
from kycmanager.domain.enums import SessionType
from kycmanager.domain.errors import KycError
from kycmanager.domain.session import Session
from kycmanager.transports.control import run_local

SECRETS = ["a" * 40]
DAY = 86_400
JSON = Codec("json", msgspec.json.encode)
BOSS = Session(sub=99, type=SessionType.ADMIN, brands=None)


class Sending(Running):
    """A daemon whose clock the test turns."""

    @property
    def outbound(self) -> Any:
        return self.app.outbound

    async def run(self, command: str, data: dict[str, Any] | None = None, session: Session = BOSS) -> Any:
        executor = self.app.core.executor
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def done(result: bytes | KycError) -> None:
            if isinstance(result, KycError):
                answer.set_exception(result)
            else:
                answer.set_result(msgspec.json.decode(result))

        executor.run(executor.admit(executor.find(command), session, data or {}, source="test"), JSON, done)
        return await answer

    async def local(self, command: str, data: dict[str, Any]) -> Any:
        return msgspec.json.decode(await run_local(self.app.core.executor, command, data))

    async def happens(self, customer: int = 7, risk: int = 1, brand: str = "acme") -> int:
        """Make one event, profile.updated of a customer; return its number."""
        await self.run("MngSetKycRisk", {"customer_id": customer, "brand": brand, "risk_level": risk})
        return self.app.core.cache.counters["event"] - 1

    async def deliveries(self, session: Session = BOSS, **query: Any) -> list[dict[str, Any]]:
        return (await self.run("MngGetKycDeliveries", query, session))["rows"]

    async def states(self, **query: Any) -> list[str]:
        """Return the states of the deliveries, oldest first."""
        return [row["state"] for row in await self.deliveries(**query)][::-1]

    async def quiet(self, seconds: float = 20) -> None:
        """Wait until all is queued, and nothing is due or being sent."""
        async with asyncio.timeout(seconds):
            while not (self.outbound.idle and not self.due()):
                await asyncio.sleep(0.005)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask the base itself."""
        with contextlib.closing(sqlite3.connect(f"file:{self.folder}/bases/kyc.db?mode=ro", uri=True)) as db:
            return db.execute(statement).fetchall()

    def due(self) -> bool:
        return any(
            not each.ended_time and each.next_time <= self.now
            for each in self.app.core.cache.outbound.deliveries.values()
            if self._is_first(each)
        )

    def _is_first(self, delivery: Any) -> bool:
        others = self.app.core.cache.outbound.deliveries.values()
        lane = (delivery.channel, delivery.brand, delivery.customer_id, delivery.recipient)
        return not any(
            (each.channel, each.brand, each.customer_id, each.recipient) == lane
            and not each.ended_time
            and each.seq < delivery.seq
            for each in others
        )

    async def later(self, seconds: int) -> None:
        """Turn the clock on, and wait until what is due then is done."""
        self.now += seconds
        self.outbound.sender.wake()
        await self.quiet()
