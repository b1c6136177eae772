"""The stored files as a door sees them: what is told, and what is refused in the words of the product."""

from typing import Any

import pytest
from msgspec.structs import replace

from kycmanager.domain.errors import Code, KycError
from kycmanager.domain.files import FileLabel, FileOwner
from storagemanager import StorageError, StorageErrorCode

OWNER = FileOwner("manager", 3, "a")
TEXT = b"some text"


def incoming(core: Any, owner: FileOwner | None = OWNER) -> Any:
    return core.files.receive(name="a.txt", declared_type="", label=FileLabel(owner, "p", 1))


async def stored(core: Any) -> Any:
    file = incoming(core)
    await file.write(TEXT)
    return await file.finish()


async def test_a_file_is_told_as_it_is_kept(core) -> None:
    told = await stored(core)
    meta = await core.storage.get(told.uuid)
    assert told.state == "accepted"  # told once, of a file just judged
    assert replace(told, state="") == await core.files.find(told.uuid)
    assert told.owner == OWNER
    for name in ("storage_name", "original_name", "extension", "signature", "content_type", "file_size", "checksum"):
        assert getattr(told, name) == getattr(meta, name)
    assert (told.scope, told.purpose, told.disposition) == (1, "p", 'attachment; filename="a.txt"')
    async with await core.files.read(told, 5, 3) as reading:
        assert [piece async for piece in reading] == [b"tex"]
    assert await core.files.find("x") is None


async def test_a_file_that_went_between_look_and_use_is_not_found(core) -> None:
    told = await stored(core)
    assert await core.storage.expire(core.clock() + 10**6) == 1
    for use in (core.files.check(told), core.files.read(told, 0, 1)):
        with pytest.raises(KycError) as caught:
            await use
        assert caught.value.code is Code.NOT_FOUND


async def test_no_file_is_stored_without_an_owner(core) -> None:
    file = incoming(core, None)
    await file.write(TEXT)
    file.relabel(FileLabel(None, "q", 2))
    with pytest.raises(RuntimeError, match="before its owner was told"):
        await file.finish()
    file.relabel(FileLabel(OWNER, "q", 2))
    file.relabel(FileLabel(None, "r", 2))
    told = await file.finish()
    assert (told.owner, told.purpose, told.scope) == (OWNER, "r", 2)
    await file.abort()
    assert await core.files.find(told.uuid) == replace(told, state="")


@pytest.mark.parametrize(
    ("work", "code", "expected"),
    [
        ("write", StorageErrorCode.TOO_LARGE, Code.FILE_TOO_LARGE),
        ("write", StorageErrorCode.FULL, Code.STORAGE_FULL),
        ("relabel", StorageErrorCode.INVALID, Code.INVALID_DATA),
        ("relabel", StorageErrorCode.CLOSED, Code.SHUTDOWN),
        ("finish", StorageErrorCode.STRUCTURE, Code.INVALID_FILE),
        ("finish", StorageErrorCode.OUTCOME_UNKNOWN, Code.OUTCOME_UNKNOWN),
    ],
)
async def test_no_error_of_the_storage_comes_out_as_such(
    core, monkeypatch, work: str, code: Any, expected: Any
) -> None:
    file = incoming(core)

    def fail(*_given: Any, **_named: Any) -> None:
        raise StorageError(code, "purpose", "no")

    async def fail_later(*_given: Any, **_named: Any) -> None:
        fail()

    monkeypatch.setattr(type(file._upload), work, fail if work == "relabel" else fail_later)
    given = {"write": (TEXT,), "relabel": (FileLabel(OWNER, "", 0),), "finish": ()}[work]
    with pytest.raises(KycError) as caught:
        found = getattr(file, work)(*given)
        await found
    assert caught.value.code is expected
    monkeypatch.undo()
    await file.abort()
    assert (await core.storage.stats()).uploads_active == 0
