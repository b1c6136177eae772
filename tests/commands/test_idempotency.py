"""Idempotency keys: a repeated write gives the first answer and changes nothing; the key decides, and its data."""

import asyncio
import hashlib

import msgspec
import pytest

from kycmanager.domain.enums import SessionType
from kycmanager.domain.errors import KycError

ADD = "MngAddKycStepTemplate"
NEW = {"brand": "acme", "code": "id", "level": 1}
LEVEL = {"customer_id": 7, "brand": "acme", "level": 1}
CONFLICT = (409, "IDEMPOTENCY_CONFLICT", "idempotency_key: was used before with other data; take a new key")
DAY = 24 * 3600


async def rows(daemon):
    return len(await daemon.audit())


async def test_the_same_again_gives_the_same_answer(daemon):
    first = await daemon.manager().call(ADD, NEW, key="k")
    for _ in range(2):
        assert await daemon.manager().call(ADD, NEW, key="k") == first
        assert await daemon.manager().call(ADD, {**NEW, "idempotency_key": "k"}) == first
        await daemon.restart()
    assert await rows(daemon) == 1


async def test_other_data_is_a_conflict(daemon):
    await daemon.manager().call(ADD, NEW, key="k")
    assert await daemon.manager().refused(ADD, {**NEW, "level": 2}, key="k") == CONFLICT
    await daemon.restart()
    assert await daemon.manager().refused(ADD, {**NEW, "level": 2}, key="k") == CONFLICT


def unkeyed(**data):
    """The digest that anybody can make who guesses the data."""
    return hashlib.blake2b(msgspec.json.encode(data, order="deterministic"), digest_size=16).digest()


async def test_the_base_alone_does_not_tell_what_was_asked(daemon):
    await daemon.boss.call("MngDeleteKycStepTemplate", {"id": (await daemon.template())["id"]}, key="k")
    ((digest,),) = daemon.rows("SELECT digest FROM idempotency")
    assert len(digest) == 16
    assert digest != unkeyed(id=1)


async def test_what_was_kept_without_a_secret_counts_as_before(daemon):
    await daemon.template()
    daemon.core.cache.idempotency_secret = b""
    first = await daemon.boss.call("MngDeleteKycStepTemplate", {"id": 1}, key="k")
    assert daemon.rows("SELECT digest FROM idempotency") == [(unkeyed(id=1),)]
    await daemon.restart()
    assert daemon.core.cache.idempotency_secret
    assert await daemon.boss.call("MngDeleteKycStepTemplate", {"id": 1}, key="k") == first
    assert await daemon.boss.refused("MngDeleteKycStepTemplate", {"id": 2}, key="k") == CONFLICT


async def test_under_another_key_of_tokens_nothing_is_done_twice(daemon):
    await daemon.manager().call(ADD, NEW, key="k")
    daemon._settings = {"tokens": {"secret": "t" * 40}}
    await daemon.restart()
    assert await daemon.manager().refused(ADD, NEW, key="k") == CONFLICT
    assert await rows(daemon) == 1


async def test_data_is_the_same_in_any_order(daemon):
    first = {**NEW, "requirements": {"a": 1, "b": {"c": 2, "d": 3}}, "name": "x"}
    second = {"name": "x", "requirements": {"b": {"d": 3, "c": 2}, "a": 1}, **NEW}
    made = await daemon.manager().call(ADD, first, key="k")
    assert await daemon.manager().call(ADD, {**second, "unknown": "ignored"}, key="k") == made


async def test_a_key_belongs_to_session_subject_and_command(daemon):
    await daemon.manager().call("MngSetKycRequiredLevel", LEVEL, key="k")
    callers = [
        (daemon.manager(sub=2), "MngSetKycRequiredLevel"),
        (daemon.manager(type=SessionType.ADMIN), "MngSetKycRequiredLevel"),
        (daemon.manager(), "kyc.set_required_level"),
    ]
    for caller, command in callers:
        before = await rows(daemon)
        assert await caller.call(command, {**LEVEL, "level": 2}, key="k") == {"accepted": True}
        assert await rows(daemon) == before + 1


async def test_a_customer_is_somebody_else_in_every_brand(daemon):
    schema = {"sections": [{"fields": [{"name": "city", "type": "text"}]}]}
    step_id = await daemon.step(form_schema=schema)
    data = {"id": step_id, "answers": {"city": "Oslo"}}
    await daemon.customer().call("CustomerSubmitKycStep", data, key="k")
    answer = (403, "PERMISSION_DENIED", "This session may not do that")
    assert await daemon.customer(brand="beta").refused("CustomerSubmitKycStep", data, key="k") == answer
    assert await daemon.customer(8).refused("CustomerSubmitKycStep", data, key="k") == answer
    other = await daemon.step(brand="beta")
    await daemon.customer(brand="beta").call("CustomerSubmitKycStep", {"id": other}, key="k")


async def test_who_lost_a_brand_does_not_see_its_record_again(daemon):
    await daemon.manager(("acme", "beta")).call(ADD, NEW, key="k")
    assert await daemon.manager(("beta",)).refused(ADD, NEW, key="k") == (404, "RET_NOT_FOUND", "Brand was not found")


async def test_a_key_lives_for_a_day(daemon):
    await daemon.manager().call("MngSetKycRequiredLevel", LEVEL, key="k")
    before = await rows(daemon)
    daemon.now += DAY - 1
    await daemon.core.forget()
    await daemon.manager().call("MngSetKycRequiredLevel", LEVEL, key="k")
    assert await rows(daemon) == before
    daemon.now += 1
    await daemon.manager().call("MngSetKycRequiredLevel", {**LEVEL, "level": 3}, key="k")
    assert await rows(daemon) == before + 1
    await daemon.restart()
    await daemon.manager().call("MngSetKycRequiredLevel", {**LEVEL, "level": 3}, key="k")
    assert await daemon.manager().refused("MngSetKycRequiredLevel", LEVEL, key="k") == CONFLICT


async def test_old_keys_are_forgotten_and_new_ones_stay(daemon):
    for key in ("a", "b"):
        await daemon.manager().call("MngSetKycRequiredLevel", LEVEL, key=key)
    daemon.now += DAY
    await daemon.manager().call("MngSetKycRequiredLevel", LEVEL, key="a")
    daemon.now += 1
    await daemon.core.forget()
    assert [scope.rpartition(":")[2] for scope in daemon.core.cache.idempotency] == ["a"]


async def test_only_accepted_writes_are_kept(daemon):
    await daemon.manager().call(ADD, NEW)
    assert (await daemon.manager().refused(ADD, NEW, key="k"))[1] == "DUPLICATE_RECORD"
    await daemon.manager().call(ADD, {**NEW, "code": "other"}, key="k")
    assert len(daemon.core.cache.idempotency) == 1


async def test_twice_in_one_batch(daemon):
    calls = [daemon.manager().start(ADD, NEW, key="k") for _ in range(3)]
    calls.append(daemon.manager().start(ADD, {**NEW, "level": 2}, key="k"))
    first, *others = [await call for call in calls[:3]]
    assert others == [first, first]
    with pytest.raises(KycError, match="take a new key"):
        await calls[3]
    assert await rows(daemon) == 1


REPEATED = {
    "MngUpdateKycStepTemplate": (lambda d: d.boss, {"id": 1, "name": "new", "version": 1}),
    "MngDeleteKycStepTemplate": (lambda d: d.boss, {"id": 2}),
    "MngRequireKycStep": (lambda d: d.boss, {"customer_id": 7, "brand": "acme", "step_code": "one"}),
    "MngSetKycRisk": (lambda d: d.boss, {"customer_id": 7, "brand": "acme", "risk_level": 2}),
    "MngSkipKycStep": (lambda d: d.boss, {"id": 1}),
    "CustomerSubmitKycStep": (lambda d: d.customer(), {"id": 1, "answers": {}}),
    "CustomerSaveKycAnswers": (lambda d: d.customer(), {"id": 1, "answers": {}}),
}


@pytest.mark.parametrize("command", REPEATED)
async def test_every_kind_of_answer_is_repeated(daemon, command):
    await daemon.step("one")
    await daemon.template("two")
    who, data = REPEATED[command]
    first = await who(daemon).call(command, data, key="k")
    before = await rows(daemon)
    assert await who(daemon).call(command, data, key="k") == first
    assert await rows(daemon) == before


@pytest.mark.parametrize("who", ["manager", "customer"])
async def test_attaching_is_repeated(daemon, who):
    await daemon.step()
    data = {"kyc_id": 1, "file_id": await daemon.upload()}
    caller = daemon.manager() if who == "manager" else daemon.customer()
    command = "MngAddKycDocument" if who == "manager" else "CustomerAddKycDocument"
    first = await caller.call(command, data, key="k")
    assert await caller.call(command, data, key="k") == first
    assert len(daemon.core.cache.documents) == 1
    await daemon.core.tasks.finish()
    assert (await daemon.core.storage.get(data["file_id"])).pins == 1


async def test_attaching_twice_in_one_batch_keeps_the_file_once(daemon):
    await daemon.step()
    data = {"kyc_id": 1, "file_id": await daemon.upload()}
    first, *others = await asyncio.gather(
        *[daemon.manager().start("MngAddKycDocument", data, key="k") for _ in range(3)]
    )
    assert others == [first, first]
    await daemon.core.tasks.finish()
    assert (await daemon.core.storage.get(data["file_id"])).pins == 1


async def test_answers_that_are_repeated_keep_their_files_once(daemon):
    schema = {"sections": [{"fields": [{"name": "scan", "type": "file_reference"}]}]}
    file_id = await daemon.upload()
    data = {"id": await daemon.step(form_schema=schema), "answers": {"scan": file_id}}
    first = await daemon.customer().call("CustomerSubmitKycStep", data, key="k")
    assert await daemon.customer().call("CustomerSubmitKycStep", data, key="k") == first
    await daemon.core.tasks.finish()
    assert (await daemon.core.storage.get(file_id)).pins == 1


async def test_a_repeated_answer_shows_the_record_as_it_is(daemon):
    await daemon.manager().call(ADD, NEW, key="k")
    await daemon.manager().call("MngUpdateKycStepTemplate", {"id": 1, "name": "later"})
    assert (await daemon.manager().call(ADD, NEW, key="k"))["template"]["name"] == "later"
    await daemon.manager().call("MngDeleteKycStepTemplate", {"id": 1})
    assert await daemon.manager().refused(ADD, NEW, key="k") == (404, "RET_NOT_FOUND", "Template was not found")


async def test_keys_of_a_bad_form(daemon):
    text = "idempotency_key: expected text of at most 128 characters"
    for key in (5, None, ["k"], "k" * 129):
        assert await daemon.manager().refused(ADD, {**NEW, "idempotency_key": key}) == (400, "INVALID_DATA", text)
    await daemon.manager().call(ADD, NEW, key="k" * 128)


async def test_no_room_for_another_key(open_daemon):
    daemon = await open_daemon(idempotency={"keys_max": 2})
    for number in range(2):
        await daemon.boss.call(ADD, {**NEW, "code": f"c{number}"}, key=f"k{number}")
    refusal = (503, "OVERLOADED", "Too many idempotency keys are in use; try again later")
    assert await daemon.boss.refused(ADD, NEW, key="other") == refusal
    assert len(daemon.core.cache.templates) == 2
    await daemon.boss.call(ADD, NEW)
    await daemon.boss.call(ADD, {**NEW, "code": "c0"}, key="k0")
