"""What encryption at rest costs: the same uploads and the same answers with it, and in clear."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks import load, product, seeding
from benchmarks.emptied import empty
from benchmarks.measures import uploads
from benchmarks.model import PRODUCT, Figure, Sample
from benchmarks.samples import BRAND
from benchmarks.session import Run, Session

IN_CLEAR = "in clear"
CUSTOMERS = 64
OFF = "[encryption]\nenabled = false\n"

_FIELDS = ("first_name", "last_name", "street", "town", "occupation", "source_of_funds")
_TEMPLATE = {
    "brand": BRAND,
    "level": 1,
    "code": "about_you",
    "name": "About you",
    "step_type": 1,
    "form_schema": {"sections": [{"fields": [{"name": name, "type": "text"} for name in _FIELDS]}]},
}


def upload(session: Session) -> dict[str, Figure]:
    """Pictures of 1 MB as raw bodies."""
    return session.alternate(
        {
            PRODUCT: partial(uploads.product_run, session, "raw"),
            IN_CLEAR: partial(uploads.product_run, session, "raw", settings=OFF),
        }
    )


def answers(session: Session) -> dict[str, Figure]:
    """Sixty-four customers who save six answers again and again."""
    return session.alternate({PRODUCT: partial(_answers, session, ""), IN_CLEAR: partial(_answers, session, OFF)})


@contextmanager
def _answers(session: Session, settings: str) -> Iterator[Run]:
    with product.serving(session, settings=settings) as daemon:
        path = _corpus(session, daemon)

        def run() -> Sample:
            return load.drive(session, daemon.server, daemon.tcp, path, connections=CUSTOMERS).sample()

        yield run
    empty(daemon.data)


def _corpus(session: Session, daemon: product.Daemon) -> Path:
    token = daemon.token()
    asked = [("MngAddKycStepTemplate", _TEMPLATE)]
    asked += [
        ("MngSetKycRequiredLevel", {"customer_id": i, "brand": BRAND, "level": 1}) for i in range(1, CUSTOMERS + 1)
    ]
    for _ in seeding.pipeline(daemon.tcp, (seeding.line(name, token, name, data) for name, data in asked)):
        pass
    tokens = [daemon.token(("CUSTOMER", i)) for i in range(1, CUSTOMERS + 1)]
    mine = (seeding.line("CustomerGetKycStatus", each, "s", {}) for each in tokens)
    steps = [reply["data"]["steps"][0]["id"] for reply in seeding.pipeline(daemon.tcp, mine)]
    given = [{name: f"{name} of customer {turn}, some words long" for name in _FIELDS} for turn in range(4)]
    lines = (
        (0, seeding.line("CustomerSaveKycAnswers", own, str(step), {"id": step, "answers": answer}))
        for answer in given
        for own, step in zip(tokens, steps, strict=True)
    )
    return load.corpus(session.folder("corpus") / "answers", lines)
