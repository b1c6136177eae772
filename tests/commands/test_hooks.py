"""The hooks of a CRM's workflow, and the gate for opening an account."""

import pytest

from kycmanager.domain.enums import SessionType

LEVEL, STEP, GATE = "kyc.set_required_level", "kyc.require_step", "MngGetKycGate"
WHO = {"customer_id": 7, "brand": "acme"}


@pytest.mark.parametrize("type_", [SessionType.SYSTEM, SessionType.CRM_ADMIN])
async def test_hooks_do_what_the_commands_do_as_workflow(daemon, type_):
    caller = daemon.manager(("acme",), sub=3, type=type_)
    await daemon.template("one", level=1)
    await daemon.template("two", level=5, required=0)
    before = len(await daemon.audit())
    data = {**WHO, "level": 1, "reason": "signup", "source": "forged"}
    assert await caller.call(LEVEL, data) == {"accepted": True}
    assert await caller.call(STEP, {**WHO, "step_code": "two", "level": 7, "reason": "large"}) == {"accepted": True}
    steps = daemon.core.cache.steps_of(1)
    assert [(step.code, step.level, step.required) for step in steps] == [("one", 1, 1), ("two", 7, 1)]
    assert [(row.action, row.source, row.reason) for row in (await daemon.audit())[before:]] == [
        ("profile.created", "workflow", ""),
        ("profile.required_level", "workflow", "signup"),
        ("step.required", "workflow", "large"),
    ]


async def test_hooks_name_what_they_refuse(daemon):
    for command, data, answer in (
        (STEP, {**WHO, "step_code": "x"}, (404, "RET_NOT_FOUND", "Template was not found")),
        (STEP, WHO, (400, "INVALID_DATA", "step_code: is required")),
        (LEVEL, {**WHO, "level": 0}, (400, "INVALID_DATA", "level: expected int >= 1")),
        (LEVEL, {"brand": "acme", "level": 1}, (400, "INVALID_DATA", "customer_id: is required")),
        (LEVEL, {**WHO, "brand": "beta", "level": 1}, (404, "RET_NOT_FOUND", "Profile was not found")),
        (STEP, {**WHO, "brand": "beta", "step_code": "x"}, (404, "RET_NOT_FOUND", "Template was not found")),
    ):
        assert await daemon.manager(("acme",), type=SessionType.SYSTEM).refused(command, data) == answer


def gate(*, required, level, status, current, profile, allowed, missing):
    return {
        "kyc_required": required, "kyc_required_level": level, "kyc_status": status, "kyc_current_level": current,
        "kyc_profile_id": profile, "allowed": allowed, "missing": missing,
    }  # fmt: skip


CLOSED = gate(required=False, level=0, status=0, current=0, profile=0, allowed=False, missing=[])


async def test_the_gate_of_an_unknown_customer(daemon):
    assert await daemon.manager().call(GATE, WHO) == CLOSED
    await daemon.step(brand="beta")
    assert await daemon.manager().call(GATE, {**WHO, "brand": "beta"}) == CLOSED


async def test_the_gate_opens_when_nothing_is_missing(daemon):
    await daemon.template("one", level=1, step_type=4)
    await daemon.template("two", level=1, step_type=4)
    await daemon.boss.call(LEVEL, {**WHO, "level": 1})
    both = [await daemon.shown(1), await daemon.shown(2)]
    found = await daemon.manager().call(GATE, WHO)
    assert found == gate(required=True, level=1, status=2, current=0, profile=1, allowed=False, missing=both)
    await daemon.boss.call("MngApproveKycStep", {"id": 1})
    assert (await daemon.manager().call(GATE, WHO))["missing"] == both[1:]
    await daemon.boss.call("MngSkipKycStep", {"id": 2})
    found = await daemon.manager().call(GATE, WHO)
    assert found == gate(required=True, level=1, status=3, current=1, profile=1, allowed=True, missing=[])
    await daemon.boss.call("MngSetKycRisk", {**WHO, "risk_level": 4})
    found = await daemon.manager().call(GATE, WHO)
    assert found == gate(required=True, level=1, status=6, current=1, profile=1, allowed=False, missing=[])


async def test_the_gate_of_one_explicit_step(daemon):
    await daemon.template("one", step_type=4, required=0)
    step_id = await daemon.step("one")
    found = await daemon.manager().call(GATE, WHO)
    assert (found["kyc_required"], found["kyc_required_level"], found["allowed"]) == (True, 0, False)
    await daemon.boss.call("MngApproveKycStep", {"id": step_id})
    found = await daemon.manager().call(GATE, WHO)
    assert (found["allowed"], found["kyc_status"], found["kyc_current_level"]) == (True, 3, 0)


async def test_the_gate_needs_customer_and_brand(daemon):
    for data, field in (({"brand": "acme"}, "customer_id"), ({"customer_id": 7}, "brand")):
        assert await daemon.manager().refused(GATE, data) == (400, "INVALID_DATA", f"{field}: is required")
