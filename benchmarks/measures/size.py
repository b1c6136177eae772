"""What 100,000 profiles cost: the time to be ready, the memory, and the pace of reads and lists beside 1,000."""

from collections.abc import Callable, Iterable
from contextlib import ExitStack, nullcontext

from benchmarks import load, product, seeding
from benchmarks.measures.reads import WORKING_SET
from benchmarks.model import PRODUCT, Figure, NotMeasuredError, Sample
from benchmarks.session import Session

PROFILES = 100_000
SMALL = "1,000 profiles"
Requests = Callable[[seeding.Seed, str], Iterable[tuple[int, bytes]]]


def start(session: Session) -> dict[str, Figure]:
    """Seconds from spawn to the ready file, over the large base."""

    def run() -> Sample:
        with product.serving(session, data) as daemon:
            return Sample(daemon.ready_after)

    try:
        data = product.base(session, PROFILES).copy(session)
    except NotMeasuredError as error:
        return {PRODUCT: Figure.missing(str(error))}
    try:
        return session.alternate({PRODUCT: lambda: nullcontext(run)})
    finally:
        product.discard(data)


def memory(session: Session) -> dict[str, Figure]:
    """Bytes of resident memory for each profile: the daemon over the large base, less the daemon over an empty one."""

    def run() -> Sample:
        with product.serving(session) as daemon:
            empty = daemon.server.rss_bytes()
        with product.serving(session, data) as daemon:
            return Sample((daemon.server.rss_bytes() - empty) / PROFILES)

    try:
        data = product.base(session, PROFILES).copy(session)
    except NotMeasuredError as error:
        return {PRODUCT: Figure.missing(str(error))}
    try:
        return session.alternate({PRODUCT: lambda: nullcontext(run)})
    finally:
        product.discard(data)


def reads(session: Session) -> dict[str, Figure]:
    """The same number of different profiles is read from both bases; in the large one they lie apart."""
    return _beside_small(session, lambda seed, token: seeding.reads(_spread(seed.profiles), token))


def lists(session: Session) -> dict[str, Figure]:
    """A filtered list of a hundred from both bases."""
    return _beside_small(session, lambda _, token: seeding.lists(token))


def _spread(ids: list[int]) -> list[int]:
    return ids[:: max(1, len(ids) // WORKING_SET)][:WORKING_SET]


def _beside_small(session: Session, requests: Requests) -> dict[str, Figure]:
    with ExitStack() as stack:
        runs = {}
        try:
            for name, count in ((PRODUCT, PROFILES), (SMALL, WORKING_SET)):
                base = product.base(session, count)
                data = base.copy(session)
                stack.callback(product.discard, data)
                daemon = stack.enter_context(product.serving(session, data))
                path = session.folder("corpus") / "requests"
                load.corpus(path, requests(base.seed, daemon.token()))
                runs[name] = (daemon, path)
        except NotMeasuredError as error:
            return {name: Figure.missing(str(error)) for name in (PRODUCT, SMALL)}

        def run(name: str) -> Sample:
            daemon, path = runs[name]
            return load.drive(session, daemon.server, daemon.tcp, path).sample()

        return session.alternate(
            {
                PRODUCT: lambda: nullcontext(lambda: run(PRODUCT)),
                SMALL: lambda: nullcontext(lambda: run(SMALL)),
            }
        )
