"""Files with something active in them: who sees them, who decides, and what a crash leaves."""

import pytest

from kycmanager.domain.enums import SessionType
from kycmanager.domain.errors import KycError
from storagemanager import FileState, Owner, StorageError, StorageErrorCode

SCRIPT = b"/Type /Catalog /OpenAction << /S /JavaScript /JS (1) >>"
HELD = "File is held back: something active was found in it, and nobody released it"


def active_pdf() -> bytes:
    from kycmanager.demo.samples import pdf

    return pdf(["a form"]).replace(b"/Type /Catalog", SCRIPT)


async def sent(daemon, brand="acme", kind="customer", owner_id=7):
    upload = daemon.core.storage.receive(
        original_name="form.pdf",
        declared_type="application/pdf",
        owner=Owner(kind=kind, id=owner_id, brand=brand),
        purpose="",
        scope=0,
    )
    await upload.write(active_pdf())
    return (await upload.finish()).uuid


@pytest.fixture
async def lenient(open_daemon):
    """acme holds such files back, zeta takes them, all others refuse them."""
    brands = {"acme": {"active_content": "quarantine"}, "zeta": {"active_content": "accept"}}
    return await open_daemon(inspection={"brands": brands})


@pytest.fixture
def decider(lenient):
    return lenient.manager(("acme",), sub=5, type=SessionType.CRM_ADMIN)


async def seen(daemon, file_id):
    told = (await daemon.boss.call("MngGetKycFile", {"file_id": file_id}))["file"]
    return told["file_state"], told["findings"]


async def test_each_brand_has_its_policy(lenient):
    assert await seen(lenient, await sent(lenient)) == ("quarantined", ["javascript"])
    assert await seen(lenient, await sent(lenient, "zeta")) == ("accepted", ["javascript"])
    with pytest.raises(StorageError) as caught:
        await sent(lenient, "other")
    assert caught.value.code is StorageErrorCode.ACTIVE_CONTENT
    assert caught.value.reason == "the document contains JavaScript; send it without, for example printed to a new PDF"
    assert await seen(lenient, await lenient.upload()) == ("accepted", [])
    assert (await lenient.core.storage.stats()).files == 3


async def test_a_held_file_is_attached_but_not_approved_until_it_is_released(lenient, decider):
    await lenient.step()
    file_id = await sent(lenient)
    manager = lenient.manager()
    data = {"customer_id": 7, "brand": "acme", "file_id": file_id}
    documents = [(await manager.call("MngAddKycDocument", data))["document"]["id"] for _ in range(2)]
    assert await manager.refused("MngApproveKycDocument", {"id": documents[0]}) == (409, "INVALID_STATE", HELD)
    release = {"file_id": file_id, "decision": "release"}
    assert (await manager.refused("MngDecideKycFile", release))[0] == 403
    actions, kinds = await lenient.traces(lambda: decider.call("MngDecideKycFile", release))
    assert (actions, kinds) == (["file.released"], ["document.file_released"] * 2)
    row = (await lenient.audit(action="file.released"))[0]
    assert (row.document_id, row.customer_id, row.actor_id) == (documents[0], 7, 5)
    assert row.details == {"file_id": file_id, "before": "quarantined"}
    assert await seen(lenient, file_id) == ("released", ["javascript"])
    await manager.call("MngApproveKycDocument", {"id": documents[0]})
    refuse = {"file_id": file_id, "decision": "refuse", "reason": "a later finding"}
    assert (await lenient.traces(lambda: decider.call("MngDecideKycFile", refuse)))[0] == ["file.refused"]
    assert await manager.refused("MngApproveKycDocument", {"id": documents[1]}) == (409, "INVALID_STATE", HELD)
    assert await decider.refused("MngDecideKycFile", release) == (
        409,
        "INVALID_STATE",
        "File has state refused; it cannot become released",
    )


async def test_a_file_that_nothing_holds_is_decided_too(lenient, decider):
    file_id = await sent(lenient, kind="manager", owner_id=9)
    refuse = {"file_id": file_id, "decision": "refuse"}
    assert await decider.faults("MngDecideKycFile", refuse) == [("reason", "invalid")]
    traces = await lenient.traces(lambda: decider.call("MngDecideKycFile", {**refuse, "reason": "forged"}))
    assert traces == (["file.refused"], [])
    row = (await lenient.audit(action="file.refused"))[0]
    assert (row.customer_id, row.kyc_id, row.reason) == (0, 0, "forged")


async def test_a_file_of_another_brand_does_not_exist(lenient, decider):
    file_id = await sent(lenient, "zeta")
    for data in ({"file_id": file_id}, {"file_id": "00000000-0000-4000-8000-000000000000"}):
        missing = (404, "RET_NOT_FOUND", "File was not found")
        assert await decider.refused("MngDecideKycFile", {**data, "decision": "release"}) == missing
        assert await decider.refused("MngGetKycFile", data) == missing
    assert await seen(lenient, file_id) == ("accepted", ["javascript"])


async def test_a_decision_that_is_refused_leaves_the_file_held(lenient, decider):
    first, second = await sent(lenient), await sent(lenient)
    release = {"decision": "release"}
    assert await decider.call("MngDecideKycFile", {**release, "file_id": first}, key="k") == {"accepted": True}
    assert await decider.call("MngDecideKycFile", {**release, "file_id": first}, key="k") == {"accepted": True}
    assert (await decider.refused("MngDecideKycFile", {**release, "file_id": second}, key="k"))[1] == (
        "IDEMPOTENCY_CONFLICT"
    )
    await lenient.core.tasks.finish()
    assert await seen(lenient, second) == ("quarantined", ["javascript"])
    assert await seen(lenient, first) == ("released", ["javascript"])
    assert len(await lenient.audit(action="file.released")) == 1


async def test_a_start_takes_back_what_was_never_written_down(lenient, decider):
    """A crash between the storage and the strand leaves a decision that no audit row tells of."""
    kept, lost, refused = [await sent(lenient) for _ in range(3)]
    await decider.call("MngDecideKycFile", {"file_id": kept, "decision": "release"})
    assert await lenient.core.files.decide(lost, release=True) == ("quarantined", True)
    assert await lenient.core.files.decide(refused, release=False) == ("quarantined", True)
    await lenient.restart()
    assert await seen(lenient, kept) == ("released", ["javascript"])
    assert await seen(lenient, lost) == ("quarantined", ["javascript"])
    assert await seen(lenient, refused) == ("quarantined", ["javascript"])
    assert lenient.core.files.held(lost)
    assert not lenient.core.files.held(kept)
    assert await lenient.core.storage.verdicts.unconfirmed() == {}


async def test_the_audit_is_searched_to_its_end(lenient, decider, monkeypatch):
    import kycmanager.stored_files

    monkeypatch.setattr(kycmanager.stored_files, "AUDIT_ROWS", 2)
    files = [await sent(lenient) for _ in range(5)]
    for file_id in files:
        await decider.call("MngDecideKycFile", {"file_id": file_id, "decision": "release"})
    await lenient.restart()
    assert [await seen(lenient, file_id) for file_id in files] == [("released", ["javascript"])] * 5


async def test_a_damaged_verdict_holds_its_file_back(lenient):
    import sqlite3

    held, released = await sent(lenient), await sent(lenient)
    await lenient.core.files.decide(released, release=True)
    await lenient.core.close()
    base = sqlite3.connect(lenient.folder / "bases" / "storage.db")
    base.execute("UPDATE verdicts SET state = 'quarantinee' WHERE uuid = ?", (held,))
    base.execute("UPDATE verdicts SET findings = '' WHERE uuid = ?", (released,))
    base.commit()
    base.close()
    lenient.core = lenient._made()
    await lenient.core.open()
    assert lenient.core.files.held(held)
    for file_id in (held, released):
        for work in (lenient.core.files.verdict(file_id), lenient.core.files.decide(file_id, release=True)):
            with pytest.raises(KycError) as caught:
                await work
            assert caught.value.code.wire_name == "RET_ERROR"


async def test_an_expired_file_takes_its_verdict_along(lenient):
    file_id = await sent(lenient)
    assert lenient.core.files.held(file_id)
    lenient.now += 100_000
    await lenient.core.expire_uploads()
    verdicts = lenient.core.storage.verdicts
    assert not verdicts.held(file_id)
    assert (await verdicts.get(file_id)).state is FileState.ACCEPTED
    with pytest.raises(StorageError, match="no verdict"):
        await verdicts.put_back(file_id, FileState.QUARANTINED)
    await verdicts.confirm([file_id])
    assert await verdicts.unconfirmed() == {}
