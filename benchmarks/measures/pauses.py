"""The longest pauses of a daemon with many profiles while it reads and writes: of its collector, and of its loop."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from benchmarks import load, product, seeding
from benchmarks.emptied import empty
from benchmarks.measures.reads import WORKING_SET
from benchmarks.measures.size import PROFILES
from benchmarks.model import PRODUCT, Figure, Sample
from benchmarks.session import Run, Session

CLIENTS = 64


def measure(session: Session, what: str) -> dict[str, Figure]:
    """Milliseconds; `what` is collection_ms or loop_ms of `benchmarks.watched`."""
    return session.alternate({PRODUCT: partial(_product, session, what)})


@contextmanager
def _product(session: Session, what: str) -> Iterator[Run]:
    base = product.base(session, PROFILES)

    def run() -> Sample:
        data, told = base.copy(session), session.folder("pauses") / "pauses.json"
        command = (sys.executable, "-m", "benchmarks.watched", str(told))
        try:
            with product.serving(session, data, command=command) as daemon:
                path = session.folder("corpus") / "mixed"
                load.corpus(path, seeding.nine_to_one(base.seed, daemon.token(), WORKING_SET * 10))
                os.kill(daemon.server.pid, signal.SIGUSR1)
                found = load.drive(session, daemon.server, daemon.tcp, path, connections=CLIENTS)
        finally:
            empty(data)
        return found.sample(value=json.loads(told.read_text())[what])

    yield run
