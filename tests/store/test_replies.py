"""Prepared replies: bounded in bytes, dropped with what they tell of, and always what a fresh reply would be."""

import contextlib
import random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from kycmanager.domain.errors import KycError
from kycmanager.store.replies import Replies

PROFILE, STEP = "MngGetKycProfile", "MngGetKycStep"
KEYS = st.tuples(st.sampled_from((PROFILE, STEP)), st.sampled_from(("json", "msgpack")), st.integers(1, 6))


def steps_of(profile_id):
    return [profile_id * 2, profile_id * 2 + 1]


def kept(replies):
    return {(*name, id_): data for name, table in replies._tables.items() for id_, (_, data) in table.items()}


@settings(max_examples=200, deadline=None)
@given(actions=st.lists(st.tuples(KEYS, st.integers(0, 40)) | st.sets(st.integers(1, 3)), max_size=40))
def test_never_more_bytes_than_allowed(actions):
    replies, told = Replies(100), {}
    for action in actions:
        if isinstance(action, set):
            replies.drop(action, steps_of)
            gone = {("MngGetKycProfile", id_) for id_ in action} | {(STEP, id_) for p in action for id_ in steps_of(p)}
            assert not {(command, id_) for command, _, id_ in kept(replies)} & gone
            continue
        (command, codec, id_), size = action
        data = bytes(size)
        replies.put(command, codec, id_, "acme", data)
        told[command, codec, id_] = data
        assert size > 100 or replies.get(command, codec, id_) in {data, None}
        assert replies._bytes == sum(map(len, kept(replies).values())) <= 100
        assert all(told[name] == held for name, held in kept(replies).items())


def test_what_is_too_large_is_not_kept():
    replies = Replies(10)
    replies.put(PROFILE, "json", 1, "acme", b"x" * 11)
    assert replies.get(PROFILE, "json", 1) is None
    replies.put(PROFILE, "json", 1, "acme", b"x" * 10)
    assert replies.get(PROFILE, "json", 1) == b"x" * 10
    assert Replies(0).get(PROFILE, "json", 1) is None


def test_the_oldest_of_the_fullest_go_first():
    replies = Replies(30)
    for id_ in (1, 2, 3):
        replies.put(PROFILE, "json", id_, "acme", b"x" * 10)
    replies.put(PROFILE, "json", 1, "acme", b"y" * 10)
    replies.put(STEP, "json", 9, "acme", b"z" * 10)
    assert sorted(kept(replies)) == [(PROFILE, "json", 1), (PROFILE, "json", 3), (STEP, "json", 9)]


def test_a_table_is_live():
    replies = Replies(100)
    table = replies.table(PROFILE, "json")
    replies.put(PROFILE, "json", 1, "acme", b"x")
    assert table == {1: ("acme", b"x")}
    replies.drop([1], steps_of)
    assert table == {}


async def something(daemon, dice):
    """Run a random command of a manager or a customer; most are accepted."""
    cache = daemon.core.cache
    step_id = dice.randint(max(len(cache.steps) - 4, 1), len(cache.steps) + 1)
    document_id = dice.randint(1, len(cache.documents) + 1)
    who = {"customer_id": dice.randint(1, 3), "brand": "acme"}
    step = cache.steps.get(step_id)
    customer = daemon.customer(step.customer_id if step else 1)
    until = {"expire_time": daemon.now + dice.randint(1, 3)} if dice.random() < 0.5 else {}
    caller, command, data = dice.choice(
        [
            (daemon.boss, "MngSetKycRequiredLevel", {**who, "level": dice.randint(1, 3)}),
            (daemon.boss, "MngSetKycRisk", {**who, "risk_level": dice.randint(0, 4)}),
            (daemon.boss, "MngRequireKycStep", {**who, "step_code": f"c{dice.randint(1, 3)}"}),
            (daemon.boss, "MngApproveKycStep", {"id": step_id, **until}),
            (daemon.boss, "MngRejectKycStep", {"id": step_id, "reason": "r"}),
            (daemon.boss, "MngSkipKycStep", {"id": step_id}),
            (customer, "CustomerSubmitKycStep", {"id": step_id}),
            (customer, "CustomerSaveKycAnswers", {"id": step_id, "answers": {}}),
            (daemon.boss, "MngApproveKycDocument", {"id": document_id, **until}),
            (daemon.boss, "MngRejectKycDocument", {"id": document_id, "reason": "r"}),
            (daemon.boss, "MngDeleteKycDocument", {"id": document_id}),
            (daemon.boss, "MngUpdateKycStepTemplate", {"id": dice.randint(1, 3), "name": str(dice.random())}),
        ]
    )
    with contextlib.suppress(KycError):
        await caller.call(command, data)


async def shown(daemon):
    """Return every prepared reply; each read puts it where it is not."""
    cache, replies = daemon.core.cache, {}
    for profile_id in cache.profiles:
        replies[PROFILE, profile_id] = await daemon.boss.call(PROFILE, {"id": profile_id})
    for step_id in cache.steps:
        replies[STEP, step_id] = await daemon.boss.call(STEP, {"id": step_id})
    return replies


async def test_a_prepared_reply_is_what_a_fresh_one_would_be(daemon):
    dice, statuses = random.Random(7), set()
    for number in (1, 2, 3):
        await daemon.template(f"c{number}", level=number, step_type=4, requirements={"n": number})
        await daemon.step(f"c{number}", customer=number)
    for turn in range(120):
        daemon.now += dice.randint(0, 1)
        if turn % 10 == 0:
            await daemon.document(1 + turn // 10 % 3, step_id=dice.choice([0, 1 + turn // 10 % 3]))
        if turn % 7 == 0:
            await daemon.core.expire_due()
        await something(daemon, dice)
        prepared = await shown(daemon)
        for (command, id_), reply in prepared.items():
            assert msgspec.json.decode(daemon.core.replies.get(command, "json", id_)) == reply
        daemon.core.replies._tables.clear()
        assert await shown(daemon) == prepared
        if dice.random() < 0.5:
            daemon.core.replies._tables.clear()
        statuses |= {step.status for step in daemon.core.cache.steps.values()}
    assert statuses == {0, 1, 2, 3, 4, 5}
