"""What all parts of the harness share: a data folder, the daemons that live and die on it, what is believed and found."""

import asyncio
import contextlib
import hashlib
import json
import random
import re
import signal
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
from running import Process
from torture_check import Bases, Findings, ask_everything
from torture_load import BROKEN, Line, Load
from torture_model import BRAND, TEMPLATES

from kycmanager.config import load as load_config
from kycmanager.domain.enums import SessionType
from kycmanager.tokens.issue import issue_token
from kycmanager.tokens.keys import load_keys

HERE = Path(__file__).parent
SESSIONS = {"manager": SessionType.MANAGER, "system": SessionType.SYSTEM, "customer": SessionType.CUSTOMER}
PROGRESS = re.compile(r"[\w ]+: \d+( of \d+)?")
LOAD_SECONDS = (0.05, 0.9)
"""A daemon is ended at a random moment between these, counted from the first write."""
CONNECTIONS = 4
TTL_SECONDS = 86_400


class Job(NamedTuple):
    """A piece of work for one process: a part of the harness, `count` of its rounds in a new folder, a seed of its own."""

    part: str
    number: int
    count: int
    seed: str
    wrong: str = ""
    stop_at_fault: bool = False


class Outcome(NamedTuple):
    """What a job has counted and found. Figures whose name ends in `_max` are the greatest, others are summed."""

    job: Job
    figures: Counter[str]
    found: Counter[str]
    shown: list[str]


class Ended(Exception):  # noqa: N818 - what happened
    """The daemon does not start any more, or the first fault was to be the last."""


class Rounds:
    """One data folder, and the daemons that live and die on it."""

    def __init__(self, folder: Path, job: Job, tell: Callable[[str], None], *, data: Path | None = None) -> None:
        self.folder = folder
        self.job = job
        self.rng = random.Random(job.seed)
        self.sealed = self.rng.random() < 0.5
        self.process = Process(data or folder / "data", program=self.program())
        self.process.log, self.process.config = folder / "data.log", folder / "data.toml"
        self.process.config.write_text(self.settings())
        # Off the disk that loses its power: nobody flushes it, and its name may come back as that of anything else.
        self.process.ready_file = folder / "ready.json"
        self.load = Load(job.seed)
        self.bases = Bases(self.process.folder, sealed=self.sealed)
        self._read_back: set[str] = set()
        self.findings = Findings()
        self.figures: Counter[str] = Counter()
        self.clock: Callable[[], float] = time.time
        self._tell = tell
        self._log_read = 0
        self._tokens: dict[tuple[str, int], str] = {}

    def program(self) -> tuple[str, ...]:
        """Return what the interpreter runs."""
        wrong = self.job.wrong
        return (str(HERE / "wrong_build.py"), wrong) if wrong else ("-m", "kycmanager")

    def settings(self) -> str:
        """Return the text of config.toml: half of the jobs keep everything in clear."""
        return f"[encryption]\nenabled = {'true' if self.sealed else 'false'}\n"

    def token(self, who: str, customer: int) -> str:
        """Return a token of a manager, a workflow or a customer."""
        sub = customer if who == "customer" else 1
        found = self._tokens.get((who, sub))
        if found is None:
            found = self._tokens[who, sub] = issue_token(
                self.key,
                session=SESSIONS[who],
                sub=sub,
                brands=[BRAND],
                now=int(self.clock()),
                ttl_seconds=TTL_SECONDS,
            )
        return found

    def forget_tokens(self) -> None:
        """Issue new ones from now on."""
        self._tokens.clear()

    def outcome(self) -> Outcome:
        """Return what was counted and found."""
        load = self.load
        self.figures.update(acknowledged=load.acknowledged, uploads=load.uploaded, customers=len(load.customers))
        self.figures["events"] += self.bases.seq
        return Outcome(self.job, self.figures, Counter(self.findings), self.findings.shown)

    def run(self, rounds: Coroutine[Any, Any, None]) -> Outcome:
        """Run the rounds; whatever happens, no daemon is left behind."""
        try:
            asyncio.run(rounds)
        except Ended:
            pass
        finally:
            self.process.kill()
        return self.outcome()

    def start(self) -> None:
        """Start the daemon; one that refuses to is a finding, and the end."""
        began = time.monotonic()
        try:
            self.process.start()
        except AssertionError as error:
            self.findings.add("not_started", str(error)[-500:])
            raise Ended from error
        self.greatest("start_seconds_max", time.monotonic() - began)

    def greatest(self, name: str, value: float) -> None:
        """Note a figure of which only the greatest counts."""
        self.figures[name] = max(self.figures[name], round(value, 2))  # type: ignore[assignment]

    async def set_up(self) -> None:
        """Add the templates; the daemon runs."""
        config = load_config(self.process.config, {})
        self.key = load_keys(config.tokens, self.process.folder).signing
        line = await Line.open(self.process.tcp, packed=False)
        for template in TEMPLATES:
            status, told = await line.call("MngAddKycStepTemplate", template, self.token("manager", 0))
            assert status == 200, told
        await line.close()

    def loading(self) -> asyncio.Task[None]:
        """Begin to write; it goes on until the daemon has gone."""
        return asyncio.create_task(self.load.run(self.process.tcp, self.process.http, self.token, CONNECTIONS))

    async def loaded(self, loading: asyncio.Task[None]) -> None:
        """Wait for the end of the load and take over what it found."""
        with contextlib.suppress(*BROKEN):  # it may have gone before a connection was made
            await loading
        for fault in self.load.faults:
            self.findings.add("refused" if fault.startswith("refused") else "lost", fault)
        self.load.faults.clear()

    async def check(self, *, whole: bool) -> None:
        """Look at everything on an idle daemon that has just started."""
        self.bases.look(self.load, self.findings, started=True)
        line = await Line.open(self.process.tcp, packed=False)
        await ask_everything(self.load, line, self.token, self.findings, self.rng, whole=whole)
        await line.close()
        await self._read_files()
        if whole:
            self.bases.look(self.load, self.findings, started=False)
        self.read_log()

    def forget_files(self) -> None:
        """Look at all files anew from now on: their disk has lost its power."""
        self.bases.hashed.clear()
        self._read_back.clear()

    async def _read_files(self) -> None:
        """Fetch the sealed files that were not fetched yet: nobody else can say whether they are intact."""
        fresh = self.load.files.keys() - self._read_back if self.sealed else set()
        headers = {"Authorization": self.token("manager", 0)}
        async with aiohttp.ClientSession("http://{}:{}".format(*self.process.http)) as rest:
            for uuid in sorted(fresh):
                async with rest.get(f"/storage/{uuid}", headers=headers) as answer:
                    content = await answer.read()
                if hashlib.sha256(content).hexdigest() != self.load.files[uuid][0]:
                    self.findings.add("lost", f"file {uuid} is answered {answer.status} {content[:100]!r}")
        self._read_back |= fresh

    async def finish(self) -> None:
        """Start once more, check everything, and end the daemon as an operator does."""
        self.start()
        await self.check(whole=True)
        code, _ = self.process.stop(signal.SIGTERM)
        if code:
            self.findings.add("errors_logged", f"the daemon ended with {code}")
        self.read_log()

    def read_log(self, *, until: int | None = None) -> None:
        """Look for errors in what was logged since the last time, up to a size; the rest is left aside."""
        text = self.process.log.read_bytes()
        fresh, self._log_read = text[self._log_read : until], len(text)
        for line in fresh.decode(errors="replace").splitlines():
            if PROGRESS.fullmatch(line):
                continue
            if not line.startswith("{") or json.loads(line)["level"] not in {"info", "debug"}:
                self.findings.add("errors_logged", line)

    def progress(self, what: str) -> None:
        """Tell how far it is; end at the first fault where that is wanted."""
        self._tell(f"{what}: {self.load.acknowledged} writes acknowledged, {self.findings.told()}")
        if self.findings and self.job.stop_at_fault:
            raise Ended
