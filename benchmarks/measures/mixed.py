"""Sixty-four clients, nine reads for each write: what writing does to the slowest reads."""

from contextlib import ExitStack, nullcontext

from benchmarks import load, product, seeding
from benchmarks.measures.reads import WORKING_SET
from benchmarks.model import PRODUCT, Figure, NotMeasuredError, Sample
from benchmarks.session import Session

CLIENTS = 64


def measure(session: Session) -> dict[str, Figure]:
    """The reads' p99 with writes among them, and with reads only, of the same daemon."""
    with ExitStack() as stack:
        try:
            base = product.base(session, WORKING_SET)
            daemon = stack.enter_context(product.serving(session, base.copy(session)))
            token = daemon.token()
        except NotMeasuredError as error:
            return {PRODUCT: Figure.missing(str(error)), "reads only": Figure.missing(str(error))}
        folder = session.folder("corpus")
        mixed = load.corpus(folder / "mixed", seeding.nine_to_one(base.seed, token, WORKING_SET))
        alone = load.corpus(folder / "reads", seeding.reads(base.seed.profiles, token))

        def run(path: load.Path) -> Sample:
            found = load.drive(session, daemon.server, daemon.tcp, path, connections=CLIENTS)
            return found.sample(value=found.classes[0].p99_ms)

        return session.alternate(
            {
                PRODUCT: lambda: nullcontext(lambda: run(mixed)),
                "reads only": lambda: nullcontext(lambda: run(alone)),
            }
        )
