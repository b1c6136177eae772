"""The reach of a manager: another brand's object answers exactly like a missing one, in every command."""

import pytest

from kycmanager.domain.enums import SessionType

WHO = {"customer_id": 7, "brand": "acme"}
NOWHERE = {"customer_id": 99, "brand": "acme"}
FILE = "5d1f3a52-0000-4000-8000-000000000000"

# command: (data that names what is there in brand acme, data that names nothing)
NAMED = {
    "MngUpdateKycStepTemplate": ({"id": 1, "name": "n"}, {"id": 99, "name": "n"}),
    "MngDeleteKycStepTemplate": ({"id": 1}, {"id": 99}),
    "MngGetKycStepTemplate": ({"id": 1}, {"id": 99}),
    "MngGetKycProfile": ({"id": 1}, {"id": 99}),
    "MngGetKycStep": ({"id": 1}, {"id": 99}),
    "MngApproveKycStep": ({"id": 1}, {"id": 99}),
    "MngRejectKycStep": ({"id": 1}, {"id": 99}),
    "MngReopenKycStep": ({"id": 1}, {"id": 99}),
    "MngSkipKycStep": ({"id": 1}, {"id": 99}),
    "MngAddKycDocument": ({"kyc_id": 1, "file_id": FILE}, {"kyc_id": 99, "file_id": FILE}),
    "MngApproveKycDocument": ({"id": 1}, {"id": 99}),
    "MngRejectKycDocument": ({"id": 1}, {"id": 99}),
    "MngDeleteKycDocument": ({"id": 1}, {"id": 99}),
    "MngMakeKycPortalLink": ({"id": 1}, {"id": 99}),
}
NOUNS = {
    "Template": "Template",
    "Profile": "Profile",
    "KycStep": "Step",
    "AddKycDocument": "Profile",
    "PortalLink": "Profile",
    "Document": "Document",
}
BY_BRAND = {
    "MngAddKycStepTemplate": ({"brand": "acme", "code": "new", "level": 1}, "Brand"),
    "MngGetKycProfile": (WHO, "Profile"),
    "MngRequireKycStep": ({**WHO, "step_code": "one"}, "Template"),
    "MngSetKycRequiredLevel": ({**WHO, "level": 1}, "Profile"),
    "MngSetKycRisk": ({**WHO, "risk_level": 1}, "Profile"),
    "kyc.require_step": ({**WHO, "step_code": "one"}, "Template"),
    "kyc.set_required_level": ({**WHO, "level": 1}, "Profile"),
    "MngAddKycDocument": ({**WHO, "file_id": FILE}, "Profile"),
}
LISTS = ("MngGetKycStepTemplates", "MngGetKycProfiles", "MngGetKycDocuments", "MngGetKycAudit")


async def filled(daemon):
    for brand in ("acme", "beta"):
        step_id = await daemon.step("one", brand=brand)
        await daemon.document(brand=brand, step_id=step_id)
    return len(await daemon.audit())


@pytest.mark.parametrize("brands", [(), ("other",), ("beta", "other"), ("ACME",)], ids=repr)
async def test_out_of_reach_is_like_missing(daemon, brands):
    rows = await filled(daemon)
    stranger = daemon.manager(brands)
    for command, (there, nothing) in NAMED.items():
        noun = next(noun for part, noun in NOUNS.items() if part in command)
        refusal = (404, "RET_NOT_FOUND", f"{noun} was not found")
        assert await stranger.refused(command, there) == refusal
        assert await stranger.refused(command, nothing) == refusal
        assert await daemon.boss.refused(command, nothing) == refusal
    assert len(await daemon.audit()) == rows


@pytest.mark.parametrize("brands", [(), ("beta", "other")], ids=repr)
async def test_a_brand_out_of_reach(daemon, brands):
    rows = await filled(daemon)
    stranger = daemon.manager(brands)
    for command, (data, noun) in BY_BRAND.items():
        refusal = (404, "RET_NOT_FOUND", f"{noun} was not found")
        assert await stranger.refused(command, data) == refusal
        assert await stranger.refused(command, {**data, "brand": "never-heard-of"}) == refusal
    assert len(await daemon.audit()) == rows


@pytest.mark.parametrize(
    ("brands", "seen"),
    [((), []), (("acme",), ["acme"]), (("acme", "beta"), ["acme", "beta"]), (None, ["acme", "beta", "gamma"]), (("x",), [])],
    ids=repr,
)  # fmt: skip
async def test_lists_show_the_brands_in_reach(daemon, brands, seen):
    for brand in ("acme", "beta", "gamma"):
        await daemon.step("one", brand=brand)
        await daemon.document(brand=brand)
    for command in LISTS:
        reply = await daemon.manager(brands).call(command)
        assert sorted({row["brand"] for row in reply["rows"]}) == seen
        assert reply["count"] == len(reply["rows"])
        for brand in ("acme", "gamma", "x"):
            rows = (await daemon.manager(brands).call(command, {"brand": brand}))["rows"]
            assert {row["brand"] for row in rows} == {brand} & set(seen)


@pytest.mark.parametrize("command", LISTS)
async def test_a_brand_of_a_bad_form(daemon, command):
    for bad in ("", "a b", "x" * 65, 5, None):
        status, name, message = await daemon.boss.refused(command, {"brand": bad})
        assert (status, name, message.partition(":")[0]) == (400, "INVALID_DATA", "brand")


MANAGERS = {"MANAGER", "DEALER", "ADMIN", "CRM_MANAGER", "CRM_ADMIN"}
OPEN = {"Ping", "Subscribe", "Unsubscribe"}
HOOKS = {"kyc.require_step", "kyc.set_required_level"}
DECIDERS = {"ADMIN", "CRM_ADMIN"}


@pytest.mark.parametrize("type_", list(SessionType), ids=lambda each: each.name)
async def test_who_may_call_what(daemon, type_):
    caller = daemon.manager(("acme",), sub=7, type=type_)
    for name in daemon.core.executor.commands:
        if name.startswith("Sys"):
            allowed = False
        elif name.startswith("Customer"):
            allowed = type_.name == "CUSTOMER"
        elif name in {"MngDecideKycFile", "MngReplayKycDelivery"}:
            allowed = type_.name in DECIDERS
        else:
            allowed = name in OPEN or type_.name in MANAGERS or (name in HOOKS and type_.name == "SYSTEM")
        try:
            await caller.call(name, {"chanels": []})
            found = True
        except Exception as error:
            found = error.code.status != 403
        assert found is allowed, name
