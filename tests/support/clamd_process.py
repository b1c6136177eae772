"""A real clamd of the tests' own: on a socket in a temporary folder, with a base of two signatures."""

import hashlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

# In three pieces, so that nobody takes this file for what it describes.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE!$H+H*"
SIGNATURE = "Eicar-Test-Signature.UNOFFICIAL"
STREAM_BYTES_MAX = 1024 * 1024
START_SECONDS = 60


class Clamd:
    """A clamd that runs; `program` is looked for where Debian puts it too."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "clamd.sock"
        self._settings = folder / "clamd.conf"
        (folder / "base").mkdir()
        (folder / "base" / "test.hdb").write_text(
            f"{hashlib.md5(EICAR).hexdigest()}:{len(EICAR)}:Eicar-Test-Signature\n"
        )
        self._settings.write_text(
            f"LocalSocket {self.socket}\nDatabaseDirectory {folder / 'base'}\nTemporaryDirectory {folder}\n"
            f"Foreground yes\nStreamMaxLength {STREAM_BYTES_MAX}\nMaxThreads 4\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return when it answers."""
        program = shutil.which("clamd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
        if program is None:
            pytest.skip("clamd is not installed; apt-get install clamav-daemon")
        self._process = subprocess.Popen(
            [program, "--config-file", self._settings], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            assert self._process.poll() is None, "clamd has ended"
            assert time.monotonic() < deadline, "clamd does not start"
            time.sleep(0.02)

    def stop(self) -> None:
        """End it; a second time does nothing."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
        self.socket.unlink(missing_ok=True)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(str(self.socket))
                client.sendall(b"zPING\0")
                return client.recv(16) == b"PONG\0"
            except OSError:
                return False


@pytest.fixture(scope="session")
def running_clamd() -> Iterator[Clamd]:
    with tempfile.TemporaryDirectory(prefix="clamd") as folder:  # the path of a socket has at most 108 bytes
        clamd = Clamd(Path(folder))
        clamd.start()
        yield clamd
        clamd.stop()
