"""Conditional writes: `version` of the record a write names must be the one it has."""

import pytest

STALE = (409, "RET_STALE_VERSION", "version: the record has changed since; read it again")
WHO = {"customer_id": 7, "brand": "acme"}

# command: (who, data, the record named)
WRITES = {
    "MngUpdateKycStepTemplate": ("boss", {"id": 1, "name": "n"}, "template"),
    "MngDeleteKycStepTemplate": ("boss", {"id": 1}, "template"),
    "MngRequireKycStep": ("boss", {**WHO, "step_code": "one"}, "profile"),
    "MngSetKycRequiredLevel": ("boss", {**WHO, "level": 1}, "profile"),
    "MngSetKycRisk": ("boss", {**WHO, "risk_level": 1}, "profile"),
    "kyc.require_step": ("boss", {**WHO, "step_code": "one"}, "profile"),
    "kyc.set_required_level": ("boss", {**WHO, "level": 1}, "profile"),
    "MngApproveKycStep": ("boss", {"id": 1}, "step"),
    "MngRejectKycStep": ("boss", {"id": 1}, "step"),
    "MngSkipKycStep": ("boss", {"id": 2}, "required"),
    "MngAddKycDocument": ("boss", {"kyc_id": 1, "file_id": ""}, "profile"),
    "MngApproveKycDocument": ("boss", {"id": 1}, "document"),
    "MngRejectKycDocument": ("boss", {"id": 1}, "document"),
    "MngDeleteKycDocument": ("boss", {"id": 1}, "document"),
    "CustomerSubmitKycStep": ("customer", {"id": 2}, "required"),
    "CustomerSaveKycAnswers": ("customer", {"id": 2, "answers": {}}, "required"),
    "CustomerRemoveKycDocument": ("customer", {"id": 1}, "document"),
    "MngMakeKycPortalLink": ("boss", {"id": 1}, "profile"),
    "CustomerAddKycDocument": ("customer", {"kyc_id": 1, "file_id": ""}, "profile"),
}


async def ready(daemon):
    """Make one record of each kind, all changed at least once but the last step."""
    await daemon.pending("one")
    await daemon.step("two")
    await daemon.document()
    await daemon.boss.call("MngUpdateKycStepTemplate", {"id": 1, "sort_index": 1})
    cache = daemon.core.cache
    return {
        "template": cache.templates[1].version, "profile": cache.profiles[1].version, "step": cache.steps[1].version,
        "required": cache.steps[2].version, "document": cache.documents[1].version,
    }  # fmt: skip


@pytest.mark.parametrize("command", WRITES)
async def test_every_write_that_names_a_record(daemon, command):
    who, data, named = WRITES[command]
    version = (await ready(daemon))[named]
    if "file_id" in data:
        data = {**data, "file_id": await daemon.upload()}
    caller = daemon.boss if who == "boss" else daemon.customer()
    rows = len(await daemon.audit())
    for wrong in {version + 1, max(version - 1, 1)} - {version}:
        assert await caller.refused(command, {**data, "version": wrong}) == STALE
    assert len(await daemon.audit()) == rows
    await caller.call(command, {**data, "version": version})
    assert len(await daemon.audit()) == rows + 1


async def test_the_table_above_is_whole(daemon, reviewing):
    writes = {
        name for name, command in daemon.core.executor.commands.items()
        if command.kind.value == "write" and command.access.sessions
    }  # fmt: skip
    assert set(WRITES) == writes - {"MngAddKycStepTemplate", "MngDecideKycFile", *reviewing}


async def test_a_version_of_what_is_not_there(daemon):
    assert await daemon.boss.refused("MngSetKycRequiredLevel", {**WHO, "level": 1, "version": 1}) == STALE
    assert not daemon.core.cache.profiles


async def test_bad_versions(daemon):
    for bad in (0, -1, "1", 1.5, None):
        status, name, message = await daemon.boss.refused("MngSkipKycStep", {"id": 1, "version": bad})
        assert (status, name, message.partition(":")[0]) == (400, "INVALID_DATA", "version")


async def test_one_of_two_writers_in_one_batch_is_told(daemon):
    made = await daemon.template()
    data = {"id": made["id"], "version": 1}
    calls = [daemon.boss.start("MngUpdateKycStepTemplate", {**data, "name": name}) for name in ("a", "b")]
    assert (await calls[0])["template"]["name"] == "a"
    with pytest.raises(Exception, match="changed since") as caught:
        await calls[1]
    assert caught.value.data == {"version": 2}
