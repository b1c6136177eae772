"""Clients that cost and give nothing: `clients.py --clients 100` has so many of each kind at once.

Some ask for much and never read, over TCP and HTTP; some send a byte a second; some send half of something, or half
close and stay; some send lines and frames without end; some upload slower than 1 KB/s; some say nothing over HTTP.
Each costs 1 MiB at most and is closed in its time, while a good client is answered. The last line has the figures;
the exit code is 0 only when every zero is none.
"""

import argparse
import asyncio
import contextlib
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(HERE / "support"), str(HERE.parent / "e2e" / "support")]

from line import Line  # noqa: E402 - found by the line above
from report import Report, command  # noqa: E402
from talk import Talk  # noqa: E402
from target import BRAND, MIB, Target  # noqa: E402

BYTES_EACH_MAX = MIB
FREE_BYTES = 16 * MIB
"""What the daemon may take besides, as for any work."""

GOOD_SECONDS_MAX = 2.0
LATE_SECONDS = 3.0
"""Clients are looked for in intervals; a busy machine is late itself."""

READ_MANY = 400

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter
ZEROS = (
    "stayed",
    "too_dear",
    "good_client_failed",
    "good_client_waited",
    "faults_logged",
    "files_left",
    "sockets_left",
)


class Clients:
    """All kinds against one daemon; each waits to be closed."""

    def __init__(self, target: Target, count: int, *, short: bool) -> None:
        self.target = target
        self.count = count
        self.report = Report(*ZEROS)
        self.token = target.token()
        self.kinds: dict[str, tuple[Callable[[Reader, Writer], Awaitable[None]], tuple[str, int], float]] = {
            "never_reads_tcp": (self._never_read, target.tcp, 10),
            "never_reads_http": (self._never_read_http, target.http, 10),
            "endless_line": (self._endless_line, target.tcp, 10),
            "endless_frame": (self._endless_frame, target.tcp, 10),
            "half_closed": (self._half_closed, target.tcp, 10),
        }
        if not short:
            self.kinds |= {
                "byte_a_second": (self._byte_a_second, target.tcp, 35),
                "half_a_line": (self._half_a_line, target.tcp, 35),
                "half_a_head": (self._half_a_head, target.http, 35),
                "slow_upload": (self._slow_upload, target.http, 30),
                "silent_http": (self._silent, target.http, 80),
            }
        self.longest: dict[str, float] = {}
        self.most = 0
        self.good_asked = 0
        self.good_longest = 0.0

    def run(self) -> int:
        with Talk(self.target.tcp) as talk:
            for number in range(20):
                template = {"brand": BRAND, "code": f"s{number}", "level": 1, "name": "n" * 200, "step_type": 4}
                talk.good("MngAddKycStepTemplate", template, self.token)
            talk.good("MngSetKycRequiredLevel", {"customer_id": 1, "brand": BRAND, "level": 1}, self.token)
            self.size = len(str(talk.good("MngGetKycProfile", {"id": 1}, self.token)))
        before, descriptors = self.target.rss_bytes, self.target.descriptors
        asyncio.run(self._work())
        time.sleep(0.5)
        report = self.report
        costs = self.most - before - FREE_BYTES
        many = self.count * len(self.kinds)
        report.demand(costs <= many * BYTES_EACH_MAX, "too_dear", f"{costs:,} bytes for {many} clients")
        left = self.target.left_of_descriptors(descriptors)
        report.demand(not left, "sockets_left", f"{left} descriptors more than before")
        for line in self.target.faults():
            report.add("faults_logged", str(line))
        for name in self.target.left_over():
            report.add("files_left", name)
        return report.tell(
            clients=many,
            rss_before_mib=before // MIB,
            rss_most_mib=self.most // MIB,
            kib_each=round((self.most - before) / many / 1024),
            good_asked=self.good_asked,
            good_longest_ms=round(self.good_longest * 1000),
            **{f"{kind}_seconds": round(seconds, 1) for kind, seconds in self.longest.items()},
        )

    async def _work(self) -> None:
        done = asyncio.Event()
        good = asyncio.create_task(self._good(done))
        await asyncio.gather(*(self._one(kind) for kind in self.kinds for _ in range(self.count)))
        done.set()
        await good

    async def _one(self, kind: str) -> None:
        """Be one client until it is closed; say so where it is not."""
        behave, address, seconds = self.kinds[kind]
        reader, writer = await asyncio.open_connection(*address)
        started = time.monotonic()
        try:
            async with asyncio.timeout(seconds + LATE_SECONDS):
                with contextlib.suppress(ConnectionError):
                    await behave(reader, writer)
            self.longest[kind] = max(self.longest.get(kind, 0.0), time.monotonic() - started)
        except TimeoutError:
            self.report.add("stayed", f"{kind} after {seconds} s")
        finally:
            writer.transport.abort()

    async def _good(self, done: asyncio.Event) -> None:
        try:
            line = await Line.open(self.target.tcp)
            while not done.is_set():
                started = time.monotonic()
                found = await line.call("MngGetKycProfile", {"id": 1}, self.token)
                assert found["status"] == 200, found
                self.good_longest = max(self.good_longest, time.monotonic() - started)
                self.good_asked += 1
                self.most = max(self.most, self.target.rss_bytes)
                await asyncio.sleep(0.02)
            await line.close()
        except Exception as error:
            self.report.add("good_client_failed", repr(error))
        self.report.demand(self.good_longest < GOOD_SECONDS_MAX, "good_client_waited", f"{self.good_longest:.2f} s")

    # -- the kinds

    async def _deaf(self, reader: Reader, writer: Writer, request: bytes) -> None:
        """Ask again and again, read nothing, until the daemon has closed: then sending fails."""
        reader._transport.pause_reading()
        while True:
            writer.write(request)
            # what is not taken waits here; the end shows by sending only
            async with asyncio.timeout(None):
                await writer.drain()
            await asyncio.sleep(0.05)

    async def _never_read(self, reader: Reader, writer: Writer) -> None:
        line = b'{"command":"MngGetKycProfile","data":{"id":1},"extID":"a","__token":"%b"}\r\n' % self.token.encode()
        await self._deaf(reader, writer, line * READ_MANY)

    async def _never_read_http(self, reader: Reader, writer: Writer) -> None:
        await self._deaf(reader, writer, b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n" * READ_MANY)

    async def _endless_line(self, _reader: Reader, writer: Writer) -> None:
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()
            await asyncio.sleep(0.01)

    async def _endless_frame(self, reader: Reader, writer: Writer) -> None:
        writer.write(b"\x00\xff\xff\xff" + b"x" * MIB)
        await writer.drain()
        await reader.read()

    async def _half_closed(self, reader: Reader, writer: Writer) -> None:
        line = b'{"command":"MngGetKycProfile","data":{"id":1},"extID":"a","__token":"%b"}\r\n' % self.token.encode()
        writer.write(line * 3 + b'{"command"')
        writer.write_eof()
        assert (await reader.read()).count(b'"status":200') == 3

    async def _byte_a_second(self, reader: Reader, writer: Writer) -> None:
        while not reader.at_eof():
            writer.write(b"{")
            await writer.drain()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(reader.read(100), 1)

    async def _half_a_line(self, reader: Reader, writer: Writer) -> None:
        writer.write(b'{"command":')
        await reader.read()

    async def _half_a_head(self, reader: Reader, writer: Writer) -> None:
        writer.write(b"GET /ping HTTP/1.1\r\nX: ")
        await reader.read()

    async def _slow_upload(self, reader: Reader, writer: Writer) -> None:
        head = f"POST /upload HTTP/1.1\r\nHost: a\r\nAuthorization: {self.token}\r\nContent-Length: 1000000\r\n"
        writer.write(f'{head}Content-Disposition: attachment; filename="a.txt"\r\n\r\n'.encode())
        while not reader.at_eof():
            writer.write(b"slow ")
            await writer.drain()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(reader.read(1000), 0.25)

    async def _silent(self, reader: Reader, _writer: Writer) -> None:
        await reader.read()


def main(folder: Path, args: argparse.Namespace) -> int:
    with Target(folder) as target:
        return Clients(target, args.clients, short=args.short).run()


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--clients", type=int, default=100, help="of each kind")
    parser.add_argument(
        "--short", action="store_true", help="leave out the kinds that are given half a minute and more"
    )


if __name__ == "__main__":
    sys.exit(command(__doc__.splitlines()[0], options, main))
