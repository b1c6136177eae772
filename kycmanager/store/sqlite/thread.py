"""The one place that knows how aiosqlite runs a function on the thread of its connection."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar, cast

import aiosqlite

P = ParamSpec("P")
T = TypeVar("T")

BUSY_SECONDS = 0.25
"""How long a lock held by someone else is waited for; nobody else should write, so it is short."""


async def connect(path: Path, *, read_only: bool, writes_nothing: bool = False) -> aiosqlite.Connection:
    """Open the base on a thread of its own, without implicit transactions; raises sqlite3.Error.

    Whoever opens it first writes the index of its log, to read it too, unless he `writes_nothing`: then the index is
    made in memory. That is for a disk that fails, and only while nobody else of this process has the base open.
    """
    mode = "ro" if read_only else "rwc"
    indexed = writes_nothing and await asyncio.to_thread(Path(f"{path}-shm").exists)  # else there is no log either
    index = "&readonly_shm=1" if indexed else ""
    connection = aiosqlite.connect(
        f"{path.absolute().as_uri()}?mode={mode}{index}",  # noqa: ASYNC240 - reads the working folder, not the disk
        uri=True,
        isolation_level=None,
        timeout=BUSY_SECONDS,
    )
    thread = connection._thread  # noqa: SLF001 - no public name
    thread.daemon = True  # a program that fails before close() must end, not hang
    try:
        return await connection
    except BaseException:
        thread.join()  # it was told to stop, and answers to this loop while there is one
        raise


async def run(
    connection: aiosqlite.Connection,
    function: Callable[Concatenate[sqlite3.Connection, P], T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Run `function(sqlite3_connection, ...)` on the connection's thread: one hop whatever it does there.

    aiosqlite has public calls for single statements only, five times slower for a batch. Whoever cancels the
    wait does not stop the function. Raises what the function raises, ValueError when the connection is closed.
    """
    raw = connection._conn  # noqa: SLF001 - no public name
    done = connection._execute(function, raw, *args, **kwargs)  # type: ignore[no-untyped-call] # noqa: SLF001
    return cast("T", await done)
