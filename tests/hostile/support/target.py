"""The daemon under attack: a real process, its tokens, and what can be seen of it from outside."""

import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from running import Process

from kycmanager.config import load as load_config
from kycmanager.domain.enums import SessionType
from kycmanager.tokens.issue import issue_token
from kycmanager.tokens.keys import load_keys
from storagemanager.buffers import IDLE_MAX

BRAND = "acme"
SETTLE_SECONDS = 40
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
MIB = 1 << 20
PROGRESS = re.compile(r"[\w ]+: \d+( of \d+)?")
"""What the daemon says on its way up."""


PRODUCT = ("-m", "kycmanager")
WRONG = (str(Path(__file__).parents[2] / "e2e" / "support" / "broken_daemon.py"), "Ping", "fails")
"""A build with a fault that must be found."""


class Target:
    """A daemon in a folder of its own; `config` is the text of its settings, `program` what the interpreter runs."""

    def __init__(self, folder: Path, config: str = "", program: tuple[str, ...] = PRODUCT) -> None:
        self.process = Process(folder / "data", config=config, program=program)
        self.folder = self.process.folder

    def __enter__(self) -> Self:
        self.process.start()
        self._key = load_keys(load_config(self.process.config, {}).tokens, self.folder).signing
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End it as an operator does, so that its last words are in the log."""
        if self.process.process is not None and self.process.process.poll() is None:
            code, _ = self.process.stop()
            assert code == 0, self.process.log.read_text()[-2000:]

    @property
    def tcp(self) -> tuple[str, int]:
        return self.process.tcp

    @property
    def http(self) -> tuple[str, int]:
        return self.process.http

    def token(
        self,
        session: SessionType = SessionType.MANAGER,
        sub: int = 1,
        brands: Any = (BRAND,),
        *,
        ahead: int = 0,
        ttl_seconds: int = 86_400,
    ) -> str:
        """Sign a token; `ahead` seconds later than now."""
        return issue_token(
            self._key,
            session=session,
            sub=sub,
            brands=brands,
            now=int(time.time()) + ahead,
            ttl_seconds=ttl_seconds,
        )

    def customer(self, sub: int = 7) -> str:
        """Sign a customer's token."""
        return self.token(SessionType.CUSTOMER, sub)

    # -- what can be seen

    @property
    def rss_bytes(self) -> int:
        """Resident memory."""
        return int(self._proc("statm").split()[1]) * PAGE_BYTES

    @property
    def descriptors(self) -> int:
        """Open files and sockets, and buffers over those that a storage keeps for the uploads to come."""
        opened = []
        for path in Path(f"/proc/{self._pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # it was closed meanwhile
                opened.append(path.readlink().name)
        kept = sum(name.startswith("memfd:upload") for name in opened)
        return len(opened) - min(kept, 2 * IDLE_MAX)  # a mapping has a descriptor of its own

    def left_of_descriptors(self, before: int) -> int:
        """Return how many descriptors are left over when all clients have gone."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while self.descriptors > before and time.monotonic() < deadline:
            time.sleep(0.1)
        return max(0, self.descriptors - before)

    @property
    def wal_bytes(self) -> int:
        """The larger of the two write-ahead logs."""
        return max(path.stat().st_size for path in (self.folder / "bases").glob("*-wal"))

    @property
    def alive(self) -> bool:
        assert self.process.process is not None
        return self.process.process.poll() is None

    @property
    def _pid(self) -> int:
        assert self.process.process is not None
        return self.process.process.pid

    def _proc(self, name: str) -> str:
        return Path(f"/proc/{self._pid}/{name}").read_text()

    def log(self) -> Iterator[dict[str, Any]]:
        """Give the lines of the log; one that is none comes as the level `stray`."""
        for line in self.process.log.read_text(errors="replace").splitlines():
            if line.startswith("{"):
                yield json.loads(line)
            elif not PROGRESS.fullmatch(line):
                yield {"level": "stray", "event": line}

    def faults(self) -> list[dict[str, Any]]:
        """Return the lines that tell of something that failed inside."""
        return [line for line in self.log() if line["level"] not in {"debug", "info"} or "exception" in line]

    def left_over(self) -> list[str]:
        """Return files that are still being received."""
        return sorted(path.name for path in (self.folder / "storage" / ".tmp").glob("*"))
