"""Uploads, several at a time: kept, hashed and synced before the answer; in MB per second, or in memory."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from benchmarks import load, product, samples
from benchmarks.emptied import empty
from benchmarks.measures.writes import disk
from benchmarks.model import PRODUCT, Figure, Sample
from benchmarks.peers import servers
from benchmarks.processes import Server
from benchmarks.session import Run, Session

BOUNDARY = "bench-4f1c9a7e"
SMALL = "1 MB files"
LARGE_ALLOWED = "[storage]\nfile_bytes_max = 200_000_000\n"


@dataclass(frozen=True, slots=True)
class Files:
    """What is uploaded: `count` different files, `clients` at a time; `whole` = each once, they are few and large."""

    extension: str
    content_type: str
    make: Callable[[int], bytes]  # of a number
    count: int = 8
    clients: int = 4
    whole: bool = False
    settings: str = ""

    def contents(self, session: Session) -> list[bytes]:
        """The files, made once in a session."""
        return session.shared(f"files {self}", lambda: [self.make(number) for number in range(self.count)])


def _table(size: int, number: int) -> bytes:
    return samples.table(size, number)


PNG = Files("png", "image/png", samples.picture)
JPEG = Files("jpg", "image/jpeg", samples.jpeg)
PDF = Files("pdf", "application/pdf", samples.pdf)
CSV = Files("csv", "text/csv", partial(_table, 1_000_000))
LARGE = Files("csv", "text/csv", partial(_table, 100_000_000), 4, 2, whole=True, settings=LARGE_ALLOWED)
"""Text, because a picture of 100 MB has more pixels than are taken."""


def measure(session: Session, form: str, files: Files = PNG) -> dict[str, Figure]:
    """The product by that form; a copy with SHA-256 and fsync; FastAPI and Flask, which take multipart only."""
    return session.alternate(
        {
            PRODUCT: partial(product_run, session, form, files=files),
            "cp+sha256": partial(_copy, session, files),
            "fastapi": partial(_peer, session, files, servers.fastapi),
            "flask": partial(_peer, session, files, servers.flask),
        }
    )


def inspection(session: Session, files: Files) -> dict[str, Figure]:
    """A kind of file beside texts, which are looked through but not decoded."""
    return session.alternate(
        {
            PRODUCT: partial(product_run, session, "raw", files=files),
            "csv": partial(product_run, session, "raw", files=CSV),
        }
    )


def memory(session: Session) -> dict[str, Figure]:
    """Megabytes that the daemon and its children grow by at most, two uploads of 100 MB at a time, and two of 1 MB."""
    small = replace(CSV, count=100, clients=LARGE.clients, whole=True)
    return session.alternate({PRODUCT: partial(_growing, session, LARGE), SMALL: partial(_growing, session, small)})


def _request(form: str, token: str, content: bytes, name: str, content_type: str) -> bytes:
    if form == "raw":
        headers = {"Content-Type": content_type, "Content-Disposition": f'attachment; filename="{name}"'}
        return load.http_request("POST", "/upload", token, content, headers)
    body = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        f"Content-Type: {content_type}\r\n\r\n"
    ).encode()
    body += content + f"\r\n--{BOUNDARY}--\r\n".encode()
    return load.http_request(
        "POST", "/upload", token, body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    )


def _corpus(session: Session, path: Path, files: Files, form: str, token: str) -> Path:
    requests = (
        (0, _request(form, token, content, f"{number}.{files.extension}", files.content_type))
        for number, content in enumerate(files.contents(session))
    )
    return load.corpus(path, requests)


def _drive(session: Session, server: Server, port: int, path: Path, files: Files) -> Sample:
    found = load.drive(session, server, port, path, mode="http", connections=files.clients, whole=files.whole)
    return _megabytes(session, files, found.sample())


def _megabytes(session: Session, files: Files, per_second: Sample) -> Sample:
    """Per megabyte instead of per file: the rate and the CPU."""
    size = sum(map(len, files.contents(session))) / files.count / 1e6
    return Sample(per_second.value * size, (per_second.cpu_us or 0) / size, per_second.p50_ms, per_second.p99_ms)


def _warm(session: Session, daemon: product.Daemon, path: Path, files: Files, form: str, token: str) -> None:
    """A few small files first: what decodes them starts with the first one and stays."""
    kind = CSV if files is LARGE else files
    first = replace(kind, count=2 * files.clients, clients=files.clients, whole=True)
    _drive(session, daemon.server, daemon.http, _corpus(session, path, first, form, token), first)


@contextmanager
def product_run(session: Session, form: str, settings: str = "", files: Files = PNG) -> Iterator[Run]:
    """Every run has a daemon of its own, with these settings, so that the disk does not fill."""
    product.require()

    def run() -> Sample:
        with product.serving(session, settings=settings or files.settings) as daemon:
            folder, token = session.folder("corpus"), daemon.token()
            path = _corpus(session, folder / "uploads", files, form, token)
            _warm(session, daemon, folder / "first", files, form, token)
            found = _drive(session, daemon.server, daemon.http, path, files)
        empty(daemon.data)
        empty(folder)
        return found

    yield run


@contextmanager
def _growing(session: Session, files: Files) -> Iterator[Run]:
    product.require()

    def run() -> Sample:
        with product.serving(session, settings=files.settings) as daemon:
            folder, token = session.folder("corpus"), daemon.token()
            path = _corpus(session, folder / "uploads", files, "multipart", token)
            _warm(session, daemon, folder / "first", files, "multipart", token)
            with daemon.server.watched() as seen:
                found = _drive(session, daemon.server, daemon.http, path, files)
        empty(daemon.data)
        empty(folder)
        return Sample((max(seen) - seen[0]) / 1e6, found.cpu_us, found.p50_ms, found.p99_ms)

    yield run


@contextmanager
def _peer(
    session: Session, files: Files, serving: Callable[[Session], AbstractContextManager[servers.Peer]]
) -> Iterator[Run]:
    with serving(session) as peer:
        path = _corpus(session, peer.folder / "uploads", files, "multipart", servers.TOKEN)

        def run() -> Sample:
            found = _drive(session, peer.server, peer.port, path, files)
            empty(peer.folder / "files")
            return found

        yield run


@contextmanager
def _copy(session: Session, files: Files) -> Iterator[Run]:
    folder = session.folder("copy")
    for number, content in enumerate(files.contents(session)):
        (folder / f"{number}.{files.extension}").write_bytes(content)

    def run() -> Sample:
        found = disk(session, "copy", str(folder), str(session.seconds), str(files.clients))
        return _megabytes(session, files, found)

    yield run
