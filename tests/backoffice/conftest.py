"""The real daemon with its pages, a clock to turn, and visitors."""

import sys
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "support"))

from office import Office, Visitor, browsers


@pytest.fixture
async def open_office(tmp_path):
    """Open daemons with settings of one's own."""
    numbers = count()
    async with AsyncExitStack() as opened:

        async def make(**settings):
            return await opened.enter_async_context(Office(tmp_path / f"data{next(numbers)}", **settings))

        yield make


@pytest.fixture
async def office(open_office):
    """A daemon whose sign-ins outlive what tests do to the clock."""
    return await open_office(backoffice={"idle": "11h"})


@pytest.fixture
async def visitors():
    """Make visitors; each is another browser."""
    async with browsers(Visitor) as visit:
        yield visit


@pytest.fixture
async def ann(office, visitors):
    """A manager of acme who is signed in."""
    await office.user()
    visitor = visitors(office)
    assert (await visitor.sign_in()).status == 303
    return visitor
