"""A process that stores files and dies where it is told; it prints the uuid of every acknowledged upload."""

import asyncio
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import storage_samples as s
from storage_cipher import Cipher

import storagemanager.atomic
from storagemanager import Owner, StorageError, StorageManager, StorageSettings
from storagemanager.atomic import TemporaryFile
from storagemanager.backends.local import LocalBackend
from storagemanager.metadata import Metadata

NOW = 1_700_000_000


def die_before(holder: Any, name: str) -> None:
    setattr(holder, name, lambda *_args, **_more: os._exit(9))


def die_after(holder: Any, name: str) -> None:
    real: Callable[..., Any] = getattr(holder, name)

    def run(*args: Any, **more: Any) -> None:
        real(*args, **more)
        os._exit(9)

    setattr(holder, name, run)


def die_after_insert() -> None:
    real = Metadata.insert

    async def run(self: Metadata, *args: Any) -> None:
        await real(self, *args)
        os._exit(9)

    Metadata.insert = run


STEPS: dict[str, Callable[[], None]] = {
    "before the draft": lambda: die_before(LocalBackend, "begin"),
    "after the draft": lambda: die_after(LocalBackend, "begin"),
    "after a write": lambda: die_after(TemporaryFile, "write"),
    "before the sync": lambda: die_before(TemporaryFile, "sync"),
    "after the sync": lambda: die_after(TemporaryFile, "sync"),
    "before the rename": lambda: die_before(TemporaryFile, "rename"),
    "before the folder's sync": lambda: die_before(storagemanager.atomic, "sync_folder"),
    "after the rename": lambda: die_after(TemporaryFile, "rename"),
    "before the row": lambda: die_before(Metadata, "insert"),
    "after the row": die_after_insert,
    "between row and file of an expiry": lambda: die_before(LocalBackend, "remove"),
}


async def put(storage: StorageManager, content: bytes) -> str:
    owner = Owner(kind="customer", id=1, brand="alpha")
    upload = storage.receive(original_name="a.png", declared_type="", owner=owner, purpose="", scope=1)
    await upload.write(content)
    return (await upload.finish()).uuid


def say(text: object) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def crash(storage: StorageManager, step: str) -> None:
    kept = await put(storage, s.png_of(30_000))
    await storage.pin([kept])
    say(kept)
    STEPS[step]()
    await put(storage, s.png_of(2_000_000))
    await storage.expire(NOW + 10**6)
    say("the process lives on")


async def forever(storage: StorageManager) -> None:
    async def one(number: int) -> None:
        for turn in range(10**6):
            say(await put(storage, s.png_of(1000 + 997 * ((number * turn) % 300))))

    await asyncio.gather(*(one(n) for n in range(8)))


def limit(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


async def say_code(storage: StorageManager, content: bytes) -> None:
    try:
        say(await put(storage, content))
    except StorageError as error:
        say(error.code)


async def full(storage: StorageManager, folder: Path) -> None:
    """The file, then the base, hit the largest size the system lets a file have; then the limit is lifted."""
    await say_code(storage, s.png_of(300_000))
    limit(100_000)
    await say_code(storage, s.png_of(300_000))
    await say_code(storage, s.png_of(3_000_000))
    say(len(list((folder / "storage" / ".tmp").iterdir())))
    limit((folder / "bases" / "storage.db-wal").stat().st_size)
    await say_code(storage, s.png())
    await say_code(storage, s.png())
    say((await storage.stats()).files)
    limit(resource.RLIM_INFINITY)
    await say_code(storage, s.png())


async def main(folder: Path, mode: str, *, sealing: bool) -> None:
    cipher = Cipher() if sealing else None
    storage = StorageManager(folder, StorageSettings(chunk_bytes=100_000), lambda: NOW, cipher=cipher)
    await storage.open()
    if mode == "forever":
        await forever(storage)
    elif mode == "full":
        await full(storage, folder)
        await storage.close()
    else:
        await crash(storage, mode)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sealing=sys.argv[3:] == ["sealing"]))
