"""The threads that block on disks in place of the event loop, and work that its caller cannot cut short."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, TypeVar, TypeVarTuple

_Arguments = TypeVarTuple("_Arguments")
_Result = TypeVar("_Result")
_Work = tuple[asyncio.AbstractEventLoop, "asyncio.Future[Any]", Callable[..., Any], tuple[Any, ...]]


class Workers:
    """A small pool of threads, which belongs to one event loop; `close` waits for all that was begun.

    A result goes to the loop in one step: the executor of the standard library takes three, and locks for each.
    """

    def __init__(self, threads: int) -> None:
        self._most = threads
        self._threads: list[threading.Thread] = []
        self._waiting: SimpleQueue[_Work | None] = SimpleQueue()
        self._under_way = 0
        self._shielded: set[asyncio.Task[Any]] = set()

    def submit(self, function: Callable[[*_Arguments], _Result], *args: *_Arguments) -> asyncio.Future[_Result]:
        """Start `function` on a thread and return its future; one that is cancelled before its turn does not run."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_Result] = loop.create_future()
        self._under_way += 1
        if len(self._threads) < min(self._most, self._under_way):
            self._begin_thread()
        self._waiting.put((loop, future, function, args))
        return future

    async def shield(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """Run `work` to its end even where the caller is cancelled: half a publication must not be left."""
        task = asyncio.get_running_loop().create_task(work)
        self._shielded.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    async def settle(self) -> None:
        """Wait for all shielded work."""
        while self._shielded:
            await asyncio.wait(tuple(self._shielded))

    async def close(self) -> None:
        """Wait for shielded work and end the threads."""
        await self.settle()
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def _begin_thread(self) -> None:
        # A program that fails before close() must end, not hang.
        thread = threading.Thread(target=self._work, name=f"storage_{len(self._threads)}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        while (work := self._waiting.get()) is not None:
            loop, future, function, args = work
            result: Any = None
            error: BaseException | None = None
            if not future.cancelled():
                try:
                    result = function(*args)
                except BaseException as raised:  # noqa: BLE001 - whatever it is, the caller is told
                    error = raised
            with suppress(RuntimeError):  # the loop has been closed: nobody waits any more
                loop.call_soon_threadsafe(self._tell, future, result, error)
            del work, future, function, args, result, error  # nothing is held while waiting

    def _tell(self, future: "asyncio.Future[Any]", result: Any, error: BaseException | None) -> None:
        self._under_way -= 1
        if future.cancelled():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._shielded.discard(task)
        if not task.cancelled():
            task.exception()  # a caller that went away does not read it, and asyncio would complain
