"""The level asked of a customer: profiles made and reused, steps attached, what follows for the status."""

import pytest

SET = "MngSetKycRequiredLevel"
ACCEPTED = {"accepted": True}


async def ask(daemon, level, customer=7, brand="acme", **more):
    return await daemon.boss.call(SET, {"customer_id": customer, "brand": brand, "level": level, **more})


async def codes(daemon, customer=7, brand="acme"):
    reply = await daemon.boss.call("MngGetKycProfile", {"customer_id": customer, "brand": brand})
    return [(step["code"], step["status"]) for step in reply["steps"]]


async def test_a_profile_is_made_once(daemon):
    assert await ask(daemon, 1) == ACCEPTED
    made = await daemon.profile()
    assert made == {
        "id": 1, "customer_id": 7, "brand": "acme", "status": 1, "current_level": 0, "required_level": 1,
        "risk_level": 0, "created_time": daemon.now, "updated_time": daemon.now, "version": made["version"],
    }  # fmt: skip
    await ask(daemon, 1, brand="other")
    await ask(daemon, 2)
    assert [(await daemon.profile(brand=brand))["id"] for brand in ("acme", "other")] == [1, 2]


async def test_a_rise_attaches_what_the_brand_asks_for(daemon):
    for code, fields in {
        "one": {"level": 1},
        "two": {"level": 2},
        "three": {"level": 3},
        "optional": {"level": 1, "required": 0},
        "first": {"level": 2, "sort_index": -1},
        "elsewhere": {"level": 1, "brand": "other"},
        "disabled": {"level": 1},
        "archived": {"level": 1},
    }.items():
        made = await daemon.template(code, **fields)
        if code in {"disabled", "archived"}:
            status = 1 if code == "disabled" else 2
            await daemon.boss.call("MngUpdateKycStepTemplate", {"id": made["id"], "status": status})
    await ask(daemon, 2)
    assert await codes(daemon) == [("first", 0), ("one", 0), ("two", 0)]
    await ask(daemon, 3)
    assert await codes(daemon) == [("first", 0), ("one", 0), ("two", 0), ("three", 0)]


async def test_the_level_is_never_lowered_and_a_lower_one_attaches_nothing(daemon):
    await daemon.template("one", level=1)
    await ask(daemon, 5)
    await daemon.template("late", level=1)
    assert await ask(daemon, 2) == ACCEPTED
    assert (await daemon.profile())["required_level"] == 5
    assert await codes(daemon) == [("one", 0)]


async def test_the_same_level_again_attaches_templates_added_since(daemon):
    await daemon.template("one", level=1)
    await ask(daemon, 2)
    await daemon.template("late", level=2)
    await ask(daemon, 2)
    await ask(daemon, 2)
    assert await codes(daemon) == [("one", 0), ("late", 0)]


async def in_status(daemon, status):
    """Bring step 1, a manual one of level 1 with code "id", into a status."""
    await daemon.template("id", level=1, step_type=4)
    await ask(daemon, 1)
    boss = daemon.boss
    if status == "skipped":
        await boss.call("MngSkipKycStep", {"id": 1})
    if status in {"approved", "expired"}:
        await boss.call("MngApproveKycStep", {"id": 1, "expire_time": daemon.now + 10})
    if status in {"pending", "rejected"}:
        await daemon.customer().call("CustomerSubmitKycStep", {"id": 1, "answers": {}})
    if status == "rejected":
        await boss.call("MngRejectKycStep", {"id": 1, "reason": "blurred"})
    if status == "expired":
        daemon.now += 10
        await daemon.core.expire_due()


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("required", [("id", 0)]),
        ("pending", [("id", 1)]),
        ("approved", [("id", 2)]),
        ("rejected", [("id", 3)]),
        ("expired", [("id", 4), ("id", 0)]),
        ("skipped", [("id", 5), ("id", 0)]),
    ],
)
async def test_an_active_step_is_reused_never_doubled(daemon, status, expected):
    await in_status(daemon, status)
    await ask(daemon, 2)
    assert await codes(daemon) == expected


@pytest.mark.parametrize(
    ("status", "profile", "level", "kinds"),
    [
        ("required", 2, 0, ["step.required", "profile.updated"]),
        ("pending", 2, 0, ["step.submitted", "profile.updated"]),
        ("approved", 3, 1, ["step.approved", "profile.updated"]),
        ("rejected", 4, 0, ["step.rejected", "profile.updated"]),
        ("skipped", 3, 1, ["step.skipped", "profile.updated"]),
        ("expired", 2, 0, ["step.expired", "step.required", "profile.updated"]),
    ],
)
async def test_every_decision_recalculates(daemon, status, profile, level, kinds):
    await in_status(daemon, status)
    found = await daemon.profile()
    assert (found["status"], found["current_level"]) == (profile, level)
    assert [event.kind for event in daemon.events][-len(kinds) :] == kinds
    assert daemon.events[-1].record == daemon.core.cache.profiles[1]
    row = daemon.rows("SELECT kyc_status, kyc_current_level, kyc_required_level, risk_level FROM customer")
    assert row == [(profile, level, 1, 0)]


async def test_a_step_required_by_its_code_is_asked_again(daemon):
    await daemon.template("id", step_type=4, required=0)
    step_id = await daemon.step("id")
    await daemon.boss.call("MngApproveKycStep", {"id": step_id, "expire_time": daemon.now + 1})
    assert (await daemon.profile())["status"] == 3
    daemon.now += 1
    await daemon.core.expire_due()
    assert (await daemon.profile())["status"] == 2


async def test_levels_are_reached_from_below(daemon):
    for level in (1, 2, 3):
        await daemon.template(f"level{level}", level=level, step_type=4)
    await ask(daemon, 3)
    reached = []
    for step_id in (2, 1, 3):
        await daemon.boss.call("MngApproveKycStep", {"id": step_id})
        found = await daemon.profile()
        reached.append((found["status"], found["current_level"]))
    assert reached == [(2, 0), (2, 2), (3, 3)]


async def test_bad_fields_are_named(daemon):
    for change in (
        {"level": 0}, {"level": 101}, {"level": None}, {"customer_id": 0}, {"customer_id": 2**53},
        {"brand": "no good"}, {"reason": "r" * 201}, {"source": "s" * 65}, {"version": 0},
    ):  # fmt: skip
        data = {"customer_id": 7, "brand": "acme", "level": 1, **change}
        status, name, message = await daemon.boss.refused(SET, data)
        assert (status, name, message.partition(":")[0]) == (400, "INVALID_DATA", *change)
    assert not daemon.core.cache.profiles


@pytest.mark.parametrize(
    ("risk", "status"), [(0, 3), (1, 3), (2, 3), (3, 3), (4, 6)], ids=["unknown", "low", "medium", "high", "prohibited"]
)
async def test_risk(daemon, risk, status):
    await in_status(daemon, "approved")
    data = {"customer_id": 7, "brand": "acme", "risk_level": risk, "reason": "list"}
    assert await daemon.boss.call("MngSetKycRisk", data) == ACCEPTED
    found = await daemon.profile()
    assert (found["risk_level"], found["status"]) == (risk, status)
    row = (await daemon.audit())[-1]
    assert (row.action, row.reason, row.details) == ("profile.risk", "list", {"old_risk": 0, "new_risk": risk})


async def test_risk_makes_a_profile_too(daemon):
    await daemon.boss.call("MngSetKycRisk", {"customer_id": 7, "brand": "acme", "risk_level": 1})
    assert (await daemon.profile())["status"] == 0
    await daemon.boss.call("MngSetKycRisk", {"customer_id": 7, "brand": "acme", "risk_level": 4})
    assert (await daemon.profile())["status"] == 6
    assert (await daemon.boss.refused("MngSetKycRisk", {"customer_id": 7, "brand": "acme", "risk_level": 5}))[2] == (
        "risk_level: expected 0 to 4"
    )


async def test_the_level_holds_after_a_restart(daemon):
    await daemon.template("one", level=1)
    await ask(daemon, 4)
    before = await daemon.profile()
    await daemon.restart()
    assert await daemon.profile() == before
    await ask(daemon, 1)
    assert (await daemon.profile())["required_level"] == 4
