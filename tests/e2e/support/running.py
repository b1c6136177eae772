"""Daemons for the tests: the real App in this process with a clock to turn, and the real process."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

from kycmanager.app import App
from kycmanager.config import from_table
from kycmanager.domain.enums import SessionType
from kycmanager.tokens.issue import issue_token
from kycmanager.tokens.keys import load_keys

ROOT = Path(__file__).parents[3]
NOW = 1_800_000_000
SECRET = "e" * 48


class Running:
    """The App on free ports; `now` is its clock."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.now = NOW
        self.folder = folder
        server = {"tcp": "127.0.0.1:0", "http": "127.0.0.1:0", **settings.pop("server", {})}
        tokens = {"secret": SECRET, **settings.pop("tokens", {})}
        self.config = from_table({"server": server, "tokens": tokens, **settings}, {})
        self.app = App(self.config, folder, lambda *_: None, lambda: self.now)
        self._key = load_keys(self.config.tokens, folder).signing

    async def __aenter__(self) -> Self:
        self.folder.mkdir(exist_ok=True)
        try:
            await self.app.open()
        except BaseException:
            await self.app.close()
            raise
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.app.close()

    def token(self, session: SessionType | int, sub: int, brands: Any) -> str:
        """Sign a token, also one that the command line would not issue."""
        session = SessionType(session)
        if session is SessionType.CUSTOMER and (brands is None or len(brands) != 1):
            return odd_customer_token(sub, brands, self.now)
        return issue_token(self._key, session=session, sub=sub, brands=brands, now=self.now, ttl_seconds=100_000)


def odd_customer_token(sub: int, brands: Any, now: int) -> str:
    """Sign a customer's token that does not name exactly one brand."""
    from jwt import PyJWS

    named = "*" if brands is None else list(brands)
    claims = {"sub": str(sub), "session": 9, "brands": named, "iat": now, "exp": now + 100_000}
    return PyJWS().encode(json.dumps(claims).encode(), SECRET.encode(), algorithm="HS256")


def environment() -> dict[str, str]:
    """Return the environment in which the product is found, and no settings of the developer's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KYCMANAGER_")}
    paths = (str(ROOT), kept.get("PYTHONPATH", ""))
    return kept | {"PYTHONPATH": os.pathsep.join(path for path in paths if path)}


class Process:
    """`kycmanager serve` as a process of its own on one data folder; `program` is what the interpreter runs."""

    def __init__(
        self, folder: Path, *options: str, config: str = "", program: tuple[str, ...] = ("-m", "kycmanager")
    ) -> None:
        self.folder = folder
        self.program = program
        self.ready_file = folder / "ready.json"
        self.config = folder.parent / f"{folder.name}.toml"
        self.config.write_text(config)
        self.options = ("--tcp", "127.0.0.1:0", "--http", "127.0.0.1:0", *options)
        self.process: subprocess.Popen[bytes] | None = None
        self.log = folder.parent / f"{folder.name}.log"
        self.tcp: tuple[str, int] = ("", 0)
        self.http: tuple[str, int] = ("", 0)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.kill()

    def start(self) -> "Process":
        self.launch()
        deadline = time.monotonic() + 30
        while not self.serves():
            assert self.process is not None
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return self

    def launch(self, *prefix: str) -> None:
        """Start it without waiting; `prefix` is the command it is run under, which must keep its process id."""
        self.folder.mkdir(exist_ok=True)
        self.ready_file.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*prefix, *self.command("serve"), *self.options, "--ready-file", str(self.ready_file)],
                stdout=log,
                stderr=log,
                env=environment(),
            )

    def serves(self) -> bool:
        """Tell whether it has said that it serves, and take its addresses."""
        if self.process is None or not self.ready_file.exists():
            return False
        ready = json.loads(self.ready_file.read_text())
        assert ready["pid"] == self.process.pid
        self.tcp, self.http = tuple(ready["tcp"]), tuple(ready["http"])
        return True

    def command(self, *words: str) -> list[str]:
        """Return the command line of a sub-command on this folder."""
        return [sys.executable, *self.program, *words, "--config", str(self.config), "--data", str(self.folder)]

    def run(self, *words: str, more: tuple[str, ...] = (), stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a sub-command to its end."""
        line = [*self.command(*words), *more]
        return subprocess.run(
            line, check=False, input=stdin, capture_output=True, text=True, timeout=60, env=environment()
        )

    def issue(self, session: str, sub: int, *brands: str) -> str:
        """Issue a token by the command line."""
        named = [word for brand in brands for word in ("--brand", brand)]
        done = self.run("token", "issue", more=("--session", session, "--id", str(sub), *named))
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.strip()

    def token(self, session: SessionType, sub: int, *brands: str) -> str:
        """Issue a token without a process of its own; no brands are all of them."""
        key = load_keys(from_table({}, {}).tokens, self.folder).signing
        named = frozenset(brands) or None
        return issue_token(key, session=session, sub=sub, brands=named, now=int(time.time()), ttl_seconds=600)

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, float]:
        """Send a signal and wait; return the exit code and the seconds it took."""
        assert self.process is not None
        started = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(20)
        return code, time.monotonic() - started

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()


async def eventually(found: Any, seconds: float = 5.0) -> None:
    """Wait until `found()` is true."""
    async with asyncio.timeout(seconds):
        while not found():
            await asyncio.sleep(0.01)
