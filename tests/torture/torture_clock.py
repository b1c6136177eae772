"""Clock jumps: thirty hours ahead and back, under a daemon that runs and over a restart."""

import asyncio
import re
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import aiohttp
from torture_load import Line
from torture_model import BRAND
from torture_rounds import HERE, Job, Rounds

JUMP_SECONDS = 30 * 3600
"""Longer than tokens, loose uploads and idempotency keys live."""
LOAD_SECONDS = 0.5
NEGATIVE = re.compile(r"^\S+ -", re.MULTILINE)


class Clock(Rounds):
    """One folder, one daemon, and a clock that is turned."""

    def __init__(self, folder: Path, job: Job, tell: Callable[[str], None]) -> None:
        self.offset = folder / "offset"
        super().__init__(folder, job, tell)
        self.clock = lambda: time.time() + float(self.offset.read_text())
        self._turn(0)

    def program(self) -> tuple[str, ...]:
        """Return the build whose clock follows the file."""
        return str(HERE / "clock_build.py"), str(self.folder / "offset")

    async def rounds(self) -> None:
        """Turn the clock ahead and back, live; start again with it set back; what was acknowledged is there."""
        self.start()
        await self.set_up()
        await self._load()
        self.start()
        await self.check(whole=True)
        old = self.token("manager", 0)
        self._ahead()
        await self._expect("an old token after a jump ahead", old, 401)
        await self._expect("a new token after a jump ahead", self.token("manager", 0), 200)
        await self._load()
        self.start()
        await self.check(whole=True)
        held = self.token("manager", 0)
        self._turn(0)
        await self._expect("the token at work while the clock goes back", held, 200)
        await self._metrics()
        self.process.kill()
        self.start()
        await self.check(whole=True)
        await self._expect("a token of the time that was taken back", held, 401)
        await self._expect("a new token after a jump back", self.token("manager", 0), 200)
        await self._metrics()
        await self._load()
        self.start()
        await self._audit_by_time()
        self.process.kill()
        await self.finish()
        self.figures["faults"] += 1
        self.figures["faults_felt"] += 1
        self.progress("fault clock")

    async def _load(self) -> None:
        """Write for a while, and kill the daemon."""
        loading = self.loading()
        await asyncio.sleep(LOAD_SECONDS)
        self.load.over = True
        self.process.kill()
        await self.loaded(loading)

    def _turn(self, seconds: int) -> None:
        """Set the clock; whoever has tokens takes new ones."""
        fresh = self.offset.with_suffix(".new")
        fresh.write_text(str(seconds))
        fresh.replace(self.offset)
        self._tokens.clear()

    def _ahead(self) -> None:
        """Jump ahead: what nobody attached goes, and keys are forgotten."""
        self._turn(JUMP_SECONDS)
        attached = {uuid for customer in self.load.customers.values() for uuid in customer.state["documents"]}
        self.load.files = {uuid: file for uuid, file in self.load.files.items() if uuid in attached}
        self.load.loose.clear()
        for customer in self.load.customers.values():
            customer.keyed.clear()

    async def _expect(self, what: str, token: str, wanted: int) -> None:
        line = await Line.open(self.process.tcp, packed=False)
        status, told = await line.call("MngGetKycStepTemplates", {"brand": BRAND}, token)
        if status != wanted:
            self.findings.add("clock_faults", f"{what}: {status} {told}")
        await line.close()

    async def _metrics(self) -> None:
        async with (
            aiohttp.ClientSession("http://{}:{}".format(*self.process.http)) as rest,
            rest.get("/metrics") as answer,
        ):
            for line in NEGATIVE.findall(await answer.text()):
                self.findings.add("clock_faults", f"negative: {line}")

    async def _audit_by_time(self) -> None:
        """Ask the audit by the time of some of its rows: all rows of that second are told."""
        db = sqlite3.connect(f"file:{self.process.folder}/bases/kyc.db?mode=ro", uri=True)
        rows = db.execute("SELECT time, count(*) FROM audit WHERE brand = ? GROUP BY time", (BRAND,)).fetchall()
        db.close()
        line = await Line.open(self.process.tcp, packed=False)
        for at, count in rows:
            data = {"brand": BRAND, "time_from": at, "time_to": at, "limit": 1}
            status, told = await line.call("MngGetKycAudit", data, self.token("manager", 0))
            if status != 200 or told["count"] != count:
                self.findings.add("clock_faults", f"{count} audit rows of {at}: {status} {str(told)[:200]}")
        await line.close()
