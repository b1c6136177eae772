"""The one strand of writes: whatever waits becomes one batch, one transaction, and only then answers."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from kycmanager import log
from kycmanager.domain.errors import Code, KycError
from kycmanager.domain.records import Event, Revocation
from kycmanager.ports import Changes, Clock, DataFault, Job, OutcomeUnknown, Store, StoreFull
from kycmanager.store.cache import Cache
from kycmanager.store.overlay import Overlay
from kycmanager.store.replies import Replies

TURN_SECONDS = 0.001
"""Reads wait no longer than this for handlers of writes."""

CROWDED_TURN_SECONDS = 0.01
"""The same while more than a batch waits and the doors are busy."""

GATHER_SECONDS = 0.001
"""A batch is made up for no longer than this after the one before, while more comes in at each look."""

REOPEN_SECONDS = 0.2
"""The pause between two tries to reopen a base that failed."""

logger = log.get_logger("strand")

_TELLING = ("audit", "delivery")
"""The counters that tell whether a batch is there: it has used up numbers of one of them, but for what may be lost."""

_ANSWERED = object()
"""Stands for the result of a command that was answered before its batch was done with."""


class Work(Struct, frozen=True):
    """A job of two functions."""

    run: Callable[[Changes, int], Any]
    finish: Callable[[Any], None]


class StrandLimits(Struct, frozen=True, kw_only=True):
    """Bounds of the strand: commands waiting, commands a batch, keys kept; how long a key and a claim last (s)."""

    queue_max: int = 10_000
    batch_max: int = 512
    keys_max: int = 1_000_000
    idempotency_seconds: int = 86_400
    lease_seconds: int = 600


class Committed(Struct, frozen=True):
    """What followers of the feed are told after a commit."""

    events: Sequence[Event]
    revocations: Sequence[Revocation]
    held_files: Sequence[str] = ()
    """Files whose data keys are held by their profiles from now on."""


class CommandStrand:
    """Runs write handlers one after another; `follow` is told of every commit before the callers are."""

    def __init__(
        self,
        cache: Cache,
        store: Store,
        replies: Replies,
        clock: Clock,
        limits: StrandLimits,
        follow: Callable[[Committed], None],
    ) -> None:
        self._cache = cache
        self._store = store
        self._replies = replies
        self._clock = clock
        self._limits = limits
        self._queue_max = limits.queue_max
        self._follow = follow
        self._queue: deque[Job] = deque()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self.batches = 0
        self.commands = 0
        self.healthy = True
        self.full = False
        """The last commit found the disk full."""

    @property
    def depth(self) -> int:
        """The number of commands that wait."""
        return len(self._queue)

    def crowded(self) -> bool:
        """Tell whether the queue is full."""
        return len(self._queue) >= self._queue_max

    def start(self) -> None:
        """Take commands from now on."""
        self._task = asyncio.create_task(self._serve(), name="strand")

    async def failed(self) -> None:
        """Wait for as long as the strand lives; raises what ended it unless it was closed."""
        if self._task is not None:
            await asyncio.shield(self._task)

    async def close(self) -> None:
        """Take no more commands, finish those that wait."""
        self._closing = True
        self._wake.set()
        if self._task is not None:
            await self._task
            self._task = None

    def post(self, job: Job) -> None:
        """Queue a command; raises OVERLOADED over the bound and SHUTDOWN when closing."""
        if self._closing:
            raise KycError(Code.SHUTDOWN, "The daemon is stopping; try again in a moment")
        if not self.healthy:
            raise _failing()
        if len(self._queue) >= self._queue_max:
            raise KycError(Code.OVERLOADED, "Too many writes are waiting; try again later")
        if not self._queue:
            self._wake.set()
        self._queue.append(job)

    def probe(self) -> None:
        """Find out whether a full disk has room again: an id is used up, which the base has to write down."""
        self.post(Work(lambda changes, _now: changes.next_id("template"), lambda _result: None))

    async def _serve(self) -> None:
        while True:
            if not self._queue:
                if self._closing:
                    return
                self._wake.clear()
                await self._wake.wait()
                continue
            jobs = [self._queue.popleft() for _ in range(min(len(self._queue), self._limits.batch_max))]
            try:
                results = await self._run(jobs)
            except Exception:
                self._give_up(jobs)
                raise
            for job, result in zip(jobs, results, strict=True):
                if result is not _ANSWERED:
                    _answer(job, result)
            self.batches += 1
            self.commands += len(jobs)
            await asyncio.sleep(0)  # the answers go out
            if len(jobs) > 1:
                await self._gather()
            await self._maintain()

    async def _gather(self) -> None:
        """Let come in what the answers set free: what a batch costs is paid once for more commands."""
        ends = time.perf_counter() + GATHER_SECONDS
        waiting = -1
        while waiting < len(self._queue) < self._limits.batch_max and time.perf_counter() < ends:
            waiting = len(self._queue)
            await asyncio.sleep(0)

    def _give_up(self, jobs: list[Job]) -> None:
        """Answer everybody when memory may no longer be what the base is: the daemon must start anew."""
        self._closing = True
        self.healthy = False
        for job in (*jobs, *self._queue):
            _answer(job, _unknown())
        self._queue.clear()

    async def _maintain(self) -> None:
        try:
            await self._store.maintain()
        except Exception:  # what keeps the base from upkeep fails the next write, and is told there
            logger.exception("upkeep failed")

    async def _run(self, jobs: list[Job]) -> list[Any]:
        """Run one batch and commit it; the results stand in the order of the jobs."""
        overlay = self._overlay()
        results = await self._handle(overlay, jobs)
        if not overlay.changed and not (self.full and overlay.counters() != self._cache.counters):
            return results
        try:
            await self._store.commit(overlay.batch())
        except DataFault:
            return await self._run_apart(jobs)
        except StoreFull:
            self._tell_full(full=True)
            return [KycError(Code.STORAGE_FULL, "The disk is full; nothing was changed")] * len(jobs)
        except OutcomeUnknown:
            for job in jobs:
                _answer(job, _unknown())
            await self._recover(overlay)
            return [_ANSWERED] * len(jobs)
        self._tell_full(full=False)
        self._publish(overlay)
        return results

    def _tell_full(self, *, full: bool) -> None:
        if full and not self.full:
            logger.warning("the disk is full; writes are refused")
        elif self.full and not full:
            logger.info("the disk has room again; writes are taken")
        self.full = full

    def _overlay(self) -> Overlay:
        return Overlay(
            self._cache,
            now=self._clock(),
            idempotency_seconds=self._limits.idempotency_seconds,
            keys_max=self._limits.keys_max,
            lease_seconds=self._limits.lease_seconds,
        )

    async def _handle(self, overlay: Overlay, jobs: list[Job]) -> list[Any]:
        results: list[Any] = []
        now, clock = overlay.now, time.perf_counter
        turn_ends = clock() + TURN_SECONDS
        for job in jobs:
            overlay.begin()
            try:
                results.append(job.run(overlay, now))
            except Exception as error:  # noqa: BLE001 - the gate tells refusals from faults
                overlay.undo()
                results.append(error)
            if (ended := clock()) > turn_ends:
                await asyncio.sleep(0)
                began = clock()
                turn_ends = began + self._turn(began - ended)
        return results

    def _turn(self, others: float) -> float:
        """Return the seconds of the next turn: twice what others took where so much waits that writes would starve."""
        if self.depth <= self._limits.batch_max:
            return TURN_SECONDS
        return max(TURN_SECONDS, min(2 * others, CROWDED_TURN_SECONDS))

    async def _run_apart(self, jobs: list[Job]) -> list[Any]:
        """Run the commands of a batch the base could not take one per transaction: only the guilty one fails."""
        if len(jobs) == 1:
            return [KycError(Code.INVALID_DATA, "data: holds a value that cannot be stored")]
        return [(await self._run([job]))[0] for job in jobs]

    async def _recover(self, overlay: Overlay) -> None:
        """Find out whether an uncertain batch arrived; no write is taken until that is known, and none waits for it."""
        self.healthy = False
        while self._queue:
            _answer(self._queue.popleft(), _failing())
        while True:
            try:
                counters = await self._store.reopen()
                break
            except Exception:  # noqa: BLE001 - whatever keeps the base away, the next try may find it
                if self._closing:
                    return
                await asyncio.sleep(REOPEN_SECONDS)
        expected = overlay.counters()
        if all(counters.get(name) == expected.get(name) for name in _TELLING):
            self._publish(overlay)
        self.healthy = True

    def _publish(self, overlay: Overlay) -> None:
        overlay.publish()
        self._replies.drop(overlay.touched_profiles(), self._steps_of)
        self._follow(Committed(overlay.events, overlay.revocations, overlay.held_files))

    def _steps_of(self, kyc_id: int) -> list[int]:
        return [step.id for step in self._cache.steps_of(kyc_id)]


def _answer(job: Job, result: Any) -> None:
    try:
        job.finish(result)
    except Exception:  # one caller that cannot be answered must not end the strand
        logger.exception("answer failed")


def _failing() -> KycError:
    return KycError(Code.OVERLOADED, "The base is failing; nothing was changed, try again later")


def _unknown() -> KycError:
    return KycError(Code.OUTCOME_UNKNOWN, "The base failed while writing; read the record before trying again")
