"""The threads that block on disks in place of the event loop, and work that its caller cannot cut short."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from storagemanager.scheduling import work_in_bulk

_Params = ParamSpec("_Params")
_Result = TypeVar("_Result")


class Workers:
    """A small pool of threads; `close` waits for all that was begun."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="storage", initializer=work_in_bulk)
        self._shielded: set[asyncio.Task[Any]] = set()

    def submit(
        self, function: Callable[_Params, _Result], *args: _Params.args, **kwargs: _Params.kwargs
    ) -> asyncio.Future[_Result]:
        """Start `function` on a thread and return its future."""
        return asyncio.wrap_future(self._pool.submit(function, *args, **kwargs))

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
        self._pool.shutdown(wait=True)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._shielded.discard(task)
        if not task.cancelled():
            task.exception()  # a caller that went away does not read it, and asyncio would complain


def tell(future: asyncio.Future[_Result], found: _Result | Exception) -> None:
    """Give a result or an error to whoever waits for it; nobody does where the future is done."""
    if future.done():
        return
    if isinstance(found, Exception):
        future.set_exception(found)
    else:
        future.set_result(found)
