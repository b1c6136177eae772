"""Server processes of a benchmark: started on one core, watched through /proc, stopped in all cases."""

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.model import NotMeasuredError

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
REPOSITORY = f"{Path(__file__).parents[1]}/"


class Server:
    """A running server and its children."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, stop_signal: signal.Signals) -> None:
        self._process = process
        self._log = log
        self._stop_signal = stop_signal

    @property
    def pid(self) -> int:
        """The process that was started."""
        return self._process.pid

    def cpu_seconds(self) -> float:
        """User and system time of the process, its children and what its dead children used."""
        return sum(sum(_stat(pid)[11:15]) for pid in _family(self.pid)) / TICKS

    def rss_bytes(self) -> int:
        """Resident memory of the process and its children."""
        return sum(sum(_stat(pid)[21:22]) for pid in _family(self.pid)) * PAGE

    @contextmanager
    def watched(self) -> Iterator[list[int]]:
        """Meanwhile the list grows by the resident memory, looked at a hundred times a second."""
        seen: list[int] = [self.rss_bytes()]
        over = threading.Event()

        def look() -> None:
            while not over.wait(0.01):
                seen.append(self.rss_bytes())

        watcher = threading.Thread(target=look)
        watcher.start()
        try:
            yield seen
        finally:
            over.set()
            watcher.join()

    def alive(self) -> bool:
        """False once the process has ended."""
        return self._process.poll() is None

    def last_words(self) -> str:
        """The last line that the server wrote, without this machine's paths."""
        with suppress(OSError):
            lines = self._log.read_text(errors="replace").strip().splitlines()
            return lines[-1][-250:].replace(REPOSITORY, "") if lines else ""
        return ""

    def stop(self, *, patience: float = 20.0) -> None:
        """Terminate, then kill; returns when nothing of the group is left."""
        if self.alive():
            self._process.send_signal(self._stop_signal)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(patience)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait(5)


def _family(root: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _stat(int(entry.name))
            if fields:
                parents.setdefault(fields[1], []).append(int(entry.name))
    found = [root]
    for pid in found:
        found.extend(parents.get(pid, []))
    return found


def _stat(pid: int) -> list[int]:
    """The fields of /proc/PID/stat after the name, the state as 0; empty when the process is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return []
    fields = text.rpartition(")")[2].split()
    return [0, *(int(field) for field in fields[1:])]


def pinned(argv: Sequence[str], core: int, user: str | None = None) -> list[str]:
    """The command on that core, told to end when this process does."""
    if not shutil.which("setpriv") or not shutil.which("taskset"):
        raise NotMeasuredError("setpriv and taskset (util-linux) are not installed")
    drop = ["setpriv", f"--reuid={user}", f"--regid={_group(user)}", "--clear-groups"] if user else []
    return [*drop, "setpriv", "--pdeathsig=TERM", "taskset", "-c", str(core), *argv]


def _group(user: str) -> str:
    import grp  # noqa: PLC0415 - Unix only, like the users it is asked about
    import pwd  # noqa: PLC0415

    return grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name


@contextmanager
def running(
    argv: Sequence[str],
    *,
    core: int,
    log: Path,
    ready: Callable[[], bool],
    user: str | None = None,
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
    patience: float = 30.0,
    stop_signal: signal.Signals = signal.SIGTERM,
) -> Iterator[Server]:
    """The server from when it is ready; stopped afterwards."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            pinned(argv, core, user),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
    server = Server(process, log, stop_signal)
    try:
        deadline = time.monotonic() + patience
        while not ready():
            if not server.alive():
                raise NotMeasuredError(f"{Path(argv[0]).name} ended at its start: {server.last_words()}")
            if time.monotonic() > deadline:
                raise NotMeasuredError(
                    f"{Path(argv[0]).name} was not ready within {patience:g} s: {server.last_words()}"
                )
            time.sleep(0.001)
        yield server
    finally:
        server.stop()


def free_port() -> int:
    """A loopback port that nobody holds at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def accepts(port: int) -> Callable[[], bool]:
    """A check that the port takes connections."""

    def check() -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        return False

    return check
