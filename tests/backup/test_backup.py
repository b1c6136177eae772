"""Backups that are made beside a running daemon, and what they do not take."""

import asyncio
import hashlib
import sqlite3

import pytest

from kycmanager.backup.make import Unfit
from kycmanager.backup.manifest import BackupError, read_manifest


def rows(base, table, order="id"):
    db = sqlite3.connect(f"file:{base}?immutable=1", uri=True)
    try:
        return db.execute(f"SELECT * FROM {table} ORDER BY {order}").fetchall()
    finally:
        db.close()


def tree(folder):
    return {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}


async def test_a_backup_holds_bases_heads_and_files_and_its_manifest_tells_of_each(lived, kit, tmp_path):
    manifest = kit.make(lived, tmp_path / "b")
    assert manifest == read_manifest(tmp_path / "b")
    stored = {f"storage/{path.name}" for path in (lived.folder / "storage").iterdir() if path.is_file()}
    assert len(stored) == 3
    assert set(tree(tmp_path / "b")) == {
        "manifest.json", "bases/kyc.db", "bases/storage.db", "audit/heads.log", *stored,
    }  # fmt: skip
    for entry in manifest.files:
        content = (tmp_path / "b" / entry.path).read_bytes()
        assert (entry.size, entry.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    head = lived.core.store._head
    assert (manifest.audit, manifest.link, manifest.hash) == (head.audit_id, head.link, head.hash.hex())
    assert manifest.counts["step"] == 2
    assert manifest.counts["stored"] == 3
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []
    assert not any("key" in name for name in tree(tmp_path / "b"))
    for path in tree(tmp_path / "b").values():
        assert path.stat().st_mode & 0o077 == 0 or path.parent.name in {"b", "storage", "audit"}


async def test_what_was_acknowledged_is_in_it_and_later_writes_are_none_of_its(lived, kit, tmp_path):
    await lived.step("last", 9)
    kit.make(lived, tmp_path / "b")
    await lived.step("later", 10)
    assert len(rows(tmp_path / "b" / "bases" / "kyc.db", "step")) == 3


async def test_a_daemon_that_does_not_run_is_backed_up_and_left_as_it_is(lived, kit, tmp_path):
    await lived.core.close()
    before = {name: path.read_bytes() for name, path in tree(lived.folder).items()}
    kit.make(lived, tmp_path / "b")
    after = {name: path.read_bytes() for name, path in tree(lived.folder).items()}
    assert {name: content for name, content in after.items() if name != "bases/kyc.lock"} == {
        name: content for name, content in before.items() if name != "bases/kyc.lock"
    }
    await lived.restart()


async def test_a_backup_goes_on_while_files_run_out(lived, kit, tmp_path, monkeypatch):
    loose = await lived.upload()
    real = kit.make.__globals__["back_up"].__globals__["_copied"]

    def slow(data_dir, partial, meta, earlier):
        if meta.uuid == loose:
            (data_dir / "storage" / meta.disk_name).unlink()
        return real(data_dir, partial, meta, earlier)

    monkeypatch.setattr("kycmanager.backup.make._copied", slow)
    manifest = kit.make(lived, tmp_path / "b")
    assert manifest.counts["stored"] == 3
    assert manifest.faults == []
    assert loose not in {row[1] for row in rows(tmp_path / "b" / "bases" / "storage.db", "files")}
    kit.bring(tmp_path / "b", tmp_path / "r")


async def test_files_of_an_earlier_backup_are_linked_to(lived, kit, tmp_path):
    first = kit.make(lived, tmp_path / "a")
    earlier = tmp_path / "a" / "manifest.json"
    earlier.write_bytes(earlier.read_bytes().replace(str(first.time).encode(), b"4000000000"))
    await lived.document(8)
    second = kit.make(lived, tmp_path / "b", since=tmp_path / "a")
    files = [entry.path for entry in second.files if entry.path.startswith("storage/")]
    links = {path: (tmp_path / "b" / path).stat().st_nlink for path in files}
    assert sorted(links.values()) == [1, 2, 2, 2]
    kit.bring(tmp_path / "b", tmp_path / "r")
    with pytest.raises(BackupError, match="is no finished backup"):
        kit.make(lived, tmp_path / "c", since=tmp_path / "r")


async def test_files_that_changed_since_are_copied(lived, kit, tmp_path):
    kit.make(lived, tmp_path / "a")
    manifest = tmp_path / "a" / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b"1900000000", b"1"))
    second = kit.make(lived, tmp_path / "b", since=tmp_path / "a")
    assert all((tmp_path / "b" / entry.path).stat().st_nlink == 1 for entry in second.files)


async def test_damaged_and_missing_files_are_told_and_the_rest_is_backed_up(lived, kit, tmp_path):
    first, second, third = sorted(path for path in (lived.folder / "storage").iterdir() if path.is_file())
    first.unlink()
    second.write_bytes(second.read_bytes()[:-1])  # sealed: its content cannot be told without its key
    manifest = kit.make(lived, tmp_path / "b")
    assert sorted(manifest.faults) == sorted(
        [
            (f"storage/{first.name}", "is missing"),
            (f"storage/{second.name}", "is damaged: it is not what was received"),
        ]
    )
    with pytest.raises(BackupError, match="is broken"):
        kit.bring(tmp_path / "b", tmp_path / "r")
    kit.bring(tmp_path / "b", tmp_path / "r", despite_faults=True)
    assert (tmp_path / "r" / "storage" / third.name).read_bytes() == third.read_bytes()


async def test_damaged_records_are_not_backed_up(lived, kit, tmp_path):
    await lived.core.close()
    db = sqlite3.connect(lived.folder / "bases" / "kyc.db")
    db.execute("UPDATE step SET status = 3")
    db.execute("UPDATE audit SET actor_id = 9 WHERE id = 1")
    db.commit()
    db.close()
    with pytest.raises(Unfit) as caught:
        kit.make(lived, tmp_path / "b")
    assert {what for what, _ in caught.value.faults} >= {"step 1", "step 2", "audit 1", "audit row 1"}
    assert list(tmp_path.glob("*b*")) == []


async def test_a_target_that_is_there_and_sources_that_are_not(lived, kit, tmp_path):
    (tmp_path / "b").mkdir()
    with pytest.raises(BackupError, match="is there already"):
        kit.make(lived, tmp_path / "b")
    with pytest.raises(BackupError, match=r"kyc\.db is missing; name the data folder"):
        kit.make(tmp_path / "nothing", tmp_path / "c")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "data0"]
    assert not (tmp_path / "nothing").exists()


async def test_a_backup_cut_off_is_none(lived, kit, tmp_path, monkeypatch):
    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("kycmanager.backup.make.write_manifest", fail)
    with pytest.raises(KeyboardInterrupt):
        kit.make(lived, tmp_path / "b")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data0"]


async def test_keys_are_copied_apart(lived, kit, tmp_path):
    keys = lived.folder / "bases" / "keys.db"
    keys.unlink(missing_ok=True)
    assert kit.keys(lived.folder, tmp_path / "k" / "keys.db") is False
    db = sqlite3.connect(keys)
    db.execute("CREATE TABLE key (x)")
    db.execute("INSERT INTO key VALUES (1)")
    db.commit()
    for _ in range(2):
        assert kit.keys(lived.folder, tmp_path / "k" / "keys.db") is True
    db.close()
    assert rows(tmp_path / "k" / "keys.db", "key", "x") == [(1,)]
    assert [path.name for path in (tmp_path / "k").iterdir()] == ["keys.db"]


async def test_a_backup_beside_writes_is_one_moment(lived, kit, tmp_path):
    stop = asyncio.Event()

    async def write():
        number = 100
        while not stop.is_set():
            await lived.step("identity", number)
            number += 1
        return number

    writing = asyncio.create_task(write())
    await asyncio.sleep(0)
    acknowledged = len(lived.core.cache.steps)
    await asyncio.to_thread(kit.make, lived, tmp_path / "b")
    stop.set()
    assert await writing > 100
    base = tmp_path / "b" / "bases" / "kyc.db"
    live = lived.folder / "bases" / "kyc.db"
    await lived.core.close()
    assert len(rows(base, "step")) >= acknowledged
    for table, order in (("audit", "id"), ("feed", "last_seq"), ("audit_link", "id")):
        held = rows(base, table, order)
        assert held == rows(live, table, order)[: len(held)]
