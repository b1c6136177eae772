"""What tests of the portal need."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "support"))
sys.path.insert(0, str(Path(__file__).parents[1] / "backoffice" / "support"))
sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from hall import Customer, Hall


@pytest.fixture
async def open_hall(tmp_path):
    """Open daemons with settings of one's own."""
    opened = []

    async def make(**settings):
        hall = Hall(tmp_path / f"data{len(opened)}", **settings)
        opened.append(hall)
        await hall.__aenter__()
        return hall

    yield make
    for hall in opened:
        await hall.__aexit__()


@pytest.fixture
async def hall(open_hall):
    return await open_hall()


@pytest.fixture
async def customers():
    """Make customers' browsers."""
    made = []

    def visit(hall, **headers):
        made.append(Customer(hall.url, **headers))
        return made[-1]

    yield visit
    for each in made:
        await each.http.close()


@pytest.fixture
async def maria(hall, customers):
    """Customer 7 of acme, who has come in."""
    visitor = customers(hall)
    assert (await visitor.enter(hall.own())).status == 303
    return visitor
