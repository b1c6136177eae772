"""The daemon as the measurements see it: a command line, a ready file, tokens, and bases filled through its own API."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import seeding
from benchmarks.model import NotMeasuredError
from benchmarks.processes import Server, running
from benchmarks.session import Session

MANAGER = ("MANAGER", 7)
COMMAND = (sys.executable, "-m", "kycmanager")
REPOSITORY = Path(__file__).parents[1]
PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Daemon:
    """A serving daemon."""

    server: Server
    data: Path
    tcp: int
    http: int
    ready_after: float  # seconds from spawn to the ready file

    def token(self, caller: tuple[str, int] = MANAGER) -> str:
        """A token for the brand of the benchmarks, a manager's unless told otherwise."""
        name, number = caller
        argv = [*COMMAND, "token", "issue", "--data", str(self.data), "--session", name, "--id", str(number)]
        argv += ["--brand", seeding.BRAND, "--ttl", "8h"]
        done = subprocess.run(
            argv, capture_output=True, text=True, timeout=30, check=False, env=_environment(), cwd=self.data
        )
        token = done.stdout.strip()
        if done.returncode or token.count(".") != 2:
            raise NotMeasuredError(f"no token: {done.stderr[-200:]}")
        return token


@dataclass(frozen=True, slots=True)
class Base:
    """A data folder filled with profiles and cleanly closed, to be copied before use."""

    folder: Path
    seed: seeding.Seed

    def copy(self, session: Session) -> Path:
        """A copy of its own, synced, so that no write of the copying falls into a measurement."""
        target = session.folder("data") / "data"
        shutil.copytree(self.folder, target, ignore=_special)
        for path in target.rglob("*"):
            if path.is_file():
                with path.open("rb") as file:
                    os.fsync(file.fileno())
        return target


def _special(folder: str, names: list[str]) -> list[str]:
    """Sockets and the like, which cannot be copied."""
    paths = [Path(folder, name) for name in names]
    return [path.name for path in paths if not path.is_file() and not path.is_dir()]


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(REPOSITORY)}


def require() -> None:
    """Raise when the daemon cannot be started from this tree."""
    if importlib.util.find_spec("kycmanager.__main__") is None:
        raise NotMeasuredError("the daemon is not there yet: no kycmanager.__main__")


@contextmanager
def serving(session: Session, data: Path | None = None, settings: str = "") -> Iterator[Daemon]:
    """The daemon on free ports, over the given data folder or an empty one; `settings` is a config.toml."""
    require()
    folder = session.folder("daemon")
    data = data or folder / "data"
    ready = folder / "ready.json"
    argv = [*COMMAND, "serve", "--data", str(data), "--tcp", "127.0.0.1:0", "--http", "127.0.0.1:0"]
    argv += ["--ready-file", str(ready)]
    if settings:
        config = folder / "settings.toml"
        config.write_text(settings)
        argv += ["--config", str(config)]
    start = time.perf_counter()
    with running(
        argv,
        core=session.server_core,
        log=folder / "log",
        ready=ready.exists,
        cwd=folder,
        env=_environment(),
        patience=PATIENCE,
    ) as server:
        ready_after = time.perf_counter() - start
        found = json.loads(ready.read_text())
        yield Daemon(server, data, int(found["tcp"][1]), int(found["http"][1]), ready_after)


def base(session: Session, profiles: int) -> Base:
    """The filled base of that many profiles; made once in a session."""
    return session.shared(f"base of {profiles}", lambda: _fill(session, profiles))


def _fill(session: Session, profiles: int) -> Base:
    session.progress.step(f"filling a base with {profiles:,} profiles")
    with serving(session) as daemon:
        seed = seeding.fill(daemon.tcp, daemon.token(), profiles)
    return Base(daemon.data, seed)


def discard(data: Path) -> None:
    """Remove a data folder that is not needed any more."""
    shutil.rmtree(data, ignore_errors=True)
