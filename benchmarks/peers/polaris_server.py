"""django-polaris in an environment of its own: it needs an older stellar-sdk than the product."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.model import NotMeasuredError
from benchmarks.peers.servers import Peer
from benchmarks.processes import accepts, free_port, running
from benchmarks.session import BUILD, Session

PROJECT = Path(__file__).parent / "polaris"
REQUIREMENTS = PROJECT / "requirements.txt"
INSTALL_SECONDS = 600
SEED = "SCY4F6VEIIPXPLTNQSFT5427H64YK3H3LB27H7WAOVDQSV2UACRWTPGM"  # a public example


@contextmanager
def polaris(session: Session, account: str, customers: int, horizon: int, *, lean: bool) -> Iterator[Peer]:
    """gunicorn with four threads and kept connections; the account has that many customers, by memos from 1."""
    python = session.shared("polaris", lambda: _installed(session))
    port, folder = free_port(), session.folder("polaris")
    environment = {
        "BENCH_BASE": str(folder / "base.db"),
        "BENCH_SEED": SEED,
        "BENCH_URL": f"http://127.0.0.1:{port}",
        "BENCH_LEAN": "yes" if lean else "",
        "BENCH_HORIZON": f"http://127.0.0.1:{horizon}",
        "DJANGO_SETTINGS_MODULE": "anchor.settings",
        "PYTHONPATH": str(PROJECT),
        "PYTHONPYCACHEPREFIX": str(BUILD / "bytecode"),
    }
    session.progress.step(f"django-polaris: filling a base with {customers:,} customers")
    _run([str(python), str(PROJECT / "fill.py"), account, str(customers)], env=environment)
    argv = [str(python), "-m", "gunicorn", "-b", f"127.0.0.1:{port}", "-k", "gthread", "--threads", "4"]
    argv += ["--keep-alive", "60", "--log-level", "warning", "--worker-tmp-dir", str(folder)]
    argv += ["--no-control-socket", "anchor.wsgi:application"]
    with running(argv, core=session.server_core, log=folder / "log", ready=accepts(port), env=environment) as server:
        yield Peer(server, port, folder)


def _installed(session: Session) -> Path:
    """The interpreter of the environment, made anew when its list of packages, which is a whole one, has changed."""
    folder = BUILD / "polaris"
    python, mark = folder / "bin" / "python", folder / "installed"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if not mark.exists() or mark.read_text() != wanted:
        session.progress.step("installing django-polaris")
        _run([sys.executable, "-m", "venv", "--clear", str(folder)])
        quiet = ["-qq", "--no-input", "--disable-pip-version-check"]
        _run([str(python), "-m", "pip", "install", *quiet, "--no-deps", "--require-hashes", "-r", str(REQUIREMENTS)])
        mark.write_text(wanted)
    return python


def _run(argv: list[str], env: dict[str, str] | None = None) -> None:
    try:
        done = subprocess.run(
            argv,
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NotMeasuredError(f"{' '.join(argv[1:4])} took too long") from None
    if done.returncode:
        raise NotMeasuredError(f"{' '.join(argv[1:4])} failed: {done.stderr.strip()[-200:]}")
