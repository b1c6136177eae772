"""A base as the daemon wrote it, many times over: large bases in the time that writing their rows takes."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import astuple

from benchmarks import multiply_files
from benchmarks.seeding import Seed
from kycmanager.batches import Batch, Snapshot, TableChange
from kycmanager.domain.records import AuditRow, Document, Event, FileKey, Profile, ProfileKey, Record, Step
from kycmanager.ports import AuditQuery
from kycmanager.store.sqlite import SqliteStore
from kycmanager.store.sqlite.heads import HEADS
from kycmanager.store.tallies import Tallies

BATCH_PROFILES = 4000  # in one transaction: few of them, and not much in memory

Told = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class _Model:
    """What one copy is made from."""

    profiles: list[Profile]
    steps: list[Step]
    documents: list[Document]
    audit: list[AuditRow]
    events: list[Event]
    keys: list[ProfileKey]
    file_keys: list[FileKey]


@dataclass(frozen=True, slots=True)
class _Shift:
    """What a copy adds to the numbers of its model: no two copies have one in common."""

    copy: int
    profile: int
    step: int
    document: int

    def record(self, held: Record) -> Record:
        """The record of the copy."""
        values = astuple(held)
        match held:
            case Profile():
                return Profile(values[0] + self.profile, values[1] + self.profile, *values[2:])
            case Step():
                return Step(values[0] + self.step, values[1] + self.profile, values[2] + self.profile, *values[3:])
            case Document():
                return Document(
                    values[0] + self.document,
                    values[1] + self.profile,
                    values[2] + self.profile,
                    values[3] and values[3] + self.step,
                    *values[4:7],
                    multiply_files.uuid_of_copy(values[7], self.copy),
                    *values[8:],
                )
        raise TypeError(type(held).__name__)

    def audit(self, number: int, row: AuditRow) -> AuditRow:
        """The audit row of the copy."""
        values = astuple(row)
        return AuditRow(
            number,
            *values[1:3],
            values[3] + self.profile,
            values[4] + self.profile,
            values[5] and values[5] + self.step,
            values[6] and values[6] + self.document,
            *values[7:],
        )

    def event(self, seq: int, event: Event) -> Event:
        """The event of the copy."""
        return Event(
            seq,
            event.time,
            event.brand,
            event.customer_id + self.profile,
            event.kyc_id + self.profile,
            event.kind,
            self.record(event.record),
        )


def multiply(folder: Path, seed: Seed, times: int, told: Told) -> Seed:
    """Add `times` - 1 copies of every profile and all that is its own to a base that nobody has open.

    They go through the store of the product, so that sums, links and heads are as a daemon leaves them. The keys of
    copied profiles and files are those of their models, and open nothing: no file of a copy can be read.
    `told(profiles)` says how many there are. Needs profiles, steps and customers that are numbered without gaps.
    """
    asyncio.run(_multiply(folder, times, told))
    multiply_files.multiply(folder, times)
    count, steps = len(seed.profiles), sum(len(held) for held in seed.steps)
    return Seed(
        [kyc_id + copy * count for copy in range(times) for kyc_id in seed.profiles],
        [[step_id + copy * steps for step_id in held] for copy in range(times) for held in seed.steps],
    )


async def _multiply(folder: Path, times: int, told: Told) -> None:
    store = SqliteStore(folder / "bases" / "kyc.db", heads=folder / HEADS)
    await store.open()
    try:
        snapshot = await store.load(lambda _table, _done, _total: None)
        model = await _model(store, snapshot)
        tallies = Tallies(lambda _kyc_id: ())
        tallies.load(*await store.tallies())
        counters, at_once = dict(snapshot.counters), max(1, BATCH_PROFILES // len(model.profiles))
        for first in range(1, times, at_once):
            last = min(first + at_once, times)
            batch = _batch(model, range(first, last), counters)
            await store.commit(batch)
            await store.maintain()
            tallies.count(batch.events, batch.counters["event"] - 1)
            counters = batch.counters
            told(last * len(model.profiles))
        # Counted as a daemon would have: else the first one over this base does nothing but count.
        kept, mark, _ = tallies.unkept()
        await store.keep_tallies(kept, mark, anew=False)
        await store.tell_head()
    finally:
        await store.close()


async def _model(store: SqliteStore, snapshot: Snapshot) -> _Model:
    profiles, documents = list(snapshot.profiles), list(snapshot.documents)
    numbers = list(range(1, len(profiles) + 1))
    if [profile.id for profile in profiles] != numbers or {profile.customer_id for profile in profiles} != set(numbers):
        raise ValueError("profiles and customers have gaps")
    rows, _, _ = await store.audit(AuditQuery(brands=None, limit=snapshot.counters["audit"]))
    events = await store.events_after(0, snapshot.counters["event"])
    held = await store.file_keys([document.file_id for document in documents])
    return _Model(
        profiles,
        list(snapshot.steps),
        documents,
        [row for row in reversed(rows) if row.kyc_id],
        [event for event in events if event.kyc_id],
        list(snapshot.profile_keys),
        list(held.values()),
    )


def _batch(model: _Model, copies: range, counters: dict[str, int]) -> Batch:
    batch = Batch(
        templates=TableChange([], []),
        template_texts=[],
        removed_templates=[],
        profiles=TableChange([], []),
        steps=TableChange([], []),
        documents=TableChange([], []),
        audit=[],
        events=[],
        idempotency=[],
        revocations=[],
        file_keys=[],
        keys=[],
        counters={},
    )
    for copy in copies:
        _copy(model, copy, batch, counters["audit"], counters["event"])
    batch.counters = counters | {
        "profile": len(model.profiles) * copies.stop + 1,
        "step": len(model.steps) * copies.stop + 1,
        "document": len(model.documents) * copies.stop + 1,
        "audit": counters["audit"] + len(batch.audit),
        "event": counters["event"] + len(batch.events),
    }
    return batch


def _copy(model: _Model, copy: int, batch: Batch, first_audit: int, first_seq: int) -> None:
    shift = _Shift(copy, copy * len(model.profiles), copy * len(model.steps), copy * len(model.documents))
    batch.profiles.inserted += map(shift.record, model.profiles)
    batch.steps.inserted += map(shift.record, model.steps)
    batch.documents.inserted += map(shift.record, model.documents)
    batch.audit += [shift.audit(id_, row) for id_, row in enumerate(model.audit, first_audit + len(batch.audit))]
    batch.events += [shift.event(seq, event) for seq, event in enumerate(model.events, first_seq + len(batch.events))]
    batch.keys += [ProfileKey(key.kyc_id + shift.profile, key.master, key.wrapped) for key in model.keys]
    batch.file_keys += [
        FileKey(multiply_files.uuid_of_copy(key.file_id, copy), key.kyc_id + shift.profile, key.wrapped)
        for key in model.file_keys
    ]
