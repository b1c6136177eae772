"""The real daemon with its pages, a clock to turn, and visitors."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "support"))
sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from office import Office, Visitor


@pytest.fixture
async def open_office(tmp_path):
    """Open daemons with settings of one's own."""
    opened = []

    async def make(**settings):
        office = Office(tmp_path / f"data{len(opened)}", **settings)
        opened.append(office)
        await office.__aenter__()
        return office

    yield make
    for office in opened:
        await office.__aexit__()


@pytest.fixture
async def office(open_office):
    """A daemon whose sign-ins outlive what tests do to the clock."""
    return await open_office(backoffice={"idle": "11h"})


@pytest.fixture
async def visitors():
    """Make visitors; each is another browser."""
    made = []

    def visit(office, **headers):
        made.append(Visitor(office.url, **headers))
        return made[-1]

    yield visit
    for each in made:
        await each.http.close()


@pytest.fixture
async def ann(office, visitors):
    """A manager of acme who is signed in."""
    await office.user()
    visitor = visitors(office)
    assert (await visitor.sign_in()).status == 303
    return visitor
