"""Kills the daemon again and again under load, and looks at what is left: `kill.py --kills 50 --seed 1`.

The last line has the figures; the exit code is 0 only when every count that must be none is none.
"""

import argparse
import asyncio
import json
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(HERE), str(ROOT / "tests" / "e2e" / "support")]

from running import Process  # noqa: E402 - found by the line above
from torture_check import ZEROS, Bases, Findings, ask_everything  # noqa: E402
from torture_load import Line, Load  # noqa: E402
from torture_model import BRAND, TEMPLATES  # noqa: E402

from kycmanager.config import load as load_config  # noqa: E402
from kycmanager.domain.enums import SessionType  # noqa: E402
from kycmanager.tokens.issue import issue_token  # noqa: E402
from kycmanager.tokens.keys import load_keys  # noqa: E402

SESSIONS = {"manager": SessionType.MANAGER, "system": SessionType.SYSTEM, "customer": SessionType.CUSTOMER}
PROGRESS = re.compile(r"[\w ]+: \d+( of \d+)?")
LOAD_SECONDS = (0.05, 0.9)
"""The daemon is killed at a random moment between these, counted from the first write."""


class Harness:
    """One data folder, and the daemons that live and die on it."""

    def __init__(self, folder: Path, args: argparse.Namespace) -> None:
        program = ("-m", "kycmanager") if not args.wrong else (str(HERE / "wrong_build.py"), args.wrong)
        self.process = Process(folder / "data", program=program)
        self.rng = random.Random(args.seed)
        self.args = args
        self.load = Load(args.seed)
        self.bases = Bases(folder / "data")
        self.findings = Findings()
        self.start_seconds: list[float] = []
        self._tokens: dict[tuple[str, int], str] = {}

    def token(self, who: str, customer: int) -> str:
        """Return a token of a manager, a workflow or a customer."""
        sub = customer if who == "customer" else 1
        found = self._tokens.get((who, sub))
        if found is None:
            found = self._tokens[who, sub] = issue_token(
                self.key, session=SESSIONS[who], sub=sub, brands=[BRAND], now=int(time.time()), ttl_seconds=86_400
            )
        return found

    async def run(self) -> int:
        """Start, check, load, kill; once more start and check at the end."""
        for number in range(self.args.kills):
            self._start()
            await (self._set_up() if number == 0 else self._check(whole=False))
            await self._kill_under_load()
            self._progress(number + 1)
            if self.args.stop_at_fault and self._faults():
                return self._tell()
        self._start()
        await self._check(whole=True)
        code, _ = self.process.stop(signal.SIGTERM)
        if code:
            self.findings.add("errors_logged", f"the daemon ended with {code}")
        self._read_log()
        return self._tell()

    def _start(self) -> None:
        started = time.monotonic()
        self.process.start()
        self.start_seconds.append(time.monotonic() - started)

    async def _set_up(self) -> None:
        config = load_config(self.process.config, {})
        self.key = load_keys(config.tokens, self.process.folder).signing
        line = await Line.open(self.process.tcp, packed=False)
        for template in TEMPLATES:
            status, told = await line.call("MngAddKycStepTemplate", template, self.token("manager", 0))
            assert status == 200, told
        await line.close()

    async def _kill_under_load(self) -> None:
        loading = asyncio.create_task(
            self.load.run(self.process.tcp, self.process.http, self.token, self.args.connections)
        )
        await asyncio.sleep(self.rng.uniform(*LOAD_SECONDS))
        self.process.kill()
        await loading
        for fault in self.load.faults:
            self.findings.add("refused" if fault.startswith("refused") else "lost", fault)
        self.load.faults.clear()

    async def _check(self, *, whole: bool) -> None:
        self.bases.look(self.load, self.findings, started=True)
        line = await Line.open(self.process.tcp, packed=False)
        await ask_everything(self.load, line, self.token, self.findings, self.rng, whole=whole)
        await line.close()
        if whole:
            self.bases.look(self.load, self.findings, started=False)

    def _read_log(self) -> None:
        for text in self.process.log.read_text(errors="replace").splitlines():
            if PROGRESS.fullmatch(text):
                continue
            if not text.startswith("{") or json.loads(text)["level"] not in {"info", "debug"}:
                self.findings.add("errors_logged", text)

    def _progress(self, kills: int) -> None:
        if not self.args.quiet:
            found = self._faults() or "all well"
            sys.stdout.write(f"kill {kills}: {self.load.acknowledged} writes acknowledged, {found}\n")
            sys.stdout.flush()

    def _tell(self) -> int:
        for text in self.findings.shown:
            sys.stdout.write(f"{text}\n")
        figures: dict[str, Any] = {
            "kills": len(self.start_seconds) - 1,
            "seed": self.args.seed,
            "acknowledged": self.load.acknowledged,
            "uploads": self.load.uploaded,
            "customers": len(self.load.customers),
            "events": self.bases.seq,
            "start_seconds_max": round(max(self.start_seconds), 2),
            **{name: self.findings[name] for name in ZEROS},
        }
        sys.stdout.write(" ".join(f"{name}={value}" for name, value in figures.items()) + "\n")
        return 1 if self._faults() else 0

    def _faults(self) -> dict[str, int]:
        return {name: self.findings[name] for name in ZEROS if self.findings[name]}


def main() -> int:
    """Run the harness in a folder of its own."""
    parser = argparse.ArgumentParser(description="Kill the daemon under load and look at what is left.")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--wrong", default="", help="kill a build that is wrong on purpose: see wrong_build.py")
    parser.add_argument("--stop-at-fault", action="store_true", help="end with the first kill that leaves a fault")
    parser.add_argument("--quiet", action="store_true", help="tell the figures only")
    parser.add_argument("--keep", action="store_true", help="leave the folder in place")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="kill-"))
    harness = Harness(folder, args)
    try:
        return asyncio.run(harness.run())
    finally:
        harness.process.kill()
        if args.keep:
            sys.stdout.write(f"left in {folder}\n")
        else:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
