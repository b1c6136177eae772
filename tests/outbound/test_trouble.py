"""The base is busy, full or failing, a call cannot be made at all: nothing is lost, and nothing is told twice."""

import asyncio

import pytest
from sender import DAY

from kycmanager.domain.errors import Code, KycError
from kycmanager.domain.outbound import PAUSE_SECONDS_MAX
from kycmanager.outbound import follower, sender
from kycmanager.outbound.follower import CURSOR_EVENTS


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    for module in (follower, sender):
        monkeypatch.setattr(module, "AGAIN_SECONDS", 0.01)


def refusing(sending, times, code, *, after=False):
    """Have the next writes of the worker refused, `after` they were made or instead of it."""
    real, left = sending.outbound.sender._run, [times]

    async def run(command, data):
        if left[0] and command in {"SysQueueDeliveries", "SysSettleDelivery"}:
            left[0] -= 1
            if after:
                await real(command, data)
            raise KycError(code, "refused")
        return await real(command, data)

    sending.outbound.sender._run = run
    for each in sending.outbound.followers:
        each._run = run
    return left


@pytest.mark.parametrize("code", [Code.OVERLOADED, Code.STORAGE_FULL, Code.OUTCOME_UNKNOWN])
@pytest.mark.parametrize("after", [False, True])
async def test_what_is_refused_is_written_later_and_once(sending, receiver, code, after):
    left = refusing(sending, 3, code, after=after)
    seqs = [await sending.happens(7, risk) for risk in (1, 2, 3)]
    await receiver.calls_are(3)
    await sending.quiet()
    assert left == [0]
    assert [call.seq for call in receiver.calls] == seqs
    assert await sending.states() == ["delivered"] * 3


async def test_when_the_daemon_stops_nothing_more_is_begun(sending, receiver):
    await sending.happens(7, 1)
    await receiver.calls_are(1)
    await sending.quiet()
    refusing(sending, 0, Code.SHUTDOWN)
    real = sending.outbound.sender._run

    async def run(command, data):
        if command == "SysSettleDelivery":
            raise KycError(Code.SHUTDOWN, "stopping")
        return await real(command, data)

    sending.outbound.sender._run = run
    await sending.happens(7, 2)
    await sending.happens(7, 3)
    await receiver.calls_are(2)
    async with asyncio.timeout(10):
        while not sending.outbound.sender.idle:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    assert len(receiver.calls) == 2


async def test_a_feed_that_cannot_be_read_is_read_later(open_sending, receiver, monkeypatch):
    sending = await open_sending(receiver.url, waiting_max=1)
    (following,) = sending.outbound.followers
    real, failures = following._feed.events_after, [2]

    class Feed:
        async def events_after(self, seq, limit):
            if failures[0]:
                failures[0] -= 1
                raise OSError("gone")
            return await real(seq, limit)

    following._feed = Feed()
    seqs = [await sending.happens(7, risk) for risk in (1, 2, 3, 1)]
    calls = await receiver.calls_are(4)
    await sending.quiet()
    assert [call.seq for call in calls] == seqs
    assert failures == [0]


async def test_one_that_cannot_be_made_does_not_hold_up_the_others(sending, receiver, monkeypatch):
    channel = sending.outbound.sender._channels["webhooks.crm"][0]
    real = channel.outgoing

    async def outgoing(delivery, now):
        if delivery.customer_id == 7:
            raise LookupError("no such thing")
        return await real(delivery, now)

    monkeypatch.setattr(channel, "outgoing", outgoing)
    await sending.happens(7)
    await sending.happens(8)
    await receiver.calls_are(1)
    await sending.quiet()
    outcomes = {row["customer_id"]: row["outcome"] for row in await sending.deliveries()}
    assert outcomes == {7: "internal", 8: "200"}


async def test_a_channel_that_fails_ends_nothing(sending, receiver, monkeypatch):
    (following,) = sending.outbound.followers
    real = following._channel.news

    def news(event, mark_of):
        if event.customer_id == 7:
            raise LookupError("no such thing")
        return real(event, mark_of)

    monkeypatch.setattr(following._channel, "news", news)
    await sending.happens(7)
    await sending.happens(8)
    (call,) = await receiver.calls_are(1)
    await sending.quiet()
    assert call.data["customer_id"] == 8
    assert await sending.states() == ["delivered"]


async def test_what_means_nothing_moves_the_cursor_now_and_then(open_sending, receiver):
    sending = await open_sending(receiver.url, endpoint={"events": ["note.*"]})
    await sending.quiet()
    cursors = sending.app.core.cache.outbound.cursors
    first = cursors["webhooks.crm"]
    last = await sending.happens()
    assert cursors["webhooks.crm"] == first
    (following,) = sending.outbound.followers
    following._position = last + CURSOR_EVENTS
    following._look_at([])
    async with asyncio.timeout(10):
        while cursors["webhooks.crm"] == first:
            await asyncio.sleep(0.01)
    assert await sending.deliveries() == []


async def test_many_at_once_are_queued_in_parts_but_an_event_never(open_sending, receiver, monkeypatch):
    monkeypatch.setattr(follower, "POST_DELIVERIES_MAX", 2)
    sending = await open_sending(receiver.url)
    (following,) = sending.outbound.followers
    rows = [{"seq": seq} for seq in (1, 1, 1, 2, 3, 3)]
    following._pending = list(rows)
    parts = []
    while following._pending:
        part = following._next_ones()
        parts.append([row["seq"] for row in part])
        del following._pending[: len(part)]
    assert parts == [[1, 1, 1], [2, 3, 3]]
    await asyncio.gather(*[sending.happens(customer) for customer in range(1, 10)])
    await receiver.calls_are(9)
    await sending.quiet()
    assert await sending.states() == ["delivered"] * 9


async def test_a_settled_one_is_not_settled_again(sending, receiver):
    await sending.happens()
    await receiver.calls_are(1)
    await sending.quiet()
    await sending.local("SysSettleDelivery", {"id": 1, "state": "dead", "outcome": "500"})
    await sending.local("SysSettleDelivery", {"id": 99, "state": "dead", "outcome": "500"})
    assert await sending.states() == ["delivered"]


async def test_a_daemon_that_stops_lets_a_call_end(sending, receiver):
    async def slowly(_request, _call):
        from aiohttp import web

        await asyncio.sleep(0.2)
        return web.Response()

    receiver.answer = slowly
    await sending.happens()
    await receiver.calls_are(1)
    await sending.app.close()
    assert sending.rows("SELECT state, outcome FROM outbound") == [(1, "200")]


async def test_a_call_that_does_not_end_is_made_again_after_the_start(open_sending, receiver, monkeypatch):
    from kycmanager.outbound import worker

    monkeypatch.setattr(worker, "DRAIN_SECONDS", 0.05)
    sending = await open_sending(receiver.url)
    held = asyncio.Event()

    async def never(_request, _call):
        await held.wait()

    receiver.answer = never
    await sending.happens()
    await receiver.calls_are(1)
    await sending.app.close()
    held.set()
    receiver.answer = 200
    again = await open_sending(receiver.url)
    calls = await receiver.calls_are(2)
    await again.quiet()
    assert calls[0].headers["X-Kyc-Delivery"] == calls[1].headers["X-Kyc-Delivery"]
    assert await again.states() == ["delivered"]


async def test_a_replay_while_it_is_being_sent_begins_its_day_anew(sending, receiver):
    receiver.answer = 500
    await sending.happens()
    await sending.quiet()
    sending.now += DAY
    await sending.run("MngReplayKycDelivery", {"id": 1})
    await sending.quiet()
    assert await sending.states() == ["waiting"]
    await sending.later(DAY - PAUSE_SECONDS_MAX)
    assert await sending.states() == ["waiting"]
    await sending.later(PAUSE_SECONDS_MAX)
    assert await sending.states() == ["dead"]
