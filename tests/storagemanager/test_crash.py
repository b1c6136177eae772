import asyncio
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import storage_child
import storage_samples as s
from storage_cipher import Cipher

from storagemanager import StorageError, StorageErrorCode, StorageManager, StorageSettings
from storagemanager.backends.local import LocalBackend

SUPPORT = Path(__file__).parent / "support"
ROOT = SUPPORT.parent.parent.parent


def start(folder: Path, mode: str, *more: str) -> subprocess.Popen:
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{SUPPORT}"}
    command = [sys.executable, str(SUPPORT / "storage_child.py"), str(folder), mode, *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


async def check_after(folder: Path, acknowledged: set[str], clock) -> StorageManager:
    """Start again: every acknowledged file is intact, and nothing else is left."""
    storage = StorageManager(folder, StorageSettings(), clock, cipher=Cipher())
    report = await storage.open()
    assert (report.missing, report.wrong_size, report.damaged_rows) == ((), (), ())
    assert list((folder / "storage" / ".tmp").iterdir()) == []
    assert (await storage.verify()).intact
    assert set(await storage.get_many(acknowledged)) == acknowledged
    return storage


def canaries(folder: Path) -> list[str]:
    """Return the files that hold a piece of a picture the child has stored, anywhere in the folder."""
    pieces = [content[at : at + 32] for content in (s.png_of(30_000), s.png_of(2_000_000)) for at in (100, 20_000)]
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if any(piece in path.read_bytes() for piece in pieces)]


@pytest.mark.parametrize("sealing", ["in clear", "sealing"])
@pytest.mark.parametrize("step", storage_child.STEPS)
async def test_a_crash_at_any_step_loses_nothing_and_leaves_nothing(tmp_path, clock, step, sealing):
    child = start(tmp_path, step, sealing)
    output, _ = await asyncio.to_thread(child.communicate, timeout=60)
    assert child.returncode == 9
    assert len(output.split()) == 1
    assert bool(canaries(tmp_path)) is (sealing == "in clear")
    storage = await check_after(tmp_path, set(output.split()), clock)
    names = {path.name for path in (tmp_path / "storage").iterdir()}
    assert len(names) == 1 + (await storage.stats()).files
    assert (await storage.stats()).files == (2 if step == "after the row" else 1)
    await storage.close()


async def test_kills_under_load_lose_no_acknowledged_file(tmp_path, clock):
    acknowledged: set[str] = set()
    for turn in range(4):
        child = start(tmp_path, "forever", "sealing" if turn % 2 else "in clear")
        first = await asyncio.to_thread(child.stdout.readline)
        await asyncio.sleep(random.Random(turn).random() / 2)
        child.send_signal(signal.SIGKILL)
        rest = await asyncio.to_thread(child.stdout.read)
        child.wait()
        child.stdout.close()
        acknowledged |= {line for line in (first + rest).split() if len(line) == 36}
        await (await check_after(tmp_path, acknowledged, clock)).close()
    assert len(acknowledged) > 20


async def test_a_full_disk_refuses_and_comes_back(tmp_path, clock):
    child = start(tmp_path, "full")
    output, _ = await asyncio.to_thread(child.communicate, timeout=60)
    assert child.returncode == 0
    first, *between, last = output.split()
    # A write to the base's journal that fails within COMMIT has an unknown outcome to a careful caller.
    assert between == ["FULL", "FULL", "0", "OUTCOME_UNKNOWN", "OUTCOME_UNKNOWN", "1"]
    storage = await check_after(tmp_path, {first, last}, clock)
    assert (await storage.stats()).files == 2
    await storage.close()


class FailingDraft:
    """A draft on a real folder whose disk fails at one call."""

    def __init__(self, real, fail: str, error: int) -> None:
        self._real, self._fail, self._error = real, fail, error

    def __getattr__(self, name: str):
        if name == self._fail or (self._fail == "write" and name == "write_first"):
            raise OSError(self._error, os.strerror(self._error))
        return getattr(self._real, name)


class FailingBackend(LocalBackend):
    """The local backend on a disk that fails where the test says."""

    fail = ""
    error = 0

    def _check(self, name: str) -> None:
        if name == self.fail:
            raise OSError(self.error, os.strerror(self.error))

    def begin(self, uuid):
        self._check("begin")
        return FailingDraft(super().begin(uuid), self.fail, self.error)

    def publish(self, draft, name):
        self._check("publish")
        super().publish(draft._real, name)

    def remove(self, name):
        self._check("remove")
        return super().remove(name)

    def open(self, name):
        self._check("open")
        file = super().open(name)
        return FailingDraft(file, self.fail, self.error) if self.fail in {"seek", "read"} else file

    def prepare(self):
        self._check("prepare")
        return super().prepare()


@pytest.fixture
async def failing(tmp_path, clock):
    backend = FailingBackend(tmp_path / "storage")
    storage = StorageManager(tmp_path, StorageSettings(), clock, backend=backend)
    await storage.open()
    yield storage, backend
    backend.fail = ""
    await storage.close()


@pytest.mark.parametrize("where", ["begin", "write", "sync", "publish"])
@pytest.mark.parametrize(
    ("number", "code"),
    [("ENOSPC", "FULL"), ("EDQUOT", "FULL"), ("EIO", "UNAVAILABLE"), ("EMFILE", "UNAVAILABLE"), ("", "UNAVAILABLE")],
)
async def test_a_failing_disk_is_told_and_leaves_nothing(failing, put, tmp_path, where, number, code):
    import errno

    storage, backend = failing
    backend.fail, backend.error = where, getattr(errno, number, 9999)
    for content in (s.png(), s.png_of(5_000_000)):
        with pytest.raises(StorageError) as caught:
            await put(storage, content)
        assert caught.value.code == code
        assert number in str(caught.value) or code == "FULL"
    assert [p for p in (tmp_path / "storage").rglob("*") if p.is_file()] == []
    backend.fail = ""
    assert await put(storage, s.png())


async def test_a_draft_that_cannot_be_removed_goes_at_the_next_start(failing, put, tmp_path):
    storage, backend = failing
    backend.fail, backend.error = "discard", 5
    with pytest.raises(StorageError) as caught:
        await put(storage, b"no image at all" * 100_000)  # a small one is refused before it is written
    assert caught.value.code is StorageErrorCode.SIGNATURE_MISMATCH
    assert len(list((tmp_path / "storage" / ".tmp").iterdir())) == 1
    await storage.close()
    assert (await storage.open()).temporary_removed == 1


async def test_a_small_file_that_is_refused_never_touches_the_disk(failing, put):
    storage, backend = failing
    backend.fail, backend.error = "begin", 5
    with pytest.raises(StorageError) as caught:
        await put(storage, b"no image at all")
    assert caught.value.code is StorageErrorCode.SIGNATURE_MISMATCH


async def test_reading_and_removing_on_a_failing_disk(failing, put, clock, tmp_path):
    storage, backend = failing
    meta = await put(storage, s.png())
    backend.error = 5
    for where in ("seek", "open"):
        backend.fail = ""
        await storage.check(meta)
        backend.fail = where
        with pytest.raises(StorageError) as caught:
            await storage.open_read(meta)
        assert caught.value.code is StorageErrorCode.UNAVAILABLE
    assert (await storage.verify()).damaged == (meta.storage_name,)
    backend.fail = ""
    reading = await storage.open_read(meta)
    reading._file.close()
    backend.fail = "remove"
    with pytest.raises(StorageError) as caught:
        await storage.expire(clock.now + 10**6)
    assert caught.value.code is StorageErrorCode.UNAVAILABLE
    assert await storage.get(meta.uuid) is None
    await storage.close()
    backend.fail = "prepare"
    with pytest.raises(StorageError):
        await storage.open()
    backend.fail = ""
    assert (await storage.open()).orphans_removed == 1


async def test_a_read_that_fails_half_way_is_told(failing, put):
    storage, backend = failing
    meta = await put(storage, s.png())
    await storage.check(meta)
    backend.fail, backend.error = "read", 5
    reading = await storage.open_read(meta)
    with pytest.raises(StorageError) as caught:
        await anext(reading)
    assert caught.value.code is StorageErrorCode.UNAVAILABLE
    await reading.aclose()


async def test_a_file_cut_while_it_is_read_ends(manager, put, tmp_path):
    meta = await put(manager, s.png_of(600_000))
    reading = await manager.open_read(meta)
    assert len(await anext(reading)) == 256 * 1024
    os.truncate(tmp_path / "storage" / meta.storage_name, 300_000)
    assert sum([len(piece) async for piece in reading]) < reading.size - 256 * 1024
    await reading.aclose()
