"""What happens by the clock: due expiries, forgotten keys and revocations, uploads nobody attached."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from kycmanager import log

logger = log.get_logger("timers")


class Timers:
    """Repeats jobs, each after its own pause; a job that fails is logged and tried again at its next turn."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, name: str, seconds: float, job: Callable[[], Awaitable[None]]) -> None:
        """Run a job now and then again `seconds` after it has ended."""
        self._tasks.append(asyncio.create_task(self._repeat(name, seconds, job), name=name))

    async def _repeat(self, name: str, seconds: float, job: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await job()
            except Exception:  # one failure must not end the repetition
                logger.exception("timer failed", timer=name)
            await asyncio.sleep(seconds)

    async def close(self) -> None:
        """Stop all jobs."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._tasks.clear()
