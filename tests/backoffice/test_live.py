"""Server-sent events: a page is told what it may see, bounded however slowly it reads, until its sign-in ends."""

import asyncio
import json

import aiohttp
import pytest

from kycmanager.backoffice import live
from kycmanager.backoffice.live import NAMED_MAX, STREAMS_MAX, Live
from kycmanager.domain.enums import SessionType
from kycmanager.domain.session import Session


class Stream:
    def __init__(self, answer):
        self.answer = answer

    async def next(self):
        """Return (event, data) of the next message that is one."""
        event = ""
        while True:
            line = (await asyncio.wait_for(self.answer.content.readline(), 10)).decode()
            if not line:
                return None
            if line.startswith("event: "):
                event = line.removeprefix("event: ").strip()
            elif line.startswith("data: "):
                return event, json.loads(line.removeprefix("data: "))


@pytest.fixture
async def listen():
    opened = []

    async def start(visitor):
        answer = await visitor.opening("GET", "/backoffice/events", timeout=aiohttp.ClientTimeout())
        opened.append(answer)
        if answer.status == 200:
            assert answer.headers["Content-Type"] == "text/event-stream"
            assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
            assert (await answer.content.readline()).startswith(b"retry: ")
        return Stream(answer)

    yield start
    for each in opened:
        each.close()


async def test_a_page_is_told_of_what_its_reader_may_see(office, ann, listen):
    stream = await listen(ann)
    await office.template("acme")
    await office.case(7, brand="zeta")
    kyc_id = await office.case(8)
    event, told = await stream.next()
    while kyc_id not in told["profiles"]:
        event, told = await stream.next()
    assert event == "change"
    assert set(told["profiles"]) <= {0, kyc_id}
    assert told["more"] is False


@pytest.mark.parametrize("how", ["disabled", "signed out", "revoked"])
async def test_a_stream_ends_with_its_sign_in(office, ann, listen, how):
    stream = await listen(ann)
    if how == "disabled":
        await office.local("SysSetUser", {"name": "ann", "enabled": False})
    elif how == "revoked":
        await office.local("SysRevokeSubject", {"session": 1, "sub": 1, "not_before": office.now + 1})
    else:
        await ann.get("/account")
        await ann.post("/sign-out")
    assert await stream.next() == ("end", {})
    assert await stream.next() is None
    assert office.app.backoffice.live.count == 0


async def test_a_stream_looks_whether_it_has_run_out(office, ann, listen, monkeypatch):
    monkeypatch.setattr(live, "BEAT_SECONDS", 0.05)
    stream = await listen(ann)
    assert (await stream.answer.content.readline()).strip() == b""
    assert (await stream.answer.content.readline()).strip() == b":"
    office.now += 11 * 3600
    assert await stream.next() == ("end", {})


async def test_too_many_streams_of_one_sign_in_are_refused(office, ann, listen):
    for _ in range(STREAMS_MAX):
        assert (await listen(ann)).answer.status == 200
    answer = await ann.get("/events")
    assert (answer.status, "Too many pages are open" in answer.words) == (429, True)


async def test_a_stop_does_not_wait_for_open_pages(open_office, visitors, listen):
    office = await open_office()
    await office.user()
    visitor = visitors(office)
    await visitor.sign_in()
    stream = await listen(visitor)
    async with asyncio.timeout(4):  # the drain would wait for 5 seconds
        await office.app.close()
    assert await stream.next() is None


class Event:
    def __init__(self, kyc_id):
        self.brand, self.customer_id, self.kyc_id = "acme", 7, kyc_id


class Slow:
    """A response whose reader takes what is written only when it is let."""

    def __init__(self):
        self.written = []
        self.reads = asyncio.Event()
        self.reads.set()

    async def prepare(self, _request):
        return None

    async def write(self, data):
        self.written.append(data)
        await self.reads.wait()


async def test_what_a_slow_page_is_owed_is_bounded(monkeypatch):
    monkeypatch.setattr(live, "PAUSE_SECONDS", 0)
    feed, response = Live(lambda _login: True, int), Slow()
    session = Session(sub=1, type=SessionType.MANAGER, brands=None)
    serving = asyncio.ensure_future(feed.serve(None, response, session, 1))
    await asyncio.sleep(0)
    response.reads.clear()
    for kyc_id in range(10_000):
        feed.publish([Event(kyc_id)])
        await asyncio.sleep(0)
    assert len(response.written) <= 2
    (stream,) = feed._streams
    assert len(stream.changed) == NAMED_MAX
    response.reads.set()
    while stream.changed:
        await asyncio.sleep(0)
    feed.close()
    await serving
    told = json.loads(response.written[-1].partition(b"data: ")[2])
    assert (len(told["profiles"]), told["more"]) == (NAMED_MAX, True)
