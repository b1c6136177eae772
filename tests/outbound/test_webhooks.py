import asyncio
import hashlib
import hmac
import json

import msgspec
import pytest
from aiohttp import web
from running import NOW
from sender import BOSS, DAY, SECRETS

from kycmanager.domain.enums import SessionType
from kycmanager.domain.errors import KycError
from kycmanager.domain.outbound import PAUSE_SECONDS_MAX, pause_seconds
from kycmanager.domain.session import Session


def verified(call, secret):
    """Check a signature by hand, as a receiver of any language would."""
    parts = [part.split("=", 1) for part in call.headers["X-Kyc-Signature"].split(",")]
    (time,) = [value for name, value in parts if name == "t"]
    expected = hmac.new(secret.encode(), time.encode() + b"." + call.body, hashlib.sha256).hexdigest()
    return expected in [value for name, value in parts if name == "v1"]


async def test_an_event_arrives_as_managers_are_pushed_it(sending, receiver):
    seq = await sending.happens()
    (call,) = await receiver.calls_are(1)
    await sending.quiet()
    profile = sending.app.core.cache.profile_of(7, "acme")
    assert json.loads(call.body) == {
        "event": "kyc:event",
        "type": 1,
        "data": {
            "seq": seq,
            "kind": "profile.updated",
            "brand": "acme",
            "customer_id": 7,
            "kyc_id": profile.id,
            "record": msgspec.to_builtins(profile),
        },
    }
    assert call.headers["X-Kyc-Event"] == "profile.updated"
    assert call.headers["X-Kyc-Delivery"] == f"crm-{seq}-{sending.now}"
    assert call.headers["X-Kyc-Attempt"] == "1"
    assert call.headers["Content-Type"] == "application/json"
    assert verified(call, SECRETS[0])
    assert not verified(call._replace(body=call.body + b" "), SECRETS[0])
    assert await sending.deliveries() == [
        {
            "id": 1, "channel": "webhooks.crm", "brand": "acme", "customer_id": 7, "seq": seq,
            "kind": "profile.updated", "state": "delivered", "attempts": 1, "created_time": sending.now,
            "next_time": 0, "ended_time": sending.now, "outcome": "200",
        }
    ]  # fmt: skip


async def test_while_secrets_change_each_signs(open_sending, receiver):
    sending = await open_sending(receiver.url, endpoint={"secrets": ["n" * 32, "o" * 32]})
    await sending.happens()
    (call,) = await receiver.calls_are(1)
    assert call.headers["X-Kyc-Signature"].count("v1=") == 2
    assert verified(call, "n" * 32)
    assert verified(call, "o" * 32)
    assert not verified(call, "x" * 32)


async def test_only_the_brands_and_kinds_that_are_asked_for(open_sending, receiver):
    sending = await open_sending(receiver.url, endpoint={"brands": ["acme"], "events": ["note.*", "template.added"]})
    await sending.happens(brand="zeta")
    await sending.happens(brand="acme")
    for brand in ("zeta", "acme"):
        await sending.run("MngAddKycStepTemplate", {"brand": brand, "code": "a", "level": 1})
    kyc_id = sending.app.core.cache.profile_of(7, "acme").id
    await sending.run("MngAddKycNote", {"kyc_id": kyc_id, "text": "look"})
    calls = await receiver.calls_are(2)
    await sending.quiet()
    assert {(call.data["kind"], call.data["brand"]) for call in calls} == {
        ("template.added", "acme"),
        ("note.added", "acme"),
    }
    assert next(call for call in calls if call.data["kind"] == "note.added").data["record"]["text"] == "look"


async def test_a_receiver_that_is_down_is_told_everything_once_and_in_order_when_it_is_up(sending, receiver):
    await receiver.down()
    for risk in (1, 2, 3, 1):
        await sending.happens(7, risk)
        await sending.happens(8, risk)
    await sending.quiet()
    first = [row for row in await sending.deliveries() if row["attempts"]]
    assert [row["outcome"] for row in first] == ["unreachable", "unreachable"]  # the first of each customer, no others
    for _ in range(5):
        await sending.later(PAUSE_SECONDS_MAX)
    assert receiver.calls == []
    await receiver.up()
    await sending.later(PAUSE_SECONDS_MAX)
    calls = await receiver.calls_are(8)
    await sending.quiet()
    for customer in (7, 8):
        told = [call for call in calls if call.data["customer_id"] == customer]
        assert [call.data["record"]["risk_level"] for call in told] == [1, 2, 3, 1]
        assert [call.seq for call in told] == sorted(call.seq for call in told)
        assert [call.headers["X-Kyc-Attempt"] for call in told] == ["7", "1", "1", "1"]
    assert set(await sending.states()) == {"delivered"}


async def test_any_other_answer_than_success_is_tried_again(sending, receiver):
    statuses = [302, 307, 400, 404, 410, 429, 500, 503]

    async def answer(_request, call):
        return web.Response(status=statuses[call.data["customer_id"] - 1], headers={"Location": "/elsewhere"})

    receiver.answer = answer
    for customer in range(1, len(statuses) + 1):
        await sending.happens(customer)
    await receiver.calls_are(len(statuses))
    await sending.quiet()
    for row in await sending.deliveries():
        assert (row["state"], row["attempts"]) == ("waiting", 1)
        assert row["outcome"] == str(statuses[row["customer_id"] - 1])
        assert sending.now < row["next_time"] <= sending.now + 4
    assert {call.path for call in receiver.calls} == {"/hook"}  # no redirect is followed
    receiver.answer = 204
    await sending.later(4)
    assert await sending.states() == ["delivered"] * len(statuses)


async def test_after_a_day_it_is_given_up_and_the_next_has_its_turn(sending, receiver):
    receiver.answer = 500
    await sending.happens(7, 1)
    await sending.quiet()
    await sending.later(DAY - 1)
    await sending.happens(7, 2)
    await sending.quiet()
    assert await sending.states() == ["waiting", "waiting"]
    await sending.later(PAUSE_SECONDS_MAX)
    assert await sending.states() == ["dead", "waiting"]
    assert [row["id"] for row in await sending.deliveries(state="dead")] == [1]
    assert (sending.outbound.waiting(), sending.outbound.given_up()) == (1, 1)
    assert sending.outbound.oldest_seconds() == PAUSE_SECONDS_MAX
    metrics = sending.app.metrics.render().decode()
    assert "kycmanager_outbound_dead 1.0" in metrics
    assert "kycmanager_outbound_given_up_total 1.0" in metrics
    receiver.answer = 200
    await sending.later(PAUSE_SECONDS_MAX)
    assert await sending.states() == ["dead", "delivered"]
    assert receiver.calls[-1].data["record"]["risk_level"] == 2
    assert sending.outbound.oldest_seconds() == 0


def test_the_pause_is_spread_over_a_bound_that_doubles_up_to_an_hour():
    def longest(_low, high):
        return high

    assert [pause_seconds(attempts, longest) for attempts in (1, 2, 3, 10, 11, 12, 10_000)] == [
        4, 8, 16, 2048, 3600, 3600, 3600,
    ]  # fmt: skip
    assert pause_seconds(5, lambda low, _high: low) == 1


async def test_a_manager_has_the_dead_tried_again(sending, receiver):
    receiver.answer = 500
    seq = await sending.happens(7, 1)
    await sending.quiet()
    await sending.later(DAY)
    assert await sending.states() == ["dead"]
    receiver.answer = 200
    assert await sending.run("MngReplayKycDelivery", {"id": 1}) == {"accepted": True}
    await sending.quiet()
    (row,) = await sending.deliveries()
    assert (row["state"], row["attempts"]) == ("delivered", 3)
    assert {call.headers["X-Kyc-Delivery"] for call in receiver.calls} == {f"crm-{seq}-{NOW}"}
    audit = (await sending.run("MngGetKycAudit", {"action": "delivery.replayed"}))["rows"]
    assert [(each["brand"], each["customer_id"], each["actor_id"]) for each in audit] == [("acme", 7, 99)]
    assert audit[0]["details"] == {"channel": "webhooks.crm", "delivery_id": 1, "seq": seq}


async def test_all_the_dead_of_a_channel_are_tried_again_for_a_day_more(sending, receiver):
    receiver.answer = 500
    for customer in (7, 8):
        await sending.happens(customer)
    await sending.happens(9, brand="zeta")
    await sending.quiet()
    await sending.later(DAY)
    assert await sending.states() == ["dead"] * 3
    acme = Session(sub=5, type=SessionType.ADMIN, brands=frozenset({"acme"}))
    assert await sending.run("MngReplayKycDelivery", {"channel": "webhooks.crm"}, acme) == {"accepted": True}
    await sending.quiet()
    assert await sending.states() == ["waiting", "waiting", "dead"]
    await sending.later(DAY - 1)
    assert await sending.states() == ["waiting", "waiting", "dead"]
    receiver.answer = 200
    assert await sending.run("MngReplayKycDelivery", {"channel": "webhooks.crm"}) == {"accepted": True}
    await sending.later(PAUSE_SECONDS_MAX)
    assert await sending.states() == ["delivered"] * 3


async def test_one_that_waits_can_be_tried_now(sending, receiver):
    receiver.answer = 500
    await sending.happens()
    await sending.quiet()
    receiver.answer = 200
    await sending.run("MngReplayKycDelivery", {"id": 1})
    await sending.quiet()
    assert await sending.states() == ["delivered"]


async def test_a_key_repeats_the_answer_though_it_has_arrived(sending, receiver):
    receiver.answer = 500
    await sending.happens()
    await sending.quiet()
    receiver.answer = 200
    data = {"id": 1, "idempotency_key": "again"}
    assert await sending.run("MngReplayKycDelivery", data) == {"accepted": True}
    await sending.quiet()
    assert await sending.states() == ["delivered"]
    assert await sending.run("MngReplayKycDelivery", data) == {"accepted": True}
    assert len(receiver.calls) == 2


async def test_a_channel_is_told_anew_from_a_number_on(sending, receiver):
    seqs = [await sending.happens(7, risk) for risk in (1, 2, 3)]
    await receiver.calls_are(3)
    await sending.quiet()
    await sending.run("MngReplayKycDelivery", {"channel": "webhooks.crm", "from_seq": seqs[1]})
    calls = await receiver.calls_are(5)
    await sending.quiet()
    assert [call.seq for call in calls] == [*seqs, *seqs[1:]]
    assert calls[1].headers["X-Kyc-Delivery"] == calls[3].headers["X-Kyc-Delivery"]
    assert await sending.states() == ["delivered"] * 5
    # What is behind the head of the feed means: from now on; nothing is told twice.
    await sending.run("MngReplayKycDelivery", {"channel": "webhooks.crm", "from_seq": seqs[-1] + 100})
    await sending.happens(7, 4)
    await receiver.calls_are(6)
    await sending.quiet()
    assert len(receiver.calls) == 6


async def test_telling_anew_takes_up_the_dead_and_doubles_nothing_that_waits(sending, receiver):
    receiver.answer = 500
    seqs = [await sending.happens(customer) for customer in (7, 8)]
    await sending.quiet()
    await sending.later(DAY)
    seqs.append(await sending.happens(9))
    await sending.quiet()
    assert await sending.states() == ["dead", "dead", "waiting"]
    receiver.answer = 200
    await sending.run("MngReplayKycDelivery", {"channel": "webhooks.crm", "from_seq": 1})
    await sending.later(PAUSE_SECONDS_MAX)
    assert await sending.states() == ["delivered"] * 3


async def test_what_cannot_be_tried_again(sending, receiver):
    receiver.answer = 500
    await sending.happens()
    await sending.quiet()
    acme, zeta = (Session(sub=5, type=SessionType.ADMIN, brands=frozenset({brand})) for brand in ("acme", "zeta"))
    for data, session, status, says in [
        ({}, BOSS, 400, "give id or channel"),
        ({"id": 1, "channel": "webhooks.crm"}, BOSS, 400, "one of them"),
        ({"id": 9}, BOSS, 404, "Delivery was not found"),
        ({"channel": "webhooks.none", "from_seq": 1}, BOSS, 404, "Channel was not found"),
        ({"id": 1}, zeta, 404, "Delivery was not found"),
        ({"channel": "webhooks.crm", "from_seq": 1}, acme, 403, "may not"),
        ({"id": 1}, Session(sub=5, type=SessionType.MANAGER, brands=None), 403, "may not"),
    ]:
        with pytest.raises(KycError, match=says) as caught:
            await sending.run("MngReplayKycDelivery", data, session)
        assert caught.value.code.status == status, data


async def test_the_list_shows_the_brands_of_the_token_page_by_page(sending, receiver):
    for customer in (1, 2, 3):
        await sending.happens(customer)
    await sending.happens(4, brand="zeta")
    await receiver.calls_are(4)
    await sending.quiet()
    acme = Session(sub=5, type=SessionType.MANAGER, brands=frozenset({"acme"}))
    assert [row["customer_id"] for row in await sending.deliveries(acme)] == [3, 2, 1]
    page = await sending.run("MngGetKycDeliveries", {"limit": 3})
    assert ([row["id"] for row in page["rows"]], page["count"], page["next"]) == ([4, 3, 2], 4, "2")
    rest = await sending.run("MngGetKycDeliveries", {"limit": 3, "after": page["next"]})
    assert ([row["id"] for row in rest["rows"]], rest["count"], rest["next"]) == ([1], 4, None)
    assert await sending.states(customer_id=2) == ["delivered"]
    assert await sending.states(channel="webhooks.other") == []


async def test_what_ended_is_forgotten_after_its_days(sending, receiver):
    await sending.happens(7)
    await receiver.calls_are(1)
    receiver.answer = 500
    await sending.happens(8)
    await sending.quiet()
    await sending.later(DAY)
    await sending.happens(9)
    await sending.quiet()
    assert await sending.states() == ["delivered", "dead", "waiting"]
    sending.now += 7 * DAY
    await sending.outbound.forget()
    assert [row["id"] for row in await sending.deliveries()] == [3, 2]
    sending.now += DAY
    await sending.outbound.forget()
    assert [row["id"] for row in await sending.deliveries()] == [3]
    assert list(sending.app.core.cache.outbound.deliveries) == [3]


async def test_one_customer_has_one_call_at_a_time_and_a_channel_no_more_than_it_may(open_sending, receiver):
    sending = await open_sending(receiver.url, concurrency=3)
    free = asyncio.Event()

    async def answer(_request, _call):
        await free.wait()
        return web.Response()

    receiver.answer = answer
    for customer in range(1, 7):
        for risk in (1, 2):
            await sending.happens(customer, risk)
    await receiver.calls_are(3)
    await asyncio.sleep(0.1)
    assert len(receiver.calls) == 3
    assert len({call.data["customer_id"] for call in receiver.calls}) == 3
    free.set()
    await receiver.calls_are(12)
    await sending.quiet()
    assert receiver.at_once_max == 3
    assert await sending.states() == ["delivered"] * 12


async def test_when_too_much_waits_the_feed_is_read_later_and_nothing_is_left_out(open_sending, receiver):
    sending = await open_sending(receiver.url, waiting_max=3)
    receiver.answer = 500
    seqs = [await sending.happens(7, risk) for risk in (1, 2, 3, 1, 2, 3, 1, 2)]
    async with asyncio.timeout(20):
        while sending.outbound.waiting() < 3:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    assert 3 <= sending.outbound.waiting() <= 4
    receiver.answer = 200
    receiver.calls.clear()
    await sending.later(PAUSE_SECONDS_MAX)
    calls = await receiver.calls_are(8)
    await sending.quiet()
    assert [call.seq for call in calls] == seqs
    await sending.happens(7, 3)
    assert (await receiver.calls_are(9))[-1].data["record"]["risk_level"] == 3


async def test_a_restart_goes_on_where_it_was_and_a_new_endpoint_begins_now(open_sending, receiver, tmp_path):
    sending = await open_sending(receiver.url)
    await sending.happens(7, 1)
    await receiver.calls_are(1)
    await sending.quiet()
    await receiver.down()
    await sending.happens(7, 2)
    await sending.quiet()
    await sending.app.close()
    quiet = await open_sending(receiver.url, endpoints=[])  # nobody is told anything meanwhile
    assert quiet.outbound is None
    await quiet.happens(7, 3)
    await quiet.app.close()
    await receiver.up()
    two = [
        {"name": name, "url": f"http://127.0.0.1:{receiver.port}/{name}", "secrets": SECRETS} for name in ("crm", "new")
    ]
    again = await open_sending(receiver.url, endpoints=two)
    await again.later(PAUSE_SECONDS_MAX)
    calls = await receiver.calls_are(3)
    await again.quiet()
    assert [(call.path, call.data["record"]["risk_level"]) for call in calls] == [
        ("/hook", 1),
        ("/crm", 2),
        ("/crm", 3),
    ]
    await again.happens(7, 4)
    await receiver.calls_are(5)
    assert {(call.path, call.data["record"]["risk_level"]) for call in calls[3:]} == {("/crm", 4), ("/new", 4)}


async def test_without_anybody_to_tell_nothing_follows_the_feed(open_sending, receiver):
    sending = await open_sending(receiver.url, endpoints=[])
    await sending.happens()
    assert sending.outbound is None
    assert await sending.deliveries() == []
    assert sending.app.core.cache.outbound.cursors == {}
