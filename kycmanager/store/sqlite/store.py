"""The Store of one SQLite file: who may open it, which connection does what, and what an error means."""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Callable, Collection, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite
import msgspec

from kycmanager.batches import Batch, Snapshot
from kycmanager.domain.outbound import Delivery
from kycmanager.domain.records import AuditRow, Event, FileKey
from kycmanager.domain.statistics import KeptTally, TallyMark
from kycmanager.outbound_ports import DeliveryQuery
from kycmanager.ports import AuditHead, AuditQuery, Clock, OutcomeUnknown, StoreRefused
from kycmanager.store.sqlite import chain, faults, history, load, outbound, schema, tallies, upkeep, write
from kycmanager.store.sqlite.faults import RowDamaged
from kycmanager.store.sqlite.heads import HeadFile, line_of
from kycmanager.store.sqlite.keys import KeyBase
from kycmanager.store.sqlite.lock import FileLock
from kycmanager.store.sqlite.thread import connect, run

T = TypeVar("T")

IDEMPOTENCY_SECONDS = 24 * 3600
CHECKPOINT_ROWS = 10_000
"""Rows written after which the log is moved: in the worst case, a page each, it has grown by 40 MB."""
LOG_BYTES_MAX = 48 << 20
CHECKPOINT_SECONDS = 1.0
FORGET_SECONDS = 60.0


class SqliteStore:
    """A `Store` in one file: one connection writes and checkpoints, two only read (audit, feed), each on its thread.

    `clock` gives the time by which idempotency keys and revocations run out; `checkpoint_rows` and `log_bytes_max`
    bound the write-ahead log between two calls of `maintain`. `heads` is the file that tells, outside the base, where
    the chain of the audit ends; None = none is kept. `keys` is the base beside it with the keys of what is sealed.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock = lambda: int(time.time()),
        idempotency_seconds: int = IDEMPOTENCY_SECONDS,
        checkpoint_rows: int = CHECKPOINT_ROWS,
        log_bytes_max: int = LOG_BYTES_MAX,
        heads: Path | None = None,
    ) -> None:
        self.path = path
        self._log = path.with_name(f"{path.name}-wal")
        self._lock = FileLock(path.with_suffix(".lock"))
        self.keys = KeyBase(path.with_name("keys.db"), self._adopt_keys)
        self._clock = clock
        self._idempotency_seconds = idempotency_seconds
        self._checkpoint_rows = checkpoint_rows
        self._log_bytes_max = log_bytes_max
        self._writer: aiosqlite.Connection | None = None
        self._auditor: aiosqlite.Connection | None = None
        self._feeder: aiosqlite.Connection | None = None
        self._checker: aiosqlite.Connection | None = None
        self._check: asyncio.Task[str] | None = None
        self._counters: dict[str, int] = {}
        self._head = chain.NO_LINK
        self._heads = HeadFile(heads) if heads else None
        self._told = -1
        self._told_time = self._agreed_time = 0
        self._doubtful = False
        self._changing = asyncio.Lock()
        self._rows_in_log = 0
        self._checkpoint_at = 0.0
        self._forget_at = 0.0

    async def open(self) -> None:
        """Lock, check and migrate the base and begin its full check, which `load` waits for; raises StoreRefused."""
        self._lock.acquire()
        try:
            schema.inspect(self.path)
            self._refuse_lost_base()
            await self._connect()
            await self._agree_on_heads()
            await self.keys.open(await run(_open(self._writer), upkeep.vault_id))
            self._checker = await connect(self.path, read_only=True)
            self._check = asyncio.create_task(run(self._checker, schema.quick_check))
        except StoreRefused:
            await self.close()
            raise
        except (sqlite3.Error, OSError, UnicodeError) as error:
            await self.close()
            raise faults.refusal(self.path, error) from error

    async def load(self, progress: Callable[[str, int, int], None]) -> Snapshot:
        """Read everything the cache needs, while the full check goes on; raises StoreRefused when either finds damage.

        `progress(table, done, total)` is called on the event loop after every chunk.
        """
        try:
            snapshot = await load.load(_open(self._writer), progress)
            brands, profiles = await self.keys.load()
            finding = await self._check if self._check else ""
        except (RowDamaged, sqlite3.Error, LookupError, TypeError, UnicodeError, msgspec.MsgspecError) as error:
            raise faults.refusal(self.path, error) from error
        finally:
            await self._end_check()
        if finding:
            raise faults.damaged(self.path, finding)
        # An older base that was put back must not give a number again that a key, or a destroyed one, stands for.
        free = max((key.kyc_id + 1 for key in profiles), default=0)
        counters = snapshot.counters | {"profile": max(snapshot.counters["profile"], free)}
        return msgspec.structs.replace(snapshot, brand_keys=brands, profile_keys=profiles, counters=counters)

    async def commit(self, batch: Batch) -> None:
        """Write one batch in one transaction, on disk when it returns.

        Raises DataFault or StoreFull (nothing written) or OutcomeUnknown; after the last, and until `reopen` has
        worked, every commit raises it.
        """
        if self._doubtful:
            raise OutcomeUnknown("The base has not been reopened since a write failed")
        if batch.keys:
            await self._keep_keys(batch)
        try:
            rows, self._head = await run(_open(self._writer), write.commit, batch, self._counters, self._head)
            self._rows_in_log += rows
        except OutcomeUnknown:
            self._doubtful = True
            raise

    async def _keep_keys(self, batch: Batch) -> None:
        """Keep new keys before what they seal; they may stay behind alone, sealing nothing."""
        try:
            await self.keys.keep(batch.keys)
        except OutcomeUnknown:
            self._doubtful = True
            raise

    async def reopen(self) -> dict[str, int]:
        """Throw the connections away and open new ones; return the counters of what is now surely on disk.

        The lock is kept. All connections go, so that the log is read afresh; moving it into the base then makes final
        whether the last batch is there. Raises OutcomeUnknown while the disk still fails.
        """
        self._doubtful = True
        async with self._changing:
            await self._end_check()
            await self._disconnect()
            try:
                await self._connect()
                await run(_open(self._writer), upkeep.settle)
                await self.keys.reopen()
            except (sqlite3.Error, OSError, UnicodeError) as error:
                await self._disconnect()  # a half open one would share its index with those that must write none
                raise OutcomeUnknown(f"{self.path} cannot be reopened: {error}") from error
            self._doubtful = False
        return dict(self._counters)

    async def _asked(self, reader: aiosqlite.Connection | None, question: Callable[..., T], *args: Any) -> T:
        """Ask a reader; while the base cannot be reopened, one of its own for the question, for reads go on.

        It never overlaps with a reopening, which has to find no connection left.
        """
        if reader is not None or not self._doubtful:
            return await run(_open(reader), question, *args)
        async with self._changing:
            passing = None
            try:
                passing = await connect(self.path, read_only=True, writes_nothing=True)
                await run(passing, schema.prepare_reader)
                return await run(passing, question, *args)
            except (sqlite3.Error, OSError) as error:
                raise OutcomeUnknown(f"{self.path} cannot be read: {error}") from error
            finally:
                if passing is not None:
                    await passing.close()

    async def audit(self, query: AuditQuery) -> tuple[Sequence[AuditRow], int, bool]:
        """Return (rows, count, capped): newest first, times inclusive, the count exact up to 10,000."""
        return await self._asked(self._auditor, history.audit, query)

    async def deliveries(self, query: DeliveryQuery) -> tuple[Sequence[Delivery], int, bool]:
        """Return (rows, count, capped): newest first, the count exact up to 10,000."""
        return await self._asked(self._auditor, outbound.deliveries, query)

    async def audit_window(self, query: AuditQuery, rows: int) -> tuple[int, bool]:
        """Return where the newest rows of the times and the cursor of a query begin, and whether more lie below."""
        return await self._asked(self._auditor, history.audit_window, query, rows)

    def audit_head(self) -> AuditHead:
        """Return where the chain ends, when that was told outside the base, and when the two were found to agree."""
        head = self._head
        return AuditHead(
            link=head.link,
            audit_id=head.audit_id,
            hash=head.hash.hex(),
            told_time=self._told_time,
            agreed_time=self._agreed_time,
        )

    async def events_after(self, seq: int, limit: int) -> Sequence[Event]:
        """Return the events with a number above `seq`, in order."""
        return await self._asked(self._feeder, history.events_after, seq, limit)

    async def file_keys(self, file_ids: Collection[str]) -> dict[str, FileKey]:
        """Return the data keys of those files that a profile holds, by uuid."""
        return await self._asked(self._auditor, history.file_keys, file_ids)

    async def count_file_keys(self) -> int:
        """Return how many data keys profiles hold."""
        return await run(_open(self._auditor), history.count_file_keys)

    async def feed_chunks(self, after: int, limit: int) -> Sequence[Sequence[Event]]:
        """Return the events of the next rows of the feed, each row by itself."""
        return await run(_open(self._feeder), history.feed_chunks, after, limit)

    async def events_of(
        self, kinds: Collection[str], *, after: int, upto: int, enough: int
    ) -> tuple[Sequence[Event], int]:
        """Return the events of these kinds behind a number, and up to which number the feed was looked at."""
        return await self._asked(self._feeder, tallies.events_of, kinds, after, upto, enough)

    async def tallies(self) -> tuple[Sequence[KeptTally], TallyMark | None]:
        """Return what was counted of the feed; raises StoreRefused when it is damaged."""
        try:
            return await run(_open(self._feeder), tallies.load)
        except (RowDamaged, sqlite3.Error, UnicodeError, msgspec.MsgspecError) as error:
            raise faults.refusal(self.path, error) from error

    async def keep_tallies(self, kept: Sequence[KeptTally], mark: TallyMark, *, anew: bool) -> None:
        """Write what was counted, in one transaction; raises as `commit`, without doubt about other writes."""
        self._rows_in_log += await run(_open(self._writer), tallies.keep, kept, mark, anew=anew)

    async def replace_chunks(self, chunks: Sequence[Sequence[Event]]) -> None:
        """Write rows of the feed anew, in one transaction; raises StoreFull or OutcomeUnknown with nothing changed."""
        self._rows_in_log += await run(_open(self._writer), write.replace_chunks, chunks)

    async def scrub(self, work: Callable[[], Coroutine[Any, Any, None]], *, whole: bool) -> None:
        """Run `work` so that what it overwrites leaves no trace; `whole` then writes all of the base anew."""
        writer = _open(self._writer)
        await run(writer, upkeep.overwrite, on=True)
        try:
            await work()
            await run(writer, upkeep.scrub, whole=whole)
        finally:
            await run(writer, upkeep.overwrite, on=False)

    async def overwrite(self) -> None:
        """Have what is deleted or changed from now on overwritten in the file, until the base is opened anew."""
        await run(_open(self._writer), upkeep.overwrite, on=True)

    async def maintain(self) -> None:
        """Checkpoint and forget what has run out, each when it is due; cheap to call after every batch.

        What fails here fails again at the next write, where it is told.
        """
        if self._writer is None or self._doubtful:
            return
        now = asyncio.get_running_loop().time()
        with contextlib.suppress(sqlite3.Error, OSError):
            if now >= self._forget_at:
                self._rows_in_log += await run(self._writer, upkeep.forget, self._clock(), self._idempotency_seconds)
                self._forget_at = now + FORGET_SECONDS
            if self._rows_in_log and (now >= self._checkpoint_at or self._rows_in_log >= self._checkpoint_rows):
                self._checkpoint_at = now + CHECKPOINT_SECONDS
                if await run(self._writer, upkeep.checkpoint, self._log, self._log_bytes_max):
                    self._rows_in_log = 0

    async def tell_head(self) -> None:
        """Write down where the chain of the audit ends, if that was not done; raises OSError."""
        head = self._head
        if self._heads and self._told not in (-1, head.link):
            now = self._clock()
            await asyncio.to_thread(self._heads.append, line_of(head, now))
            self._told, self._told_time = head.link, now

    async def close(self) -> None:
        """Stop the check, move the log into the base and give the lock back; a second call does nothing."""
        await self._end_check()
        await self.keys.close()
        await self._disconnect()
        self._lock.release()

    async def _adopt_keys(self, vault_id: bytes) -> None:
        """Remember which base of keys belongs to this one."""
        await run(_open(self._writer), upkeep.adopt_vault, vault_id)

    async def _connect(self) -> None:
        self._writer = await connect(self.path, read_only=False)
        await run(self._writer, schema.prepare_writer)
        if self._heads and await run(self._writer, schema.version_of) < schema.PROOF_VERSION:
            self._heads.create()  # before the base can have anything to tell there
        await run(self._writer, schema.migrate, self.path)
        self._counters = await run(self._writer, schema.counters)
        self._head = await run(self._writer, chain.head)
        self._auditor = await connect(self.path, read_only=True)
        await run(self._auditor, schema.prepare_reader)
        self._feeder = await connect(self.path, read_only=True)
        await run(self._feeder, schema.prepare_reader)

    def _refuse_lost_base(self) -> None:
        """Refuse to make a new base where heads tell that there was one."""
        if self._heads and self._heads.exists() and not self.path.exists():
            last = self._heads.last()
            if last is not None and last.link:
                raise self._heads.ends_before(last, self.path)

    async def _agree_on_heads(self) -> None:
        """Refuse a base that is not the one its last head tells of."""
        if self._heads is None:
            return
        if not self._heads.exists():
            raise self._heads.missing(self.path)
        last = self._heads.last()
        if last is not None:
            self._heads.agree(last, await run(_open(self._writer), chain.at, last.link), self.path)
            self._told_time, self._agreed_time = last.time, self._clock()
        self._told = last.link if last else 0

    async def _disconnect(self) -> None:
        """Close the readers first: the last connection, the writer, then moves the log into the base."""
        connections = (self._feeder, self._auditor, self._writer)
        self._feeder = self._auditor = self._writer = None
        for connection in connections:
            if connection is not None:
                with contextlib.suppress(sqlite3.Error):
                    await connection.close()

    async def _end_check(self) -> None:
        """Take the full check back, interrupting it if it still walks."""
        check, checker = self._check, self._checker
        self._check = self._checker = None
        if checker is not None:
            await checker.interrupt()
        if check is not None:
            check.cancel()
            await asyncio.wait([check])
            check.cancelled() or check.exception()  # looked at, so that nobody reports it as forgotten
        if checker is not None:
            await checker.close()


def _open(connection: aiosqlite.Connection | None) -> aiosqlite.Connection:
    if connection is None:
        raise OutcomeUnknown("The base is not open")
    return connection
