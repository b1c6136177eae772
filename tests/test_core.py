"""The core put together: opening, closing, what survives, what is told."""

import asyncio
import gc

import pytest

from kycmanager.app import App
from kycmanager.config import from_table
from kycmanager.core import Tasks, tell_storage
from kycmanager.domain.errors import KycError
from kycmanager.ports import StoreRefused
from storagemanager import OpenReport, PinReport


async def test_writes_are_never_dated_before_the_last_one_but_tokens_go_by_the_clock(daemon):
    real = daemon.core.clock
    ahead = real() + 90_000
    daemon.core.clock = lambda: ahead
    await daemon.template("first")
    daemon.core.clock = real
    await daemon.template("second")
    assert [row.time for row in await daemon.audit()] == [ahead, ahead]
    assert await daemon.boss.call("Ping")


async def test_a_second_opening_is_refused_and_closes(daemon, open_daemon):
    other = type(daemon)(daemon.folder, {})
    with pytest.raises(StoreRefused, match="kyc"):
        await other.core.open()
    await other.core.close()
    assert gc.isenabled()
    assert await daemon.boss.call("Ping")


async def test_closing_twice_and_without_opening(daemon):
    await daemon.core.close()
    await daemon.core.close()
    unopened = type(daemon)(daemon.folder, {})
    await unopened.core.close()
    await daemon.restart()


async def test_closing_finishes_what_was_taken(daemon):
    await daemon.template("id")
    calls = [
        daemon.boss.start("MngRequireKycStep", {"customer_id": number, "brand": "acme", "step_code": "id"})
        for number in range(1, 51)
    ]
    await daemon.core.close()
    assert [call.result() for call in calls] == [{"accepted": True}] * 50
    assert (await daemon.boss.refused("MngSkipKycStep", {"id": 1}))[:2] == (503, "RET_ERR_SHUTDOWN")
    await daemon.restart()
    assert len(daemon.core.cache.steps) == 50


async def test_everything_is_the_same_after_a_restart(daemon):
    step_id = await daemon.pending()
    await daemon.document(step_id=step_id)
    await daemon.boss.call("MngApproveKycStep", {"id": step_id, "expire_time": daemon.now + 60, "comment": "Zażółć 𝕏"})
    reads = [
        ("MngGetKycProfile", {"id": 1}), ("MngGetKycStep", {"id": 1}), ("MngGetKycProfiles", {}),
        ("MngGetKycDocuments", {}), ("MngGetKycStepTemplates", {}), ("MngGetKycAudit", {}), ("Describe", {}),
        ("MngGetKycGate", {"customer_id": 7, "brand": "acme"}),
    ]  # fmt: skip
    before = [await daemon.boss.call(*read) for read in reads]
    await daemon.restart()
    assert [await daemon.boss.call(*read) for read in reads] == before
    assert list(daemon.core.cache.due(daemon.now + 60, 9)) == [("step", 1)]


async def test_ids_are_never_used_twice(daemon):
    await daemon.template("a")
    await daemon.boss.call("MngDeleteKycStepTemplate", {"id": 1})
    await daemon.restart()
    assert (await daemon.template("a"))["id"] == 2


async def test_an_upload_that_nobody_attaches_lives_as_long_as_told(open_daemon):
    daemon = await open_daemon(storage={"unattached_hours": 2})
    file_id = await daemon.upload()
    daemon.now += 2 * 3600 - 1
    await daemon.core.expire_uploads()
    await daemon.restart()
    assert await daemon.core.storage.get(file_id)
    daemon.now += 2
    await daemon.core.expire_uploads()
    assert await daemon.core.storage.get(file_id) is None


async def test_a_lost_file_is_told_and_the_rest_goes_on(daemon):
    await daemon.step()
    made = await daemon.document()
    (daemon.folder / "storage" / f"{made['file_id']}.txt.sealed").unlink()
    await daemon.restart()
    assert (await daemon.boss.call("MngGetKycDocuments"))["rows"] == [made]


@pytest.mark.parametrize(
    ("opened", "pins", "lines"),
    [
        (OpenReport(), PinReport(pinned=0, unpinned=0, unknown=()), []),
        (OpenReport(orphans_removed=2), PinReport(pinned=0, unpinned=1, unknown=()), ["storage tidied"]),
        (OpenReport(missing=("a",)), PinReport(pinned=0, unpinned=0, unknown=("b",)), ["stored files are missing"]),
    ],
)
def test_what_the_storage_found_is_told(capsys, opened, pins, lines):
    tell_storage(opened, pins)
    told = capsys.readouterr().out.splitlines()
    assert len([line for line in told if line.strip()]) == len(lines)
    assert all(text in line for text, line in zip(lines, told, strict=False))


async def test_a_timer_cut_off_while_its_command_waits_harms_nobody(daemon):
    step_id = await daemon.pending()
    await daemon.boss.call("MngApproveKycStep", {"id": step_id, "expire_time": daemon.now + 1})
    daemon.now += 1
    job = asyncio.create_task(daemon.core.expire_due())
    await asyncio.sleep(0)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    await daemon.boss.call("MngSetKycRequiredLevel", {"customer_id": 8, "brand": "acme", "level": 1})
    assert daemon.core.cache.steps[step_id].status == 4


async def test_expiry_that_is_refused_is_told(daemon):
    step_id = await daemon.pending()
    await daemon.boss.call("MngApproveKycStep", {"id": step_id, "expire_time": daemon.now + 1})
    await daemon.core.strand.close()
    daemon.now += 1
    with pytest.raises(KycError, match="stopping"):
        await daemon.core.expire_due()


async def test_room_on_a_full_disk_is_found_without_a_write(daemon):
    await daemon.template("one")
    daemon.core.strand.full = True
    await daemon.core.forget()
    async with asyncio.timeout(5):
        while daemon.core.strand.full:
            await asyncio.sleep(0.01)
    assert not (await daemon.audit())[1:]
    assert (await daemon.template("two"))["id"] == 3
    await daemon.restart()
    assert (await daemon.template("three"))["id"] == 4


def test_a_full_disk_is_a_reason_not_to_be_asked(tmp_path):
    app = App(from_table({"tokens": {"secret": "s" * 40}}, {}), tmp_path, lambda *_: None)
    app._serving = True
    assert app.reasons_not_ready() == []
    app.core.strand.full = True
    assert app.reasons_not_ready() == ["the disk is full; writes are refused"]


async def test_tasks_are_waited_for_whatever_they_do():
    tasks, done = Tasks(), []

    async def work(number):
        await asyncio.sleep(0)
        if number == 1:
            raise RuntimeError
        done.append(number)
        if number == 2:
            tasks.spawn(work(3))

    for number in (0, 1, 2):
        tasks.spawn(work(number))
    await tasks.finish()
    await tasks.finish()
    assert done == [0, 2, 3]


async def test_after_a_start_with_the_clock_set_back_the_audit_is_found_by_time(daemon):
    await daemon.template("early")
    daemon.now -= 3600
    await daemon.restart()
    await daemon.template("late")
    times = [row.time for row in await daemon.audit()]
    assert times == [times[0]] * 2
    assert len(await daemon.audit(time_from=times[0], time_to=times[0])) == 2
    daemon.now += 7200
    await daemon.template("later")
    assert (await daemon.audit())[-1].time == times[0] + 3600
