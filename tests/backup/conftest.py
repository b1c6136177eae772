"""A data folder with some life in it, and what is asked of a backup."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from kycmanager.backup.make import back_up, copy_keys
from kycmanager.backup.restore import restore


def quiet(*_):
    """Nobody looks at the progress."""


@pytest.fixture
def kit():
    """`make(daemon or folder, to)`, `bring(from, to)`: a backup and a restore without progress, `now` their times."""

    def make(data, target, **more):
        return back_up(getattr(data, "folder", data), Path(target), now=1_900_000_000, progress=quiet, **more)

    def bring(source, data, **more):
        return restore(Path(source), Path(data), now=1_900_000_100, progress=quiet, **more)

    return SimpleNamespace(make=make, bring=bring, keys=copy_keys)


@pytest.fixture
async def lived(daemon):
    """A daemon with templates, decided steps and attached files, still running."""
    await daemon.boss.call("MngApproveKycStep", {"id": await daemon.pending("identity", 7)})
    await daemon.step("address", 8)
    for customer in (7, 7, 8):
        await daemon.document(customer)
    await daemon.core.tell_head()
    return daemon
