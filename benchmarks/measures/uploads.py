"""Uploads of 1 MB pictures, four at a time: kept, hashed and synced before the answer; in MB per second."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

from benchmarks import load, product, samples
from benchmarks.measures.writes import disk
from benchmarks.model import PRODUCT, Figure, Sample
from benchmarks.peers import servers
from benchmarks.session import Run, Session

CLIENTS = 4
PICTURES = 8
BOUNDARY = "bench-4f1c9a7e"


def measure(session: Session, form: str) -> dict[str, Figure]:
    """The product by that form; a copy with SHA-256 and fsync; FastAPI and Flask, which take multipart only."""
    return session.alternate(
        {
            PRODUCT: partial(product_run, session, form),
            "cp+sha256": partial(_copy, session),
            "fastapi": partial(_peer, session, servers.fastapi),
            "flask": partial(_peer, session, servers.flask),
        }
    )


def _pictures(session: Session) -> list[bytes]:
    return session.shared("pictures", lambda: [samples.picture(seed) for seed in range(PICTURES)])


def raw_request(token: str, picture: bytes, name: str) -> bytes:
    """The picture as the body, its name in a header."""
    headers = {"Content-Type": "image/png", "Content-Disposition": f'attachment; filename="{name}"'}
    return load.http_request("POST", "/upload", token, picture, headers)


def multipart_request(token: str, picture: bytes, name: str) -> bytes:
    """The picture as the part `file` of a form."""
    body = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        "Content-Type: image/png\r\n\r\n"
    ).encode()
    body += picture + f"\r\n--{BOUNDARY}--\r\n".encode()
    return load.http_request(
        "POST", "/upload", token, body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    )


def _corpus(session: Session, path: Path, request: Callable[[str, bytes, str], bytes], token: str) -> Path:
    pictures = enumerate(_pictures(session))
    return load.corpus(path, ((0, request(token, picture, f"{number}.png")) for number, picture in pictures))


def _megabytes(session: Session, per_second: Sample) -> Sample:
    """Per megabyte instead of per file: the rate and the CPU."""
    size = sum(len(picture) for picture in _pictures(session)) / PICTURES / 1e6
    return Sample(per_second.value * size, (per_second.cpu_us or 0) / size, per_second.p50_ms, per_second.p99_ms)


@contextmanager
def product_run(session: Session, form: str, settings: str = "") -> Iterator[Run]:
    """Every run has a daemon of its own, with these settings, so that the disk does not fill."""
    product.require()
    request = raw_request if form == "raw" else multipart_request

    def run() -> Sample:
        with product.serving(session, settings=settings) as daemon:
            path = _corpus(session, session.folder("corpus") / "uploads", request, daemon.token())
            found = load.drive(session, daemon.server, daemon.http, path, mode="http", connections=CLIENTS)
        product.discard(daemon.data)
        shutil.rmtree(path.parent)
        return _megabytes(session, found.sample())

    yield run


@contextmanager
def _peer(session: Session, serving: Callable[[Session], AbstractContextManager[servers.Peer]]) -> Iterator[Run]:
    with serving(session) as peer:
        path = _corpus(session, peer.folder / "uploads", multipart_request, servers.TOKEN)

        def run() -> Sample:
            found = load.drive(session, peer.server, peer.port, path, mode="http", connections=CLIENTS)
            for file in (peer.folder / "files").iterdir():
                file.unlink()
            return _megabytes(session, found.sample())

        yield run


@contextmanager
def _copy(session: Session) -> Iterator[Run]:
    folder = session.folder("copy")
    for number, picture in enumerate(_pictures(session)):
        (folder / f"{number}.png").write_bytes(picture)

    def run() -> Sample:
        return _megabytes(session, disk(session, "copy", str(folder), str(session.seconds), str(CLIENTS)))

    yield run
