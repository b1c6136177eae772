"""The daemon as `kycmanager` starts it, and beside it two watches: on the collector and on the loop.

`python -m benchmarks.watched FILE serve ...` writes FILE at the end: the longest collection and the longest time the
loop did not come round, in milliseconds, since the last SIGUSR1.
"""

import asyncio
import gc
import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

import uvloop

from kycmanager.__main__ import main

BEAT_SECONDS = 0.001


class Watch:
    """The longest of each since the last reset."""

    def __init__(self) -> None:
        self.collection = self.loop = self._began = 0.0

    def collecting(self, phase: str, _info: dict[str, Any]) -> None:
        """Told by the collector before and after each collection."""
        now = time.perf_counter()
        if phase == "start":
            self._began = now
        else:
            self.collection = max(self.collection, now - self._began)

    def beat(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        """Runs on the loop all the time."""
        now = loop.time()
        self.loop = max(self.loop, now - due)
        loop.call_later(BEAT_SECONDS, self.beat, loop, now + BEAT_SECONDS)

    def reset(self, *_: object) -> None:
        """Begin anew."""
        self.collection = self.loop = 0.0

    def write(self, path: Path) -> None:
        """Tell."""
        path.write_text(json.dumps({"collection_ms": self.collection * 1000, "loop_ms": self.loop * 1000}))


def run() -> int:
    """Be the daemon."""
    watch, make_loop = Watch(), uvloop.new_event_loop

    def watched_loop() -> asyncio.AbstractEventLoop:
        loop = make_loop()
        loop.call_soon(watch.beat, loop, loop.time())
        return loop

    uvloop.new_event_loop = watched_loop  # type: ignore[assignment]
    gc.callbacks.append(watch.collecting)
    signal.signal(signal.SIGUSR1, watch.reset)
    try:
        return main(sys.argv[2:])
    finally:
        watch.write(Path(sys.argv[1]))


if __name__ == "__main__":
    sys.exit(run())
