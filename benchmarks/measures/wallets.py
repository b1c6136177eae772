"""GET /customer of SEP-12: the daemon beside django-polaris over SQLite, in CPU of the server for each request."""

import functools
import http.client
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from benchmarks import load, product
from benchmarks.model import PRODUCT, Figure, NotMeasuredError, Sample
from benchmarks.peers import polaris_server
from benchmarks.samples import BRAND
from benchmarks.session import Run, Session

CUSTOMERS = 10_000  # of one account, told apart by their memos, as a service keeps those of its users
CHUNK = 1000
POLARIS = "django-polaris"
LEAN = "django-polaris, lean"
"""Without the middleware and the authentication that a project of Django begins with."""
FIELDS = {"first_name", "last_name", "email_address"}
SETTINGS = """
[sep12]
enabled = true
brand = "{brand}"
url = "http://127.0.0.1"
horizon = "http://127.0.0.1:{horizon}"
"""


def get_customer(session: Session) -> dict[str, Figure]:
    """Ten thousand customers in turn, each with three texts; the wallet has signed in once."""
    return session.alternate(
        {
            PRODUCT: functools.partial(_product, session),
            POLARIS: functools.partial(_polaris, session, lean=False),
            LEAN: functools.partial(_polaris, session, lean=True),
        }
    )


@contextmanager
def _product(session: Session) -> Iterator[Run]:
    wallet = Wallet()
    with horizon() as port:
        settings = SETTINGS.format(brand=BRAND, horizon=port)
        with product.serving(session, settings=settings) as daemon:
            token = wallet.sign_in(daemon.http, "/sep12/auth")
            path = session.folder("corpus") / "customers"
            for first in range(1, CUSTOMERS, CHUNK):
                session.progress.step(f"{PRODUCT}: filling a base: {first - 1:,} of {CUSTOMERS:,} customers")
                load.corpus(path, ((0, _put(memo, token)) for memo in range(first, first + CHUNK)))
                load.drive(session, daemon.server, daemon.http, path, mode="http", whole=True)
            yield _reading(session, daemon.server, daemon.http, "/sep12/customer", token)


@contextmanager
def _polaris(session: Session, *, lean: bool) -> Iterator[Run]:
    wallet = Wallet()
    with horizon() as port, polaris_server.polaris(session, wallet.account, CUSTOMERS, port, lean=lean) as peer:
        token = wallet.sign_in(peer.port, "/auth")
        yield _reading(session, peer.server, peer.port, "/kyc/customer", token)


def _memos() -> range:
    return range(1, CUSTOMERS + 1)


def _put(memo: int, token: str) -> bytes:
    given = {
        "memo": str(memo),
        "memo_type": "id",
        "first_name": "Ann",
        "last_name": "Example",
        "email_address": f"ann{memo}@example.com",
    }
    body = json.dumps(given).encode()
    return load.http_request("PUT", "/sep12/customer", token, body, {"Content-Type": "application/json"})


def _reading(session: Session, server: Any, port: int, path: str, token: str) -> Callable[[], Sample]:
    """One run of wrk over all customers, once a look at some has shown that they are what is meant."""
    paths = [f"{path}?memo={memo}&memo_type=id" for memo in _memos()]
    for each in (paths[0], paths[-1]):
        found = _asked(port, "GET", each, headers={"Authorization": token})
        texts = found.get("provided_fields", {})
        if found.get("status") != "PROCESSING" or set(texts) != FIELDS or not all(map(_whole, texts.values())):
            raise NotMeasuredError(f"{path} shows another customer than was sent: {json.dumps(found)[:200]}")

    load.drive_wrk(session, server, port, paths, token)  # what is made at a first request is made

    def run() -> Sample:
        done = load.drive_wrk(session, server, port, paths, token)
        return done.sample(value=done.cpu_us)

    return run


def _whole(field: dict[str, str]) -> bool:
    return (field["type"], field["status"], bool(field["description"])) == ("string", "PROCESSING", True)


class Wallet:
    """An account that no network knows, and its key."""

    def __init__(self) -> None:
        try:
            import stellar_sdk  # noqa: PLC0415 - an extra of the product
        except ImportError:
            raise NotMeasuredError("the extra stellar is not installed") from None
        self._sdk = stellar_sdk
        self._key = stellar_sdk.Keypair.random()
        self.account: str = self._key.public_key

    def sign_in(self, port: int, path: str) -> str:
        """The header of a token that the server itself has given for an answered challenge (SEP-10)."""
        given = _asked(port, "GET", f"{path}?account={self.account}")
        envelope = self._sdk.TransactionEnvelope.from_xdr(given["transaction"], given["network_passphrase"])
        envelope.sign(self._key)
        body = json.dumps({"transaction": envelope.to_xdr()})
        return f"Bearer {_asked(port, 'POST', path, body, {'Content-Type': 'application/json'})['token']}"


def _asked(port: int, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None) -> Any:
    door = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        door.request(method, path, body, headers or {})
        answer = door.getresponse()
        text = answer.read()
        if answer.status != HTTPStatus.OK:
            raise NotMeasuredError(f"{path.partition('?')[0]} was answered {answer.status}: {text[:200].decode()}")
        return json.loads(text)
    finally:
        door.close()


class _Nobody(http.server.BaseHTTPRequestHandler):
    """A Horizon of a network without accounts: who signs in is known by the key alone."""

    def do_GET(self) -> None:
        self.send_response(HTTPStatus.NOT_FOUND)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"status": 404, "title": "Resource Missing"}')

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def horizon() -> Iterator[int]:
    """The port where it answers."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Nobody)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
