"""The base of keys: made late, kept apart, refused when it is damaged or another program's."""

import os
import sqlite3

import pytest

from kycmanager.domain.records import BrandKey, FileKey, ProfileKey
from kycmanager.ports import OutcomeUnknown, StoreFull, StoreRefused
from kycmanager.store.sqlite import SqliteStore
from kycmanager.store.sqlite import keys as module

PROFILE = ProfileKey(7, b"m" * 8, b"w" * 60)
BRAND = BrandKey(b"b" * 8, "alpha", b"m" * 8, b"v" * 60, 5)


async def reopened(store, path):
    await store.close()
    fresh = SqliteStore(path)
    await fresh.open()
    return fresh, await fresh.load(lambda *_: None)


async def test_keys_are_kept_and_come_back(store, path):
    assert not path.with_name("keys.db").exists()
    assert await store.keys.counts() == []
    assert await store.keys.sealed_otherwise(b"x" * 8, 0, 9) == []
    await store.keys.keep([PROFILE, BRAND])
    await store.keys.keep([ProfileKey(7, b"o" * 8, b"another")])
    fresh, snapshot = await reopened(store, path)
    assert (list(snapshot.profile_keys), list(snapshot.brand_keys)) == ([PROFILE], [BRAND])
    assert snapshot.counters["profile"] == 8
    assert sorted(await fresh.keys.counts()) == [("brand", b"m" * 8, 1), ("profile", b"m" * 8, 1)]
    assert path.with_name("keys.db").stat().st_mode & 0o077 in {0, 0o044}
    await fresh.close()
    await fresh.close()


async def test_keys_are_rewrapped_destroyed_and_forgotten(store, path):
    await store.keys.keep([PROFILE, BRAND, ProfileKey(8, b"m" * 8, b"x" * 60)])
    assert await store.keys.sealed_otherwise(b"n" * 8, 7, 9) == [BRAND, ProfileKey(8, b"m" * 8, b"x" * 60)]
    await store.keys.rewrap([ProfileKey(7, b"n" * 8, b"y" * 60), BrandKey(BRAND.id, "alpha", b"n" * 8, b"z" * 60, 5)])
    await store.keys.destroy(ProfileKey(8, bytes(8), b""), 9)
    await store.keys.destroy(ProfileKey(9, bytes(8), b""), 9)
    await store.keys.rewrap([ProfileKey(8, b"n" * 8, b"back")])
    assert await store.keys.sealed_otherwise(b"n" * 8, 0, 9) == []
    brands, profiles = await store.keys.load()
    assert [key.wrapped for key in profiles] == [b"y" * 60, b"", b""]
    assert [key.wrapped for key in brands] == [b"z" * 60]
    await store.keys.forget_brand_keys([BRAND.id])
    assert (await store.keys.load())[0] == []


async def test_a_batch_brings_its_keys_before_its_records(store, path, kit, monkeypatch):
    import msgspec

    batch = msgspec.structs.replace(kit.batch(1), keys=[PROFILE], file_keys=[FileKey("f", 1, b"k")])

    async def fail(_keys):
        raise OutcomeUnknown("EIO")

    keep = store.keys.keep
    monkeypatch.setattr(store.keys, "keep", fail)
    with pytest.raises(OutcomeUnknown):
        await store.commit(batch)
    with pytest.raises(OutcomeUnknown, match="not been reopened"):
        await store.commit(batch)
    assert (await store.reopen())["audit"] == 1
    monkeypatch.setattr(store.keys, "keep", keep)
    await store.commit(batch)
    assert await store.file_keys(["f", "g"]) == {"f": FileKey("f", 1, b"k")}
    assert await store.count_file_keys() == 1
    await store.reopen()
    assert (await store.keys.load())[1] == [PROFILE]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda file: file.write_bytes(b"not a base"), "does not begin like a SQLite file"),
        (lambda file: os.truncate(file, file.stat().st_size - 4096), "is damaged"),
        (lambda file: _execute(file, "PRAGMA user_version = 9"), "Start the newer program"),
        (lambda file: file.unlink(), "missing or empty"),
        (lambda file: file.write_bytes(b""), "missing or empty"),
        (lambda file: _execute(file, "UPDATE vault SET id = x'00'"), "belongs to other bases"),
    ],
)
async def test_a_spoilt_base_is_refused(store, path, spoil, message):
    await store.keys.keep([PROFILE])
    await store.close()
    spoil(path.with_name("keys.db"))
    again = SqliteStore(path)
    with pytest.raises(StoreRefused, match=message):
        await again.open()
    await again.close()


def _execute(file, statement):
    base = sqlite3.connect(file)
    base.execute(statement)
    base.commit()
    base.close()


async def test_a_base_that_was_made_half_way_is_made_again(store, path, monkeypatch):
    make = module._make

    def cut(db):
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(module, "_make", cut)
    with pytest.raises(OutcomeUnknown, match=r"keys\.db"):
        await store.keys.keep([PROFILE])
    monkeypatch.setattr(module, "_make", make)
    fresh, _ = await reopened(store, path)
    await fresh.keys.keep([PROFILE])
    assert (await fresh.keys.load())[1] == [PROFILE]
    await fresh.close()


async def test_a_crash_before_the_records_name_it_is_mended(store, path, monkeypatch):
    async def crash(_id):
        raise sqlite3.OperationalError("disk I/O error")

    adopt = store.keys._adopt
    monkeypatch.setattr(store.keys, "_adopt", crash)
    with pytest.raises(OutcomeUnknown):
        await store.keys.keep([PROFILE])
    monkeypatch.setattr(store.keys, "_adopt", adopt)
    await store.keys.keep([PROFILE])
    fresh, snapshot = await reopened(store, path)
    assert list(snapshot.profile_keys) == [PROFILE]
    await fresh.close()


async def test_a_full_disk_is_told(store, monkeypatch):
    await store.keys.keep([PROFILE])

    def full(_db, _keys):
        error = sqlite3.OperationalError("full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    monkeypatch.setattr(module, "_add", full)
    with pytest.raises(StoreFull):
        await store.keys.keep([ProfileKey(8, b"m" * 8, b"x")])
    monkeypatch.undo()
    await store.keys.keep([ProfileKey(8, b"m" * 8, b"x")])
    assert len((await store.keys.load())[1]) == 2
