"""What many profiles cost: the time to be ready, the memory, and the pace of reads, lists and writes beside 1,000."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path

from benchmarks import load, product, seeding
from benchmarks.emptied import empty
from benchmarks.measures.reads import WORKING_SET
from benchmarks.model import PRODUCT, Figure, NotMeasuredError, Sample
from benchmarks.session import Session

PROFILES = 100_000
MILLION = 1_000_000
SMALL = "1,000 profiles"
WRITERS = 64
Requests = Callable[[seeding.Seed, str], Iterable[tuple[int, bytes]]]


def start(session: Session, profiles: int = PROFILES) -> dict[str, Figure]:
    """Seconds from spawn to the ready file; the CPU is that of the whole start, in microseconds."""

    def run(data: Path) -> Sample:
        with product.serving(session, data) as daemon:
            return Sample(daemon.ready_after, daemon.server.cpu_seconds() * 1e6)

    return _over(session, profiles, 0, run)


def memory(session: Session, profiles: int = PROFILES, documents: int = 0) -> dict[str, Figure]:
    """Bytes of resident memory for each profile: the daemon over the large base, less the daemon over an empty one."""

    def run(data: Path) -> Sample:
        with product.serving(session) as daemon:
            empty = daemon.server.rss_bytes()
        with product.serving(session, data) as daemon:
            return Sample((daemon.server.rss_bytes() - empty) / profiles)

    return _over(session, profiles, documents, run)


def _over(session: Session, profiles: int, documents: int, run: Callable[[Path], Sample]) -> dict[str, Figure]:
    """A start changes nothing, so the base itself is used: a copy of a large one takes longer than the start."""
    try:
        data = product.base(session, profiles, documents).folder
    except NotMeasuredError as error:
        return {PRODUCT: Figure.missing(str(error))}
    return session.alternate({PRODUCT: lambda: nullcontext(lambda: run(data))})


def reads(session: Session, profiles: int = PROFILES) -> dict[str, Figure]:
    """The same number of different profiles is read from both bases; in the large one they lie apart."""
    return _beside_small(session, profiles, lambda seed, token: seeding.reads(_spread(seed.profiles), token))


def lists(session: Session, profiles: int = PROFILES) -> dict[str, Figure]:
    """A filtered list of a hundred from both bases."""
    return _beside_small(session, profiles, lambda _, token: seeding.lists(token))


def writes(session: Session, profiles: int = PROFILES, *, apart: bool = False) -> dict[str, Figure]:
    """The risk of the same number of customers, durable before the answer.

    They are neighbours in both bases, so that nothing but the size differs. `apart` they lie all over the large one:
    then each row is on a page of its own, and a commit writes so many more pages.
    """

    def requests(seed: seeding.Seed, token: str) -> Iterable[tuple[int, bytes]]:
        count = len(seed.profiles)
        first = (count - WORKING_SET) // 2 + 1
        chosen = _spread(list(range(1, count + 1))) if apart else range(first, first + WORKING_SET)
        return seeding.risks(chosen, token)

    return _beside_small(session, profiles, requests, connections=WRITERS)


def _spread(ids: list[int]) -> list[int]:
    return ids[:: max(1, len(ids) // WORKING_SET)][:WORKING_SET]


def _beside_small(session: Session, profiles: int, requests: Requests, connections: int = 50) -> dict[str, Figure]:
    with ExitStack() as stack:
        runs = {}
        try:
            for name, count in ((PRODUCT, profiles), (SMALL, WORKING_SET)):
                base = product.base(session, count)
                daemon = stack.enter_context(_serving(session, base, in_place=count == MILLION))
                path = session.folder("corpus") / "requests"
                load.corpus(path, requests(base.seed, daemon.token()))
                runs[name] = (daemon, path)
        except NotMeasuredError as error:
            return {name: Figure.missing(str(error)) for name in (PRODUCT, SMALL)}

        def run(name: str) -> Sample:
            daemon, path = runs[name]
            return load.drive(session, daemon.server, daemon.tcp, path, connections=connections).sample()

        return session.alternate(
            {
                PRODUCT: lambda: nullcontext(lambda: run(PRODUCT)),
                SMALL: lambda: nullcontext(lambda: run(SMALL)),
            }
        )


@contextmanager
def _serving(session: Session, base: product.Base, *, in_place: bool) -> Iterator[product.Daemon]:
    """A daemon over a copy, or over a base that is too large to copy and can bear a few more writes."""
    data = base.folder if in_place else base.copy(session)
    try:
        with product.serving(session, data) as daemon:
            yield daemon
    finally:
        if not in_place:
            empty(data)
