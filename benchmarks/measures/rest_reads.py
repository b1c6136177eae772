"""Reads over REST by wrk, 50 kept connections with an Authorization header: a profile, a step, a list of a hundred."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from benchmarks import load, product, samples
from benchmarks.measures.reads import WORKING_SET, body
from benchmarks.model import PRODUCT, Figure, Sample
from benchmarks.peers import servers
from benchmarks.seeding import BRAND, Seed
from benchmarks.session import Contender, Run, Session

Paths = Callable[[Seed], list[str]]
PEER_SEED = Seed(
    profiles=list(range(1, servers.PROFILES + 1)),
    steps=[[step["id"] for step in samples.steps(i)] for i in range(1, servers.PROFILES + 1)],
)


def _profile_paths(seed: Seed) -> list[str]:
    return [f"/manager/kyc/profiles/{i}" for i in seed.profiles]


def _step_paths(seed: Seed) -> list[str]:
    return [f"/manager/kyc/steps/{steps[0]}" for steps in seed.steps]


def _list_paths(_: Seed) -> list[str]:
    return [f"/manager/kyc/profiles?brand={BRAND}&status=2&limit=100"]


def profile(session: Session) -> dict[str, Figure]:
    """A profile of 2 KB, beside the same bytes as a static file of nginx."""
    contenders: dict[str, Contender] = {
        PRODUCT: partial(_product, session, _profile_paths),
        "nginx": partial(_nginx, session),
        "fastapi": partial(_fastapi, session, _profile_paths),
    }
    return session.alternate(contenders)


def step(session: Session) -> dict[str, Figure]:
    """One step with its documents."""
    return session.alternate(
        {PRODUCT: partial(_product, session, _step_paths), "fastapi": partial(_fastapi, session, _step_paths)}
    )


def list_100(session: Session) -> dict[str, Figure]:
    """A hundred profiles of one brand and status."""
    return session.alternate(
        {PRODUCT: partial(_product, session, _list_paths), "fastapi": partial(_fastapi, session, _list_paths)}
    )


@contextmanager
def _product(session: Session, paths: Paths) -> Iterator[Run]:
    base = product.base(session, WORKING_SET)
    with product.serving(session, base.copy(session)) as daemon:
        token = daemon.token()

        def run() -> Sample:
            return load.drive_wrk(session, daemon.server, daemon.http, paths(base.seed), token).sample()

        yield run


@contextmanager
def _nginx(session: Session) -> Iterator[Run]:
    with servers.nginx(session, body(session)) as peer:

        def run() -> Sample:
            return load.drive_wrk(session, peer.server, peer.port, ["/profile.json"], servers.TOKEN).sample()

        yield run


@contextmanager
def _fastapi(session: Session, paths: Paths) -> Iterator[Run]:
    with servers.fastapi(session) as peer:

        def run() -> Sample:
            return load.drive_wrk(session, peer.server, peer.port, paths(PEER_SEED), servers.TOKEN).sample()

        yield run
