"""The daemon with a clock to turn, for the harness alone: `clock_build.py FILE serve ...`, FILE holds seconds to add."""

import sys
import time
from pathlib import Path

OFFSET = Path(sys.argv[1])
real_time = time.time


def turned() -> float:
    """Return the time that the machine's clock would show."""
    return real_time() + float(OFFSET.read_text())


time.time = turned

from kycmanager.__main__ import main  # noqa: E402 - whoever takes the clock by name must find the turned one

if __name__ == "__main__":
    sys.exit(main(sys.argv[2:]))
