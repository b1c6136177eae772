"""How each peer is started: on the server's core, on a free loopback port, with a base of its own."""

import importlib.util
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import samples, tools
from benchmarks.model import NotMeasuredError
from benchmarks.processes import Server, accepts, free_port, running
from benchmarks.session import Session

TOKEN = "x" * 200  # as long as a signed one
PROFILES = 1000
REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Peer:
    """A running peer and where it listens."""

    server: Server
    port: int
    folder: Path


def python_module(name: str) -> None:
    """Raise when a package of the extra `bench` is missing."""
    if importlib.util.find_spec(name) is None:
        raise NotMeasuredError(f"the package {name} is not installed (pip install '.[bench]')")


@contextmanager
def redis(session: Session, body: bytes) -> Iterator[Peer]:
    """redis-server, nothing persisted, one key holding the body."""
    port, folder = free_port(), session.folder("redis")
    argv = [tools.require(session, "redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    argv += ["--appendonly", "no", "--dir", str(folder), "--daemonize", "no"]
    with running(argv, core=session.server_core, log=folder / "log", ready=accepts(port)) as server:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
            client.sendall(b"*3\r\n$3\r\nSET\r\n$7\r\nprofile\r\n$%d\r\n%s\r\n" % (len(body), body))
            if client.recv(100) != b"+OK\r\n":
                raise NotMeasuredError("redis-server did not take the value")
        yield Peer(server, port, folder)


NGINX = """daemon off;
{user}
worker_processes 1;
pid {folder}/pid;
error_log stderr error;
events {{ worker_connections 2048; }}
http {{
  access_log off;
  default_type application/json;
  sendfile on;
  tcp_nopush on;
  tcp_nodelay on;
  keepalive_requests 1000000000;
  open_file_cache max=100;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; root {folder}/www; }}
}}
"""


@contextmanager
def nginx(session: Session, body: bytes) -> Iterator[Peer]:
    """nginx, one worker, the body as a static file `/profile.json`."""
    port, folder = free_port(), session.folder("nginx")
    (folder / "www").mkdir()
    (folder / "www" / "profile.json").write_bytes(body)
    user = "user root;" if tools.is_root() else ""
    (folder / "nginx.conf").write_text(NGINX.format(user=user, folder=folder, port=port))
    argv = [tools.require(session, "nginx"), "-e", "stderr", "-c", str(folder / "nginx.conf")]
    with running(argv, core=session.server_core, log=folder / "log", ready=accepts(port)) as server:
        yield Peer(server, port, folder)


def _environment(session: Session, folder: Path, port: int) -> dict[str, str]:
    base = session.shared("peers' base", lambda: _base(session))
    shutil.copy(base, folder / "base.db")
    (folder / "files").mkdir()
    return {
        "BENCH_BASE": str(folder / "base.db"),
        "BENCH_FILES": str(folder / "files"),
        "BENCH_TOKEN": TOKEN,
        "BENCH_PORT": str(port),
        "PYTHONPATH": str(REPOSITORY),
    }


def _base(session: Session) -> Path:
    path = session.folder("peers") / "base.db"
    samples.fill(path, PROFILES)
    return path


@contextmanager
def fastapi(session: Session) -> Iterator[Peer]:
    """FastAPI + uvicorn (uvloop, httptools) + SQLite, one process."""
    for package in ("fastapi", "uvicorn", "python_multipart"):
        python_module(package)
    port, folder = free_port(), session.folder("fastapi")
    argv = [sys.executable, "-m", "uvicorn", "benchmarks.peers.fastapi_app:app", "--host", "127.0.0.1"]
    argv += ["--port", str(port), "--no-access-log", "--log-level", "warning"]
    environment = _environment(session, folder, port)
    with running(argv, core=session.server_core, log=folder / "log", ready=accepts(port), env=environment) as server:
        yield Peer(server, port, folder)


@contextmanager
def asyncio_streams(session: Session) -> Iterator[Peer]:
    """asyncio streams + json + SQLite, one process."""
    port, folder = free_port(), session.folder("asyncio")
    argv = [sys.executable, "-m", "benchmarks.peers.asyncio_server"]
    environment = _environment(session, folder, port)
    with running(argv, core=session.server_core, log=folder / "log", ready=accepts(port), env=environment) as server:
        yield Peer(server, port, folder)


@contextmanager
def flask(session: Session) -> Iterator[Peer]:
    """Flask under gunicorn with threads."""
    for package in ("flask", "gunicorn"):
        python_module(package)
    port, folder = free_port(), session.folder("flask")
    argv = [sys.executable, "-m", "gunicorn", "-b", f"127.0.0.1:{port}", "-k", "gthread", "--threads", "4"]
    argv += ["--keep-alive", "60", "--log-level", "warning", "--worker-tmp-dir", str(folder)]
    argv += ["--no-control-socket", "benchmarks.peers.flask_app:app"]
    environment = _environment(session, folder, port)
    with running(argv, core=session.server_core, log=folder / "log", ready=accepts(port), env=environment) as server:
        yield Peer(server, port, folder)
