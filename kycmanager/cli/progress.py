"""The progress of long work: a bar on a terminal, a line now and then in a pipe."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

Report = Callable[[str, int, int], None]
"""`report(what, done, total)`; a total of 0 is not known yet."""

Tell = Callable[[str, int, int], None]
"""Is told now and then, as `Report` is told always."""

SECONDS_BETWEEN_LINES = 2.0


@contextmanager
def show_progress(
    stream: TextIO | None = None,
    seconds_between: float = SECONDS_BETWEEN_LINES,
    tell: Tell | None = None,
) -> Iterator[Report]:
    """Give a `report` that shows progress on `stream`, stderr when None; off a terminal `tell` may take the lines."""
    output = stream or sys.stderr
    if not output.isatty():
        yield _Lines(tell or _written(output), seconds_between)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=output), transient=True) as bars:
        yield _Bars(bars)


class _Bars:
    """One bar for each kind of work."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, what: str, done: int, total: int) -> None:
        if what not in self._tasks:
            self._tasks[what] = self._bars.add_task(what, total=None)
        self._bars.update(self._tasks[what], completed=done, total=total or None)


class _Lines:
    """One line at the end of each kind of work, and one every few seconds on the way."""

    def __init__(self, tell: Tell, seconds_between: float) -> None:
        self._tell = tell
        self._seconds_between = seconds_between
        self._next = time.monotonic() + seconds_between
        self._finished: set[str] = set()

    def __call__(self, what: str, done: int, total: int) -> None:
        finished = 0 < total <= done
        now = time.monotonic()
        if (finished and what in self._finished) or (not finished and now < self._next):
            return
        self._next = now + self._seconds_between
        if finished:
            self._finished.add(what)
        self._tell(what, done, total)


def _written(output: TextIO) -> Tell:
    def tell(what: str, done: int, total: int) -> None:
        portion = f"{done} of {total}" if total else str(done)
        output.write(f"{what}: {portion}\n")
        output.flush()

    return tell
