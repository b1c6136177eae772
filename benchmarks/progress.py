"""What the person waiting sees: a moving line on a terminal, plain lines in a pipe."""

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.status import Status


class Progress:
    """Says which benchmark is running and what it is doing."""

    def __init__(self) -> None:
        self.console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
        self._status: Status | None = self.console.status("starting") if self.console.is_terminal else None
        self._name = ""
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        if self._status:
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._status:
            self._status.stop()

    def begin(self, name: str, summary: str) -> None:
        """A benchmark starts."""
        self._name = name
        self.line(f"{name}: {summary}")

    def step(self, text: str) -> None:
        """What the running benchmark does now."""
        elapsed = time.monotonic() - self._started
        if self._status:
            self._status.update(f"[{elapsed:,.0f} s] {self._name}: {text}")
        else:
            self.line(f"  [{elapsed:,.0f} s] {text}")

    def line(self, text: str) -> None:
        """A line that stays."""
        self.console.print(text, markup=False)
        sys.stdout.flush()
