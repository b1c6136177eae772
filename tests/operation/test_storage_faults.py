"""A fault of the storage stands in the log with its file's uuid and its cause, never with the file's name."""

import io
import json
import logging

import pytest
import structlog

from kycmanager import log
from kycmanager.config import Config, Logging
from kycmanager.core import log_fault, storage_settings
from kycmanager.domain.errors import Code, KycError
from kycmanager.domain.files import FileLabel, FileOwner
from kycmanager.stored_files import StoredFiles, refused
from storagemanager import Reading, StorageError, StorageErrorCode, StorageManager

NAME = "Zephyrine Quux.txt"


@pytest.fixture
def output():
    root, own = logging.getLogger(), logging.getLogger("kycmanager")
    kept = root.handlers[:], root.level, own.level
    stream = io.StringIO()
    log.configure(Logging(), stream)
    yield stream
    root.handlers[:] = kept[0]
    root.setLevel(kept[1])
    own.setLevel(kept[2])
    structlog.reset_defaults()


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.fixture
async def manager(tmp_path):
    storage = StorageManager(tmp_path, storage_settings(Config()), lambda: 1)
    await storage.open()
    yield storage
    await storage.close()


@pytest.fixture
async def stored(manager):
    """The stored files, and one of them."""
    files = StoredFiles(manager, log_fault, None)
    incoming = files.receive(
        name=NAME, declared_type="text/plain", label=FileLabel(FileOwner("customer", 1, "acme"), "kyc", 0)
    )
    await incoming.write(b"hello\n")
    return files, await incoming.finish()


@pytest.mark.parametrize(("damage", "fault"), [(b"jello\n", "damaged"), (None, "missing")])
@pytest.mark.parametrize("way", ["check", "read"])
async def test_a_damaged_or_missing_file_is_named_by_its_uuid(tmp_path, stored, output, way, damage, fault):
    files, file = stored
    path = tmp_path / "storage" / file.storage_name
    path.unlink()
    if damage is not None:
        path.write_bytes(damage)
    with pytest.raises(KycError) as caught:
        await (files.check(file) if way == "check" else files.read(file, 0, 6))
    (line,) = lines(output)
    assert caught.value.code is Code.INTERNAL
    assert caught.value.data == {"correlation_id": line["correlation"]}
    assert (line["event"], line["command"], line["level"]) == ("command failed", "storage", "error")
    assert (line["code"], line["file"]) == ("BROKEN", file.uuid)
    assert line["fault"] == f"the stored file {file.storage_name} is {fault}"
    assert "Zephyrine" not in output.getvalue()
    assert log.correlation.get() == ""


async def test_what_breaks_off_while_it_is_read_is_named_too(stored, output, monkeypatch):
    files, file = stored

    async def broken(_reading):
        raise StorageError(StorageErrorCode.UNAVAILABLE, "file", "the storage answered EIO")

    monkeypatch.setattr(Reading, "__anext__", broken)
    async with await files.read(file, 0, 6) as reading:
        with pytest.raises(KycError):
            await anext(reading)
    (line,) = lines(output)
    assert (line["code"], line["file"], line["fault"]) == ("UNAVAILABLE", file.uuid, "the storage answered EIO")


def test_a_full_storage_is_a_warning(output):
    error = refused(StorageError(StorageErrorCode.FULL, "file", "no room is left in the storage"), log_fault)
    (line,) = lines(output)
    assert error.code is Code.STORAGE_FULL
    assert (line["level"], line["event"]) == ("warning", "the storage is full; make room on its disk")


def test_a_refused_file_is_not_logged(output):
    refused(StorageError(StorageErrorCode.EMPTY, "file", "the file is empty"), log_fault)
    assert lines(output) == []
