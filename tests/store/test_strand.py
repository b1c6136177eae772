"""The strand: batches, transactions, order, bounds and the end."""

import asyncio
import itertools

import pytest
import structlog

from kycmanager.domain.errors import Code, KycError, not_found
from kycmanager.store.strand import Work


async def test_what_waits_is_one_transaction(line):
    assert await asyncio.gather(*[line.put(customer) for customer in range(1, 101)]) == list(range(1, 101))
    (batch,) = line.store.batches
    assert [profile.id for profile in batch.profiles.inserted] == list(range(1, 101))
    assert [row.id for row in batch.audit] == [event.seq for event in batch.events] == list(range(1, 101))
    assert batch.counters["profile"] == batch.counters["audit"] == batch.counters["event"] == 101
    assert (line.strand.batches, line.strand.commands) == (1, 100)


async def test_what_comes_meanwhile_is_the_next_transaction(line):
    line.store.gate.clear()
    first = line.put(1)
    await asyncio.sleep(0.01)
    others = [line.put(customer) for customer in (2, 3)]
    assert line.strand.depth == 2
    line.store.gate.set()
    await asyncio.gather(first, *others)
    assert [len(batch.profiles.inserted) for batch in line.store.batches] == [1, 2]


async def test_a_batch_has_a_bound(open_line):
    line = await open_line(batch_max=10)
    await asyncio.gather(*[line.put(customer) for customer in range(1, 26)])
    assert [len(batch.profiles.inserted) for batch in line.store.batches] == [10, 10, 5]


async def test_commands_see_what_earlier_ones_of_the_batch_did(line, writes):
    def rename(changes, _now):
        held = changes.profile_of(1, "acme")
        writes.put_profile(changes, held.id, 1, status=held.status + 1)
        return held.status

    assert await asyncio.gather(line.put(1, status=2), line.post(rename), line.post(rename)) == [1, 2, 3]
    (batch,) = line.store.batches
    assert [profile.status for profile in batch.profiles.inserted] == [4]
    assert [event.record.status for event in batch.events] == [2, 3, 4]


async def test_a_refused_command_loses_only_its_own_changes(line, writes):
    def refuse(changes, _now):
        writes.put_profile(changes, changes.next_id("profile"), 9)
        writes.put_profile(changes, 1, 1, status=5)
        raise not_found("step")

    results = await asyncio.gather(line.put(1), line.post(refuse), line.put(3))
    assert (results[0], results[2]) == (1, 3)
    assert results[1].code is Code.NOT_FOUND
    (batch,) = line.store.batches
    assert [(profile.id, profile.status) for profile in batch.profiles.inserted] == [(1, 2), (3, 2)]
    assert [row.id for row in batch.audit] == [event.seq for event in batch.events] == [1, 2]


async def test_a_fault_is_handed_on_as_it_is(line):
    def fail(_changes, _now):
        raise ZeroDivisionError

    results = await asyncio.gather(line.post(fail), line.put(2))
    assert isinstance(results[0], ZeroDivisionError)
    assert line.stored() == [1]


async def test_nothing_changed_nothing_committed(line):
    assert await line.post(lambda _changes, now: now) == 1_800_000_000
    assert line.store.batches == []


async def test_a_value_the_base_cannot_take_fails_alone(line, writes):
    def odd(changes, _now):
        writes.put_profile(changes, changes.next_id("profile"), 2, comment="\ud800")

    def huge(changes, _now):
        writes.put_profile(changes, changes.next_id("profile"), 2**70)

    results = await asyncio.gather(line.put(1), line.post(odd), line.put(3), line.post(huge), line.put(5))
    for bad in (results[1], results[3]):
        assert (bad.code, bad.message) == (Code.INVALID_DATA, "data: holds a value that cannot be stored")
    assert [line.cache.profiles[results[place]].customer_id for place in (0, 2, 4)] == [1, 3, 5]
    assert [len(batch.audit) for batch in line.store.batches] == [1, 1, 1]
    assert [event.seq for committed in line.told for event in committed.events] == [1, 2, 3]
    assert len(line.cache.profiles) == 3


async def test_a_full_disk_changes_nothing(line):
    line.store.faults = ["full"]
    results = await asyncio.gather(line.put(1), line.put(2))
    assert {result.code for result in results} == {Code.STORAGE_FULL}
    assert line.stored() == line.told == []
    assert await line.put(3) == 1
    assert line.strand.healthy


async def test_a_full_disk_is_told_once_and_so_is_its_end(line):
    line.store.faults = ["full", "full"]
    assert not line.strand.full
    with structlog.testing.capture_logs() as lines:
        for customer in (1, 2):
            assert (await line.put(customer)).code is Code.STORAGE_FULL
            assert line.strand.full
        assert [await line.put(customer) for customer in (3, 4)] == [1, 2]
    assert not line.strand.full
    assert [(each["log_level"], each["event"]) for each in lines] == [
        ("warning", "the disk is full; writes are refused"),
        ("info", "the disk has room again; writes are taken"),
    ]


async def test_a_probe_finds_room_again(line):
    line.store.faults = ["full", "full"]
    assert (await line.put(1)).code is Code.STORAGE_FULL
    for full in (True, False, False):
        line.strand.probe()
        await line.post(lambda _changes, now: now)
        assert line.strand.full is full
    assert line.told[0].events == []
    assert await line.put(2) == 1
    assert line.cache.counters["template"] == (await line.base.reopen())["template"] == 2


async def test_a_full_queue_refuses_at_once(open_line):
    line = await open_line(queue_max=3)
    line.store.gate.clear()
    first = line.put(1)
    await asyncio.sleep(0.01)
    waiting = [line.put(customer) for customer in (2, 3, 4)]
    with pytest.raises(KycError) as caught:
        line.put(5)
    assert (caught.value.code, caught.value.code.status) == (Code.OVERLOADED, 503)
    assert (line.strand.depth, first.done()) == (3, False)
    line.store.gate.set()
    assert await asyncio.gather(first, *waiting) == [1, 2, 3, 4]
    await line.put(5)


async def test_the_end_finishes_what_waits_and_refuses_the_rest(open_line):
    line = await open_line(batch_max=2)
    taken = [line.put(customer) for customer in range(1, 8)]
    closing = asyncio.create_task(line.strand.close())
    await asyncio.sleep(0)
    with pytest.raises(KycError) as caught:
        line.put(9)
    assert (caught.value.code, caught.value.message) == (
        Code.SHUTDOWN, "The daemon is stopping; try again in a moment",
    )  # fmt: skip
    await closing
    assert [answer.result() for answer in taken] == list(range(1, 8))
    await line.strand.close()
    await line.strand.failed()


async def test_published_then_told_then_answered(line):
    def done(result):
        line.order.append(("answered", result, sorted(line.cache.profiles)))

    def run(changes, now):
        line.order.append(("ran", sorted(line.cache.profiles)))
        return changes.next_id("profile")

    line.strand.post(Work(run, done))
    first, second = line.put(1), line.put(2)
    first.add_done_callback(lambda _: None)
    await asyncio.gather(first, second)
    assert line.order == [("ran", []), ("told", 2), ("told", 3), ("answered", 1, [2, 3])]


async def test_followers_find_the_records_they_are_told_of(open_line):
    line = await open_line()
    seen = []
    line.strand._follow = lambda committed: seen.append(
        [line.cache.profiles[event.kyc_id] for event in committed.events]
    )
    await asyncio.gather(line.put(1), line.put(2))
    assert [[profile.customer_id for profile in each] for each in seen] == [[1, 2]]


async def test_reads_see_the_last_commit_while_a_batch_runs(line):
    await line.put(1, status=2)
    seen, running = [], True

    def slow(changes, _now):
        end = asyncio.get_running_loop().time() + 0.002
        while asyncio.get_running_loop().time() < end:
            pass
        changes.put_profile(line.cache.profiles[1])
        return line

    async def read():
        while running:
            seen.append((sorted(line.cache.profiles), asyncio.get_running_loop().time()))
            await asyncio.sleep(0)

    reader = asyncio.create_task(read())
    answers = [answer for number in range(2, 22) for answer in (line.post(slow), line.put(number))]
    await asyncio.gather(*answers)
    running = False
    await reader
    assert {len(profiles) for profiles, _ in seen} <= {1, 21}
    turns = [later[1] - earlier[1] for earlier, later in itertools.pairwise(seen)]
    assert sum(1 for profiles, _ in seen if len(profiles) == 1) > 10
    assert sorted(turns)[len(turns) // 2] < 0.05


async def test_numbers_go_on_after_a_restart(open_line):
    line = await open_line()
    await asyncio.gather(line.put(1), line.put(2))
    await line.close()
    again = await open_line()
    assert await again.put(3) == 3
    assert [event.seq for event in again.told[0].events] == [3]
    assert again.stored() == [1, 2, 3]


async def test_prepared_replies_of_what_changed_are_dropped(line, writes):
    await asyncio.gather(line.put(1), line.put(2))
    for kyc_id in (1, 2):
        line.replies.put("MngGetKycProfile", "json", kyc_id, "acme", b"x")
    await line.post(lambda changes, _now: writes.put_profile(changes, 1, 1, status=3))
    assert line.replies.get("MngGetKycProfile", "json", 1) is None
    assert line.replies.get("MngGetKycProfile", "json", 2) == b"x"
