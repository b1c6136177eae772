"""The strand when the base fails half way, and when the strand itself does."""

import asyncio
import contextlib

import pytest

from kycmanager.domain.errors import Code, KycError
from kycmanager.store.strand import Work


@pytest.mark.parametrize(("fault", "arrived"), [("lost", False), ("arrived", True)])
async def test_an_unknown_outcome_is_found_out(line, fault, arrived):
    await line.put(1)
    line.store.faults = [fault]
    results = await asyncio.gather(line.put(2), line.put(3))
    assert {result.code for result in results} == {Code.OUTCOME_UNKNOWN}
    fourth = await answered(line, 4)
    assert line.strand.healthy
    assert [line.cache.profiles[kyc_id].customer_id for kyc_id in line.stored()] == (
        [1, 2, 3, 4] if arrived else [1, 4]
    )
    seqs = [event.seq for committed in line.told for event in committed.events]
    assert seqs == list(range(1, len(seqs) + 1))
    assert line.cache.profiles[fourth].customer_id == 4
    stored = await line.base.events_after(0, 100)
    assert [event.kyc_id for event in stored] == line.stored()


async def answered(line, customer):
    """Try until the base is back."""
    while True:
        with contextlib.suppress(KycError):
            return await line.put(customer)
        await asyncio.sleep(0.01)


async def test_no_write_is_taken_until_the_base_is_back(line):
    line.store.faults, line.store.reopen_failures = ["lost"], 1
    line.store.gate.clear()
    first = line.put(1)
    await asyncio.sleep(0.01)
    waiting = line.put(2)
    line.store.gate.set()
    assert (await first).code is Code.OUTCOME_UNKNOWN
    assert (await waiting).code is Code.OVERLOADED
    assert not line.strand.healthy
    with pytest.raises(KycError) as caught:
        line.put(3)
    assert caught.value.code is Code.OVERLOADED
    assert await answered(line, 4) == 1
    assert line.strand.healthy


async def test_the_callers_are_told_before_the_base_is_back(line):
    line.store.faults, line.store.reopen_failures = ["arrived"], 2
    assert (await asyncio.wait_for(line.put(1), 0.15)).code is Code.OUTCOME_UNKNOWN
    assert line.stored() == []
    assert await answered(line, 2) == 2
    assert line.stored() == [1, 2]


async def test_an_unknown_outcome_among_commands_run_apart(line, writes):
    def odd(changes, _now):
        writes.put_profile(changes, changes.next_id("profile"), 2, comment="\ud800")

    line.store.faults = ["", "arrived"]  # the batch as one fails by its value, then the first alone by the disk
    results = await asyncio.gather(line.put(1), line.post(odd), line.put(3))
    assert [result if isinstance(result, int) else result.code for result in results] == [
        Code.OUTCOME_UNKNOWN, Code.INVALID_DATA, 2,
    ]  # fmt: skip
    assert sorted(profile.customer_id for profile in line.cache.profiles.values()) == [1, 3]


async def test_closing_does_not_wait_for_a_base_that_stays_away(open_line):
    line = await open_line()
    line.store.faults, line.store.reopen_failures = ["lost"], 1_000_000
    assert (await line.put(1)).code is Code.OUTCOME_UNKNOWN
    await asyncio.wait_for(line.strand.close(), 2)
    assert not line.strand.healthy


async def given_up(line):
    with pytest.raises(ZeroDivisionError):
        await line.strand.failed()
    assert not line.strand.healthy
    with pytest.raises(KycError) as caught:
        line.put(99)
    assert caught.value.code is Code.SHUTDOWN
    with pytest.raises(ZeroDivisionError):
        await line.strand.close()
    line.strand._task = None


async def test_an_unexpected_fault_ends_the_strand_and_answers_everybody(open_line):
    line = await open_line(batch_max=2)
    line.store.faults = [ZeroDivisionError()]
    results = await asyncio.gather(*[line.put(customer) for customer in range(1, 6)])
    assert {result.code for result in results} == {Code.OUTCOME_UNKNOWN}
    await given_up(line)


async def test_a_follower_that_fails_ends_the_strand(line):
    def follow(_committed):
        raise ZeroDivisionError

    line.strand._follow = follow
    assert (await line.put(1)).code is Code.OUTCOME_UNKNOWN
    await given_up(line)


async def test_a_caller_that_cannot_be_answered_does_not(line):
    gone = asyncio.get_running_loop().create_future()
    gone.cancel()
    line.strand.post(Work(lambda _changes, now: now, gone.set_result))
    assert await line.put(1) == 1


async def test_a_strand_that_gives_up_answers_those_it_can(line):
    gone = asyncio.get_running_loop().create_future()
    gone.cancel()
    line.store.faults = [ZeroDivisionError()]
    answers = [line.put(1)]
    line.strand.post(Work(lambda _changes, now: now, gone.set_result))
    answers.append(line.put(2))
    assert {answer.code for answer in await asyncio.gather(*answers)} == {Code.OUTCOME_UNKNOWN}
    await given_up(line)


async def test_failing_upkeep_does_not(line):
    line.store.upkeep_fault = ValueError("no active connection")
    assert await asyncio.gather(line.put(1), line.put(2)) == [1, 2]
    line.store.upkeep_fault = None
    assert await line.put(3) == 3


async def test_a_strand_that_never_started_closes(tmp_path, open_line):
    line = await open_line()
    await line.strand.close()
    await line.strand.close()
    await line.strand.failed()
