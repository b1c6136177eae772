"""Whose a file is, and what keeps it: a file never reaches another customer, an attached one never expires."""

import sqlite3

import pytest

from kycmanager.core import log_fault
from kycmanager.domain.errors import Code, KycError
from kycmanager.stored_files import StoredFiles
from storagemanager import StorageError, StorageErrorCode

ADD, MINE = "MngAddKycDocument", "CustomerAddKycDocument"
MISSING = (404, "RET_NOT_FOUND", "File was not found")
FORBIDDEN = (403, "PERMISSION_DENIED", "This session may not do that")


async def profiles(daemon, *customers):
    """Give each customer a profile; return (id of the profile, of its step) of each."""
    steps = [await daemon.step(customer=customer, brand=brand) for customer, brand in customers]
    return [(daemon.core.cache.steps[step_id].kyc_id, step_id) for step_id in steps]


async def test_a_customers_file_goes_to_that_customer_only(daemon):
    (own, _), (other, _), (elsewhere, _) = await profiles(daemon, (7, "acme"), (8, "acme"), (7, "beta"))
    file_id = await daemon.upload("customer", 7)
    for kyc_id in (other, elsewhere):
        assert await daemon.boss.refused(ADD, {"kyc_id": kyc_id, "file_id": file_id}) == MISSING
    await daemon.boss.call(ADD, {"kyc_id": own, "file_id": file_id})
    await daemon.boss.call(ADD, {"kyc_id": own, "file_id": file_id})
    assert [found.kyc_id for found in daemon.core.cache.documents.values()] == [own, own]


async def test_a_managers_upload_goes_to_one_customer_of_its_brand(daemon):
    (own, _), (other, _), (elsewhere, _) = await profiles(daemon, (7, "acme"), (8, "acme"), (7, "beta"))
    file_id = await daemon.upload("manager", 1)
    assert await daemon.boss.refused(ADD, {"kyc_id": elsewhere, "file_id": file_id}) == MISSING
    made = (await daemon.boss.call(ADD, {"kyc_id": own, "file_id": file_id}))["document"]
    await daemon.boss.call("MngDeleteKycDocument", {"id": made["id"]})
    assert await daemon.boss.refused(ADD, {"kyc_id": other, "file_id": file_id}) == MISSING
    await daemon.restart()
    assert await daemon.boss.refused(ADD, {"kyc_id": other, "file_id": file_id}) == MISSING
    await daemon.boss.call(ADD, {"kyc_id": own, "file_id": file_id})


async def test_two_customers_racing_for_one_file(daemon):
    (own, _), (other, _) = await profiles(daemon, (7, "acme"), (8, "acme"))
    file_id = await daemon.upload("manager", 1)
    calls = [daemon.boss.start(ADD, {"kyc_id": kyc_id, "file_id": file_id}) for kyc_id in (own, other, own)]
    assert (await calls[0])["document"]["kyc_id"] == own
    with pytest.raises(KycError, match="File was not found"):
        await calls[1]
    await calls[2]


async def test_a_customer_attaches_own_uploads_only(daemon):
    ((own, step_id),) = await profiles(daemon, (7, "acme"))
    for kind, id_, brand in (("customer", 8, "acme"), ("customer", 7, "beta"), ("manager", 7, "acme")):
        file_id = await daemon.upload(kind, id_, brand)
        assert await daemon.customer().refused(MINE, {"kyc_id": own, "file_id": file_id}) == FORBIDDEN
    data = {"kyc_id": own, "file_id": await daemon.upload(), "step_id": step_id, "type": "bill"}
    made = (await daemon.customer().call(MINE, data))["document"]
    assert (made["step_id"], made["type"], made["status"]) == (step_id, "bill", 0)
    assert not {"comment", "reviewed_by"} & set(made)


async def test_what_a_customer_may_not_attach_to(daemon):
    (own, step_id), (other, others) = await profiles(daemon, (7, "acme"), (8, "acme"))
    file_id, customer = await daemon.upload(), daemon.customer()
    nowhere = "5d1f3a52-0000-4000-8000-000000000000"
    for change, answer in (
        ({"kyc_id": other}, FORBIDDEN),
        ({"kyc_id": 99}, (404, "RET_NOT_FOUND", "Profile was not found")),
        ({"file_id": nowhere}, MISSING),
        ({"step_id": others}, FORBIDDEN),
        ({"step_id": 99}, (404, "RET_NOT_FOUND", "Step was not found")),
        ({"kyc_id": 0}, (400, "INVALID_DATA", "kyc_id: expected int >= 1")),
        ({"file_id": 5}, (400, "INVALID_DATA", "file_id: expected str, got int")),
    ):
        assert await customer.refused(MINE, {"kyc_id": own, "file_id": file_id, **change}) == answer
    await customer.call("CustomerSubmitKycStep", {"id": step_id})
    await daemon.boss.call("MngApproveKycStep", {"id": step_id})
    data = {"kyc_id": own, "file_id": file_id, "step_id": step_id}
    assert (await customer.refused(MINE, data))[:2] == (409, "INVALID_STATE")


async def test_an_attached_file_outlives_the_others(daemon):
    await daemon.step()
    attached, loose = await daemon.upload(), await daemon.upload()
    await daemon.boss.call(ADD, {"kyc_id": 1, "file_id": attached})
    assert await daemon.boss.refused(ADD, {"kyc_id": 1, "file_id": loose, "step_id": 9}) == (
        404, "RET_NOT_FOUND", "Step was not found",
    )  # fmt: skip
    await daemon.core.tasks.finish()
    daemon.now += 24 * 3600 + 1
    await daemon.core.expire_uploads()
    found = await daemon.core.storage.get_many([attached, loose])
    assert list(found) == [attached]


async def test_pins_are_those_of_the_documents_after_a_restart(daemon):
    await daemon.step()
    twice, once, loose = [await daemon.upload() for _ in range(3)]
    for file_id in (twice, twice, once):
        await daemon.boss.call(ADD, {"kyc_id": 1, "file_id": file_id})
    await daemon.core.storage.pin([loose, once])
    await daemon.restart()
    found = await daemon.core.storage.get_many([twice, once, loose])
    assert [found[file_id].pins for file_id in (twice, once, loose)] == [2, 1, 0]


class Failing:
    """A storage that knows its files and can keep none."""

    def __init__(self, storage, code):
        self.get_many = storage.get_many
        self._code = code

    async def pin(self, _file_ids):
        raise StorageError(self._code, "file", "no")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (StorageErrorCode.NOT_FOUND, Code.NOT_FOUND),
        (StorageErrorCode.FULL, Code.STORAGE_FULL),
        (StorageErrorCode.UNAVAILABLE, Code.OVERLOADED),
    ],
)
async def test_a_storage_that_cannot_keep_a_file(daemon, code, expected):
    await daemon.step()
    data = {"kyc_id": 1, "file_id": await daemon.upload()}
    daemon.core.executor._files = StoredFiles(Failing(daemon.core.storage, code), log_fault, daemon.core.renderer)
    with pytest.raises(KycError) as caught:
        await daemon.boss.call(ADD, data)
    assert caught.value.code is expected
    assert not daemon.core.cache.documents


async def test_a_file_whose_row_is_damaged_is_attached_nowhere(daemon):
    await daemon.step()
    data = {"kyc_id": 1, "file_id": await daemon.upload()}
    await daemon.restart()
    base = sqlite3.connect(daemon.folder / "bases" / "storage.db")
    base.execute("UPDATE files SET brand = 'beta'")
    base.commit()
    base.close()
    with pytest.raises(KycError) as caught:
        await daemon.boss.call(ADD, data)
    assert (caught.value.code, list(caught.value.data)) == (Code.INTERNAL, ["correlation_id"])
    faults = (await daemon.local("SysVerify", {}))["faults"]
    assert {"object": data["file_id"], "fault": "its row is damaged"} in faults
