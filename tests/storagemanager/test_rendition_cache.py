"""Renditions on the disk: bounded, whole or not there, bound to the key of their file, gone with their file."""

import os
from pathlib import Path
from uuid import UUID

import pytest

from storagemanager import (
    Kind,
    Owner,
    Renderer,
    RenditionSettings,
    StorageError,
    StorageErrorCode,
    StorageManager,
    StorageSettings,
)
from storagemanager.renditions.cache import FORM, Cache
from storagemanager.workers import Workers

KEY, OTHER = b"k" * 32, b"o" * 32
ONE, TWO, THREE = (f"{UUID(int=number)}-view-1" for number in (1, 2, 3))
WORDS = b"what was drawn"


@pytest.fixture
async def workers():
    made = Workers(2)
    yield made
    await made.close()


@pytest.fixture
async def make(tmp_path: Path, workers):
    async def start(bytes_max: int = 10**6) -> Cache:
        cache = Cache(tmp_path / "r", bytes_max, workers)
        await cache.open()
        return cache

    return start


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "r").iterdir())


@pytest.mark.parametrize("key", [None, KEY])
async def test_what_is_kept_is_given_back_until_it_is_forgotten(make, tmp_path, key):
    cache = await make()
    assert await cache.get(ONE, key) is None
    await cache.put(ONE, key, WORDS)
    assert await cache.get(ONE, key) == WORDS
    assert (tmp_path / "r" / ONE).stat().st_mode & 0o777 == 0o600
    assert cache.file_bytes == 4096
    await cache.put(ONE, key, WORDS * 1000)
    assert cache.file_bytes == 16_384
    assert await (await make()).get(ONE, key) == WORDS * 1000
    await cache.forget([ONE[:36], TWO[:36]])
    assert (await cache.get(ONE, key), cache.file_bytes, cache.uuids(), names(tmp_path)) == (None, 0, {}, [])


@pytest.mark.parametrize(("kept", "asked"), [(KEY, OTHER), (KEY, None), (None, KEY)])
async def test_another_key_opens_nothing_and_removes_it(make, tmp_path, kept, asked):
    cache = await make()
    await cache.put(ONE, kept, WORDS)
    assert await cache.get(ONE, asked) is None
    assert names(tmp_path) == []
    assert await cache.get(ONE, kept) is None


@pytest.mark.parametrize("key", [None, KEY])
async def test_no_damage_is_shown(make, tmp_path, key):
    cache = await make()
    path = tmp_path / "r" / ONE
    await cache.put(ONE, key, WORDS)
    whole = path.read_bytes()
    assert (WORDS in whole) is (key is None)
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        cache._note(ONE, len(whole), clear=False)
        assert await cache.get(ONE, key) is None, place
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        cache._note(ONE, length, clear=False)
        assert await cache.get(ONE, key) is None, length
    path.write_bytes(whole)
    cache._note(ONE, len(whole), clear=False)
    assert await cache.get(ONE, key) == WORDS


async def test_one_sealed_rendition_is_none_of_another_file(make, tmp_path):
    cache = await make()
    await cache.put(ONE, KEY, WORDS)
    (tmp_path / "r" / ONE).rename(tmp_path / "r" / TWO)
    assert await (await make()).get(TWO, KEY) is None


async def test_what_is_kept_in_clear_is_known_after_a_restart_too(make):
    cache = await make()
    await cache.put(ONE, None, WORDS)
    await cache.put(TWO, KEY, WORDS)
    for each in (cache, await make()):
        assert each.uuids() == {ONE[:36]: True, TWO[:36]: False}


async def test_the_one_not_asked_for_the_longest_goes_first(make, tmp_path):
    cache = await make(2 * 4096)
    await cache.put(ONE, None, WORDS)
    await cache.put(TWO, None, WORDS)
    assert await cache.get(ONE, None) == WORDS
    await cache.put(THREE, None, WORDS)
    assert names(tmp_path) == sorted([ONE, THREE])
    assert (await cache.get(TWO, None), cache.file_bytes) == (None, 8192)
    await cache.put(TWO, None, WORDS * 1000)
    assert names(tmp_path) == sorted([ONE, THREE])
    os.utime(tmp_path / "r" / THREE, ns=(1, 1))
    smaller = await make(4096)
    assert (names(tmp_path), smaller.file_bytes) == ([ONE], 4096)
    await (await make(0)).put(TWO, None, WORDS)
    assert names(tmp_path) == []


async def test_a_start_removes_what_a_crash_left_and_touches_nothing_else(make, tmp_path):
    (tmp_path / "r" / "folder").mkdir(parents=True)
    (tmp_path / "r" / f".new-{ONE}").write_bytes(FORM)
    (tmp_path / "r" / "note").write_bytes(b"not ours")
    cache = await make()
    assert (names(tmp_path), cache.uuids()) == (["folder", "note"], {})


async def test_the_folder_may_be_deleted_at_any_time(make, tmp_path):
    cache = await make()
    for _ in range(2):
        await cache.put(ONE, KEY, WORDS)
        assert await cache.get(ONE, KEY) == WORDS
        (tmp_path / "r" / ONE).unlink()
        (tmp_path / "r").rmdir()
        assert await cache.get(ONE, KEY) is None
    await cache.forget([ONE[:36]])
    assert cache.file_bytes == 0


async def test_a_disk_that_takes_nothing_is_nobodys_trouble(make, tmp_path, workers):
    (tmp_path / "r").write_bytes(b"a file where the folder should be")
    cache = await make()
    await cache.put(ONE, None, WORDS)
    assert (await cache.get(ONE, None), cache.file_bytes) == (None, 0)
    (tmp_path / "r").unlink()
    (tmp_path / "r" / ONE).mkdir(parents=True)
    await cache.put(ONE, None, WORDS)
    assert (await cache.get(ONE, None), names(tmp_path)) == (None, [ONE])


async def test_renditions_go_with_their_file_and_survive_a_restart(tmp_path, clock):
    storage = StorageManager(tmp_path, StorageSettings(), clock)
    await storage.open()
    upload = storage.receive(
        original_name="a.txt",
        declared_type="",
        owner=Owner(kind="customer", id=1, brand="a"),
        purpose="",
        scope=0,
    )
    await upload.write(WORDS)
    meta = await upload.finish()
    for made in (1, 0, 0):
        renderer = Renderer(tmp_path / "r", RenditionSettings(), storage)
        await renderer.open()
        assert (await renderer.get(meta, Kind.VIEW, 1)).content == WORDS
        assert (renderer.made, renderer.file_bytes) == (made, 4096)
        await renderer.tidy()
        assert len(names(tmp_path)) == 1
        await renderer.close()
    with pytest.raises(StorageError) as caught:
        await renderer.get(meta, Kind.VIEW, 1)
    assert caught.value.code is StorageErrorCode.CLOSED
    clock.now += 10**6
    assert await storage.expire(clock.now) == 1
    renderer = Renderer(tmp_path / "r", RenditionSettings(), storage)
    await renderer.open()
    assert (names(tmp_path), renderer.file_bytes) == ([], 0)
    await renderer.close()
    await storage.close()
