"""What is said of a file may change until it is finished."""

from pathlib import Path

import pytest
import storage_samples as s

from storagemanager import Owner, StorageError, StorageErrorCode

FIELDS = {"original_name": "A.png", "declared_type": "image/x", "purpose": "p", "scope": 1}
OTHER = Owner(kind="manager", id=9, brand="beta")


async def finished(upload, content: bytes):
    await upload.write(content)
    return await upload.finish()


def said(meta):
    return Owner(kind=meta.owner_kind, id=meta.owner_id, brand=meta.brand), meta.purpose, meta.scope


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ({}, "p", 1)),
        ({"owner": OTHER}, (OTHER, "p", 1)),
        ({"purpose": "q"}, ({}, "q", 1)),
        ({"purpose": ""}, ({}, "", 1)),
        ({"scope": 0}, ({}, "p", 0)),
        ({"owner": OTHER, "purpose": "q", "scope": 3}, (OTHER, "q", 3)),
    ],
)
async def test_what_is_given_changes_and_the_rest_stays(manager, owner, changes, expected):
    upload = manager.receive(owner=owner, **FIELDS)
    uuid = upload.uuid
    await upload.write(s.png()[:20])
    upload.relabel(**changes)
    meta = await finished(upload, s.png()[20:])
    assert said(meta) == (expected[0] or owner, *expected[1:])
    assert (meta.uuid, meta.original_name, meta.extension, meta.declared_type) == (uuid, "A.png", "png", "image/x")
    assert await manager.get(uuid) == meta


async def test_the_last_word_counts_whenever_it_comes(manager, owner):
    upload = manager.receive(owner=owner, **FIELDS)
    upload.relabel(owner=OTHER, purpose="first")
    await upload.write(s.png())
    upload.relabel(purpose="second")
    upload.relabel(scope=2)
    assert said(await upload.finish()) == (OTHER, "second", 2)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("purpose", {"purpose": "x" * 65, "scope": 2}),
        ("purpose", {"purpose": "a\nb"}),
        ("brand", {"owner": Owner(kind="manager", id=1, brand="\0"), "purpose": "q"}),
        ("owner", {"owner": Owner(kind="k" * 65, id=1, brand="b")}),
        ("owner", {"owner": Owner(kind="manager", id=-1, brand="b"), "scope": 2}),
        ("scope", {"scope": 2**63, "purpose": "q"}),
    ],
)
async def test_a_field_that_cannot_be_stored_changes_nothing(manager, owner, field, changes):
    upload = manager.receive(owner=owner, **FIELDS)
    with pytest.raises(StorageError) as caught:
        upload.relabel(**changes)
    assert (caught.value.code, caught.value.field) == (StorageErrorCode.INVALID, field)
    assert upload.state == "open"
    assert said(await finished(upload, s.png())) == (owner, "p", 1)


async def test_after_its_end_nothing_is_said_any_more(manager, owner, tmp_path: Path):
    stored, failed, aborted = [manager.receive(owner=owner, **FIELDS) for _ in range(3)]
    meta = await finished(stored, s.png())
    with pytest.raises(StorageError):
        await failed.finish()
    await aborted.write(s.png())
    await aborted.abort()
    for upload in (stored, failed, aborted):
        with pytest.raises(StorageError) as caught:
            upload.relabel(purpose="q")
        assert caught.value.code is StorageErrorCode.CLOSED
    assert await manager.get(meta.uuid) == meta
    assert [path.name for path in (tmp_path / "storage").rglob("*") if path.is_file()] == [meta.storage_name]


async def test_a_name_of_any_kind_outlives_a_change(manager, owner):
    for name in ("x" * 400 + ".png", " a .png", "a\u202egnp.png", "a" * 250 + "  .png", "\x01b.png"):
        upload = manager.receive(owner=owner, **{**FIELDS, "original_name": name, "declared_type": "t" * 300})
        other = manager.receive(owner=owner, **{**FIELDS, "original_name": name, "declared_type": "t" * 300})
        upload.relabel(purpose="q")
        changed, plain = await finished(upload, s.png()), await finished(other, s.png())
        assert (changed.original_name, changed.declared_type) == (plain.original_name, plain.declared_type)
