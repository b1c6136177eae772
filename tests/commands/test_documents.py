"""Documents: attached, shown, approved, rejected, deleted; every move that is allowed, and no other."""

import asyncio

import pytest

from kycmanager.domain import document as document_rules
from kycmanager.domain.errors import KycError

ADD, LIST = "MngAddKycDocument", "MngGetKycDocuments"
APPROVE, REJECT, DELETE = "MngApproveKycDocument", "MngRejectKycDocument", "MngDeleteKycDocument"
ACCEPTED = {"accepted": True}


async def test_what_is_said_of_a_file_comes_from_the_storage(daemon):
    step_id = await daemon.step()
    file_id = await daemon.upload(name="Päss '1'.txt")
    meta = await daemon.core.storage.get(file_id)
    claims = {"file_name": "x", "content_type": "text/html", "file_size": 1, "checksum": "0", "status": 2}
    data = {"kyc_id": 1, "file_id": file_id, "step_id": step_id, "type": "passport", **claims}
    reply = await daemon.manager().call(ADD, data)
    assert reply["document"] == {
        "id": 1, "customer_id": 7, "kyc_id": 1, "step_id": step_id, "brand": "acme", "type": "passport", "status": 0,
        "file_id": file_id, "file_name": "Päss '1'.txt", "content_type": "text/plain", "file_size": meta.file_size,
        "checksum": meta.checksum, "created_time": daemon.now, "updated_time": daemon.now, "reviewed_time": 0,
        "reviewed_by": 0, "reason": "", "comment": "", "expire_time": 0, "version": 1,
    }  # fmt: skip
    assert len(meta.checksum) == 64
    await daemon.restart()
    assert (await daemon.boss.call(LIST))["rows"] == [reply["document"]]


async def test_a_profile_is_named_by_id_or_by_customer_and_brand(daemon):
    await daemon.step()
    for place in ({"kyc_id": 1}, {"customer_id": 7, "brand": "acme"}):
        made = (await daemon.boss.call(ADD, {**place, "file_id": await daemon.upload()}))["document"]
        assert (made["kyc_id"], made["customer_id"], made["step_id"], made["type"]) == (1, 7, 0, "")


async def test_refusals_name_what_is_wrong(daemon):
    await daemon.step()
    await daemon.step(customer=8)
    good = {"kyc_id": 1, "file_id": await daemon.upload()}
    nowhere = "5d1f3a52-0000-4000-8000-000000000000"
    for change, answer in (
        ({"kyc_id": 0}, (400, "INVALID_DATA", "kyc_id: give kyc_id, or customer_id and brand")),
        ({"kyc_id": 99}, (404, "RET_NOT_FOUND", "Profile was not found")),
        ({"kyc_id": 0, "customer_id": 9, "brand": "acme"}, (404, "RET_NOT_FOUND", "Profile was not found")),
        ({"file_id": nowhere}, (404, "RET_NOT_FOUND", "File was not found")),
        ({"file_id": "../../etc/passwd"}, (400, "INVALID_DATA", "file_id: has a form that is not allowed")),
        ({"file_id": good["file_id"] + "\n"}, (400, "INVALID_DATA", "file_id: has a form that is not allowed")),
        ({"step_id": 99}, (404, "RET_NOT_FOUND", "Step was not found")),
        ({"step_id": 2}, (404, "RET_NOT_FOUND", "Step was not found")),
        ({"type": "t" * 65}, (400, "INVALID_DATA", "type: expected str of length <= 64")),
    ):
        assert await daemon.boss.refused(ADD, {**good, **change}) == answer
    del good["file_id"]
    assert await daemon.boss.refused(ADD, good) == (400, "INVALID_DATA", "file_id: is required")
    assert not daemon.core.cache.documents


async def test_a_step_that_is_history_takes_no_documents(daemon):
    step_id = await daemon.step()
    await daemon.boss.call("MngSkipKycStep", {"id": step_id})
    data = {"kyc_id": 1, "file_id": await daemon.upload(), "step_id": step_id}
    assert await daemon.boss.refused(ADD, data) == (
        409, "INVALID_STATE", "Step is skipped; documents cannot be added to it",
    )  # fmt: skip


async def test_a_profile_has_room_for_so_many_documents(daemon, monkeypatch):
    monkeypatch.setattr(document_rules, "DOCUMENTS_MAX", 3)
    step_id = await daemon.step()
    await daemon.step(customer=8)
    made = [await daemon.document(step_id=place) for place in (step_id, 0, 0)]
    file_id = await daemon.upload()
    full = (409, "INVALID_STATE", "Profile has 3 documents that are uploaded, pending or approved; it takes no more")
    for _ in range(2):
        for who, command in ((daemon.boss, ADD), (daemon.customer(), "CustomerAddKycDocument")):
            assert await who.refused(command, {"kyc_id": 1, "file_id": file_id}) == full
        await daemon.restart()
    await daemon.document(customer=8)
    await daemon.core.tasks.finish()
    assert (await daemon.core.storage.get(file_id)).pins == 0
    await daemon.boss.call(DELETE, {"id": made[0]["id"]})
    await daemon.boss.call(APPROVE, {"id": made[1]["id"]})
    await daemon.customer().call("CustomerAddKycDocument", {"kyc_id": 1, "file_id": file_id})
    assert await daemon.boss.refused(ADD, {"kyc_id": 1, "file_id": file_id}) == full
    await daemon.boss.call(REJECT, {"id": made[1]["id"], "reason": "forged"})
    await daemon.boss.call(ADD, {"kyc_id": 1, "file_id": file_id})


async def test_the_last_place_is_given_once(daemon, monkeypatch):
    monkeypatch.setattr(document_rules, "DOCUMENTS_MAX", 2)
    await daemon.step()
    file_id = await daemon.upload()
    calls = [daemon.boss.start(ADD, {"kyc_id": 1, "file_id": file_id}) for _ in range(5)]
    done = await asyncio.gather(*calls, return_exceptions=True)
    assert [isinstance(each, KycError) for each in done] == [False, False, True, True, True]
    await daemon.core.tasks.finish()
    assert (await daemon.core.storage.get(file_id)).pins == 2


async def test_attaching_and_deciding_moves_no_step(daemon):
    step_id = await daemon.step(step_type=0)
    made = await daemon.document(step_id=step_id)
    assert (await daemon.shown(step_id))["status"] == 0
    await daemon.boss.call(APPROVE, {"id": made["id"]})
    assert (await daemon.shown(step_id))["status"] == 0
    assert (await daemon.profile())["version"] == 2


async def test_submitting_its_step_hands_a_document_in(daemon):
    step_id, other = await daemon.step(step_type=0), await daemon.step("other")
    mine, elsewhere = await daemon.document(step_id=step_id), await daemon.document(step_id=other)
    approved = await daemon.document(step_id=step_id)
    await daemon.boss.call(APPROVE, {"id": approved["id"]})
    await daemon.customer().call("CustomerSubmitKycStep", {"id": step_id})
    status = {row["id"]: row["status"] for row in (await daemon.boss.call(LIST))["rows"]}
    assert status == {mine["id"]: 1, elsewhere["id"]: 0, approved["id"]: 2}


MOVES = {
    "uploaded": {"approve": 2, "reject": 3, "delete": 5},
    "pending": {"approve": 2, "reject": 3, "delete": 5},
    "approved": {"reject": 3},
    "rejected": {},
    "expired": {},
    "deleted": {},
}
COMMANDS = {"approve": APPROVE, "reject": REJECT, "delete": DELETE}


async def bring(daemon, status):
    step_id = await daemon.step(step_type=0)
    made = await daemon.document(step_id=step_id)
    if status == "pending":
        await daemon.customer().call("CustomerSubmitKycStep", {"id": step_id})
    if status in {"approved", "expired"}:
        await daemon.boss.call(APPROVE, {"id": made["id"], "expire_time": daemon.now + 5})
    if status == "expired":
        daemon.now += 5
        await daemon.core.expire_due()
    if status in {"rejected", "deleted"}:
        await daemon.boss.call(REJECT if status == "rejected" else DELETE, {"id": made["id"]})
    return made["id"]


@pytest.mark.parametrize("move", COMMANDS)
@pytest.mark.parametrize("status", MOVES)
async def test_moves(daemon, status, move):
    document_id = await bring(daemon, status)
    before, rows = daemon.core.cache.documents[document_id], len(await daemon.audit())
    data = {"id": document_id, "reason": "found"}
    if move in MOVES[status]:
        assert await daemon.manager(sub=3).call(COMMANDS[move], data) == ACCEPTED
        assert daemon.core.cache.documents[document_id].status == MOVES[status][move]
        return
    code, name, message = await daemon.boss.refused(COMMANDS[move], data)
    assert (code, name) == (409, "INVALID_STATE")
    assert message.startswith(f"Document has status {status}; it cannot become ")
    assert daemon.core.cache.documents[document_id] == before
    assert len(await daemon.audit()) == rows


async def test_a_decision_tells_who_when_why(daemon):
    await daemon.step()
    made = await daemon.document()
    daemon.now += 60
    data = {"id": made["id"], "reason": "ok", "comment": "seen", "expire_time": daemon.now + 1}
    await daemon.manager(sub=12).call(APPROVE, data)
    (row,) = (await daemon.boss.call(LIST))["rows"]
    assert row == {
        **made, "status": 2, "reason": "ok", "comment": "seen", "expire_time": daemon.now + 1, "version": 2,
        "updated_time": daemon.now, "reviewed_time": daemon.now, "reviewed_by": 12,
    }  # fmt: skip
    again = {"id": made["id"], "expire_time": daemon.now}
    assert await daemon.boss.refused(APPROVE, again) == (400, "INVALID_DATA", "expire_time: is not in the future")


async def test_an_approved_document_is_rejected_with_a_reason_only(daemon):
    document_id = await bring(daemon, "approved")
    assert await daemon.boss.faults(REJECT, {"id": document_id}) == [("reason", "invalid")]
    await daemon.boss.call(REJECT, {"id": document_id, "reason": "forged"})
    assert daemon.core.cache.documents[document_id].reason == "forged"


async def test_a_deleted_document_keeps_its_row_and_file(daemon):
    document_id = await bring(daemon, "deleted")
    file_id = daemon.core.cache.documents[document_id].file_id
    daemon.now += 10 * 86_400
    await daemon.core.expire_uploads()
    assert await daemon.core.storage.get(file_id) is not None


@pytest.mark.parametrize("command", [APPROVE, REJECT, DELETE])
async def test_bad_and_missing_ids(daemon, command):
    for bad in (0, -1, "1", 1.5, True, None, 2**53):
        assert await daemon.boss.refused(command, {"id": bad}) == (400, "INVALID_DATA", "Invalid document id")
    assert await daemon.boss.refused(command, {}) == (400, "INVALID_DATA", "Invalid document id")
    assert await daemon.boss.refused(command, {"id": 1}) == (404, "RET_NOT_FOUND", "Document was not found")
