"""A calm load for a long time: `soak.py --hours 2`, or `--seconds 300`.

Reads, writes that change what is there, refusals, uploads that are refused, pushes and clients that come and go. What
the daemon holds must stay what it is: no record is added, so memory grows by 1 MB an hour at most. The last line has
the figures; the exit code is 0 only when every zero is none.
"""

import argparse
import asyncio
import itertools
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(HERE / "support"), str(HERE.parent / "e2e" / "support")]

from line import Line  # noqa: E402 - found by the line above
from report import Report, command  # noqa: E402
from talk import Talk  # noqa: E402
from target import BRAND, MIB, Target  # noqa: E402

CUSTOMERS = 200
CHUNK = 200
"""Writes sent in one go while the caches are filled."""

WORKERS = 6
PAUSE_SECONDS = 0.004
GROWTH_PER_HOUR_MAX = 1_000_000
NOISE_BYTES = 2 * MIB
"""What the memory of a run may wander by, whatever its length: the allocator keeps what it once had."""

WAL_BYTES_MAX = 64 * MIB
ZEROS = ("refused", "grown", "descriptors_left", "wal_too_large", "faults_logged", "files_left")


class Soak:
    """One run against one daemon."""

    def __init__(self, target: Target, args: argparse.Namespace) -> None:
        self.target = target
        self.seconds = args.seconds or args.hours * 3600
        self.settle = args.settle
        self.fill = args.fill
        self.report = Report(*ZEROS)
        self.manager = target.token()
        self.done = Counter[str]()
        self.memory: list[tuple[float, int]] = []
        self.wal = 0
        self.ends = 0.0

    def run(self) -> int:
        self._fill()
        descriptors = self.target.descriptors
        asyncio.run(self._work())
        left = self.target.left_of_descriptors(descriptors)
        slope, rise = slope_of(self.memory[len(self.memory) // 4 :])
        report = self.report
        most = GROWTH_PER_HOUR_MAX * self.seconds / 3600 + NOISE_BYTES
        report.demand(rise <= most, "grown", f"{rise:,.0f} bytes by the slope, {most:,.0f} are allowed")
        report.demand(not left, "descriptors_left", f"{left} more than before")
        report.demand(self.wal <= WAL_BYTES_MAX, "wal_too_large", f"{self.wal:,} bytes")
        for line in self.target.faults():
            report.add("faults_logged", str(line))
        for name in self.target.left_over():
            report.add("files_left", name)
        return report.tell(
            seconds=round(self.seconds),
            **self.done,
            slope_mb_per_hour=round(slope * 3600 / 1e6, 2),
            rss_first_mib=round(self.memory[0][1] / MIB, 1),
            rss_last_mib=round(self.memory[-1][1] / MIB, 1),
            wal_max_mib=round(self.wal / MIB, 1),
            descriptors=descriptors + left,
        )

    def _fill(self) -> None:
        with Talk(self.target.tcp) as talk:
            form = {"sections": [{"fields": [{"name": "said", "type": "text"}]}]}
            template = {"brand": BRAND, "code": "a", "level": 1, "name": "A", "step_type": 1, "form_schema": form}
            talk.good("MngAddKycStepTemplate", template, self.manager)
            for customer in range(1, CUSTOMERS + 1):
                data = {"customer_id": customer, "brand": BRAND, "level": 1}
                talk.good("MngSetKycRequiredLevel", data, self.manager)

            self._fill_caches(talk)
            answers = {"id": 1, "answers": {"said": "first"}}
            talk.good("CustomerSaveKycAnswers", answers, self.target.customer(1))
        # what the first answers and the first upload open stays open
        with Talk(self.target.http) as talk:
            named = {"Content-Disposition": 'attachment; filename="a.png"'}
            assert talk.request("POST", "/upload", self.manager, b"no picture", named).status == 400

    def _fill_caches(self, talk: Talk) -> None:
        """Write and read so much that the page caches of the base, which have a bound, are full before the first look."""
        data = {"brand": BRAND, "risk_level": 1, "reason": "r" * 60}
        for start in range(0, self.fill, CHUNK):
            numbers = range(start, min(start + CHUNK, self.fill))
            wanted = [("MngSetKycRisk", data | {"customer_id": number % CUSTOMERS + 1}) for number in numbers]
            talk.send(b"".join(spelt(name, fields, self.manager) for name, fields in wanted))
            for _ in numbers:
                answer = talk.line()
                assert answer["status"] == 200, answer
            self.report.progress(f"filling: {start} of {self.fill}")
        after = None
        for _ in range(self.fill // 5000):
            page = {"brand": BRAND, "limit": 1000} | ({"after": after} if after else {})
            after = talk.good("MngGetKycAudit", page, self.manager)["next"]

    async def _work(self) -> None:
        started = time.monotonic()
        self.ends = started + self.settle + self.seconds
        working = asyncio.gather(*(self._worker(number) for number in range(WORKERS)))
        await asyncio.sleep(self.settle)  # what work needs is there before the first look
        while time.monotonic() < self.ends:
            self.memory.append((time.monotonic() - started, self.target.rss_bytes))
            self.wal = max(self.wal, self.target.wal_bytes)
            text = f"{self.memory[-1][1] / MIB:.1f} MiB, {sum(self.done.values())} done"
            self.report.progress(f"{time.monotonic() - started:.0f} s: {text}")
            await asyncio.sleep(0.5)
        await working

    async def _worker(self, number: int) -> None:
        """Be one client after another, each for a while."""
        customers = itertools.cycle(range(number + 1, CUSTOMERS + 1, WORKERS))
        rounds = itertools.count()
        url = "http://{}:{}".format(*self.target.http)
        while time.monotonic() < self.ends:
            line = await Line.open(self.target.tcp, packed=bool(number % 2))
            async with aiohttp.ClientSession(url) as rest:
                for _ in range(50):
                    await self._round(line, rest, next(customers), next(rounds))
            await line.close()
            self.done["connections"] += 2

    async def _round(self, line: Line, rest: aiohttp.ClientSession, customer: int, number: int) -> None:
        mine = self.target.customer(customer) if not number % 50 else ""
        wanted: list[tuple[str, dict[str, Any], str, int]] = [
            ("MngGetKycProfile", {"id": customer}, "", 200),
            ("MngGetKycProfiles", {"brand": BRAND, "limit": 20}, "", 200),
            ("MngSetKycRisk", {"customer_id": customer, "brand": BRAND, "risk_level": number % 3}, "", 200),
            ("MngApproveKycStep", {"id": 10**9}, "", 404),
            ("MngGetKycAudit", {"brand": BRAND, "limit": 5}, "", 200),
            ("Subscribe", {"chanels": [f"kyc:{BRAND}"]}, "", 200),
            ("Unsubscribe", {"chanels": [f"kyc:{BRAND}"]}, "", 200),
        ]
        if mine:
            wanted.append(("CustomerSaveKycAnswers", {"id": customer, "answers": {"said": f"{number}"}}, mine, 200))
        for command_name, data, token, status in wanted:
            await asyncio.sleep(PAUSE_SECONDS)
            found = await line.call(command_name, data, token or self.manager)
            self._count("tcp", found["status"], status, command_name)
        headers = {"Authorization": self.manager}
        async with rest.get(f"/manager/kyc/profiles/{customer}", headers=headers) as answer:
            self._count("rest", answer.status, 200, "profile")
        async with rest.post("/manager/kyc/risk", data=b"{", headers=headers) as answer:
            self._count("rest", answer.status, 400, "risk")
        bad = {"Content-Disposition": 'attachment; filename="a.png"', **headers}
        async with rest.post("/upload", data=b"no picture", headers=bad) as answer:
            self._count("rest", answer.status, 400, "upload")

    def _count(self, door: str, status: int, wanted: int, what: str) -> None:
        self.done[door] += 1
        self.report.demand(status == wanted, "refused", f"{what}: {status} and not {wanted}")


def spelt(name: str, data: dict[str, Any], token: str) -> bytes:
    """Spell a request as a line."""
    return json.dumps({"command": name, "data": data, "extID": "f", "__token": token}).encode() + b"\r\n"


def slope_of(points: list[tuple[float, int]]) -> tuple[float, float]:
    """Return bytes a second by least squares, and by how many bytes that rises over the points."""
    middle = sum(at for at, _ in points) / len(points)
    mean = sum(value for _, value in points) / len(points)
    spread = sum((at - middle) ** 2 for at, _ in points)
    slope = sum((at - middle) * (value - mean) for at, value in points) / spread
    return slope, slope * (points[-1][0] - points[0][0])


def main(folder: Path, args: argparse.Namespace) -> int:
    with Target(folder) as target:
        return Soak(target, args).run()


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--hours", type=float, default=2)
    parser.add_argument("--seconds", type=float, default=0, help="instead of hours")
    parser.add_argument("--fill", type=int, default=120_000, help="writes that fill the page caches beforehand")
    parser.add_argument("--settle", type=float, default=20, help="seconds of work before the first look")


if __name__ == "__main__":
    sys.exit(command(__doc__.splitlines()[0], options, main))
