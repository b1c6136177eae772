"""The core with encryption on: nothing of answers and files lies on the disk in clear, and everything is as before."""

import asyncio
import shutil
import sqlite3

import msgspec
import pytest

from kycmanager.domain.enums import StepStatus
from kycmanager.domain.errors import KycError
from kycmanager.encryption import Safe
from kycmanager.key_files import KeyFileError
from kycmanager.ports import OutcomeUnknown, StoreFull, StoreRefused
from storagemanager import Owner

CANARY = "canary-5e2f81"
FORM = {
    "sections": [
        {"fields": [{"name": "who", "type": "text"}, {"name": "proof", "type": "file_reference"}]},
    ]
}


def holding(folder, text=CANARY):
    """The files below a folder in which a text stands in clear."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes())


def holding_bytes(folder, content):
    return [path.name for path in folder.rglob("*") if path.is_file() and content in path.read_bytes()]


async def upload(daemon, text=CANARY, customer=7, kind="customer", brand="acme"):
    owner = Owner(kind=kind, id=customer, brand=brand)
    incoming = daemon.core.storage.receive(
        original_name="a.txt", declared_type="text/plain", owner=owner, purpose="", scope=0
    )
    await incoming.write(f"a file with {text} in it\n".encode() * 3000)
    return (await incoming.finish()).uuid


async def content(daemon, uuid):
    storage = daemon.core.storage
    async with await storage.open_read(await storage.get(uuid)) as reading:
        return b"".join([piece async for piece in reading])


async def lived(daemon):
    """Answers saved and handed in, a file in an answer, and files attached by customer and manager."""
    step_id = await daemon.step("form", step_type=1, form_schema=FORM)
    proof, passport, letter = (
        await upload(daemon),
        await upload(daemon),
        await upload(daemon, kind="manager", customer=1),
    )
    customer = daemon.customer()
    await customer.call("CustomerSaveKycAnswers", {"id": step_id, "answers": {"who": f"draft {CANARY}"}})
    await customer.call("CustomerSubmitKycStep", {"id": step_id, "answers": {"who": CANARY, "proof": proof}})
    await customer.call("CustomerAddKycDocument", {"kyc_id": 1, "file_id": passport})
    await daemon.boss.call("MngAddKycDocument", {"kyc_id": 1, "file_id": letter})
    await daemon.boss.call("MngApproveKycStep", {"id": step_id})
    await daemon.core.tasks.finish()
    return step_id, [proof, passport, letter]


async def test_nothing_is_on_the_disk_in_clear(daemon):
    step_id, files = await lived(daemon)
    assert holding(daemon.folder) == []
    assert (await daemon.shown(step_id))["answers"] == {"who": CANARY, "proof": files[0]}
    for uuid in files:
        assert CANARY.encode() in await content(daemon, uuid)
    assert holding(daemon.folder) == []
    await daemon.restart()
    assert (await daemon.shown(step_id))["answers"] == {"who": CANARY, "proof": files[0]}
    for uuid in files:
        assert CANARY.encode() in await content(daemon, uuid)
    assert await daemon.local("SysVerify", {}) == {"checked": 3, "faults": []}
    await daemon.core.close()
    assert holding(daemon.folder) == []


async def test_all_ways_show_the_answers(daemon):
    step_id, files = await lived(daemon)
    expected = {"who": CANARY, "proof": files[0]}
    status = await daemon.customer().call("CustomerGetKycStatus")
    profile = await daemon.boss.call("MngGetKycProfile", {"id": 1})
    step = await daemon.customer().call("CustomerGetKycStep", {"id": step_id})
    assert [status["steps"][0]["answers"], profile["steps"][0]["answers"], step["step"]["answers"]] == [expected] * 3
    stored = await daemon.core.store.events_after(0, 100)
    told = [event for event in stored if event.kind == "step.submitted"]
    assert daemon.core.cache.answers(told[0].record) == expected
    assert isinstance(told[0].record.answers, bytes)


async def test_a_decision_does_not_seal_the_answers_again(daemon):
    step_id = await daemon.step("form", step_type=1, form_schema=FORM)
    await daemon.customer().call("CustomerSaveKycAnswers", {"id": step_id, "answers": {"who": CANARY}})
    kept = daemon.core.cache.steps[step_id].answers
    await daemon.customer().call("CustomerSubmitKycStep", {"id": step_id})
    await daemon.boss.call("MngApproveKycStep", {"id": step_id})
    assert daemon.core.cache.steps[step_id].answers is kept
    assert daemon.rows("SELECT answers FROM step") == [(kept,)]


async def test_what_seals_nothing_makes_no_key(daemon):
    step_id = await daemon.pending()
    await daemon.boss.call("MngApproveKycStep", {"id": step_id})
    assert not (daemon.folder / "bases" / "keys.db").exists()
    assert (daemon.folder / "keys" / "master.key").exists()


async def test_a_repeated_write_shows_the_answers(daemon):
    step_id = await daemon.step("form", step_type=1, form_schema=FORM)
    data = {"id": step_id, "answers": {"who": CANARY}}
    first = await daemon.customer().call("CustomerSaveKycAnswers", data, key="k")
    assert await daemon.customer().call("CustomerSaveKycAnswers", data, key="k") == first


async def test_files_are_held_by_their_profile_once_they_are_attached(daemon):
    _, files = await lived(daemon)
    assert await daemon.core.storage.kept_keys() == []
    assert set(await daemon.core.store.file_keys(files)) == set(files)
    assert {key.kyc_id for key in (await daemon.core.store.file_keys(files)).values()} == {1}
    waiting = await upload(daemon)
    assert [uuid for uuid, _ in await daemon.core.storage.kept_keys()] == [waiting]
    again = {"customer_id": 7, "brand": "acme", "file_id": files[1]}
    await daemon.boss.call("MngAddKycDocument", again)
    assert CANARY.encode() in await content(daemon, files[1])


async def test_a_refused_attachment_leaves_the_key_with_the_brand(daemon):
    await daemon.step()
    uuid = await upload(daemon, customer=8)
    await daemon.boss.refused("MngAddKycDocument", {"kyc_id": 1, "file_id": uuid})
    await daemon.core.tasks.finish()
    assert [kept for kept, _ in await daemon.core.storage.kept_keys()] == [uuid]
    assert await daemon.core.store.file_keys([uuid]) == {}


async def test_a_crash_between_the_two_bases_is_mended_at_the_start(daemon, monkeypatch):
    await daemon.step()
    uuid = await upload(daemon)
    released = []

    async def crash(files):
        released.extend(files)

    monkeypatch.setattr(daemon.core.safe, "release", crash)
    await daemon.boss.call("MngAddKycDocument", {"kyc_id": 1, "file_id": uuid})
    await daemon.core.tasks.finish()
    assert released == [uuid]
    assert await daemon.core.storage.kept_keys() != []
    await daemon.restart()
    assert await daemon.core.storage.kept_keys() == []
    assert CANARY.encode() in await content(daemon, uuid)


async def test_an_attached_file_whose_key_no_profile_holds_is_held_from_the_start_on(daemon):
    files = await unheld(daemon)
    await daemon.restart()
    await daemon.core.tasks.finish()
    assert await daemon.core.storage.kept_keys() == []
    assert set(await daemon.core.store.file_keys(files)) == set(files)
    assert await daemon.local("SysVerify", {}) == {"checked": 3, "faults": []}
    assert [row.action for row in await daemon.audit()][-1] == "keys.held"


async def test_a_failing_release_is_told_and_done_at_the_next_start(daemon, capsys):
    await daemon.step()
    uuid = await upload(daemon)
    base = daemon.core.storage._opened().base
    write = base.write

    async def fail(_work):
        from storagemanager import StorageError, StorageErrorCode

        raise StorageError(StorageErrorCode.UNAVAILABLE, "storage", "EIO")

    await daemon.core.storage.pin([uuid])
    base.write = fail
    await daemon.core.safe.release([uuid])
    base.write = write
    assert "keys of attached files stay with their brand" in capsys.readouterr().out


async def unheld(daemon):
    """Leave attached files as sealing old ones does when it is cut off: their keys with the brand only."""
    _, files = await lived(daemon)
    kept = await daemon.core.store.file_keys(files)
    ring = daemon.core.safe.vault.keyring
    await daemon.core.close()
    (brand_key,) = ring._brands.values()
    storage = sqlite3.connect(daemon.folder / "bases" / "storage.db")
    for uuid, held in kept.items():
        wrapped = ring.wrap_for_brand(brand_key, uuid, ring.open_for_profile(held))
        storage.execute("UPDATE data_key SET wrapped = ? WHERE uuid = ?", (wrapped, uuid))
    storage.commit()
    storage.close()
    kyc = sqlite3.connect(daemon.folder / "bases" / "kyc.db")
    kyc.execute("DELETE FROM file_key")
    kyc.commit()
    kyc.close()
    return files


async def test_one_key_that_does_not_open_keeps_neither_the_start_nor_the_others(daemon, capsys):
    files = await unheld(daemon)
    storage = sqlite3.connect(daemon.folder / "bases" / "storage.db")
    storage.execute("UPDATE data_key SET wrapped = zeroblob(68) WHERE uuid = ?", (files[0],))
    storage.commit()
    storage.close()
    await daemon.restart()
    await daemon.core.tasks.finish()
    assert set(await daemon.core.store.file_keys(files)) == set(files[1:])
    assert "keys of attached files stay with their brand" in capsys.readouterr().out
    faults = (await daemon.local("SysVerify", {}))["faults"]
    assert [fault["object"] for fault in faults] == [f"{files[0]}.txt.sealed"]


async def test_a_damaged_row_of_a_waiting_file_does_not_keep_the_start(daemon, capsys):
    files = await unheld(daemon)
    storage = sqlite3.connect(daemon.folder / "bases" / "storage.db")
    storage.execute("UPDATE files SET scope = 1 WHERE uuid = ?", (files[0],))
    storage.commit()
    storage.close()
    await daemon.restart()
    assert "until the next start" in capsys.readouterr().out
    assert CANARY.encode() in await content(daemon, files[1])


async def test_swapped_rows_are_refused(daemon):
    first = await daemon.step("form", step_type=1, form_schema=FORM)
    second = await daemon.step("form", customer=8)
    for customer, step_id in ((7, first), (8, second)):
        await daemon.customer(customer).call("CustomerSaveKycAnswers", {"id": step_id, "answers": {"who": CANARY}})
    steps = daemon.core.cache.steps
    one, two = steps[first], steps[second]
    steps[first] = msgspec.structs.replace(one, answers=two.answers)
    assert (await daemon.boss.refused("MngGetKycStep", {"id": first}))[:2] == (500, "RET_ERROR")
    steps[first] = one
    assert (await daemon.shown(first))["answers"] == {"who": CANARY}


async def test_a_destroyed_key_takes_answers_and_files_along_and_every_old_copy(daemon, tmp_path, monkeypatch):
    async def leave(_safe, _records):
        """Leave the records as they are."""

    monkeypatch.setattr(Safe, "finish_erasures", leave)
    await daemon.step()
    before = await upload(daemon)  # a copy is made while its key is still with the brand
    copy = tmp_path / "copy"
    step_id, files = await lived(daemon)
    await daemon.core.close()
    shutil.copytree(daemon.folder, copy)
    await daemon.restart()
    await daemon.boss.call("MngAddKycDocument", {"kyc_id": 1, "file_id": before})
    await daemon.core.tasks.finish()
    await daemon.core.safe.custody.destroy(1)
    daemon.core.replies.drop({1}, daemon.core.strand._steps_of)
    daemon.now += 2 * 86_400
    await daemon.core.expire_uploads()  # the key of the brand that the copy would need goes, too
    assert (await daemon.shown(step_id))["answers"] == {}
    for uuid in (*files, before):
        with pytest.raises(Exception, match="does not open"):
            await content(daemon, uuid)
    assert (
        "erased" in (await daemon.boss.refused("MngAddKycDocument", {"kyc_id": 1, "file_id": await upload(daemon)}))[2]
    )
    await daemon.restart()
    assert (await daemon.shown(step_id))["answers"] == {}
    faults = (await daemon.local("SysVerify", {}))["faults"]
    assert {fault["object"][:36] for fault in faults} == {*files, before}
    assert {fault["fault"] for fault in faults} == {"is sealed, and its key does not open"}
    await daemon.core.close()
    # The old copy with the one current copy of the keys: what was destroyed stays so.
    shutil.copy(daemon.folder / "bases" / "keys.db", copy / "bases" / "keys.db")
    old = type(daemon)(copy, {})
    await old.core.open()
    assert (await old.shown(step_id))["answers"] == {}
    for uuid in (*files, before):
        with pytest.raises(Exception, match="does not open"):
            await content(old, uuid)
    await old.core.close()


async def test_a_start_finishes_the_erasures_whose_key_is_gone(daemon):
    step_id, files = await lived(daemon)
    await daemon.boss.call("MngAddKycNote", {"kyc_id": 1, "text": CANARY})
    await daemon.core.safe.custody.destroy(1)
    await daemon.restart()
    assert (await daemon.local("SysVerify", {}))["faults"] == []
    assert [await daemon.core.storage.get(uuid) for uuid in files] == [None] * 3
    assert (await daemon.shown(step_id))["status"] == StepStatus.EXPIRED
    assert [row.reason for row in await daemon.audit(action="profile.erased")] == ["the key was destroyed before"]
    assert daemon.rows("SELECT id FROM note") == []
    await daemon.restart()
    assert len(await daemon.audit(action="profile.erased")) == 1


async def test_an_erasure_the_law_refuses_now_is_told_of_at_the_start(open_daemon, capsys):
    daemon = await open_daemon(sep12={"retention_days": 30})
    step_id, files = await lived(daemon)
    await daemon.core.safe.custody.destroy(1)
    await daemon.restart()
    assert "an erasure is not finished" in capsys.readouterr().out
    assert await daemon.core.storage.get(files[0]) is not None
    assert (await daemon.shown(step_id))["answers"] == {}


async def test_a_destroyed_key_is_overwritten_on_the_disk(daemon, monkeypatch):
    await lived(daemon)
    keys = daemon.folder / "bases" / "keys.db"
    base = sqlite3.connect(f"file:{keys}?mode=ro", uri=True)
    (wrapped,) = base.execute("SELECT wrapped FROM profile_key").fetchone()
    base.close()
    assert holding_bytes(daemon.folder, wrapped) != []

    async def fail(_tombstone, _now):
        raise OutcomeUnknown("EIO")

    destroy = daemon.core.store.keys.destroy
    monkeypatch.setattr(daemon.core.store.keys, "destroy", fail)
    with pytest.raises(OutcomeUnknown):
        await daemon.core.safe.custody.destroy(1)
    assert not daemon.core.safe.vault.keyring.destroyed(1)
    monkeypatch.setattr(daemon.core.store.keys, "destroy", destroy)
    await daemon.core.safe.custody.destroy(1)
    assert holding_bytes(daemon.folder, wrapped) == []


async def test_the_keys_of_brands_go_when_nothing_needs_them(daemon, capsys):
    uuid = await upload(daemon)
    daemon.now += 86_400 - 1
    await upload(daemon)
    ring = daemon.core.safe.vault.keyring
    assert len(ring._brands) == 1
    daemon.now += 2
    await daemon.core.storage.pin([uuid])
    await upload(daemon)
    assert len(ring._brands) == 2
    daemon.now += 86_400
    await daemon.core.expire_uploads()
    assert len(ring._brands) == 2  # the first still seals the key of a file that is held
    await daemon.core.storage.unpin([uuid])
    daemon.now += 3 * 86_400
    await daemon.core.expire_uploads()
    assert ring._brands == {}
    assert "keys of brands that nothing needs any more are destroyed" in capsys.readouterr().out
    await daemon.restart()
    assert daemon.core.safe.vault.keyring._brands == {}


# -- what stands at the start


async def test_a_missing_or_wrong_master_key_stops_the_start(daemon):
    await lived(daemon)
    await daemon.core.close()
    file = daemon.folder / "keys" / "master.key"
    content = file.read_bytes()
    file.unlink()
    with pytest.raises(KeyFileError, match=r"master\.key is missing, and bases/keys\.db holds 2 keys"):
        await daemon.restart()
    assert not file.exists()
    await daemon.core.close()
    other = type(daemon)(daemon.folder / "other", {})
    await other.core.open()
    await other.core.close()
    shutil.copy(daemon.folder / "other" / "keys" / "master.key", file)
    with pytest.raises(KeyFileError, match="put it back as one more line"):
        await daemon.restart()
    file.write_bytes(content)
    await daemon.restart()
    assert await daemon.local("SysVerify", {}) == {"checked": 3, "faults": []}


@pytest.mark.parametrize("damage", ["gone", "empty", "another"])
async def test_a_lost_base_of_keys_stops_the_start(daemon, damage):
    await lived(daemon)
    await daemon.core.close()
    keys = daemon.folder / "bases" / "keys.db"
    held = keys.read_bytes()
    keys.unlink()
    if damage == "empty":
        keys.touch()
    elif damage == "another":
        other = type(daemon)(daemon.folder / "other", {})
        await other.core.open()
        await upload(other)
        await other.core.close()
        shutil.copy(daemon.folder / "other" / "bases" / "keys.db", keys)
    with pytest.raises(StoreRefused, match=r"keys\.db (is missing or empty|belongs to other bases)"):
        await daemon.restart()
    await daemon.core.close()
    keys.write_bytes(held)
    await daemon.restart()
    assert await daemon.local("SysVerify", {}) == {"checked": 3, "faults": []}


async def test_records_of_before_the_keys_adopt_them_and_reuse_no_number(daemon, tmp_path):
    await daemon.template("form", step_type=1, form_schema=FORM)
    await daemon.core.close()
    before = (daemon.folder / "bases" / "kyc.db").read_bytes()
    heads = (daemon.folder / "audit" / "heads.log").read_bytes()
    await daemon.restart()
    await lived(daemon)
    await daemon.core.close()
    (daemon.folder / "bases" / "kyc.db").write_bytes(before)
    (daemon.folder / "audit" / "heads.log").write_bytes(heads)
    await daemon.restart()
    step_id = await daemon.step("form", customer=9)
    assert daemon.core.cache.steps[step_id].kyc_id == 2
    await daemon.customer(9).call("CustomerSaveKycAnswers", {"id": step_id, "answers": {"who": "x"}})
    await daemon.restart()
    assert (await daemon.shown(step_id))["answers"] == {"who": "x"}


async def test_who_does_not_encrypt_writes_in_clear_and_reads_what_was_sealed(open_daemon):
    off = await open_daemon(encryption={"enabled": False})
    step_id, files = await lived(off)
    assert {"kyc.db-wal", f"{files[0]}.txt"} <= set(holding(off.folder))
    assert not (off.folder / "keys" / "master.key").exists()
    await off.restart()
    assert (await off.shown(step_id))["answers"]["who"] == CANARY
    off._settings = {}
    await off.restart()
    again = await off.step("form", customer=8)
    await off.customer(8).call("CustomerSaveKycAnswers", {"id": again, "answers": {"who": "sealed-7711"}})
    sealed = await upload(off, "sealed-7711")
    assert holding(off.folder, "sealed-7711") == []
    off._settings = {"encryption": {"enabled": False}}
    await off.restart()
    assert (await off.shown(again))["answers"] == {"who": "sealed-7711"}
    assert b"sealed-7711" in await content(off, sealed)
    assert (await off.shown(step_id))["answers"]["who"] == CANARY
    await off.customer(8).call("CustomerSaveKycAnswers", {"id": again, "answers": {"who": "clear-7712"}})
    assert holding(off.folder, "clear-7712") != []


# -- faults


async def test_a_batch_whose_keys_cannot_be_kept_leaves_nothing(daemon, monkeypatch):
    step_id = await daemon.step("form", step_type=1, form_schema=FORM)
    data = {"id": step_id, "answers": {"who": CANARY}}
    keep = daemon.core.store.keys.keep
    for fault, status in ((StoreFull("full"), 507), (OutcomeUnknown("EIO"), 503)):

        async def fail(_keys, fault=fault):
            raise fault

        monkeypatch.setattr(daemon.core.store.keys, "keep", fail)
        assert (await daemon.customer().refused("CustomerSaveKycAnswers", data))[0] == status
        monkeypatch.setattr(daemon.core.store.keys, "keep", keep)
        assert (await daemon.shown(step_id))["answers"] == {}
    while not daemon.core.strand.healthy:
        await asyncio.sleep(0.01)
    assert (await daemon.customer().call("CustomerSaveKycAnswers", data))["step"]["answers"] == {"who": CANARY}
    await daemon.restart()
    assert (await daemon.shown(step_id))["answers"] == {"who": CANARY}


async def test_a_commit_that_is_lost_leaves_a_key_that_is_used_later(daemon, monkeypatch):
    step_id = await daemon.step("form", step_type=1, form_schema=FORM)
    data = {"id": step_id, "answers": {"who": CANARY}}
    commit = daemon.core.store.commit

    async def full(batch):
        await daemon.core.store.keys.keep(batch.keys)
        raise StoreFull("full")

    monkeypatch.setattr(daemon.core.store, "commit", full)
    assert (await daemon.customer().refused("CustomerSaveKycAnswers", data))[0] == 507
    monkeypatch.setattr(daemon.core.store, "commit", commit)
    key = daemon.core.safe.vault.keyring.profile_key(1).id
    assert (await daemon.customer().call("CustomerSaveKycAnswers", data))["step"]["answers"] == {"who": CANARY}
    await daemon.restart()
    assert daemon.core.safe.vault.keyring.profile_key(1).id == key
    assert (await daemon.shown(step_id))["answers"] == {"who": CANARY}


@pytest.mark.parametrize(("fault", "code"), [(StoreFull("full"), "FULL"), (OutcomeUnknown("EIO"), "UNAVAILABLE")])
async def test_an_upload_whose_key_cannot_be_kept_is_refused(daemon, monkeypatch, fault, code):
    async def fail(_keys):
        raise fault

    monkeypatch.setattr(daemon.core.store.keys, "keep", fail)
    with pytest.raises(Exception, match="storage") as caught:
        await upload(daemon)
    assert caught.value.code == code
    assert [path for path in (daemon.folder / "storage").rglob("*") if path.is_file()] == []


async def test_keys_that_cannot_be_looked_up_are_a_fault_of_the_storage(daemon, monkeypatch):
    _, files = await lived(daemon)

    async def fail(_ids):
        raise OutcomeUnknown("closed")

    monkeypatch.setattr(daemon.core.store, "file_keys", fail)
    with pytest.raises(Exception, match="the keys of files: closed"):
        await content(daemon, files[0])


async def test_audit_details_hold_no_answers(daemon):
    await lived(daemon)
    assert CANARY not in msgspec.json.encode(await daemon.audit()).decode()


async def test_an_erased_profile_takes_no_answers(daemon):
    step_id = await daemon.step("form", step_type=1, form_schema=FORM)
    await daemon.core.safe.custody.destroy(1)
    with pytest.raises(KycError, match="erased"):
        await daemon.customer().call("CustomerSaveKycAnswers", {"id": step_id, "answers": {"who": "x"}})
