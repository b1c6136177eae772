"""What a customer sees and may do: the own profile, steps and documents, and nothing that is internal."""

import pytest

STATUS, STEP, DOCUMENTS = "CustomerGetKycStatus", "CustomerGetKycStep", "CustomerGetKycDocuments"
SUBMIT, SAVE = "CustomerSubmitKycStep", "CustomerSaveKycAnswers"
FORBIDDEN = (403, "PERMISSION_DENIED", "This session may not do that")
INTERNAL = {"comment", "reviewed_by", "explicit"}


async def test_a_customer_nobody_has_asked_for_anything(daemon):
    customer = daemon.customer()
    assert await customer.call(STATUS) == {"profile": None, "steps": [], "documents": []}
    assert await customer.call(DOCUMENTS) == {"rows": []}


async def test_status_shows_active_steps_only(daemon):
    for code in ("required", "pending", "approved", "rejected", "expired", "skipped"):
        step_id = await daemon.step(code, required=0)
        if code == "skipped":
            await daemon.boss.call("MngSkipKycStep", {"id": step_id})
        elif code != "required":
            await daemon.customer().call(SUBMIT, {"id": step_id})
        if code in {"approved", "expired"}:
            until = {"expire_time": daemon.now + 5} if code == "expired" else {}
            await daemon.boss.call("MngApproveKycStep", {"id": step_id, **until})
        if code == "rejected":
            await daemon.boss.call("MngRejectKycStep", {"id": step_id, "reason": "blurred", "comment": "inner"})
    daemon.now += 5
    await daemon.core.expire_due()
    reply = await daemon.customer().call(STATUS)
    assert [(step["code"], step["status"]) for step in reply["steps"]] == [
        ("required", 0), ("pending", 1), ("approved", 2), ("rejected", 3), ("expired", 0),
    ]  # fmt: skip
    assert reply["profile"] == await daemon.profile()
    assert reply["steps"][3]["reason"] == "blurred"


async def test_nothing_internal_is_shown(daemon):
    step_id = await daemon.pending()
    made = await daemon.document(step_id=step_id)
    await daemon.boss.call("MngRejectKycStep", {"id": step_id, "reason": "r", "comment": "inner"})
    await daemon.boss.call("MngRejectKycDocument", {"id": made["id"], "reason": "r", "comment": "inner"})
    customer = daemon.customer()
    one = await customer.call(STEP, {"id": step_id})
    status, listed = await customer.call(STATUS), await customer.call(DOCUMENTS)
    for shown in (one["step"], *one["documents"], *status["steps"], *status["documents"], *listed["rows"]):
        assert not INTERNAL & set(shown)
        assert shown["reason"] == "r"
    assert one["documents"] == status["documents"] == listed["rows"]
    assert one["step"] == status["steps"][0]


async def test_documents_of_one_step_and_no_deleted_ones(daemon):
    first, second = await daemon.step("one"), await daemon.step("two")
    kept = [(await daemon.document(step_id=step_id))["id"] for step_id in (first, second, 0)]
    gone = await daemon.document(step_id=first)
    await daemon.boss.call("MngDeleteKycDocument", {"id": gone["id"]})
    customer = daemon.customer()
    for data, expected in (({}, kept), ({"step_id": first}, kept[:1]), ({"step_id": second}, kept[1:2])):
        assert [row["id"] for row in (await customer.call(DOCUMENTS, data))["rows"]] == expected
    assert len((await customer.call(STEP, {"id": first}))["documents"]) == 1
    assert len((await customer.call(STATUS))["documents"]) == 3


@pytest.mark.parametrize("command", [STEP, SUBMIT, SAVE])
async def test_only_the_own_steps(daemon, command):
    await daemon.step(customer=7)
    data = {"answers": {}}
    for other in (daemon.customer(8), daemon.customer(7, "beta")):
        assert await other.refused(command, {"id": 1, **data}) == FORBIDDEN
        assert await other.refused(command, {"id": 2, **data}) == (404, "RET_NOT_FOUND", "Step was not found")
    for bad in (0, -1, "1", None, 1.5):
        assert (await daemon.customer().refused(command, {"id": bad, **data}))[2] == "Invalid step id"


async def test_a_filter_by_somebody_elses_step(daemon):
    await daemon.step(customer=8)
    assert await daemon.customer().refused(DOCUMENTS, {"step_id": 1}) == FORBIDDEN
    assert await daemon.customer().refused(DOCUMENTS, {"step_id": 9}) == (404, "RET_NOT_FOUND", "Step was not found")
    assert await daemon.customer(8).call(DOCUMENTS, {"step_id": 1}) == {"rows": []}


SCHEMA = {
    "sections": [
        {"fields": [
            {"name": "city", "type": "text", "required": True},
            {"name": "age", "type": "number"},
            {"name": "file", "type": "file_reference"},
            {"name": "pick", "type": "select", "options": ["a", {"value": 2, "label": "Two"}]},
        ]},
    ],
}  # fmt: skip


async def test_submitting(daemon):
    step_id = await daemon.step(form_schema=SCHEMA)
    daemon.now += 5
    reply = await daemon.customer().call(SUBMIT, {"id": step_id, "answers": {"city": "Łódź", "pick": 2}})
    assert reply["step"] == {
        "id": step_id, "status": 1, "answers": {"city": "Łódź", "pick": 2}, "submitted_time": daemon.now,
        "updated_time": daemon.now, "version": 2,
    }  # fmt: skip
    await daemon.restart()
    assert (await daemon.shown(step_id))["answers"] == {"city": "Łódź", "pick": 2}


async def test_every_fault_of_the_answers_is_told(daemon):
    step_id = await daemon.step(form_schema=SCHEMA)
    file_id = await daemon.upload("customer", 8)
    answers = {"city": " ", "age": True, "file": file_id, "pick": "c", "extra": 1}
    assert await daemon.customer().faults(SUBMIT, {"id": step_id, "answers": answers}) == [
        ("city", "required"), ("age", "type"), ("file", "file"), ("pick", "option"), ("extra", "unknown"),
    ]  # fmt: skip
    assert (await daemon.shown(step_id))["status"] == 0
    await daemon.core.tasks.finish()
    assert (await daemon.core.storage.get(file_id)).pins == 0


async def test_answers_that_are_no_object(daemon):
    step_id = await daemon.step(form_schema=SCHEMA)
    for command in (SUBMIT, SAVE):
        answer = (400, "INVALID_DATA", "answers: expected object, got array")
        assert await daemon.customer().refused(command, {"id": step_id, "answers": []}) == answer
    assert (await daemon.customer().refused(SAVE, {"id": step_id}))[2] == "answers: is required"


async def test_saving_keeps_some_answers_and_moves_nothing(daemon):
    step_id, customer = await daemon.step(form_schema=SCHEMA), daemon.customer()
    daemon.now += 1
    reply = await customer.call(SAVE, {"id": step_id, "answers": {"age": 30}})
    assert reply["step"] == {
        "id": step_id, "status": 0, "answers": {"age": 30}, "submitted_time": 0, "updated_time": daemon.now,
        "version": 2,
    }  # fmt: skip
    await customer.call(SAVE, {"id": step_id, "answers": {"city": "Oslo", "age": None}})
    assert await customer.faults(SAVE, {"id": step_id, "answers": {"age": "x"}}) == [("age", "type")]
    reply = await customer.call(SUBMIT, {"id": step_id, "answers": {"pick": "a"}})
    assert reply["step"]["answers"] == {"city": "Oslo", "pick": "a"}


@pytest.mark.parametrize(("status", "saved"), [("pending", False), ("approved", False), ("rejected", True)])
async def test_answers_change_while_the_step_is_open_only(daemon, status, saved):
    step_id = await daemon.pending(form_schema={"sections": [{"fields": [{"name": "city", "type": "text"}]}]})
    if status != "pending":
        await daemon.boss.call(f"Mng{'Approve' if status == 'approved' else 'Reject'}KycStep", {"id": step_id})
    data = {"id": step_id, "answers": {"city": "Oslo"}}
    if saved:
        assert (await daemon.customer().call(SAVE, data))["step"]["status"] == 3
    else:
        answer = (409, "INVALID_STATE", f"Step is {status}; its answers cannot change")
        assert await daemon.customer().refused(SAVE, data) == answer


async def test_a_file_in_the_answers_is_kept(daemon):
    step_id, customer = await daemon.step(form_schema=SCHEMA), daemon.customer()
    file_id = await daemon.upload()
    await customer.call(SAVE, {"id": step_id, "answers": {"file": file_id}})
    daemon.now += 25 * 3600
    await daemon.core.expire_uploads()
    assert await daemon.core.storage.get(file_id) is not None
    await daemon.restart()
    assert (await daemon.core.storage.get(file_id)).pins == 1
    await customer.call(SUBMIT, {"id": step_id, "answers": {"city": "Oslo"}})


@pytest.mark.parametrize("step_type", [0, 2])
@pytest.mark.parametrize(
    ("document", "taken"),
    [("none", False), ("elsewhere", False), ("rejected", False), ("deleted", False), ("uploaded", True), ("approved", True)],
)  # fmt: skip
async def test_a_document_step_needs_a_usable_document(daemon, step_type, document, taken):
    step_id = await daemon.step(step_type=step_type)
    if document != "none":
        made = await daemon.document(step_id=0 if document == "elsewhere" else step_id)
    if document in {"rejected", "deleted", "approved"}:
        command = {"rejected": "MngReject", "deleted": "MngDelete", "approved": "MngApprove"}[document]
        await daemon.boss.call(f"{command}KycDocument", {"id": made["id"]})
    if taken:
        assert (await daemon.customer().call(SUBMIT, {"id": step_id}))["step"]["status"] == 1
    else:
        assert await daemon.customer().faults(SUBMIT, {"id": step_id}) == [("documents", "required")]
        assert (await daemon.shown(step_id))["status"] == 0


@pytest.mark.parametrize("step_type", [1, 3, 4])
async def test_other_steps_need_none(daemon, step_type):
    step_id = await daemon.step(step_type=step_type, requirements={"documents": ["passport"]})
    assert (await daemon.customer().call(SUBMIT, {"id": step_id}))["step"]["status"] == 1


async def test_an_expired_document_is_not_enough(daemon):
    step_id = await daemon.step(step_type=0)
    made = await daemon.document(step_id=step_id)
    await daemon.boss.call("MngApproveKycDocument", {"id": made["id"], "expire_time": daemon.now + 1})
    daemon.now += 1
    await daemon.core.expire_due()
    assert await daemon.customer().faults(SUBMIT, {"id": step_id}) == [("documents", "required")]
