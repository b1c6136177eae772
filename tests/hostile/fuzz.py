"""Spoilt requests on every door: `fuzz.py --cases 100000 --seed 1` sends so many each as lines, as frames, over HTTP.

Every line and frame is answered once, nothing is answered 5xx, nothing is logged as a fault, nothing grows, and a good
client beside is answered all the time. The last line has the figures; the exit code is 0 only when every zero is none.
"""

import argparse
import asyncio
import contextlib
import json
import random
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgpack

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(HERE / "support"), str(HERE.parent / "e2e" / "support")]

from mutations import a_frame, a_line, a_request  # noqa: E402 - found by the line above
from report import Report, command  # noqa: E402
from talk import Talk, framed  # noqa: E402
from target import BRAND, MIB, PRODUCT, WRONG, Target  # noqa: E402

BATCH = 100
CLIENTS = 8
HTTP_WAIT_SECONDS = 0.05
"""How long a spoilt request is waited for that may never be whole."""

ANSWER_SECONDS_MAX = 20.0
GROWTH_BYTES_MAX = 16 * MIB
STATUSES = frozenset({200, 400, 401, 403, 404, 405, 409, 413, 429})
HTTP_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
GONE = (ConnectionError, asyncio.IncompleteReadError)

ZEROS = ("failures", "wrong_counts", "faults_logged", "good_client_failed", "grown", "descriptors_left", "files_left")


class GoodClient(threading.Thread):
    """Asks both doors all the time."""

    def __init__(self, target: Target) -> None:
        super().__init__(daemon=True)
        self.target = target
        self.token = target.token(sub=2)
        self.asked = 0
        self.longest = 0.0
        self.failed: list[str] = []
        self.done = threading.Event()

    def run(self) -> None:
        try:
            with Talk(self.target.tcp) as tcp, Talk(self.target.http) as http:
                while not self.done.is_set():
                    started = time.monotonic()
                    assert tcp.ask("MngGetKycProfile", {"id": 1}, self.token)["status"] == 200
                    assert http.request("GET", "/manager/kyc/profiles/1", self.token).status == 200
                    self.longest = max(self.longest, time.monotonic() - started)
                    self.asked += 1
                    time.sleep(0.005)
        except Exception as error:
            self.failed.append(repr(error))


class Fuzz:
    """One run against one daemon."""

    def __init__(self, target: Target, args: argparse.Namespace) -> None:
        self.target = target
        self.args = args
        self.report = Report(*ZEROS)
        self.statuses: dict[str, Counter[int]] = {}
        self.sent = Counter[str]()
        self.tokens = [target.token(), target.customer(1), target.token(brands=("other",)), "a.b.c"]

    def run(self) -> int:
        """Spoil, look, tell; return the exit code."""
        with Talk(self.target.tcp) as talk:
            template = {"brand": BRAND, "code": "a", "level": 1, "name": "A", "step_type": 1}
            talk.good("MngAddKycStepTemplate", template, self.tokens[0])
            talk.good("MngSetKycRequiredLevel", {"customer_id": 1, "brand": BRAND, "level": 1}, self.tokens[0])
        good = GoodClient(self.target)
        good.start()
        time.sleep(0.2)
        descriptors = self.target.descriptors
        started = time.monotonic()
        growth = {door.__name__: asyncio.run(self._door(door)) for door in (self.lines, self.frames, self.http)}
        seconds = time.monotonic() - started
        left = self.target.left_of_descriptors(descriptors)
        good.done.set()
        good.join(30)
        return self._judge(good, growth, left, seconds)

    def _judge(self, good: GoodClient, growth: dict[str, int], left: int, seconds: float) -> int:
        report = self.report
        for failure in good.failed or ([] if good.asked else ["it was never answered"]):
            report.add("good_client_failed", failure)
        for door, grown in growth.items():
            report.demand(grown <= GROWTH_BYTES_MAX, "grown", f"{door}: {grown:,} bytes")
        report.demand(not left, "descriptors_left", f"{left} more than before", left or 1) if left else None
        for line in self.target.faults():
            report.add("faults_logged", str(line))
        for name in self.target.left_over():
            report.add("files_left", name)
        report.demand(self.target.alive, "failures", "the daemon has ended")
        for door, statuses in self.statuses.items():
            report.say(f"{door}: {dict(sorted(statuses.items()))}")
        return report.tell(
            seed=self.args.seed,
            **dict(self.sent),
            answers=sum(sum(each.values()) for each in self.statuses.values()),
            seconds=round(seconds),
            good_asked=good.asked,
            good_longest_ms=round(good.longest * 1000),
            **{f"{door}_growth_mib": round(grown / MIB, 1) for door, grown in growth.items()},
        )

    async def _door(self, door: Callable[[random.Random, int], Awaitable[None]]) -> int:
        """Have many clients at one door; return by how many bytes the daemon grew after the first fifth."""
        name = door.__name__
        self.statuses[name] = Counter()
        rng = random.Random(f"{self.args.seed} {name}")
        after_first = 0

        async def client(seed: int) -> None:
            nonlocal after_first
            chance = random.Random(seed)
            while (left := self.args.cases - self.sent[name]) > 0:
                count = min(BATCH, left)
                self.sent[name] += count
                await door(chance, count)
                if not after_first and self.sent[name] >= self.args.cases // 5:
                    after_first = self.target.rss_bytes
                self.report.progress(
                    f"{name}: {self.sent[name]} of {self.args.cases}, {self.target.rss_bytes // MIB} MiB"
                )

        await asyncio.gather(*(client(rng.randrange(1 << 30)) for _ in range(CLIENTS)))
        return self.target.rss_bytes - after_first

    # -- the doors

    async def lines(self, chance: random.Random, count: int) -> None:
        """Send spoilt lines on one connection; every line that is not blank has one answer."""
        token = chance.choice(self.tokens)
        sent = b"".join(a_line(chance, token) for _ in range(count)).lstrip(b"\x00")
        owed = sum(bool(line.strip(b" \t\r")) for line in sent.split(b"\n")[:-1])
        reader, writer = await asyncio.open_connection(*self.target.tcp, limit=1 << 24)
        try:
            for piece in cut(chance, sent):
                writer.write(piece)
                await asyncio.sleep(0)
            writer.write(b'{"command":"Ping","extID":"the end"}\n')
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                answers = 0
                ended = False
                while not ended or answers < owed:
                    message = json.loads(await reader.readuntil(b"\n"))
                    if isinstance(message, list) or "event" in message:
                        continue
                    if message.get("extID") == "the end":
                        ended = True
                        continue
                    answers += 1
                    self._count("lines", message["status"], message)
            self.report.demand(answers == owed, "wrong_counts", f"lines: {answers} answers to {owed}: {sent[:300]!r}")
        except (TimeoutError, *GONE) as error:
            self.report.add("wrong_counts", f"lines: {error!r} with {owed} owed: {sent[:300]!r}")
        finally:
            writer.transport.abort()

    async def frames(self, chance: random.Random, count: int) -> None:
        """Send spoilt frames on one connection; every frame has one answer."""
        token = chance.choice(self.tokens)
        contents = [a_frame(chance, token) for _ in range(count)]
        sent = b"".join(map(framed, contents))
        reader, writer = await asyncio.open_connection(*self.target.tcp, limit=1 << 24)
        try:
            for piece in cut(chance, sent):
                writer.write(piece)
                await asyncio.sleep(0)
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                answers = 0
                while answers < count:
                    length = int.from_bytes(await reader.readexactly(4))
                    message = msgpack.unpackb(await reader.readexactly(length), strict_map_key=False)
                    if isinstance(message, list) or "event" in message:
                        continue
                    answers += 1
                    self._count("frames", message["status"], message)
        except (TimeoutError, *GONE) as error:
            self.report.add("wrong_counts", f"frames: {error!r} with {count} owed")
        finally:
            writer.transport.abort()

    async def http(self, chance: random.Random, count: int) -> None:
        """Send spoilt requests, each on a connection of its own; what may be whole is waited for."""
        for _ in range(count):
            reader, writer = await asyncio.open_connection(*self.target.http)
            try:
                for piece in cut(chance, a_request(chance, chance.choice(self.tokens))):
                    writer.write(piece)
                    await asyncio.sleep(0)
                found = b""
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(HTTP_WAIT_SECONDS):
                        while b"\r\n\r\n" not in found and (piece := await reader.read(65536)):
                            found += piece
                for status in HTTP_STATUS.findall(found):
                    self._count("http", int(status), found[:300])
            except ConnectionError:
                self.statuses["http"][0] += 1
            finally:
                writer.transport.abort()

    def _count(self, door: str, status: int, message: object) -> None:
        self.statuses[door][status] += 1
        self.report.demand(status in STATUSES or status == 100, "failures", f"{door}: {message!r}")


def cut(chance: random.Random, data: bytes) -> list[bytes]:
    """Cut bytes in a few pieces, mostly in none."""
    places = sorted(chance.randrange(len(data) + 1) for _ in range(chance.choice((0, 0, 1, 3))))
    return [data[start:stop] for start, stop in zip([0, *places], [*places, len(data)], strict=True)]


def main(folder: Path, args: argparse.Namespace) -> int:
    config = '[logging]\nlevel = "debug"\n' if args.debug else ""
    with Target(folder, config, WRONG if args.wrong else PRODUCT) as target:
        return Fuzz(target, args).run()


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--wrong", action="store_true", help="against a build with a fault, which must be found")
    parser.add_argument("--debug", action="store_true", help="the daemon logs every command")


if __name__ == "__main__":
    sys.exit(command(__doc__.splitlines()[0], options, main))
