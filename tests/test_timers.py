"""Timers: jobs repeat, survive their failures and end when told."""

import asyncio

import pytest

from kycmanager.timers import Timers


@pytest.fixture
async def timers():
    made = Timers()
    yield made
    await made.close()


async def test_a_job_runs_now_and_again(timers):
    ran = asyncio.Queue()
    timers.start("tick", 0.01, lambda: ran.put(1))
    for _ in range(3):
        await asyncio.wait_for(ran.get(), 2)


async def test_a_job_that_fails_is_tried_again(timers):
    turns = asyncio.Queue()

    async def job():
        await turns.put(1)
        raise RuntimeError("out of order")

    timers.start("broken", 0.001, job)
    for _ in range(3):
        await asyncio.wait_for(turns.get(), 2)


async def test_a_slow_job_does_not_overtake_itself(timers):
    running = most = 0

    async def job():
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1

    timers.start("slow", 0.001, job)
    timers.start("other", 0.001, lambda: asyncio.sleep(0))
    await asyncio.sleep(0.06)
    assert most == 1


async def test_closing_ends_a_job_half_way(timers):
    begun, ended = asyncio.Event(), []

    async def job():
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    timers.start("long", 60, job)
    await begun.wait()
    await timers.close()
    assert ended == [True]
    await timers.close()
