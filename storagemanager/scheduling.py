"""What the kernel is told of threads and processes that work for the daemon in the background."""

import os
from contextlib import suppress


def work_in_bulk() -> None:
    """Count the calling thread among those that work in bulk: woken, it waits until others have answered their clients.

    For a thread that is hashing or decoding each such turn costs little, and the event loop is not pushed aside for it.
    Does nothing on systems without this, or where it is not allowed.
    """
    if hasattr(os, "SCHED_BATCH"):
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
