"""A started app with the door on, for each test."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "support"))
sys.path.insert(0, str(Path(__file__).parents[2] / "e2e" / "support"))
sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from anchors import Anchor

from kycmanager.apis.sep12.stand_in import HorizonStandIn


@pytest.fixture
async def horizon():
    async with HorizonStandIn() as stand_in:
        yield stand_in


@pytest.fixture
def settings(request):
    """The settings of a test: `@pytest.mark.parametrize("settings", [...], indirect=True)`."""
    return getattr(request, "param", {})


@pytest.fixture
async def anchor(tmp_path, horizon, settings):
    async with Anchor(tmp_path / "data", horizon, **settings) as started:
        yield started
