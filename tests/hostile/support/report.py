"""What a command tells: progress while it runs, faults as they are found, the figures in its last line."""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

SHOWN_MAX = 20
"""Faults told in full; the figures count them all."""


class Report:
    """Counts what must be none, by name; `tell` says whether it was."""

    def __init__(self, *zeros: str) -> None:
        self.zeros = dict.fromkeys(zeros, 0)
        self._shown = 0
        self._told = time.monotonic()

    def add(self, zero: str, text: str, count: int = 1) -> None:
        """Count a fault and tell it."""
        self.zeros[zero] += count
        if self._shown < SHOWN_MAX:
            self._shown += 1
            self.say(f"{zero}: {text[:600]}")

    def demand(self, holds: object, zero: str, text: str) -> None:
        """Count a fault unless something holds."""
        if not holds:
            self.add(zero, text)

    def progress(self, text: str) -> None:
        """Tell how far it is, every few seconds at most."""
        if time.monotonic() - self._told >= 5:
            self._told = time.monotonic()
            self.say(text)

    @staticmethod
    def say(text: str) -> None:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def tell(self, **figures: object) -> int:
        """Tell the figures, then the zeros, in one line; return the exit code."""
        both = {**figures, **self.zeros}
        self.say(" ".join(f"{name}={value}" for name, value in both.items()))
        return 1 if any(self.zeros.values()) else 0


def command(
    text: str, options: Callable[[argparse.ArgumentParser], None], run: Callable[[Path, argparse.Namespace], int]
) -> int:
    """Run a command in a folder of its own, which is gone afterwards."""
    parser = argparse.ArgumentParser(description=text)
    options(parser)
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="hostile-"))
    try:
        return run(folder, args)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
