"""Ten thousand connections that say nothing: their memory, and the reads of fifty others meanwhile."""

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from benchmarks import load, product, seeding
from benchmarks.emptied import empty
from benchmarks.measures.reads import WORKING_SET
from benchmarks.model import PRODUCT, Figure, NotMeasuredError, Sample
from benchmarks.session import Run, Session

IDLE = 10_000
SPARE_FILES = 500


def measure(session: Session) -> dict[str, Figure]:
    """Megabytes more than without them; the latencies are those of the active reads."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most < IDLE + SPARE_FILES:
        raise NotMeasuredError(f"this user may open {most:,} files only, {IDLE + SPARE_FILES:,} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return session.alternate({PRODUCT: partial(_product, session)})


@contextmanager
def _product(session: Session) -> Iterator[Run]:
    base = product.base(session, WORKING_SET)

    def run() -> Sample:
        data = base.copy(session)
        try:
            with product.serving(session, data) as daemon, ExitStack() as idle:
                path = session.folder("corpus") / "reads"
                load.corpus(path, seeding.reads(base.seed.profiles, daemon.token()))
                load.drive(session, daemon.server, daemon.tcp, path)  # what reads need is there before the first look
                before = daemon.server.rss_bytes()
                for _ in range(IDLE):
                    idle.enter_context(socket.create_connection(("127.0.0.1", daemon.tcp), timeout=10))
                found = load.drive(session, daemon.server, daemon.tcp, path)
                return found.sample(value=(daemon.server.rss_bytes() - before) / 1e6)
        finally:
            empty(data)

    yield run
