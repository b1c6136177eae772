"""Backups that are brought back, and broken ones that are not, with every fault named."""

import hashlib
import json
import shutil
import sqlite3

import pytest

from kycmanager.backup.manifest import BackupError
from kycmanager.backup.restore import Broken
from kycmanager.store.sqlite import sums
from kycmanager.store.sqlite.columns import COLUMNS


@pytest.fixture
async def backup(lived, kit, tmp_path):
    kit.make(lived, tmp_path / "b")
    return tmp_path / "b"


def faults(kit, backup, data):
    with pytest.raises(Broken) as caught:
        kit.bring(backup, data)
    assert not data.exists()
    assert [path for path in data.parent.iterdir() if "restoring" in path.name] == []
    return dict(caught.value.faults)


async def test_a_daemon_goes_on_with_a_restored_folder(lived, kit, backup, tmp_path):
    reads = [
        ("MngGetKycProfiles", {}),
        ("MngGetKycStep", {"id": 1}),
        ("MngGetKycDocuments", {}),
        ("MngGetKycAudit", {}),
    ]
    before = [await lived.boss.call(*read) for read in reads]
    files = {path.name: path.read_bytes() for path in (lived.folder / "storage").iterdir() if path.is_file()}
    await lived.core.close()
    kit.bring(backup, tmp_path / "r")
    for name in ("keys", "bases/keys.db"):  # what no backup holds
        source, target = lived.folder / name, tmp_path / "r" / name
        if source.is_dir():
            shutil.copytree(source, target)
        elif source.exists():
            shutil.copy(source, target)
    lived.folder = tmp_path / "r"
    await lived.restart()
    assert [await lived.boss.call(*read) for read in reads] == before
    assert {path.name: path.read_bytes() for path in (tmp_path / "r" / "storage").iterdir() if path.is_file()} == files
    assert (await lived.local("SysVerify", {}))["faults"] == []
    line = json.loads((tmp_path / "r" / "audit" / "heads.log").read_text().splitlines()[-1])
    assert line["note"] == "restored from the backup of 1900000000"
    await lived.step("identity", 99)


async def test_only_a_missing_or_empty_folder_is_restored_to(kit, backup, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    for name in ("full", "full/x"):
        with pytest.raises(BackupError, match="is not empty; name a missing or empty folder"):
            kit.bring(backup, tmp_path / name)
    (tmp_path / "empty").mkdir()
    kit.bring(backup, tmp_path / "empty")
    kit.bring(backup, tmp_path / "deep" / "down")
    assert (tmp_path / "deep" / "down" / "bases" / "kyc.db").exists()


async def test_the_keys_are_put_there_when_they_are_given(lived, kit, backup, tmp_path):
    db = sqlite3.connect(tmp_path / "keys.db")
    db.execute("CREATE TABLE key (x)")
    db.close()
    kit.bring(backup, tmp_path / "r", keys=tmp_path / "keys.db")
    assert (tmp_path / "r" / "bases" / "keys.db").exists()
    with pytest.raises(BackupError, match=r"other\.db is no file; name with --keys what"):
        kit.bring(backup, tmp_path / "s", keys=tmp_path / "other.db")
    assert not (tmp_path / "s").exists()


async def test_every_fault_is_named_not_only_the_first(kit, backup, tmp_path):
    first, second, third = sorted((backup / "storage").iterdir())
    first.unlink()
    second.write_bytes(second.read_bytes() + b"x")
    third.rename(third.with_name("stranger"))
    with (backup / "bases" / "kyc.db").open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 64)
    (backup / "audit" / "heads.log").unlink()
    found = faults(kit, backup, tmp_path / "r")
    assert found[f"storage/{first.name}"] == "is missing"
    assert found[f"storage/{second.name}"] == "is damaged: its hash is not that of the manifest"
    assert found[f"storage/{third.name}"] == "is missing"
    assert found["storage/stranger"] == "is not in the manifest"
    assert found["audit/heads.log"] == "is missing"
    assert "is damaged" in found["bases/kyc.db"]


def rehash(backup):
    """Make the manifest fit what lies there: whoever harmed the backup was careful."""
    manifest = json.loads((backup / "manifest.json").read_text())
    for entry in manifest["files"]:
        content = (backup / entry["path"]).read_bytes()
        entry["size"], entry["sha256"] = len(content), hashlib.sha256(content).hexdigest()
    (backup / "manifest.json").write_text(json.dumps(manifest))
    return manifest


def harm(base, *statements):
    db = sqlite3.connect(base)
    db.create_function("resealed", -1, lambda *row: next(sums.sealed([row]))[-1])
    for statement in statements:
        db.execute(statement)
    db.commit()
    db.close()


@pytest.mark.parametrize(
    ("base", "statements", "told"),
    [
        ("kyc", ("UPDATE step SET status = 3 WHERE id = 1",), ("step 1", "is not as it was written")),
        ("kyc", ("DELETE FROM audit WHERE id = 2",), ("audit row 2", "is missing from link")),
        (
            "kyc",
            ("DELETE FROM audit WHERE id > 3", "DELETE FROM audit_link WHERE last_id > 3"),
            ("audit row", "is gone"),
        ),
        (
            "kyc",
            (
                "UPDATE document SET step_id = 9 WHERE id = 1",
                f"UPDATE document SET sum = resealed({COLUMNS['document']})",
            ),
            ("document 1", "points to step 9"),
        ),
        ("storage", ("UPDATE files SET owner_id = 5 WHERE id = 1",), ("stored file", "its row is damaged")),
        ("storage", ("DELETE FROM files WHERE id = 1",), ("document 1", "points to the stored file")),
        ("storage", ("PRAGMA user_version = 0",), ("bases/storage.db", "this program reads")),
        ("storage", ("DROP TABLE files",), ("bases/storage.db", "is damaged")),
        ("kyc", ("PRAGMA user_version = 99",), ("bases/kyc.db", "newer program")),
    ],
)
async def test_rows_that_are_wrong_are_found_though_the_hashes_fit(kit, backup, tmp_path, base, statements, told):
    harm(backup / "bases" / f"{base}.db", *statements)
    rehash(backup)
    found = faults(kit, backup, tmp_path / "r")
    assert any(what.startswith(told[0]) and told[1] in fault for what, fault in found.items()), found


async def test_a_manifest_of_other_contents_is_noticed(kit, backup, tmp_path):
    manifest = rehash(backup)
    manifest["hash"] = "0" * 64
    manifest["files"].append({"path": "../outside", "size": 0, "sha256": ""})
    manifest["files"].append({"path": "keys/token.key", "size": 0, "sha256": ""})
    (backup / "manifest.json").write_text(json.dumps(manifest))
    found = faults(kit, backup, tmp_path / "r")
    assert found["../outside"] == found["keys/token.key"] == "is no path of a backup"
    assert "as the manifest tells" in found["audit"]


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda file: file.unlink(), "is no finished backup"),
        (lambda file: file.write_text("{}"), "is damaged"),
        (lambda file: file.write_bytes(b"\xff"), "is damaged"),
        (
            lambda file: file.write_text(file.read_text().replace('"format": 1', '"format": 9')),
            "made by another program",
        ),
        (lambda file: (file.unlink(), file.mkdir()), "cannot be read"),
    ],
)
async def test_a_manifest_that_is_none(kit, backup, tmp_path, harm, told):
    harm(backup / "manifest.json")
    with pytest.raises(BackupError, match=told):
        kit.bring(backup, tmp_path / "r")


async def test_a_folder_that_cannot_be_put_in_place(kit, backup, tmp_path, monkeypatch):
    monkeypatch.setattr("kycmanager.backup.restore.flush_folders", shutil.rmtree)
    with pytest.raises(BackupError, match="cannot be put in place"):
        kit.bring(backup, tmp_path / "r")
