"""The queue and the claims: what waits, who gets it, and how a case is let go."""

import asyncio

import pytest

from kycmanager.domain.enums import SessionType

LEASE = 600


@pytest.fixture
async def queue(daemon):
    """Customers 1 to 6 of acme wait since different times; 1 is risky."""
    for customer in range(1, 7):
        daemon.now += 10
        await daemon.pending(customer=customer)
    await daemon.boss.call("MngSetKycRisk", {"customer_id": 1, "brand": "acme", "risk_level": 3})
    return daemon


async def customers(caller, **data):
    return [row["customer_id"] for row in (await caller.call("MngGetKycQueue", data))["rows"]]


async def taken(caller, **data):
    case = (await caller.call("MngNextKycCase", data))["case"]
    return case and case["customer_id"]


def kyc(daemon, customer):
    return {"kyc_id": daemon.core.cache.profile_of(customer, "acme").id}


async def test_what_waits_and_in_which_order(queue):
    boss = queue.boss
    assert await customers(boss) == [1, 2, 3, 4, 5, 6]
    await boss.call("MngSetKycRisk", {"customer_id": 5, "brand": "acme", "risk_level": 2})
    assert await customers(boss) == [1, 5, 2, 3, 4, 6]
    assert await customers(boss, order="age") == [1, 2, 3, 4, 5, 6]
    assert await customers(boss, risk_level=2) == [5]
    assert await customers(boss, order="age", limit=2, offset=3) == [4, 5]
    since = (await boss.call("MngGetKycQueue", {}))["rows"][2]["waiting_since"]
    assert await customers(boss, waiting_from=since, waiting_to=since + 10) == [2, 3]
    assert await customers(boss, step_code="identity", level=0) == [1, 5, 2, 3, 4, 6]
    assert await customers(boss, step_code="identity", step_status=2) == []


async def test_a_case_shows_what_waits_of_it(daemon):
    daemon.now = 2_000_000_000
    first = await daemon.step("passport", step_type=2)
    await daemon.document(step_id=first)
    await daemon.document(step_id=first)
    await daemon.customer().call("CustomerSubmitKycStep", {"id": first})
    daemon.now += 5
    await daemon.pending("form")
    await daemon.boss.call("MngSetKycRequiredLevel", {"customer_id": 7, "brand": "acme", "level": 2})
    reply = await daemon.boss.call("MngGetKycQueue", {})
    assert reply == {
        "rows": [
            {
                "kyc_id": 1, "customer_id": 7, "brand": "acme", "level": 2, "current_level": 0, "status": 2,
                "risk_level": 0, "waiting_since": 2_000_000_000, "steps_pending": 2, "documents_pending": 2,
                "step_codes": ["passport", "form"], "assignee": 0, "assignee_session": 0, "lease_until": 0,
                "version": daemon.core.cache.profile(1).version,
            }
        ],
        "count": 1,
        "next": None,
    }  # fmt: skip
    await daemon.boss.call("MngApproveKycDocument", {"id": 1})
    await daemon.boss.call("MngApproveKycStep", {"id": first})
    (row,) = (await daemon.boss.call("MngGetKycQueue", {}))["rows"]
    assert (row["steps_pending"], row["documents_pending"], row["waiting_since"]) == (1, 0, 2_000_000_005)


async def test_a_review_waits_without_a_step(daemon):
    await daemon.step()
    await daemon.boss.call("MngSetKycRisk", {"customer_id": 7, "brand": "acme", "risk_level": 4})
    (row,) = (await daemon.boss.call("MngGetKycQueue", {}))["rows"]
    assert (row["status"], row["steps_pending"], row["waiting_since"]) == (6, 0, daemon.now)
    await daemon.boss.call("MngSetKycRisk", {"customer_id": 7, "brand": "acme", "risk_level": 3})
    assert await customers(daemon.boss) == []


async def test_nobody_sees_or_gets_a_case_of_another_brand(queue):
    await queue.pending(customer=9, brand="beta")
    acme, beta, none = queue.manager(("acme",)), queue.manager(("beta",), sub=2), queue.manager((), sub=3)
    assert await customers(beta) == [9]
    assert await customers(none) == []
    assert await customers(acme, brand="beta") == []
    assert await taken(beta) == 9
    assert await taken(none) is None
    assert (await beta.refused("MngNextKycCase", {"brand": "acme"}))[0] == 404
    for command in ("MngClaimKycCase", "MngRenewKycCase", "MngReleaseKycCase"):
        assert await beta.refused(command, kyc(queue, 1)) == await beta.refused(command, {"kyc_id": 10**6})


async def test_two_reviewers_never_get_the_same_case(daemon):
    for customer in range(1, 41):
        await daemon.pending(customer=customer)
    kinds = (SessionType.MANAGER, SessionType.ADMIN)
    callers = [daemon.manager(sub=number, type=kind) for number in range(1, 31) for kind in kinds]
    calls = [caller.start("MngNextKycCase") for caller in callers]
    cases = [(await call)["case"] for call in calls]
    given = [case["kyc_id"] for case in cases if case]
    assert sorted(given) == list(range(1, 41))
    assert [case is None for case in cases] == [False] * 40 + [True] * 20
    await callers[0].call("MngReleaseKycCase", {"kyc_id": cases[0]["kyc_id"]})
    calls = [caller.start("MngClaimKycCase", {"kyc_id": cases[0]["kyc_id"]}) for caller in callers[40:]]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert [isinstance(result, dict) for result in results] == [True] + [False] * 19


async def test_next_gives_first_what_the_caller_holds_and_leaves_what_the_caller_leaves(queue):
    me, other = queue.manager(sub=1), queue.manager(sub=2)
    assert await taken(me) == 1
    assert await taken(me) == 1
    assert await taken(other) == 2
    assert await taken(me, risk_level=0) == 3
    assert await taken(me) == 1
    assert await taken(me, order="age", leaving=kyc(queue, 1)["kyc_id"]) == 3
    assert await taken(other, leaving=kyc(queue, 3)["kyc_id"]) == 2
    assert await taken(queue.manager(sub=3)) == 1
    assert await taken(me, step_code="none") is None
    assert await customers(queue.boss, assignee=0) == [4, 5, 6]
    assert await customers(queue.boss, assignee=2) == [2]


async def test_what_is_let_go_in_the_same_batch_is_given_at_once(queue):
    me, other = queue.manager(sub=1), queue.manager(sub=2)
    for customer in range(1, 7):
        await me.call("MngClaimKycCase", kyc(queue, customer))
    calls = [me.start("MngReleaseKycCase", kyc(queue, 4)), other.start("MngNextKycCase"), other.start("MngNextKycCase")]
    answers = await asyncio.gather(*calls)
    assert [answer["case"]["customer_id"] for answer in answers[1:]] == [4, 4]
    third = queue.manager(sub=3).start("MngNextKycCase")
    assert (await third)["case"] is None


async def test_a_case_that_is_decided_in_the_same_batch_is_not_given(queue):
    steps = [step.id for step in queue.core.cache.steps.values()]
    calls = [queue.boss.start("MngApproveKycStep", {"id": step_id}) for step_id in steps[:5]]
    assert (await queue.manager(sub=2).start("MngNextKycCase"))["case"]["customer_id"] == 6
    await asyncio.gather(*calls)


async def test_a_held_case_is_refused_by_the_name_of_who_holds_it(queue):
    await queue.manager(sub=5).call("MngClaimKycCase", kyc(queue, 2))
    until = queue.now + LEASE
    for command in ("MngClaimKycCase", "MngRenewKycCase", "MngReleaseKycCase"):
        status, name, message = await queue.manager(sub=6).refused(command, kyc(queue, 2))
        assert (status, name) == (409, "INVALID_STATE")
        assert message.startswith(f"Case is held by 5 (session type 1) until {until}; ")
    twin = queue.manager(sub=5, type=SessionType.ADMIN)
    assert (await twin.refused("MngReleaseKycCase", kyc(queue, 2)))[0] == 409


async def test_only_those_who_may_take_a_case_over(queue):
    await queue.manager(sub=5).call("MngClaimKycCase", kyc(queue, 2))
    data = {**kyc(queue, 2), "take_over": True}
    for kind in (SessionType.MANAGER, SessionType.DEALER, SessionType.CRM_MANAGER):
        assert (await queue.manager(sub=6, type=kind).refused("MngClaimKycCase", data))[0] == 403
        assert (await queue.manager(sub=6, type=kind).refused("MngClaimKycCase", {**data, "kyc_id": 10**6}))[0] == 403
    admin = queue.manager(sub=6, type=SessionType.CRM_ADMIN)
    traces = await queue.traces(lambda: admin.call("MngClaimKycCase", data))
    assert traces == (["case.taken_over"], ["case.claimed"])
    (row,) = await queue.audit(action="case.taken_over")
    assert row.details == {"lease_until": queue.now + LEASE, "assignee": 5, "assignee_session": 1}
    assert (await queue.manager(sub=5).refused("MngRenewKycCase", kyc(queue, 2)))[0] == 409
    free = {**kyc(queue, 3), "take_over": True}
    assert await queue.traces(lambda: admin.call("MngClaimKycCase", free)) == (["case.claimed"], ["case.claimed"])


async def test_the_same_number_in_another_type_of_session_is_somebody_else(queue):
    await queue.manager(sub=1).call("MngClaimKycCase", kyc(queue, 2))
    await queue.manager(sub=1, type=SessionType.ADMIN).call("MngClaimKycCase", kyc(queue, 3))
    assert sorted(await customers(queue.boss, assignee=1)) == [2, 3]
    assert await customers(queue.boss, assignee=1, assignee_session=1) == [2]
    assert await customers(queue.boss, assignee=1, assignee_session=3) == [3]
    refused = await queue.boss.refused("MngGetKycQueue", {"assignee": 1, "assignee_session": 12})
    assert (refused[0], "assignee_session" in refused[2]) == (400, True)


async def test_a_lease_ends_by_itself_and_work_begins_it_anew(queue):
    me, other = queue.manager(sub=1), queue.manager(sub=2)
    case = kyc(queue, 2)
    await me.call("MngClaimKycCase", case)
    queue.now += LEASE - 1
    assert (await other.refused("MngClaimKycCase", case))[0] == 409
    assert (await me.call("MngRenewKycCase", case))["case"]["lease_until"] == queue.now + LEASE
    assert await queue.traces(lambda: me.call("MngRenewKycCase", case)) == (["case.renewed"], [])
    for work in (
        ("MngAddKycNote", {**case, "text": "a"}),
        ("MngNoteKycAccess", {**case, "action": "view"}),
        ("MngSetKycRisk", {"customer_id": 2, "brand": "acme", "risk_level": 1}),
    ):
        queue.now += LEASE - 1
        await me.call(*work)
        assert queue.core.cache.desk.claim(case["kyc_id"]).lease_until == queue.now + LEASE
    await other.call("MngAddKycNote", {**case, "text": "b"})
    queue.now += LEASE
    assert await customers(queue.boss, assignee=1) == []
    assert 2 in await customers(queue.boss, assignee=0)
    assert (await other.call("MngClaimKycCase", case))["case"]["assignee"] == 2


async def test_a_lease_that_is_over_is_told_once(queue):
    me = queue.manager(sub=1)
    await me.call("MngClaimKycCase", kyc(queue, 2))
    await me.call("MngClaimKycCase", kyc(queue, 3))
    assert await queue.traces(queue.core.release_lapsed) == ([], [])
    queue.now += LEASE - 1
    await me.call("MngRenewKycCase", kyc(queue, 3))
    queue.now += 1
    assert await queue.traces(queue.core.release_lapsed) == (["case.released"], ["case.released"])
    (row,) = await queue.audit(action="case.released")
    assert (row.reason, row.source, row.actor_id, row.kyc_id) == ("lapsed", "timer", 0, kyc(queue, 2)["kyc_id"])
    assert await queue.traces(queue.core.release_lapsed) == ([], [])
    assert (await queue.local("SysReleaseCases", {"cases": [2, 3, 10**6]})) == {"cases": 0}
    # Whoever held it may go on where nobody else came.
    assert (await me.call("MngRenewKycCase", kyc(queue, 2)))["case"]["assignee"] == 1


async def test_a_decided_case_lets_its_claim_go(queue):
    me = queue.manager(sub=1)
    await me.call("MngClaimKycCase", kyc(queue, 2))
    (step,) = queue.core.cache.steps_of(kyc(queue, 2)["kyc_id"])
    # Deciding needs no claim: it is somebody else who does.
    rows, kinds = await queue.traces(lambda: queue.boss.call("MngApproveKycStep", {"id": step.id}))
    assert rows == ["case.released", "step.approved"]
    assert kinds == ["step.approved", "profile.updated", "case.released"]
    assert queue.events[-1].record.assignee == 0
    assert queue.core.cache.desk.claim(kyc(queue, 2)["kyc_id"]) is None
    assert 2 not in await customers(queue.boss)
    refused = await me.refused("MngClaimKycCase", kyc(queue, 2))
    assert refused == (409, "INVALID_STATE", "Case waits for nothing: no step is pending and no review is due")
    assert (await me.refused("MngRenewKycCase", kyc(queue, 2)))[0] == 409
    assert await me.call("MngReleaseKycCase", kyc(queue, 2)) == {"accepted": True}


async def test_documents_renew_too_and_an_approved_step_among_several_keeps_the_claim(queue):
    me = queue.manager(sub=1)
    await queue.pending("form", customer=2)
    await me.call("MngClaimKycCase", kyc(queue, 2))
    document = await queue.document(customer=2)
    queue.now += 100
    await me.call("MngApproveKycDocument", {"id": document["id"]})
    claim = queue.core.cache.desk.claim(kyc(queue, 2)["kyc_id"])
    assert (claim.claimed_time, claim.lease_until) == (queue.now - 100, queue.now + LEASE)
    steps = queue.core.cache.steps_of(kyc(queue, 2)["kyc_id"])
    await me.call("MngApproveKycStep", {"id": steps[0].id})
    assert queue.core.cache.desk.claim(kyc(queue, 2)["kyc_id"]).assignee == 1


async def test_claims_and_the_queue_survive_a_restart(queue):
    me = queue.manager(sub=1)
    await me.call("MngClaimKycCase", kyc(queue, 2))
    queue.now += 10
    await me.call("MngClaimKycCase", kyc(queue, 3))
    await me.call("MngReleaseKycCase", kyc(queue, 2))
    before = await queue.boss.call("MngGetKycQueue", {})
    await queue.restart()
    me = queue.manager(sub=1)
    assert await queue.boss.call("MngGetKycQueue", {}) == before
    assert await taken(me) == 3
    assert queue.rows("SELECT kyc_id, assignee FROM claim") == [(kyc(queue, 3)["kyc_id"], 1)]


async def test_a_refused_batch_leaves_no_claim(queue):
    me = queue.manager(sub=1)
    version = {**kyc(queue, 2), "version": 99}
    assert (await me.refused("MngClaimKycCase", version))[1] == "RET_STALE_VERSION"
    assert queue.core.cache.desk.claim(kyc(queue, 2)["kyc_id"]) is None


async def test_a_repeated_next_gives_the_same_case_while_it_is_in_reach(queue):
    me = queue.manager(sub=1)
    first = await me.call("MngNextKycCase", {}, key="n")
    assert await queue.traces(lambda: me.call("MngNextKycCase", {}, key="n")) == ([], [])
    assert await me.call("MngNextKycCase", {}, key="n") == first
    stranger = queue.manager(("beta",), sub=1)
    assert (await stranger.refused("MngNextKycCase", {}, key="n"))[0] == 404
    assert await stranger.call("MngNextKycCase", {}, key="m") == {"case": None}
    assert await stranger.call("MngNextKycCase", {}, key="m") == {"case": None}


async def test_the_length_of_a_lease_is_a_setting(open_daemon):
    daemon = await open_daemon(backoffice={"lease_seconds": 30})
    await daemon.pending()
    assert (await daemon.boss.call("MngNextKycCase"))["case"]["lease_until"] == daemon.now + 30
