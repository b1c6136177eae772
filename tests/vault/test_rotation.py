"""Rotation of the master key: while the daemon works, cut off anywhere, and run again."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from kycmanager.cli import keys as commands
from kycmanager.domain.errors import KycError
from kycmanager.vault import care

FORM = {"sections": [{"fields": [{"name": "who", "type": "text"}]}]}
ROOT = Path(__file__).parents[2]


async def fill(daemon, customers):
    """Give each customer a profile with answers, and the brand a waiting upload."""
    steps = {}
    for number in customers:
        steps[number] = await daemon.step("form", customer=number, step_type=1, form_schema=FORM)
        data = {"id": steps[number], "answers": {"who": f"customer {number}"}}
        await daemon.customer(number).call("CustomerSaveKycAnswers", data)
    await daemon.upload()
    return steps


async def check(daemon, steps):
    for number, step_id in steps.items():
        assert (await daemon.shown(step_id))["answers"] == {"who": f"customer {number}"}
    assert (await daemon.local("SysVerify", {}))["faults"] == []


def lines(daemon):
    return (daemon.folder / "keys" / "master.key").read_text().split()


def masters(daemon):
    """How many keys each master key seals, by its place in the file."""
    ids = daemon.core.safe.vault.keyring.masters.ids
    base = sqlite3.connect(f"file:{daemon.folder}/bases/keys.db?mode=ro", uri=True)
    found = base.execute("SELECT master FROM profile_key WHERE wrapped <> x'' UNION ALL SELECT master FROM brand_key")
    counts = [0] * len(ids)
    for (master,) in found.fetchall():
        counts[ids.index(bytes(master))] += 1
    base.close()
    return counts


async def remove_old(daemon):
    (daemon.folder / "keys" / "master.key").write_text(lines(daemon)[0] + "\n")
    await daemon.restart()


async def test_every_key_is_sealed_anew_and_the_old_master_key_may_go(daemon):
    steps = await fill(daemon, range(1, 8))
    done = await daemon.local("SysRotateKeys", {})
    assert (done["keys"], len(done["old"]), len(lines(daemon))) == (8, 1, 2)
    assert masters(daemon) == [8, 0]
    await check(daemon, steps)
    assert [row.action for row in await daemon.audit()][-2:] == ["keys.rotation", "keys.rotated"]
    steps |= await fill(daemon, range(8, 10))
    assert masters(daemon) == [10, 0]
    await remove_old(daemon)
    await check(daemon, steps)


async def test_a_rotation_that_is_done_is_not_begun_again_before_the_old_key_is_removed(daemon):
    await fill(daemon, [1])
    first = await daemon.local("SysRotateKeys", {})
    again = await daemon.local("SysRotateKeys", {})
    assert (again["current"], again["keys"], again["old"]) == (first["current"], 0, first["old"])
    await remove_old(daemon)
    third = await daemon.local("SysRotateKeys", {})
    assert third["current"] != first["current"]
    assert third["old"] == [first["current"]]


async def test_progress_is_told_in_small_batches(daemon, monkeypatch):
    monkeypatch.setattr(care, "BATCH_KEYS", 3)
    steps = await fill(daemon, range(1, 9))
    told = []
    await daemon.core.safe.rotate(lambda *given: told.append(given))
    assert told[-1] == ("keys", 9, 9)
    assert len(told) >= 3
    await check(daemon, steps)


class CutError(Exception):
    """The process is killed here."""


@pytest.mark.parametrize("after", range(6))
@pytest.mark.parametrize("when", ["before", "after"])
async def test_cut_off_at_any_batch_and_run_again(daemon, monkeypatch, after, when):
    monkeypatch.setattr(care, "BATCH_KEYS", 2)
    steps = await fill(daemon, range(1, 11))
    rewrap, count = daemon.core.store.keys.rewrap, 0

    async def cut(keys):
        nonlocal count
        count += 1
        if count > after and when == "before":
            raise CutError
        await rewrap(keys)
        if count > after:
            raise CutError

    monkeypatch.setattr(daemon.core.store.keys, "rewrap", cut)
    with pytest.raises((CutError, KycError)):
        await daemon.local("SysRotateKeys", {})
    await check(daemon, steps)
    await daemon.restart()
    await check(daemon, steps)
    done = await daemon.local("SysRotateKeys", {})
    assert len(lines(daemon)) == 2
    assert masters(daemon) == [11, 0]
    assert len(done["old"]) == 1
    await remove_old(daemon)
    await check(daemon, steps)


async def test_writes_and_new_profiles_go_on_meanwhile(daemon, monkeypatch):
    monkeypatch.setattr(care, "BATCH_KEYS", 2)
    steps = await fill(daemon, range(1, 15))
    new = []

    async def work():
        for number in range(100, 130):
            new.append(await fill(daemon, [number]))
            await daemon.customer(number - 99).call(
                "CustomerSaveKycAnswers",
                {"id": steps.get(number - 99, 1), "answers": {"who": f"customer {number - 99}"}},
            ) if number < 114 else None

    await asyncio.gather(daemon.local("SysRotateKeys", {}), work())
    for made in new:
        steps |= made
    assert masters(daemon)[1:] == [0]
    await remove_old(daemon)
    await check(daemon, steps)


async def test_a_key_destroyed_meanwhile_stays_destroyed(daemon, monkeypatch):
    steps = await fill(daemon, range(1, 4))
    rewrap = daemon.core.store.keys.rewrap

    async def destroying(keys):
        await daemon.core.safe.custody.destroy(2)
        await rewrap(keys)

    monkeypatch.setattr(daemon.core.store.keys, "rewrap", destroying)
    await daemon.local("SysRotateKeys", {})
    daemon.core.replies.drop({2}, daemon.core.strand._steps_of)
    for _ in range(2):
        assert (await daemon.shown(steps[2]))["answers"] == {}
        assert (await daemon.shown(steps[3]))["answers"] == {"who": "customer 3"}
        await daemon.restart()
    assert (await daemon.local("SysListKeys", {}))["destroyed"] == 1


async def test_a_key_that_does_not_open_is_named(daemon):
    await fill(daemon, [1, 2])
    await daemon.core.close()
    base = sqlite3.connect(daemon.folder / "bases" / "keys.db")
    (one,) = base.execute("SELECT wrapped FROM profile_key WHERE kyc_id = 1").fetchone()
    base.execute("UPDATE profile_key SET wrapped = ? WHERE kyc_id = 2", (one,))
    base.commit()
    base.close()
    await daemon.restart()
    with pytest.raises(KycError, match=r"profile key 2: does not open .* newest copy of bases/keys\.db"):
        await daemon.local("SysRotateKeys", {})


async def test_a_master_key_that_was_removed_too_early_is_named(daemon):
    await fill(daemon, [1])
    file = daemon.folder / "keys" / "master.key"
    (old,) = lines(daemon)
    file.write_text("A" * 43 + "=\n")
    with pytest.raises(KycError, match="put it back as one more line"):
        await daemon.local("SysRotateKeys", {})
    file.write_text(f"{old}\n")
    await daemon.local("SysRotateKeys", {})


async def test_keys_of_the_environment_are_rotated_by_the_operator(open_daemon, spelt):
    old, new = spelt(os.urandom(32)), spelt(os.urandom(32))
    daemon = await open_daemon(encryption={"master_key": old})
    steps = await fill(daemon, [1])
    with pytest.raises(KycError, match=r"KYCMANAGER_MASTER_KEY .*openssl rand"):
        await daemon.local("SysRotateKeys", {})
    daemon._settings = {"encryption": {"master_key": f"{new},{old}"}}
    await daemon.restart()
    assert (await daemon.local("SysRotateKeys", {}))["keys"] == 2
    daemon._settings = {"encryption": {"master_key": new}}
    await daemon.restart()
    await check(daemon, steps)
    assert not (daemon.folder / "keys" / "master.key").exists()


async def test_the_list_names_ids_and_counts_only(daemon, capsys):
    await fill(daemon, [1, 2])
    found = await daemon.local("SysListKeys", {})
    assert [(key["state"], key["brand_keys"], key["profile_keys"]) for key in found["masters"]] == [("current", 1, 2)]
    assert (found["sealing"], found["waiting"], found["held"]) == (True, 1, 0)
    await daemon.local("SysRotateKeys", {})
    found = await daemon.local("SysListKeys", {})
    assert [(key["state"], key["profile_keys"]) for key in found["masters"]] == [("current", 2), ("old", 0)]
    assert commands.show(lambda _command: found) == 0
    told = capsys.readouterr().out
    assert "(old): 0 keys of brands, 0 of profiles" in told
    assert not any(line in told for line in lines(daemon))


def test_what_the_commands_print(capsys):
    done = {"keys": 3, "current": "aa", "old": ["bb"], "place": "keys/master.key"}
    assert commands.rotate_with(lambda _command: done) == 0
    assert commands.rotate_with(lambda _command: done | {"old": []}) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[1] == "not needed any more, and may be removed from keys/master.key: bb"
    assert len(told) == 4
    sealed = {"steps": 1, "notes": 4, "users": 5, "events": 2, "files": 3, "faults": []}
    assert commands.seal_with(lambda _command: sealed) == 0
    assert commands.seal_with(lambda _command: sealed | {"faults": [{"object": "a.txt", "fault": "damaged"}]}) == 1
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "sealed 1 steps, 4 notes, 5 users, 2 events, 3 files; faults 0"
    assert told[1] == "a.txt: damaged"


KILLED = """
import os, signal, sys
from kycmanager.__main__ import main
from kycmanager.store.sqlite.keys import KeyBase
from kycmanager.vault import care

care.BATCH_KEYS, left, when = 1, int(sys.argv[1]), sys.argv[2]
rewrap = KeyBase.rewrap

async def killed(self, keys):
    global left
    left -= 1
    if left < 0 and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    await rewrap(self, keys)
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)

KeyBase.rewrap = killed
sys.exit(main(["keys", "rotate", "--data", sys.argv[3]]))
"""


def rotate(folder, left, when="before"):
    """Run the command in a process of its own, on the base itself; it is killed at a batch, or lives."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KYCMANAGER_")}
    return subprocess.run(
        [sys.executable, "-c", KILLED, str(left), when, str(folder)],
        cwd=folder, env=environment | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip


async def test_a_real_kill_in_the_middle_of_a_rotation(daemon):
    steps = await fill(daemon, range(1, 8))
    await daemon.core.close()
    for left, when in ((0, "before"), (0, "after"), (2, "before"), (1, "after")):
        done = await asyncio.to_thread(rotate, daemon.folder, left, when)
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert len(lines(daemon)) == 2
    await daemon.restart()
    await check(daemon, steps)
    new, old = masters(daemon)
    assert (new, old) == (6, 2)
    await daemon.core.close()
    done = await asyncio.to_thread(rotate, daemon.folder, 99)
    assert done.returncode == 0, done.stderr
    assert "2 keys were sealed anew; all are sealed by the master key" in done.stdout
    assert "may be removed from" in done.stdout
    await daemon.restart()
    assert masters(daemon) == [8, 0]
    await remove_old(daemon)
    await check(daemon, steps)


async def test_the_commands_reach_a_daemon_that_runs(tmp_path):
    from kycmanager.app import App
    from kycmanager.config import from_table

    config = from_table({"server": {"tcp": "127.0.0.1:0", "http": "127.0.0.1:0"}, "tokens": {"secret": "s" * 40}}, {})
    app = App(config, tmp_path, lambda *_: None)
    await app.open()
    try:
        for action in ("list", "rotate", "seal"):
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "kycmanager", "keys", action, "--data", str(tmp_path),
                cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            output, _ = await process.communicate()
            assert process.returncode == 0
            assert output
    finally:
        await app.close()
