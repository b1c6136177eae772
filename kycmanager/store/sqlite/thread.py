"""The one place that knows how aiosqlite runs a function on the thread of its connection."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar, cast

import aiosqlite

P = ParamSpec("P")
T = TypeVar("T")

BUSY_SECONDS = 0.25
"""How long a lock held by someone else is waited for; nobody else should write, so it is short."""


async def connect(path: Path, *, read_only: bool) -> aiosqlite.Connection:
    """Open the base on a thread of its own, without implicit transactions; raises sqlite3.Error."""
    mode = "ro" if read_only else "rwc"
    connection = aiosqlite.connect(
        f"{path.absolute().as_uri()}?mode={mode}",  # noqa: ASYNC240 - reads the working folder, not the disk
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
