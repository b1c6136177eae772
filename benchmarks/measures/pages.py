"""The pages of the reviewers over a million profiles: the time each takes to answer, asked one after another."""

import html
import http.client
import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode

from benchmarks import load, product, seeding
from benchmarks.measures.size import MILLION
from benchmarks.model import PRODUCT, Figure, NotMeasuredError, Sample
from benchmarks.samples import BRAND
from benchmarks.session import Session

PROHIBITED = 4  # a risk that has to be looked at: the case waits in the queue
WAITING_EVERY = 10  # one customer of so many waits
DEPTH = 20  # pages turned, one after another, to come to where the next page is measured
PATHS = 400
FILTERS = ({}, {"order": "age"}, {"risk_level": "4"}, {"brand": BRAND}, {"brand": BRAND, "assignee": "nobody"})


@dataclass(frozen=True, slots=True)
class Office:
    """A daemon over a million profiles, a reviewer's cookie, and the customers who wait."""

    daemon: product.Daemon
    cookie: str
    waiting: list[int]
    profiles: list[int]

    def get(self, path: str) -> str:
        """A page; anything but a page raises."""
        door = http.client.HTTPConnection("127.0.0.1", self.daemon.http, timeout=60)
        door.request("GET", f"/backoffice/{path}", headers={"Cookie": self.cookie})
        answer = door.getresponse()
        text = answer.read().decode()
        door.close()
        if answer.status != HTTPStatus.OK:
            raise NotMeasuredError(f"{path} was answered {answer.status}")
        return text


Paths = Callable[[Office], Iterable[str]]


def measure(session: Session, paths: Paths) -> dict[str, Figure]:
    """Pages a second, and the latencies of single ones."""
    try:
        office = session.shared("office", lambda: session.enter(_office(session)))
        path = session.folder("corpus") / "pages"
        headers = {"Cookie": office.cookie}
        pages = itertools.islice(itertools.cycle(list(paths(office))), PATHS)
        load.corpus(path, ((0, load.http_request("GET", f"/backoffice/{page}", "", b"", headers)) for page in pages))
    except NotMeasuredError as error:
        return {PRODUCT: Figure.missing(str(error))}

    def run() -> Sample:
        daemon = office.daemon
        return load.drive(session, daemon.server, daemon.http, path, mode="http", connections=1).sample()

    return session.alternate({PRODUCT: lambda: nullcontext(run)})


def queue(_office: Office) -> Iterator[str]:
    """The first page, by some filters."""
    yield from (f"queue?{urlencode(chosen)}" for chosen in FILTERS)


def next_page(office: Office) -> Iterator[str]:
    """Pages deep in the queue."""
    path = "queue"
    for _ in range(DEPTH):
        found = re.search(r'hx-get="/backoffice/(queue/rows\?[^"]*after=[^"]+)"', office.get(path))
        if found is None:
            raise NotMeasuredError("the queue has no next page")
        path = html.unescape(found.group(1))
        yield path


def search(office: Office) -> Iterator[str]:
    """A customer by number, and a type of document that nobody has."""
    for customer in office.waiting[:: max(1, len(office.waiting) // 100)]:
        yield f"search?{urlencode({'q': customer})}"
        yield f"search?{urlencode({'q': 'passport'})}"


def case(office: Office) -> Iterator[str]:
    """Cases all over the base; each look is in the audit, on disk before the answer."""
    for customer in office.waiting[:: max(1, len(office.waiting) // PATHS)]:
        yield f"cases/{office.profiles[customer - 1]}"


@contextmanager
def _office(session: Session) -> Iterator[Office]:
    base = product.base(session, MILLION)
    with product.serving(session, base.folder) as daemon:
        waiting = list(range(WAITING_EVERY // 2, len(base.seed.profiles) + 1, WAITING_EVERY))
        token = daemon.token()
        requests = (
            seeding.line("MngSetKycRisk", token, str(i), {"customer_id": i, "brand": BRAND, "risk_level": PROHIBITED})
            for i in waiting
        )
        session.progress.step(f"{len(waiting):,} cases begin to wait")
        for _ in seeding.pipeline(daemon.tcp, requests):
            pass
        yield Office(daemon, _signed_in(daemon, token), waiting, base.seed.profiles)


def _signed_in(daemon: product.Daemon, token: str) -> str:
    """The cookie of a reviewer who has signed in by a token."""
    door = http.client.HTTPConnection("127.0.0.1", daemon.http, timeout=60)
    door.request("GET", "/backoffice/sign-in")
    answer = door.getresponse()
    cookie = (answer.getheader("Set-Cookie") or "").partition(";")[0]
    word = re.search(r'name="word" value="([^"]+)"', answer.read().decode())
    if not cookie or word is None:
        raise NotMeasuredError("the page to sign in on is not what it was")
    headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    door.request("POST", "/backoffice/sign-in", urlencode({"word": word.group(1), "token": token}), headers)
    answer = door.getresponse()
    answer.read()
    door.close()
    if answer.status != HTTPStatus.SEE_OTHER:
        raise NotMeasuredError(f"signing in was answered {answer.status}")
    return (answer.getheader("Set-Cookie") or "").partition(";")[0]
