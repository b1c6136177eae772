"""Durable writes: each approves one step, changes its profile, and leaves an audit row and an event."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks import load, product, seeding
from benchmarks.emptied import empty
from benchmarks.model import PRODUCT, Figure, Sample
from benchmarks.peers import servers
from benchmarks.peers.postgres import approvals as postgres_approvals
from benchmarks.peers.postgres import postgres
from benchmarks.processes import pinned
from benchmarks.samples import STEPS
from benchmarks.session import Run, Session

PROFILES, PROFILES_QUICK = 100_000, 30_000  # enough steps for one run at any speed in sight
POOL = 64  # PostgreSQL's own connections: with one for each of 512 clients it collapses, so nobody runs it so


def measure(session: Session, clients: int) -> dict[str, Figure]:
    """The product, PostgreSQL and FastAPI + SQLite with one transaction each, and the disk's own pace."""
    return session.alternate(
        {
            PRODUCT: partial(_product, session, clients),
            "postgresql": partial(_postgres, session, clients),
            "fastapi": partial(_fastapi, session, clients),
            "fdatasync": partial(_disk, session),
        }
    )


@contextmanager
def _product(session: Session, clients: int) -> Iterator[Run]:
    """Every run has a fresh copy of the base, because a step is approved once."""
    base = product.base(session, PROFILES_QUICK if session.quick else PROFILES)

    def run() -> Sample:
        data = base.copy(session)
        try:
            with product.serving(session, data) as daemon:
                path = _approvals(session, base.seed, daemon.token())
                return load.drive(session, daemon.server, daemon.tcp, path, connections=clients, once=True).sample()
        finally:
            empty(data)

    yield run


def _approvals(session: Session, seed: seeding.Seed, token: str) -> Path:
    """Made once: the copies of a base have one key, so the token of one is good for the next."""
    return session.shared(
        "approvals", lambda: load.corpus(session.folder("corpus") / "approvals", seeding.approvals(seed, token))
    )


@contextmanager
def _postgres(session: Session, clients: int) -> Iterator[Run]:
    with postgres(session) as peer:
        path = session.shared(
            "postgres", lambda: load.corpus(session.folder("corpus") / "postgres", postgres_approvals())
        )

        def run() -> Sample:
            return load.drive(session, peer.server, peer.port, path, mode="pg", connections=min(clients, POOL)).sample()

        yield run


@contextmanager
def _fastapi(session: Session, clients: int) -> Iterator[Run]:
    with servers.fastapi(session) as peer:
        steps = range(1, servers.PROFILES * STEPS + 1)
        kind = {"Content-Type": "application/json"}
        path = load.corpus(
            peer.folder / "approvals",
            (
                (
                    0,
                    load.http_request(
                        "POST", f"/manager/kyc/steps/{i}/approve", servers.TOKEN, b'{"reason":"ok"}', kind
                    ),
                )
                for i in steps
            ),
        )

        def run() -> Sample:
            return load.drive(session, peer.server, peer.port, path, mode="http", connections=clients).sample()

        yield run


@contextmanager
def _disk(session: Session) -> Iterator[Run]:
    folder = session.folder("disk")

    def run() -> Sample:
        return disk(session, "sync", str(folder), str(session.seconds))

    yield run


def disk(session: Session, *arguments: str) -> Sample:
    """One run of the disk alone, in a child on the server's core."""
    argv = pinned([sys.executable, "-m", "benchmarks.peers.disk", *arguments], session.server_core)
    done = subprocess.run(
        argv, capture_output=True, timeout=session.seconds + load.MARGIN, check=True, cwd=servers.REPOSITORY
    )
    found = json.loads(done.stdout)
    return Sample(found["rate"], found["cpu_us"], found["p50_ms"], found["p99_ms"])
