"""The counted feed against a naive recount of all of it: random histories, kills at any moment, gaps, faults, versions."""

import asyncio
import math
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kycmanager.batches import Batch, TableChange
from kycmanager.domain import statistics
from kycmanager.domain.enums import DocumentStatus, StepStatus, StepType
from kycmanager.domain.records import NO_OBJECT, Claim, Document, Event, Step
from kycmanager.domain.statistics import DAY_SECONDS, TallyMark
from kycmanager.ports import DataFault, OutcomeUnknown, StoreFull
from kycmanager.store import follower as module
from kycmanager.store.follower import Follower
from kycmanager.store.sqlite import SqliteStore
from kycmanager.store.tallies import Tallies

BEGIN = 1_700_000_000
BRANDS = ("acme", "beta", "ö")
CASES = 3
OF_CASE = {kyc_id: (2 * kyc_id + 1, 2 * kyc_id + 2) for kyc_id in range(CASES)}
REQUIRED, PENDING, REJECTED, DONE = "required", "pending", "rejected", "done"
MOVES = {
    REQUIRED: ("step.submitted", "step.skipped", "step.approved", "step.saved"),
    PENDING: ("step.approved", "step.rejected", "document.rejected", "document.approved", "step.required"),
    REJECTED: ("step.submitted", "step.reopened", "step.saved"),
    DONE: ("step.required",),
}
AFTER = {
    "step.submitted": PENDING, "step.approved": DONE, "step.rejected": REJECTED, "step.reopened": PENDING,
    "step.skipped": DONE,
}  # fmt: skip


class World:
    """A feed that grows by random moves, each allowed, and a store that holds it."""

    def __init__(self, store):
        self.store = store
        self.events, self.told = [], 0
        self.now = BEGIN
        self.status, self.since = {}, {}

    def move(self, case, place, choice, wait):
        self.now += wait
        step_id, brand = OF_CASE[case][place], BRANDS[case]
        status = self.status.get(step_id, REQUIRED)
        moves = (*MOVES[status], "case.claimed")
        kind = moves[choice % len(moves)]
        self.status[step_id] = AFTER.get(kind, status)
        if kind == "step.submitted":
            self.since[step_id] = self.now
        if kind == "step.required" and status == DONE:
            self.status[step_id], self.since[step_id] = REQUIRED, 0
        self.events.append(
            Event(len(self.events) + 1, self.now, brand, case, case, kind, self.record(kind, step_id, case, choice))
        )

    def record(self, kind, step_id, case, choice):
        if kind == "case.claimed":
            return Claim(case, 9, 1, self.now, self.now + 600)
        if kind.startswith("document"):
            return Document(8, case, case, step_id, BRANDS[case], "", DocumentStatus.REJECTED, "f", "", "", 1, "", 0, 0, 0, 0, "", "", 0, 1)  # fmt: skip
        return Step(
            step_id, case, case, BRANDS[case], 1, 1, choice % 3 + 1, "id", "id", StepType.MANUAL, 1, 0, StepStatus.PENDING,
            NO_OBJECT, self.since.get(step_id, 0), 0, 0, 0, 0, ("", "blurred", "=1")[choice % 3], "", 0, 1,
        )  # fmt: skip

    async def commit(self):
        fresh = self.events[self.told :]
        if fresh:
            nothing = TableChange([], [])
            await self.store.commit(
                Batch(
                    templates=nothing, template_texts=[], removed_templates=[], profiles=nothing, steps=nothing,
                    documents=nothing, audit=[], events=fresh, idempotency=[], revocations=[],
                    counters={"event": len(self.events) + 1},
                )
            )  # fmt: skip
            self.told = len(self.events)
        return fresh

    def waiting(self):
        """Which steps wait now, since when."""
        return {step_id: self.since[step_id] for step_id, status in self.status.items() if status == PENDING}

    async def follower(self):
        tallies = Tallies(lambda kyc_id: OF_CASE.get(kyc_id, ()))
        made = Follower(tallies, self.store, lambda: self.told)
        await made.open(self.waiting())
        return made, tallies


def recount(events):
    """Count a whole feed once more, as simply as can be: {(brand, day): facts}, with every time exact."""
    days = defaultdict(lambda: {"numbers": Counter(), "first_touch": [], "decision": []})
    for place, event in enumerate(events):
        day = days[event.brand, event.time // DAY_SECONDS]
        record = event.record
        if event.kind in {"step.approved", "step.rejected", "step.skipped"}:
            day["numbers"][event.kind, record.reason] += 1
            day["numbers"]["level", record.level] += event.kind == "step.approved"
            if record.submitted_time:
                day["decision"].append(event.time - record.submitted_time)
        elif event.kind in {"step.submitted", "step.reopened"}:
            day["numbers"][event.kind] += 1
        if event.kind == "step.submitted":
            touch = first_touch(events[place + 1 :], record)
            if touch is not None:
                days[touch.brand, touch.time // DAY_SECONDS]["first_touch"].append(touch.time - event.time)
    return days


def first_touch(later, step):
    for event in later:
        if event.kind == "case.claimed" and event.kyc_id == step.kyc_id:
            return event
        if event.kind in {"step.approved", "step.rejected"} and event.record.id == step.id:
            return event
        if event.kind in {"document.approved", "document.rejected"} and event.record.step_id == step.id:
            return event
    return None


def check(tallies, events):
    """Hold the tallies against the recount: every number is the same, every time within 5 %."""
    expected = {key: day for key, day in recount(events).items() if any(day.values())}
    found = {}
    for (brand, number), tally in tallies._counting.days.items():
        numbers = Counter({(f"step.{kind}", reason): count for kind, held in tally.decisions.items() for reason, count in held.items()})  # fmt: skip
        numbers += Counter({("level", level): count for level, count in tally.levels.items()})
        numbers += Counter({"step.submitted": tally.submitted, "step.reopened": tally.reopened})
        found[brand, number] = numbers, tally
    assert found.keys() == {key for key, day in expected.items() if +day["numbers"] or day["first_touch"]}
    for key, (numbers, tally) in found.items():
        day = expected[key]
        assert numbers == +day["numbers"]
        for counted, exact in ((tally.first_touch, day["first_touch"]), (tally.decision, day["decision"])):
            assert sum(counted.values()) == len(exact)
            for percent in (50, 90) if exact else ():
                true = sorted(exact)[math.ceil(len(exact) * percent / 100) - 1]
                assert abs(statistics.quantiles(counted, percent)[0] - true) <= 0.05 * true
    for day in {number for _, number in found}:
        total = statistics.DayTally()
        for (_, number), (_, tally) in found.items():
            if number == day:
                statistics.merge(total, tally)
        assert tallies.days(None, day, day) == [(day, total)]
        assert tallies.days(BRANDS, day, day) == [(day, total)]


MOVE = st.tuples(
    st.integers(0, CASES - 1), st.integers(0, 1), st.integers(0, 8), st.sampled_from([0, 1, 30, 3000, 90_000])
)
ACTS = st.lists(
    st.one_of(st.lists(MOVE, min_size=1, max_size=8), st.sampled_from(["count", "keep", "kill", "stop", "forget", "anew"])),
    max_size=14,
)  # fmt: skip


async def play(acts):
    """Let a feed grow, be counted, kept, lost; whatever happens the end is the recount."""
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "kyc.db")
        await store.open()
        try:
            world = World(store)
            follower, tallies = await world.follower()
            for act in acts:
                if isinstance(act, list):
                    for move in act:
                        world.move(*move)
                    follower.take(await world.commit())
                elif act == "count":
                    await follower._count()
                elif act == "keep":
                    await follower._count()
                    await follower.keep()
                elif act == "forget":
                    follower._held.clear()
                else:
                    if act == "stop":
                        await follower.close()
                    if act == "anew":
                        await store.keep_tallies([], TallyMark(99, 1), anew=False)
                    follower, tallies = await world.follower()
            await follower.close()
            check(tallies, world.events)
            assert follower.behind == 0
            follower, tallies = await world.follower()
            assert follower.behind == 0
            check(tallies, world.events)
            assert tallies._counting.untouched.keys() | tallies._counting.touched == world.waiting().keys()
        finally:
            await store.close()


@settings(max_examples=60, deadline=None)
@given(ACTS)
def test_whatever_happens_what_was_counted_is_the_recount_of_the_feed(acts):
    asyncio.run(play(acts))


@pytest.fixture
async def world(tmp_path):
    store = SqliteStore(tmp_path / "kyc.db")
    await store.open()
    yield World(store)
    await store.close()


async def grow(world, number):
    for place in range(number):
        world.move(place % CASES, place // CASES % 2, place * 7 % 11, place * 37 % 997)
    return await world.commit()


async def test_a_count_anew_goes_in_steps_and_lets_others_on(world, monkeypatch):
    monkeypatch.setattr(module, "READ_EVENTS", 100)
    for _ in range(30):
        await grow(world, 40)
    follower, tallies = await world.follower()
    seen = []

    async def look():
        while follower.behind:
            seen.append(follower.behind)
            await asyncio.sleep(0)

    await asyncio.gather(follower.follow(), look())
    assert len(set(seen)) >= 10
    check(tallies, world.events)
    assert (await world.store.tallies())[1].cursor == 1200


async def test_a_count_anew_replaces_what_an_older_version_has_left(world):
    await grow(world, 50)
    strange = statistics.KeptTally("gone", 1, {"submitted": 5})
    await world.store.keep_tallies([strange], TallyMark(statistics.VERSION + 1, 50), anew=True)
    follower, tallies = await world.follower()
    assert follower.behind == 50
    await follower.follow()
    check(tallies, world.events)
    kept, mark = await world.store.tallies()
    assert "gone" not in {each.brand for each in kept}
    assert (mark.version, mark.cursor) == (statistics.VERSION, 50)


async def test_a_cursor_behind_the_feed_begins_anew(world):
    await grow(world, 20)
    await world.store.keep_tallies([], TallyMark(statistics.VERSION, 900), anew=True)
    follower, tallies = await world.follower()
    await follower.close()
    check(tallies, world.events)


async def test_too_many_events_in_memory_are_read_from_the_base(world, monkeypatch):
    monkeypatch.setattr(module, "HELD_MAX", 50)
    follower, tallies = await world.follower()
    for _ in range(10):
        follower.take(await grow(world, 17))
    assert follower._held_events <= 50
    await follower.follow()
    check(tallies, world.events)


async def test_a_count_that_is_cut_off_goes_on_where_it_was(world, monkeypatch):
    monkeypatch.setattr(module, "TURN_EVENTS", 10)
    follower, tallies = await world.follower()
    follower.take(await grow(world, 95))
    work = asyncio.create_task(follower.follow())
    while tallies.cursor < 30:
        await asyncio.sleep(0)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert 0 < follower.behind < 95
    follower.take(await grow(world, 5))
    await follower.close()
    check(tallies, world.events)


async def test_what_was_counted_is_kept_though_more_comes_all_the_time(world, monkeypatch):
    follower, _ = await world.follower()
    follower.take(await grow(world, 20))
    count_held = follower._count_held

    async def more():
        await count_held()
        follower.take(await grow(world, 20))

    monkeypatch.setattr(follower, "_count_held", more)
    await follower.follow()
    assert ((await world.store.tallies())[1].cursor, follower.behind) == (20, 20)


async def test_a_long_count_anew_is_not_waited_for_at_the_end(world, monkeypatch):
    monkeypatch.setattr(module, "READ_EVENTS", 100)
    for _ in range(4):
        await grow(world, 40)
    follower, _ = await world.follower()
    await follower.close()
    assert (await world.store.tallies())[1] is None
    monkeypatch.setattr(module, "TAIL_MAX", 10)
    follower, tallies = await world.follower()
    await follower.follow()
    check(tallies, world.events)


class Failing:
    """The store, but what is kept fails."""

    def __init__(self, store, fault):
        self._store, self.fault = store, fault

    def __getattr__(self, name):
        return getattr(self._store, name)

    async def keep_tallies(self, *arguments, **named):
        if self.fault is not None:
            raise self.fault
        await self._store.keep_tallies(*arguments, **named)


@pytest.mark.parametrize("fault", [StoreFull("full"), OutcomeUnknown("lost")])
async def test_what_cannot_be_kept_now_is_kept_later(world, fault):
    store = world.store
    world.store = Failing(store, fault)
    world.store.commit = store.commit
    follower, tallies = await world.follower()
    follower.take(await grow(world, 30))
    await follower.follow()
    assert (await store.tallies())[1] is None
    world.store.fault = None
    await follower.keep()
    check(tallies, world.events)
    _, again = await world.follower()
    check(again, world.events)


async def test_after_a_fault_nobody_expected_the_follower_rests(world):
    store = world.store
    world.store = Failing(store, DataFault("odd"))
    world.store.commit = store.commit
    follower, _ = await world.follower()
    follower.take(await grow(world, 10))
    with pytest.raises(DataFault):
        await follower.follow()
    world.store.fault = None
    follower.take(await grow(world, 10))
    await follower.follow()
    assert follower.behind == 10
    await follower.close()
    assert (await store.tallies())[1].cursor == 20


async def test_nothing_is_written_without_events(world):
    follower, _ = await world.follower()
    await follower.follow()
    await follower.close()
    assert await world.store.tallies() == ([], None)
    await Follower(Tallies(lambda _: ()), world.store, lambda: 0).close()


async def test_nothing_is_kept_twice(world):
    follower, _ = await world.follower()
    follower.take(await grow(world, 30))
    await follower.follow()
    writes = []
    world.store.keep_tallies = writes.append
    await follower.keep()
    assert writes == []


def test_brands_nobody_sees_have_no_days():
    tallies = Tallies(lambda _: ())
    tallies.load([statistics.KeptTally("acme", 5, msgspec.to_builtins(statistics.DayTally(submitted=2)))], TallyMark(statistics.VERSION, 3))  # fmt: skip
    assert tallies.days((), 0, 9) == []
    assert [(day, tally.submitted) for day, tally in tallies.days(("acme", "none"), 0, 9)] == [(5, 2)]
