"""What tests of the portal need."""

import sys
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "support"))
sys.path.insert(0, str(Path(__file__).parents[1] / "backoffice" / "support"))

from hall import Customer, Hall
from office import browsers


@pytest.fixture
async def open_hall(tmp_path):
    """Open daemons with settings of one's own."""
    numbers = count()
    async with AsyncExitStack() as opened:

        async def make(**settings):
            return await opened.enter_async_context(Hall(tmp_path / f"data{next(numbers)}", **settings))

        yield make


@pytest.fixture
async def hall(open_hall):
    return await open_hall()


@pytest.fixture
async def customers():
    """Make customers' browsers."""
    async with browsers(Customer) as visit:
        yield visit


@pytest.fixture
async def maria(hall, customers):
    """Customer 7 of acme, who has come in."""
    visitor = customers(hall)
    assert (await visitor.enter(hall.own())).status == 303
    return visitor
