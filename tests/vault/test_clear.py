"""Sealing what was written before encryption was switched on."""

import sqlite3

import pytest
from msgspec.structs import replace

from kycmanager.domain.errors import KycError
from kycmanager.domain.verification import SentCode
from kycmanager.vault import clear
from storagemanager import Owner

CANARY = "canary-90b1c4"
FORM = {
    "sections": [{"fields": [{"name": "who", "type": "text"}, {"name": "proof", "type": "file_reference"}]}],
}


def holding(folder, text=CANARY):
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes())


async def upload(daemon, customer=7):
    owner = Owner(kind="customer", id=customer, brand="acme")
    incoming = daemon.core.storage.receive(
        original_name="a.txt", declared_type="text/plain", owner=owner, purpose="", scope=0
    )
    await incoming.write(f"a file with {CANARY} in it\n".encode() * 3000)
    return (await incoming.finish()).uuid


async def content(daemon, uuid):
    storage = daemon.core.storage
    async with await storage.open_read(await storage.get(uuid)) as reading:
        return b"".join([piece async for piece in reading])


async def lived(daemon, customers=(7, 8)):
    """A life without encryption: answers that changed, files in answers and documents, one upload that waits."""
    found = {}
    for customer in customers:
        step_id = await daemon.step("form", customer, step_type=1, form_schema=FORM)
        caller, proof, passport = (
            daemon.customer(customer),
            await upload(daemon, customer),
            await upload(daemon, customer),
        )
        for who in ("draft", "other draft"):
            await caller.call("CustomerSaveKycAnswers", {"id": step_id, "answers": {"who": f"{who} {CANARY}"}})
        await caller.call("CustomerSubmitKycStep", {"id": step_id, "answers": {"who": CANARY, "proof": proof}})
        kyc_id = daemon.core.cache.steps[step_id].kyc_id
        await caller.call("CustomerAddKycDocument", {"kyc_id": kyc_id, "file_id": passport})
        await daemon.boss.call("MngAddKycNote", {"kyc_id": kyc_id, "text": f"note {CANARY}"})
        found[step_id] = (proof, passport)
    await tell_code(daemon)
    return found, await upload(daemon)


async def tell_code(daemon):
    """Have the last event tell of a code on its way, as those of wallets do."""
    chunk = (await daemon.core.store.feed_chunks(0, 1000))[-1]
    sent = SentCode(
        id=1, kyc_id=1, customer_id=7, brand="acme", field="email_address", time=1, expires=2,
        content={"code": "123456", "to": CANARY},
    )  # fmt: skip
    await daemon.core.store.replace_chunks([[*chunk[:-1], replace(chunk[-1], kind="verification.code", record=sent)]])


async def switched_on(open_daemon):
    daemon = await open_daemon(encryption={"enabled": False})
    found, waiting = await lived(daemon)
    assert len(holding(daemon.folder)) >= 6
    daemon._settings = {}
    await daemon.restart()
    return daemon, found, waiting


async def check(daemon, found, waiting):
    for step_id, files in found.items():
        assert (await daemon.shown(step_id))["answers"] == {"who": CANARY, "proof": files[0]}
        for uuid in files:
            assert CANARY.encode() in await content(daemon, uuid)
    assert CANARY.encode() in await content(daemon, waiting)
    events = await daemon.core.store.events_after(0, 1000)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    told = [daemon.core.cache.answers(event.record)["who"] for event in events if event.kind == "step.saved"]
    assert told == [f"draft {CANARY}", f"other draft {CANARY}"] * 2
    cache = daemon.core.cache
    for kyc_id in (1, 2):
        notes = (await daemon.boss.call("MngGetKycNotes", {"kyc_id": kyc_id}))["rows"]
        assert [note["text"] for note in notes] == [f"note {CANARY}"]
    assert [cache.desk.text_of(event.record) for event in events if event.kind == "note.added"] == [f"note {CANARY}"]
    (sent,) = [event.record for event in events if event.kind == "verification.code"]
    assert cache.wallets.opened_code(sent) == {"code": "123456", "to": CANARY}
    assert (await daemon.local("SysVerify", {}))["faults"] == []


async def test_old_data_stays_readable_and_is_sealed_when_asked(open_daemon):
    daemon, found, waiting = await switched_on(open_daemon)
    await check(daemon, found, waiting)
    done = await daemon.local("SysSealOld", {})
    assert (done["steps"], done["notes"], done["files"], done["faults"]) == (2, 2, 5, [])
    assert done["events"] == 8
    await daemon.core.tasks.finish()
    assert holding(daemon.folder) == []
    await check(daemon, found, waiting)
    assert [uuid for uuid, _ in await daemon.core.storage.kept_keys()] == [waiting]
    again = await daemon.local("SysSealOld", {})
    assert (again["steps"], again["notes"], again["events"], again["files"]) == (0, 0, 0, 0)
    await daemon.restart()
    await check(daemon, found, waiting)
    actions = [row.action for row in await daemon.audit()]
    assert (actions.count("keys.sealed"), actions.count("keys.held")) == (2, 1)


async def test_alone_the_base_is_written_anew(open_daemon):
    """What was deleted before, in free pages, goes too."""
    daemon, found, waiting = await switched_on(open_daemon)
    daemon.core.safe.alone = True
    await daemon.local("SysSealOld", {})
    assert holding(daemon.folder) == []
    await check(daemon, found, waiting)
    await daemon.restart()
    await check(daemon, found, waiting)


async def test_nothing_is_sealed_while_it_is_off(open_daemon):
    daemon = await open_daemon(encryption={"enabled": False})
    with pytest.raises(KycError, match=r"encryption\.enabled is false"):
        await daemon.local("SysSealOld", {})


class CutError(Exception):
    """The process is killed here."""


@pytest.mark.parametrize("place", ["steps", "notes", "events", "files", "hold"])
async def test_cut_off_anywhere_and_run_again(open_daemon, monkeypatch, place):
    monkeypatch.setattr(clear, "RECORDS_AT_ONCE", 1)
    daemon, found, waiting = await switched_on(open_daemon)
    core, count = daemon.core, 0

    async def cut(*_given, **_more):
        raise CutError

    def after_one(work):
        async def run(*given, **more):
            nonlocal count
            count += 1
            if count > (1 if place == "steps" else 3):
                raise CutError
            return await work(*given, **more)

        return run

    if place in {"steps", "notes"}:
        monkeypatch.setattr(core.safe, "_run", after_one(core.safe._run))
    elif place == "events":
        monkeypatch.setattr(core.store, "replace_chunks", cut)
    elif place == "files":
        monkeypatch.setattr(core.storage, "in_clear", lambda: (_ for _ in ()).throw(CutError))
    else:
        monkeypatch.setattr(core.safe, "hold_attached", cut)
    with pytest.raises((CutError, KycError)):
        await daemon.local("SysSealOld", {})
    await check(daemon, found, waiting)
    await daemon.restart()
    await check(daemon, found, waiting)
    await daemon.local("SysSealOld", {})
    await daemon.core.tasks.finish()
    assert holding(daemon.folder) == []
    await check(daemon, found, waiting)


async def test_a_file_that_cannot_be_sealed_is_named_and_the_others_are_sealed(open_daemon):
    daemon, found, _ = await switched_on(open_daemon)
    damaged = next(iter(found.values()))[0]
    (daemon.folder / "storage" / f"{damaged}.txt").write_bytes(b"x")
    done = await daemon.local("SysSealOld", {})
    assert [fault["object"] for fault in done["faults"]] == [f"{damaged}.txt"]
    assert "is damaged" in done["faults"][0]["fault"]
    assert done["files"] == 4


async def test_events_of_a_profile_whose_key_is_destroyed_lose_their_answers(open_daemon):
    daemon, found, _ = await switched_on(open_daemon)
    step_id = next(iter(found))
    await daemon.core.safe.custody.destroy(daemon.core.cache.steps[step_id].kyc_id)
    step = daemon.core.cache.steps[step_id]
    daemon.core.cache.steps[step_id] = replace(step, answers={})
    await daemon.local("SysSealOld", {})
    events = await daemon.core.store.events_after(0, 1000)
    told = [event.record.answers for event in events if event.kind == "step.saved" and event.record.id == step_id]
    assert told == [{}, {}]


async def test_rows_of_the_feed_keep_their_sums(open_daemon):
    daemon, _, _ = await switched_on(open_daemon)
    await daemon.local("SysSealOld", {})
    await daemon.core.close()
    base = sqlite3.connect(daemon.folder / "bases" / "kyc.db")
    base.execute("UPDATE feed SET events = replace(events, 'step.saved', 'step.saveD') WHERE last_seq > 0")
    base.commit()
    base.close()
    await daemon.restart()
    with pytest.raises(Exception, match="not as it was written"):
        await daemon.core.store.events_after(0, 1000)
