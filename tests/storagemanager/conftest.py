import os
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "support"))

from clamd_process import running_clamd  # noqa: F401 - a fixture
from drawing import drawing, make_drawing  # noqa: F401 - fixtures

from storagemanager import Owner, StorageManager, StorageSettings
from storagemanager.formats import FORMATS
from storagemanager.validation import Validator


class Clock:
    """A clock the test sets."""

    def __init__(self) -> None:
        self.now = 1_700_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def owner() -> Owner:
    return Owner(kind="customer", id=7, brand="alpha")


@pytest.fixture(scope="session")
def validator() -> Validator:
    return Validator(StorageSettings(extensions=tuple(FORMATS)))


@pytest.fixture(scope="session")
def judge(validator: Validator) -> Callable[[bytes, str], str]:
    """Judge bytes as the content of a file; return the signature."""

    def run(content: bytes, extension: str) -> str:
        with tempfile.TemporaryFile() as file:
            file.write(content)
            file.flush()
            return validator.check_content(file.fileno(), os.fstat(file.fileno()).st_size, extension)

    return run


@pytest.fixture
async def manager(tmp_path: Path, clock: Clock) -> AsyncIterator[StorageManager]:
    storage = StorageManager(tmp_path, StorageSettings(), clock)
    await storage.open()
    yield storage
    await storage.close()


@pytest.fixture
def put(owner: Owner) -> Callable[..., object]:
    """Send bytes as one upload."""

    async def send(storage: StorageManager, content: bytes, name: str = "scan.png", step: int = 65_536, **more: object):
        upload = storage.receive(
            **{"original_name": name, "declared_type": "image/png", "owner": owner, "purpose": "kyc", "scope": 1} | more
        )
        for start in range(0, len(content), step):
            await upload.write(content[start : start + step])
        return await upload.finish()

    return send
