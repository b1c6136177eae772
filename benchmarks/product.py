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

from benchmarks import multiply, seeding
from benchmarks.model import NotMeasuredError
from benchmarks.processes import Server, running
from benchmarks.session import BUILD, Session

MANAGER = ("MANAGER", 7)
COMMAND = (sys.executable, "-m", "kycmanager")
REPOSITORY = Path(__file__).parents[1]
PATIENCE = 300.0
MODEL_PROFILES = 1000
MODEL_WITH_DOCUMENTS = 100  # whose files go through the whole of an upload


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
    """The daemon runs from compiled modules, as it does for whoever installed it, whatever this shell says of them."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**inherited, "PYTHONPATH": str(REPOSITORY), "PYTHONPYCACHEPREFIX": str(BUILD / "bytecode")}


def require() -> None:
    """Raise when the daemon cannot be started from this tree."""
    if importlib.util.find_spec("kycmanager.__main__") is None:
        raise NotMeasuredError("the daemon is not there yet: no kycmanager.__main__")


@contextmanager
def serving(
    session: Session, data: Path | None = None, settings: str = "", command: tuple[str, ...] = COMMAND
) -> Iterator[Daemon]:
    """The daemon on free ports, over the given data folder or an empty one; `settings` is a config.toml."""
    require()
    folder = session.folder("daemon")
    data = data or folder / "data"
    ready = folder / "ready.json"
    argv = [*command, "serve", "--data", str(data), "--tcp", "127.0.0.1:0", "--http", "127.0.0.1:0"]
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


def base(session: Session, profiles: int, documents: int = 0) -> Base:
    """The filled base of that many profiles, each with so many documents; made once in a session."""
    key = f"base of {profiles} with {documents}"
    return session.shared(key, lambda: _fill(session, profiles, documents))


def _fill(session: Session, profiles: int, documents: int) -> Base:
    """A small base is filled through the API, a large one is that many times over."""
    model = MODEL_WITH_DOCUMENTS if documents else MODEL_PROFILES
    times, left = divmod(profiles, model)
    if left or times == 0:
        raise ValueError(f"{profiles} is no multiple of {model}")
    if times == 1:
        session.progress.step(f"filling a base with {profiles:,} profiles")
        with serving(session) as daemon:
            token = daemon.token()
            seed = seeding.fill(daemon.tcp, token, profiles)
            seeding.attach(daemon.tcp, daemon.http, token, seed, documents)
        return Base(daemon.data, seed)
    small = base(session, model, documents)
    folder = small.copy(session)

    def told(done: int) -> None:
        session.progress.step(f"filling a base: {done:,} of {profiles:,} profiles")

    return Base(folder, multiply.multiply(folder, small.seed, times, told))
