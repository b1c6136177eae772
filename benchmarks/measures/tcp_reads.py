"""Reads of a profile over TCP, 50 connections, one or sixteen requests in flight on each."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from benchmarks import load, product, seeding
from benchmarks.measures.reads import WORKING_SET, body
from benchmarks.model import PRODUCT, Figure, Sample
from benchmarks.peers import servers
from benchmarks.session import Run, Session

CONNECTIONS = 50


def measure(session: Session, depth: int) -> dict[str, Figure]:
    """The product, redis-server with the same bytes, and a plain asyncio server."""
    return session.alternate(
        {
            PRODUCT: partial(_product, session, depth),
            "redis-server": partial(_redis, session, depth),
            "asyncio": partial(_asyncio, session, depth),
        }
    )


@contextmanager
def _product(session: Session, depth: int) -> Iterator[Run]:
    base = product.base(session, WORKING_SET)
    with product.serving(session, base.copy(session)) as daemon:
        path = session.folder("corpus") / "reads"
        load.corpus(path, seeding.reads(base.seed.profiles, daemon.token()))

        def run() -> Sample:
            return load.drive(session, daemon.server, daemon.tcp, path, connections=CONNECTIONS, depth=depth).sample()

        yield run


@contextmanager
def _redis(session: Session, depth: int) -> Iterator[Run]:
    with servers.redis(session, body(session)) as peer:
        path = load.corpus(peer.folder / "reads", [(0, b"*2\r\n$3\r\nGET\r\n$7\r\nprofile\r\n")])

        def run() -> Sample:
            return load.drive(
                session, peer.server, peer.port, path, mode="resp", connections=CONNECTIONS, depth=depth
            ).sample()

        yield run


@contextmanager
def _asyncio(session: Session, depth: int) -> Iterator[Run]:
    with servers.asyncio_streams(session) as peer:
        path = load.corpus(peer.folder / "reads", seeding.reads(range(1, servers.PROFILES + 1), servers.TOKEN))

        def run() -> Sample:
            return load.drive(session, peer.server, peer.port, path, connections=CONNECTIONS, depth=depth).sample()

        yield run
