"""What happens between two steps of a backup: whatever it is, the backup is of one moment, and a daemon goes on with it."""

import asyncio
import shutil

import pytest

from kycmanager.backup.make import Unfit
from kycmanager.store.sqlite import copy
from kycmanager.store.sqlite.survey import survey

MOMENTS = {
    "between the looks at the two bases": ("kycmanager.store.sqlite.copy.begin_reading", 2),
    "before the copy of the first base": ("kycmanager.store.sqlite.copy._copy", 1),
    "before the copy of the second base": ("kycmanager.store.sqlite.copy._copy", 2),
    "before the first file": ("kycmanager.backup.make._copied", 1),
    "before the last file": ("kycmanager.backup.make._copied", 4),
}


async def attach(daemon, waiting):
    await daemon.boss.call("MngAddKycDocument", {"customer_id": 8, "brand": "acme", "file_id": waiting})
    await daemon.document(7)


async def erase(daemon, waiting):
    await attach(daemon, waiting)
    await daemon.local("SysEraseKycCustomer", {"customer_id": 7, "brand": "acme"})


async def rotate(daemon, waiting):
    await daemon.local("SysRotateKeys", {})
    await attach(daemon, waiting)
    await daemon.local("SysRotateKeys", {})


async def run_out(daemon, _waiting):
    daemon.now += 25 * 3600
    await daemon.core.expire_uploads()


@pytest.fixture
def interposed(monkeypatch):
    """`interpose(place, number, work)`: before the call of that number something happens in the daemon, once."""

    def interpose(place, number, work):
        module, name = place.rsplit(".", 1)
        real = getattr(__import__(module, fromlist=[name]), name)
        loop, calls = asyncio.get_running_loop(), []

        def late(*args, **more):
            calls.append(name)
            if len(calls) == number:
                asyncio.run_coroutine_threadsafe(work(), loop).result()
            return real(*args, **more)

        monkeypatch.setattr(place, late)
        return calls

    return interpose


@pytest.mark.parametrize("event", [attach, erase, rotate, run_out], ids=lambda event: event.__name__)
@pytest.mark.parametrize("moment", MOMENTS)
async def test_whatever_happens_meanwhile_the_backup_is_whole(lived, kit, tmp_path, interposed, moment, event):
    waiting = await lived.upload(id=8)
    before = [document.file_id for document in lived.core.cache.documents.values()]
    place, number = MOMENTS[moment]
    calls = interposed(place, number, lambda: event(lived, waiting))
    manifest = await asyncio.to_thread(kit.make, lived, tmp_path / "b")
    kit.keys(lived.folder, tmp_path / "keys.db")
    assert len(calls) >= number
    assert manifest.faults == []
    stored = {entry.path for entry in manifest.files if entry.path.startswith("storage/")}
    assert {f"storage/{path.name}" for path in (tmp_path / "b" / "storage").iterdir()} == stored

    kit.bring(tmp_path / "b", tmp_path / "r", keys=tmp_path / "keys.db")
    shutil.copytree(lived.folder / "keys", tmp_path / "r" / "keys")
    lived.folder = tmp_path / "r"
    await lived.restart()
    assert (await lived.local("SysVerify", {}))["faults"] == []
    assert survey(tmp_path / "r" / "bases" / "kyc.db", lambda *_: None).faults == []
    held = [document.file_id for document in lived.core.cache.documents.values() if document.file_id]
    assert event is erase or set(before) <= set(held)
    for uuid in [*held, *([] if event is run_out else [waiting])]:
        await lived.core.storage.check(await lived.core.storage.get(uuid))


async def test_an_erasure_that_has_removed_the_files_only_is_waited_for(lived, kit, tmp_path, monkeypatch):
    files = [document.file_id for document in lived.core.cache.documents.values()]
    await lived.core.storage.erase(files[:1])
    loop, waits = asyncio.get_running_loop(), []

    def wait(seconds):
        waits.append(seconds)
        erasing = lived.local("SysEraseKycCustomer", {"customer_id": 7, "brand": "acme"})
        asyncio.run_coroutine_threadsafe(erasing, loop).result()

    monkeypatch.setattr("kycmanager.backup.make.time.sleep", wait)
    assert (await asyncio.to_thread(kit.make, lived, tmp_path / "b")).faults == []
    assert len(waits) == 1
    kit.bring(tmp_path / "b", tmp_path / "r")


async def test_documents_without_a_file_are_named_when_no_erasure_explains_them(lived, kit, tmp_path, monkeypatch):
    monkeypatch.setattr("kycmanager.backup.make.time.sleep", lambda _seconds: None)
    await lived.core.storage.erase([document.file_id for document in lived.core.cache.documents.values()][:1])
    for _ in range(2):  # beside the daemon, and without it
        with pytest.raises(Unfit) as caught:
            kit.make(lived, tmp_path / "b")
        assert [what for what, _ in caught.value.faults] == ["document 1"]
        await lived.core.close()


async def test_bases_that_are_never_quiet_are_told_of(lived, tmp_path, monkeypatch):
    numbers = iter(range(1_000_000))
    monkeypatch.setattr(copy, "_commits", lambda _db: next(numbers))
    with pytest.raises(copy.StoreRefused, match="without a pause"):
        copy.copy_together([(lived.folder / "bases" / "kyc.db", tmp_path / "k")], lambda *_: None, alone=False)
