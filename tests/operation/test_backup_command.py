"""`kycmanager backup` and `kycmanager restore` as they are called."""

import asyncio

import pytest


@pytest.fixture
async def folder(daemon):
    await daemon.step()
    await daemon.document()
    await daemon.core.close()
    return daemon.folder


async def test_there_and_back(folder, run, tmp_path):
    code, out, err = await asyncio.to_thread(run, "backup", "--data", folder, "--to", tmp_path / "b")
    assert code == 0, err
    lines = out.splitlines()
    assert lines[0].startswith(f"backup: {tmp_path / 'b'}, records 4, audit rows 4, files 1, bytes ")
    assert lines[1].startswith("no keys are in it: keep ")
    assert "bases: 2 of 2" in err
    code, out, err = await asyncio.to_thread(run, "restore", "--from", tmp_path / "b", "--data", tmp_path / "r")
    assert code == 0, err
    assert out.splitlines()[1].startswith("before the start: put keys/ and bases/keys.db of the old data folder into ")
    code, out, _ = await asyncio.to_thread(run, "audit", "verify", "--data", tmp_path / "r")
    assert (code, "restored from the backup of" in out) == (0, True)


async def test_faults_are_lines_and_a_way_on(folder, run, tmp_path):
    stored = next(path for path in (folder / "storage").iterdir() if path.is_file())
    kept = stored.read_bytes()
    stored.unlink()
    code, out, err = await asyncio.to_thread(run, "backup", "--data", folder, "--to", tmp_path / "b")
    assert (code, out.splitlines()[0]) == (1, f"storage/{stored.name}: is missing")
    assert "the backup is finished, but lacks what is named above" in err
    words = ("restore", "--from", tmp_path / "b", "--data", tmp_path / "r")
    code, out, err = await asyncio.to_thread(run, *words)
    assert (code, out) == (1, f"storage/{stored.name}: is missing, before the backup already\n")
    assert "is broken, see above; nothing was restored" in err
    code, out, _ = await asyncio.to_thread(run, *words, "--despite-faults")
    assert (code, out.splitlines()[0]) == (0, f"storage/{stored.name}: is missing")
    stored.write_bytes(kept)


async def test_what_cannot_be_done_is_one_line(folder, run, tmp_path):
    code, out, err = await asyncio.to_thread(run, "backup", "--data", folder, "--to", folder)
    assert (code, out, err) == (1, "", f"kycmanager: {folder} is there already; name a new folder with --to\n")
    (tmp_path / "file").touch()
    code, _, err = await asyncio.to_thread(run, "backup", "--data", folder, "--to", tmp_path / "file" / "b")
    assert (code, "nothing was written" in err, err.count("\n")) == (1, True, 1)
    code, _, err = await asyncio.to_thread(run, "restore", "--from", tmp_path, "--data", tmp_path / "r")
    assert (code, "is no finished backup" in err) == (1, True)


async def test_keys_beside_a_backup(folder, run, tmp_path):
    (folder / "bases" / "keys.db").unlink(missing_ok=True)
    code, out, _ = await asyncio.to_thread(
        run, "backup", "--data", folder, "--to", tmp_path / "b", "--keys", tmp_path / "keys.db"
    )
    assert (code, "keys.db is not there, nothing was copied" in out) == (0, True)
