"""A daemon of one's own: a process on free ports over a folder, started, waited for, and stopped."""

import asyncio
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 15.0

SETTINGS = """# Settings of a demonstration; everything else has its default.
[server]
tcp = "127.0.0.1:0"
http = "127.0.0.1:0"

[logging]
format = "json"
"""

_OWN_VARIABLES = "KYCMANAGER_"
_LOG_LINES_SHOWN = 3


class DaemonFailed(Exception):  # noqa: N818 - what happened
    """The daemon did not start; the text says what its log ends with."""


class Ready(Struct, frozen=True):
    """What a daemon says when it serves."""

    pid: int
    tcp: tuple[str, int]
    http: tuple[str, int]


class DemoDaemon:
    """The process behind a demonstration; `command` starts the command line of the daemon."""

    def __init__(self, command: Sequence[str], folder: Path, settings: str = SETTINGS) -> None:
        self._settings = settings
        self.folder = folder
        self.config = folder / "config.toml"
        self._command = tuple(command)
        self._ready_file = folder / "ready.json"
        self._log = folder / "daemon.log"
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> Ready:
        """Start it and wait until it serves. Raises DaemonFailed."""
        self.config.write_text(self._settings, encoding="utf-8")
        places = ("--config", self.config, "--data", self.folder, "--ready-file", self._ready_file)
        arguments = [*self._command, "serve", *map(str, places)]
        with self._log.open("wb") as log:
            # A session of its own: an interrupt from the keyboard reaches the demonstration, which then stops it.
            self._process = await asyncio.to_thread(
                subprocess.Popen,
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_environment(),
                start_new_session=True,
            )
        try:
            async with asyncio.timeout(START_SECONDS_MAX):
                while not self._ready_file.exists():
                    if self._process.poll() is not None:
                        raise DaemonFailed(f"the daemon did not start: {self._last_words()}")
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise DaemonFailed(f"the daemon did not serve within {START_SECONDS_MAX:g} s") from None
        return msgspec.json.decode(self._ready_file.read_bytes(), type=Ready)

    def stop(self) -> int | None:
        """Ask it to stop and wait; return its exit code, None when there is none to stop. Kills one that stays."""
        process, self._process = self._process, None
        if process is None:
            return None
        process.terminate()
        try:
            return process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def leave(self) -> None:
        """Let it go on by itself."""
        if self._process is not None:
            self._process.returncode = 0  # nobody waits for it, and that is meant
            self._process = None

    def _last_words(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return " / ".join(lines[-_LOG_LINES_SHOWN:]) or "its log is empty"


def _environment() -> dict[str, str]:
    """Return the environment without settings of another daemon."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_OWN_VARIABLES)}
