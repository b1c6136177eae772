"""One sitting: how long and how often to measure, where to put things, and the alternating runs."""

import itertools
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

from benchmarks import machine
from benchmarks.model import Figure, NotMeasuredError, Sample
from benchmarks.progress import Progress

BUILD = Path(__file__).parent / ".build"

T = TypeVar("T")
Run = Callable[[], Sample]
Contender = Callable[[], AbstractContextManager[Run]]


class Session:
    """What the measurements share; `resources` are opened once, on first use, and closed at the end."""

    def __init__(self, scratch: Path, stack: ExitStack, progress: Progress, *, quick: bool) -> None:
        self.scratch = scratch
        self.quick = quick
        self.runs = 2 if quick else 5
        self.seconds = 0.6 if quick else 2.0
        self.warmup = 0.2 if quick else 0.5
        self.server_core, self.load_core = machine.cores()
        self.progress = progress
        self._stack = stack
        self._resources: dict[str, object] = {}
        self._numbers = itertools.count(1)

    def folder(self, name: str) -> Path:
        """A new, empty folder on the disk of this repository, so that every contender syncs to the same disk."""
        path = self.scratch / f"{next(self._numbers)}-{name}"
        path.mkdir()
        return path

    def shared(self, key: str, make: Callable[[], T]) -> T:
        """The resource of that key, made at its first use; a failure is remembered and raised again."""
        if key not in self._resources:
            try:
                self._resources[key] = make()
            except Exception as error:
                self._resources[key] = error
        found = self._resources[key]
        if isinstance(found, Exception):
            raise found
        return found  # type: ignore[return-value]

    def enter(self, context: AbstractContextManager[T]) -> T:
        """Keep a context open until the end of the session."""
        return self._stack.enter_context(context)

    def alternate(self, contenders: Mapping[str, Contender]) -> dict[str, Figure]:
        """Open every contender, run them in turns, and give the medians of each."""
        samples: dict[str, list[Sample]] = {}
        reasons: dict[str, str] = {}
        with ExitStack() as stack:
            runs: dict[str, Run] = {}
            for name, contender in contenders.items():
                self.progress.step(f"{name}: preparing")
                try:
                    runs[name] = stack.enter_context(contender())
                except Exception as error:
                    reasons[name] = reason_of(error)
            for number in range(1, self.runs + 1):
                for name in _rotated(list(runs), number):
                    self.progress.step(f"{name}: run {number} of {self.runs}")
                    try:
                        samples.setdefault(name, []).append(runs[name]())
                    except Exception as error:
                        reasons[name] = reason_of(error)
                        del runs[name]
        return {
            name: Figure.missing(reasons[name]) if name in reasons else Figure.of(samples[name]) for name in contenders
        }


def _rotated(names: list[str], by: int) -> list[str]:
    """Another one goes first each time, so that a slow drift of the machine hits all alike."""
    at = by % len(names) if names else 0
    return names[at:] + names[:at]


def reason_of(error: Exception) -> str:
    """An error as the reason to print."""
    text = " ".join(str(error).split())[:300]
    return text if isinstance(error, NotMeasuredError) else f"{type(error).__name__}: {text}"


@contextmanager
def opened(progress: Progress, *, quick: bool) -> Iterator[Session]:
    """A session with its scratch folder, both gone afterwards."""
    BUILD.mkdir(exist_ok=True)
    for left_over in BUILD.glob("s-*"):
        if time.time() - left_over.stat().st_mtime > 24 * 3600:
            shutil.rmtree(left_over, ignore_errors=True)
    scratch = Path(tempfile.mkdtemp(prefix="s-", dir=BUILD))
    scratch.chmod(0o755)  # a database server that refuses root runs as another user
    try:
        with ExitStack() as stack:
            yield Session(scratch, stack, progress, quick=quick)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
