"""Pushes: who gets what, once, in order, without gaps, and never at the cost of those who read."""

import asyncio
import json

import pytest

from kycmanager.domain.enums import SessionType
from kycmanager.transports import channels, push
from kycmanager.transports.control import run_local


async def subscribed(daemon, *names, token="", kind=None, **data):
    client = await daemon.connect(token, **({"kind": kind} if kind else {}))
    await client.good("Subscribe", {"chanels": list(names)} | data)
    return client


async def risk(client, level, customer=42, brand="acme"):
    await client.good("MngSetKycRisk", {"customer_id": customer, "brand": brand, "risk_level": level})


async def test_market_symbols_are_taken_and_forgotten(daemon, client):
    for key in ("chanels", "channels"):
        reply = await client.ask("Subscribe", {key: ["EURUSD", "kyc:", "kyc:a:b:c", "kyc:a:x"]})
        assert (reply["status"], reply["data"]) == (200, {"accepted": True})
    assert daemon.app.hub._followers == {}
    assert (await client.ask("Unsubscribe", {"chanels": ["EURUSD", "kyc"]}))["status"] == 200


async def test_life_of_a_step_as_a_manager_sees_it(daemon, client):
    listener = await subscribed(daemon, "kyc")
    _, (step_id,) = await daemon.profile(client)
    await client.good("MngApproveKycStep", {"id": step_id, "reason": "ok", "comment": "inside"})
    names = ("template.added", "step.required", "profile.updated", "step.approved")
    added, required, updated, approved = [await listener.push() for _ in names]
    assert [each["data"]["kind"] for each in (added, required, updated, approved)] == list(names)
    assert [each["type"] for each in (added, required, updated, approved)] == [0, 0, 1, 1]
    assert [each["data"]["seq"] for each in (added, required, updated, approved)] == [1, 2, 3, 4]
    assert {each["event"] for each in (added, required, updated, approved)} == {"kyc:event"}
    record = approved["data"]["record"]
    assert record["comment"] == "inside"
    assert record["reviewed_by"] == 7
    assert "form_schema" in record
    assert record == (await client.good("MngGetKycStep", {"id": step_id}))["step"]
    trigger = await listener.push()
    assert (trigger["event"], trigger["type"]) == ("kyc.step.approved", 1)
    assert trigger["data"] == {
        "seq": 4,
        "customer_id": 42,
        "brand": "acme",
        "code": "s0",
        "level": 1,
        "kyc_status": 3,
        "kyc_current_level": 1,
    }
    after = await listener.push()
    assert after["data"]["record"]["status"] == 3
    assert await listener.silent()


async def test_rejected_trigger_and_types_of_templates(daemon, client):
    _, (step_id,) = await daemon.profile(client)
    listener = await subscribed(daemon, "kyc:acme")
    await client.good("MngApproveKycStep", {"id": step_id})
    template = (await client.good("MngGetKycStepTemplates"))["rows"][0]["id"]
    await client.good("MngDeleteKycStepTemplate", {"id": template})
    data = {"brand": "acme", "code": "unused", "level": 1}
    unused = (await client.good("MngAddKycStepTemplate", data))["template"]["id"]
    await client.good("MngUpdateKycStepTemplate", {"id": unused, "name": "n"})
    await client.good("MngDeleteKycStepTemplate", {"id": unused})
    pushes = [await listener.push() for _ in range(7)]
    kinds = [(each["data"]["kind"], each["type"]) for each in pushes[3:]]
    assert kinds == [("template.archived", 4), ("template.added", 0), ("template.updated", 1), ("template.deleted", 2)]


async def test_channels_and_brands(daemon):
    both = await daemon.connect(daemon.token(brands=None))
    one = await subscribed(daemon, "kyc", "kyc:other", token=daemon.token(brands=["acme"]))
    brand = await subscribed(daemon, "kyc:other", token=daemon.token(brands=None))
    person = await subscribed(daemon, "kyc:acme:42", "kyc:acme", "kyc", token=daemon.token(brands=None))
    await daemon.profile(both, 42, "acme")
    await daemon.profile(both, 43, "other")
    assert [(await one.push())["data"]["brand"] for _ in range(3)] == ["acme"] * 3
    assert await one.silent()
    assert [(await brand.push())["data"]["brand"] for _ in range(3)] == ["other"] * 3
    assert await brand.silent()
    assert [(await person.push())["data"]["seq"] for _ in range(6)] == [1, 2, 3, 4, 5, 6]
    assert await person.silent()


async def test_customer_sees_the_own_channel_without_what_is_internal(daemon, client):
    token = daemon.token(SessionType.CUSTOMER, 42)
    customer = await subscribed(daemon, "kyc:acme:42", token=token)
    for other in ("kyc", "kyc:acme", "kyc:acme:43", "kyc:other:42"):
        assert (await customer.ask("Subscribe", {"chanels": [other]}))["status"] == 403
    _, (step_id,) = await daemon.profile(client)
    await daemon.profile(client, customer=43)
    await client.good("MngApproveKycStep", {"id": step_id, "comment": "inside"})
    pushes = [await customer.push() for _ in range(4)]
    assert [each["data"]["kind"] for each in pushes] == [
        "step.required",
        "profile.updated",
        "step.approved",
        "profile.updated",
    ]
    assert {each["event"] for each in pushes} == {"kyc:event"}
    assert not {"comment", "reviewed_by"} & pushes[2]["data"]["record"].keys()
    assert b"inside" not in b"".join(customer.raw)
    assert await customer.silent()


async def test_documents_in_the_view_of_their_customer(daemon, client):
    from storagemanager import Owner

    kyc_id, _ = await daemon.profile(client)
    manager = await subscribed(daemon, "kyc")
    customer = await subscribed(daemon, "kyc:acme:42", token=daemon.token(SessionType.CUSTOMER, 42))
    upload = daemon.app.core.storage.receive(
        original_name="a.txt",
        declared_type="text/plain",
        owner=Owner(kind="customer", id=42, brand="acme"),
        purpose="",
        scope=0,
    )
    await upload.write(b"a contract\n")
    file_id = (await upload.finish()).uuid
    await client.good("MngAddKycDocument", {"kyc_id": kyc_id, "file_id": file_id})
    seen, shown = (await customer.push()), (await manager.push())
    assert (seen["type"], seen["data"]["kind"]) == (0, "document.added")
    assert "comment" in shown["data"]["record"]
    assert not {"comment", "reviewed_by"} & seen["data"]["record"].keys()


async def test_traps_in_pushes(daemon, client, pack_client):
    trap = "l'été, ] {x, }"
    lines = await subscribed(daemon, "kyc")
    packed = await subscribed(daemon, "kyc", kind=pack_client)
    await client.good("MngAddKycStepTemplate", {"brand": "acme", "code": "c", "level": 1, "name": trap})
    for listener in (lines, packed):
        told = await listener.push()
        assert told["data"]["record"]["name"] == trap
        assert told["event"] == "kyc:event"
    line = lines.raw[-1]
    assert line.isascii()
    assert not any(each in line for each in (b"'", b", ]", b", }"))
    assert set(json.loads(line)) == {"event", "type", "data"}


async def test_answer_to_subscribe_comes_before_its_pushes(daemon, client):
    await daemon.profile(client)
    for level in range(5):
        await risk(client, level % 4)
    line = client.line("Subscribe", {"channels": ["kyc"], "after_seq": 0}, extID="s")
    client.send(line + client.line("Ping", extID="p"))
    first = await client.message()
    assert first["extID"] == "s"


async def test_after_seq_has_no_gap_and_no_repetition(daemon, client, monkeypatch):
    monkeypatch.setattr(push, "PAGE_EVENTS", 7)
    await daemon.profile(client)
    for number in range(30):
        await risk(client, number % 4)

    async def writing():
        for number in range(60):
            await risk(client, number % 4)

    work = asyncio.create_task(writing())
    listeners = [await subscribed(daemon, "kyc", "kyc:acme", after_seq=after) for after in (0, 20, 33, 10_000)]
    await work
    last = daemon.app.hub.seq
    assert last == 93
    for listener, after in zip(listeners[:3], (0, 20, 33), strict=True):
        seen = [(await listener.push())["data"]["seq"] for _ in range(last - after)]
        assert seen == list(range(after + 1, last + 1))
        assert await listener.silent()
    late = listeners[3]
    await late.good("Ping")
    assert [each["data"]["seq"] for each in late.pushes] == list(range(last + 1 - len(late.pushes), last + 1))


async def test_catching_up_tells_what_was_told_live(daemon, client, monkeypatch):
    live = await subscribed(daemon, "kyc")
    for page in (1, 2, 100):
        customer = 100 + page
        monkeypatch.setattr(push, "PAGE_EVENTS", page)
        before = daemon.app.hub.seq
        _, (step_id,) = await daemon.profile(client, customer)
        await client.good("MngApproveKycStep", {"id": step_id})
        await client.good("MngSetKycRisk", {"customer_id": customer, "brand": "acme", "risk_level": 4})
        count = daemon.app.hub.seq - before + 1
        expected = [await live.push() for _ in range(count)]
        late = await subscribed(daemon, "kyc", after_seq=before)
        assert [await late.push() for _ in range(count)] == expected


async def test_asking_again_while_behind(daemon, client, monkeypatch):
    monkeypatch.setattr(push, "PAGE_EVENTS", 3)
    await daemon.profile(client)
    for number in range(20):
        await risk(client, number % 4)
    events_after, slow = daemon.app.core.store.events_after, asyncio.Event()

    async def waiting(seq, limit):
        found = await events_after(seq, limit)
        await slow.wait()
        return found

    monkeypatch.setattr(daemon.app.core.store, "events_after", waiting)
    listener = await subscribed(daemon, "kyc:acme", after_seq=15)
    await listener.good("Subscribe", {"chanels": ["kyc:acme:42"]})
    await listener.good("Subscribe", {"chanels": ["kyc"], "after_seq": 5})
    await listener.good("Subscribe", {"chanels": ["kyc"]})
    slow.set()
    seen = [(await listener.push())["data"]["seq"] for _ in range(18)]
    assert seen == list(range(6, 24))
    await risk(client, 1)
    assert (await listener.push())["data"]["seq"] == 24
    assert await listener.silent()


async def test_unsubscribe(daemon, client):
    listener = await subscribed(daemon, "kyc", "kyc:acme")
    await listener.good("Unsubscribe", {"chanels": ["kyc"]})
    await daemon.profile(client)
    assert (await listener.push())["data"]["seq"] == 1
    await listener.good("Unsubscribe", {"channels": ["kyc:acme"]})
    listener.pushes.clear()
    await risk(client, 1)
    assert await listener.silent()
    assert daemon.app.hub._followers == {}


async def test_expired_and_revoked_sessions_are_told_of_their_end_and_nothing_more(daemon, client):
    short = await subscribed(daemon, "kyc", token=daemon.token(sub=8, ttl=100))
    revoked = await subscribed(daemon, "kyc", token=daemon.token(sub=9))
    await daemon.profile(client)
    assert [(await each.push())["data"]["seq"] for each in (short, revoked)] == [1, 1]
    data = {"session": 1, "sub": 9, "not_before": daemon.clock() + 1}
    await run_local(daemon.app.core.executor, "SysRevokeSubject", data)
    daemon.clock.ahead = 200
    for listener in (short, revoked):
        for _ in range(2):
            await listener.push()
        listener.token = daemon.token()
    await risk(client, 1)
    tokens = set()
    for listener, user in ((short, 8), (revoked, 9)):
        kind, message, description, token, status, level, user_id, made, data, code = await listener.message()
        assert (kind, message) == ("n", "The session of a subscription has ended")
        assert description == "Subscribe again with a new token"
        assert (status, level, user_id, data, code) == (401, 20, user, {}, "PERMISSION_DENIED")
        assert made == daemon.clock()
        tokens.add(token)
        assert await listener.silent()
    assert len(tokens) == 2
    assert daemon.app.hub._followers == {}


async def test_followers_are_told_that_the_daemon_stops(daemon, client, pack_client):
    listener, packed = await subscribed(daemon, "kyc"), await subscribed(daemon, "kyc", kind=pack_client)
    stopping = asyncio.create_task(daemon.app.tcp.drain(5))
    for each in (listener, packed):
        notice = await each.message()
        assert (notice[0], notice[1]) == ("n", "The daemon is stopping")
        assert notice[2] == f"Connect again and subscribe after_seq {daemon.app.hub.seq}"
        assert (notice[4], notice[5], notice[9]) == (503, 20, "RET_ERR_SHUTDOWN")
        assert await each.ended() == b""
        each.writer.close()
    assert await client.ended() == b""  # who follows nothing is told nothing
    client.writer.close()
    await stopping


async def test_gone_connections_are_forgotten(daemon, client):
    listener = await subscribed(daemon, "kyc", "kyc:acme")
    listener.writer.close()
    while daemon.app.hub._followers:
        await asyncio.sleep(0.01)


async def test_channels_of_one_connection_are_bounded(daemon, client):
    for start in (0, 1000):
        names = [f"kyc:acme:{number}" for number in range(start + 1, start + 1001)]
        await client.good("Subscribe", {"chanels": names})
    reply = await client.ask("Subscribe", {"chanels": ["kyc"]})
    assert (reply["status"], reply["error"]) == (400, "INVALID_DATA")


async def test_listener_that_reads_late_misses_nothing(daemon, client):
    listener = await subscribed(daemon, "kyc")
    listener.writer.transport.pause_reading()
    await daemon.profile(client)
    (connection,) = [each for each in daemon.app.tcp._door.connections if each._subscription]
    text = "n" * 3900
    template = (await client.good("MngGetKycStepTemplates"))["rows"][0]["id"]
    count = 0
    while not connection._subscription.behind:
        lines = [
            client.line("MngUpdateKycStepTemplate", {"id": template, "description": text + str(n)}) for n in range(100)
        ]
        client.send(b"".join(lines))
        await client.messages(100)
        count += 100
        assert connection.transport.get_write_buffer_size() + connection._out_bytes <= 1 << 20
    await risk(client, 1)
    listener.writer.transport.resume_reading()
    seen = [(await listener.push())["data"]["seq"] for _ in range(count + 4)]
    assert seen == list(range(1, count + 5))
    assert not connection._subscription.behind
    await risk(client, 2)
    assert (await listener.push())["data"]["seq"] == count + 5


async def test_listener_that_never_reads_is_cut_off(serve):
    daemon = await serve(slow_seconds=1)
    client = await daemon.connect()
    listener = await subscribed(daemon, "kyc")
    listener.writer.transport.pause_reading()
    await daemon.profile(client)
    template = (await client.good("MngGetKycStepTemplates"))["rows"][0]["id"]
    async with asyncio.timeout(20):
        while daemon.app.tcp.connections > 1:
            data = {"id": template, "description": "n" * 4000}
            client.send(b"".join(client.line("MngUpdateKycStepTemplate", data) for _ in range(100)))
            await client.messages(100)
    assert daemon.app.hub._followers == {}


async def test_feed_that_cannot_be_read_closes_the_connection(daemon, client, monkeypatch):
    await daemon.profile(client)

    async def broken(seq, limit):
        raise OSError("no disk")

    monkeypatch.setattr(daemon.app.core.store, "events_after", broken)
    listener = await daemon.connect()
    await listener.good("Subscribe", {"chanels": ["kyc"], "after_seq": 0})
    assert await listener.ended() == b""


async def test_events_that_are_no_longer_kept(daemon, client, monkeypatch):
    await daemon.profile(client)

    async def forgotten(seq, limit):
        return []

    monkeypatch.setattr(daemon.app.core.store, "events_after", forgotten)
    listener = await subscribed(daemon, "kyc", after_seq=0)
    assert await listener.silent()
    await risk(client, 1)
    assert (await listener.push())["data"]["seq"] == 4


async def test_stop_while_catching_up(daemon, client, monkeypatch):
    await daemon.profile(client)

    async def never(seq, limit):
        await asyncio.sleep(3600)

    monkeypatch.setattr(daemon.app.core.store, "events_after", never)
    await subscribed(daemon, "kyc", after_seq=0)
    await daemon.app.hub.close()
    assert not daemon.app.hub._tasks


@pytest.mark.parametrize("session", [SessionType.USER, SessionType.SYSTEM, SessionType.FIX])
async def test_other_sessions_may_not_listen(daemon, session):
    client = await daemon.connect(daemon.token(session, brands=None))
    assert (await client.ask("Subscribe", {"chanels": ["kyc"]}))["status"] == 403
    assert (await client.ask("Subscribe", {"chanels": ["EURUSD"]}))["status"] == 200


async def test_no_event_is_named_error():
    assert "error" not in {channels.EVENT, *channels.TRIGGERS.values()}
