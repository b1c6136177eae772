"""Steps: required by code, shown, approved, rejected, skipped; every move that is allowed, and no other."""

import pytest

REQUIRE, GET = "MngRequireKycStep", "MngGetKycStep"
APPROVE, REJECT, SKIP = "MngApproveKycStep", "MngRejectKycStep", "MngSkipKycStep"
ACCEPTED = {"accepted": True}
ASK = {"customer_id": 7, "brand": "acme", "step_code": "id"}


async def test_requiring_makes_profile_and_step(daemon):
    await daemon.template("id", level=3, required=0, name="Identity", step_type=2, requirements={"documents": ["x"]})
    assert await daemon.manager().call(REQUIRE, ASK) == ACCEPTED
    reply = await daemon.manager().call(GET, {"id": 1})
    assert reply == {
        "step": {
            "id": 1, "customer_id": 7, "kyc_id": 1, "brand": "acme", "template_id": 1, "level": 3, "code": "id",
            "name": "Identity", "step_type": 2, "required": 1, "status": 0, "requirements": {"documents": ["x"]},
            "form_schema": {}, "answers": {}, "submitted_time": 0, "updated_time": daemon.now,
            "created_time": daemon.now, "reviewed_time": 0, "reviewed_by": 0, "reason": "", "comment": "",
            "expire_time": 0, "template_version": 1, "explicit": 1, "version": 1,
        },
        "documents": [],
    }  # fmt: skip
    profile = await daemon.profile()
    assert (profile["status"], profile["required_level"], profile["current_level"]) == (2, 0, 0)


async def test_a_level_overrides_the_steps_and_never_raises_the_profiles(daemon):
    await daemon.template("id", level=1)
    await daemon.boss.call(REQUIRE, {**ASK, "level": 9})
    assert (await daemon.shown(1))["level"] == 9
    assert (await daemon.profile())["required_level"] == 0


@pytest.mark.parametrize(("given", "level"), [({}, 2), ({"level": 5}, 5)])
async def test_an_active_step_is_reused(daemon, given, level):
    await daemon.template("id", level=2, required=0)
    await daemon.template("other", level=2)
    await daemon.boss.call("MngSetKycRequiredLevel", {"customer_id": 7, "brand": "acme", "level": 2})
    await daemon.boss.call(REQUIRE, ASK)
    await daemon.boss.call(REQUIRE, {**ASK, **given})
    assert len(daemon.core.cache.steps) == 2
    shown = await daemon.shown(2)
    assert (shown["code"], shown["level"], shown["status"], shown["required"]) == ("id", level, 0, 1)


async def test_an_approved_step_stays_approved_when_required_again(daemon):
    step_id = await daemon.pending("id")
    await daemon.boss.call(APPROVE, {"id": step_id})
    await daemon.boss.call(REQUIRE, ASK)
    assert (await daemon.shown(step_id))["status"] == 2
    assert len(daemon.core.cache.steps) == 1
    row = (await daemon.audit())[-1]
    assert (row.old_status, row.new_status, row.details["reused"]) == (2, 2, True)


async def test_a_skipped_step_is_history(daemon):
    await daemon.boss.call(SKIP, {"id": await daemon.step("id")})
    await daemon.boss.call(REQUIRE, ASK)
    assert [step.status for step in daemon.core.cache.steps.values()] == [5, 0]


@pytest.mark.parametrize("status", [None, 1, 2])
async def test_requiring_needs_an_active_template(daemon, status):
    if status is not None:
        await daemon.template("id")
        await daemon.boss.call("MngUpdateKycStepTemplate", {"id": 1, "status": status})
    await daemon.template("id", brand="other")
    assert await daemon.boss.refused(REQUIRE, ASK) == (404, "RET_NOT_FOUND", "Template was not found")
    assert not daemon.core.cache.profiles


MOVES = {
    # (status, is it manual): what may be done
    ("required", False): {"submit": 1, "skip": 5},
    ("required", True): {"submit": 1, "skip": 5, "approve": 2},
    ("pending", False): {"approve": 2, "reject": 3},
    ("pending", True): {"approve": 2, "reject": 3},
    ("approved", False): {},
    ("approved", True): {},
    ("rejected", False): {"submit": 1},
    ("rejected", True): {"submit": 1},
    ("expired", False): {},
    ("skipped", False): {},
}


async def bring(daemon, status, *, manual):
    await daemon.template("id", step_type=4 if manual else 1)
    step_id = await daemon.step("id")
    if status in {"pending", "approved", "rejected", "expired"}:
        await daemon.customer().call("CustomerSubmitKycStep", {"id": step_id, "answers": {}})
    if status in {"approved", "expired"}:
        await daemon.boss.call(APPROVE, {"id": step_id, "expire_time": daemon.now + 5})
    if status == "rejected":
        await daemon.boss.call(REJECT, {"id": step_id})
    if status == "skipped":
        await daemon.boss.call(SKIP, {"id": step_id})
    if status == "expired":
        daemon.now += 5
        await daemon.core.expire_due()
    return step_id


@pytest.mark.parametrize("move", ["submit", "approve", "reject", "skip"])
@pytest.mark.parametrize(("status", "manual"), MOVES)
async def test_moves(daemon, status, manual, move):
    step_id = await bring(daemon, status, manual=manual)
    before, rows = await daemon.shown(step_id), len(await daemon.audit())
    caller = daemon.customer() if move == "submit" else daemon.boss
    command = {"submit": "CustomerSubmitKycStep", "approve": APPROVE, "reject": REJECT, "skip": SKIP}[move]
    if move in MOVES[status, manual]:
        await caller.call(command, {"id": step_id})
        assert (await daemon.shown(step_id))["status"] == MOVES[status, manual][move]
        return
    code, name, message = await caller.refused(command, {"id": step_id})
    assert (code, name) == (409, "INVALID_STATE")
    assert message.startswith(f"Step has status {status}; it cannot become ")
    assert await daemon.shown(step_id) == before
    assert len(await daemon.audit()) == rows


async def test_approving_tells_who_when_why_and_until_when(daemon):
    step_id = await daemon.pending("id")
    daemon.now += 30
    data = {"id": step_id, "reason": "ok", "comment": "seen", "expire_time": daemon.now + 9}
    assert await daemon.manager(sub=42).call(APPROVE, data) == ACCEPTED
    shown = await daemon.shown(step_id)
    kept = {
        name: shown[name] for name in ("status", "reviewed_time", "reviewed_by", "reason", "comment", "expire_time")
    }
    assert kept == {
        "status": 2, "reviewed_time": daemon.now, "reviewed_by": 42, "reason": "ok", "comment": "seen",
        "expire_time": daemon.now + 9,
    }  # fmt: skip
    row = (await daemon.audit())[-1]
    assert (row.actor_id, row.actor_session, row.details) == (42, 1, {"expire_time": daemon.now + 9})


@pytest.mark.parametrize("past", [1, 0])
async def test_approving_until_a_time_that_has_gone(daemon, past):
    step_id = await daemon.pending("id")
    data = {"id": step_id, "expire_time": daemon.now - past}
    assert await daemon.boss.refused(APPROVE, data) == (400, "INVALID_DATA", "expire_time: is not in the future")
    assert (await daemon.shown(step_id))["status"] == 1


async def test_rejecting_and_handing_in_again(daemon):
    step_id = await daemon.pending("id")
    await daemon.manager(sub=5).call(REJECT, {"id": step_id, "reason": "blurred", "comment": "inner"})
    shown = await daemon.shown(step_id)
    assert (shown["status"], shown["reason"], shown["comment"], shown["reviewed_by"]) == (3, "blurred", "inner", 5)
    daemon.now += 1
    await daemon.customer().call("CustomerSubmitKycStep", {"id": step_id})
    assert ((await daemon.shown(step_id))["status"], (await daemon.shown(step_id))["submitted_time"]) == (1, daemon.now)
    assert (await daemon.profile())["status"] == 2


@pytest.mark.parametrize("command", [GET, APPROVE, REJECT, SKIP])
async def test_bad_and_missing_ids(daemon, command):
    for bad in (0, -1, "1", 1.5, True, None, 2**53, [1]):
        assert await daemon.boss.refused(command, {"id": bad}) == (400, "INVALID_DATA", "Invalid step id")
    assert await daemon.boss.refused(command, {}) == (400, "INVALID_DATA", "Invalid step id")
    assert await daemon.boss.refused(command, {"id": 1}) == (404, "RET_NOT_FOUND", "Step was not found")


async def test_a_step_shows_its_documents_only(daemon):
    first, second = await daemon.step("one"), await daemon.step("two")
    made = [await daemon.document(step_id=step_id) for step_id in (first, second, 0, first)]
    reply = await daemon.boss.call(GET, {"id": first})
    assert reply["documents"] == [made[0], made[3]]


async def test_what_a_profile_shows(daemon):
    step_id = await daemon.step("one")
    made = await daemon.document(step_id=step_id)
    by_id = await daemon.boss.call("MngGetKycProfile", {"id": 1})
    by_customer = await daemon.boss.call("MngGetKycProfile", {"customer_id": 7, "brand": "acme"})
    assert by_id == by_customer
    assert by_id == {"profile": await daemon.profile(), "steps": [await daemon.shown(step_id)], "documents": [made]}


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        ({}, (400, "INVALID_DATA", "id: give id, or customer_id and brand")),
        ({"customer_id": 7}, (400, "INVALID_DATA", "id: give id, or customer_id and brand")),
        ({"brand": "acme"}, (400, "INVALID_DATA", "id: give id, or customer_id and brand")),
        ({"id": "x"}, (400, "INVALID_DATA", "Invalid profile id")),
        ({"id": 9}, (404, "RET_NOT_FOUND", "Profile was not found")),
        ({"customer_id": 9, "brand": "acme"}, (404, "RET_NOT_FOUND", "Profile was not found")),
    ],
)
async def test_a_profile_that_is_not_named_or_not_there(daemon, data, answer):
    await daemon.step()
    assert await daemon.boss.refused("MngGetKycProfile", data) == answer


async def test_a_rejection_is_taken_back(daemon):
    step_id = await daemon.pending("id")
    await daemon.boss.call(REJECT, {"id": step_id, "reason": "forged", "comment": "no seal"})
    before = await daemon.shown(step_id)
    daemon.now += 5
    data = {"id": step_id, "reason": "mistake", "comment": "there is one", "version": before["version"]}
    actions, kinds = await daemon.traces(lambda: daemon.manager(sub=5).call("MngReopenKycStep", data))
    assert (actions, kinds) == (["step.reopened"], ["step.reopened", "profile.updated"])
    shown = await daemon.shown(step_id)
    undone = {"status": 1, "reason": "", "comment": "", "reviewed_time": 0, "reviewed_by": 0}
    assert shown == {**before, **undone, "updated_time": daemon.now, "version": before["version"] + 1}
    assert (await daemon.profile())["status"] == 2
    row = (await daemon.audit())[-1]
    assert (row.actor_id, row.reason, row.comment, row.old_status, row.new_status) == (
        5, "mistake", "there is one", 3, 1,
    )  # fmt: skip
    assert (await daemon.boss.refused("MngReopenKycStep", data))[1] == "RET_STALE_VERSION"


@pytest.mark.parametrize(("status", "manual"), [move for move in MOVES if move[0] != "rejected"])
async def test_nothing_but_a_rejection_is_taken_back(daemon, status, manual):
    step_id = await bring(daemon, status, manual=manual)
    rows = len(await daemon.audit())
    assert await daemon.boss.refused("MngReopenKycStep", {"id": step_id}) == (
        409, "INVALID_STATE", f"Step has status {status}; only a rejection can be taken back",
    )  # fmt: skip
    assert len(await daemon.audit()) == rows
