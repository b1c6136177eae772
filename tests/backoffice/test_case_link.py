"""The one-time link on the page of a case: made by a button, shown once, and good for one visit."""

import re

import pytest

HTMX = {"HX-Request": "true"}
HELD = re.compile(r'id="link-url" value="([^"]+)"')


@pytest.fixture
async def kyc_id(office, ann):
    """The case of customer 7, which ann looks at."""
    kyc_id = await office.case(7)
    await ann.get(f"/cases/{kyc_id}")
    return kyc_id


async def test_a_reviewer_makes_a_link_that_lets_the_customer_in_once(office, ann, visitors, kyc_id):
    assert "Make a one-time link" in (await ann.get(f"/cases/{kyc_id}")).words
    page = await ann.post(f"/cases/{kyc_id}/link")
    assert page.status == 200
    assert "It is not shown again." in page.words
    assert "ann made a link for the customer" in page.words
    assert HELD.search((await ann.get(f"/cases/{kyc_id}")).text) is None
    row = next(row for row in reversed(await office.audit()) if row.action == "portal.link_made")
    assert (row.kyc_id, row.customer_id, row.actor_id, row.source) == (kyc_id, 7, 1, "backoffice")
    customer, path = visitors(office), HELD.search(page.text)[1]
    assert (await customer.ask("GET", path)).status == 200
    come = await customer.ask("POST", path, data={"word": customer.word})
    assert (come.status, come.place) == (303, "/portal/")
    assert "Identity" in (await customer.ask("GET", "/portal/")).words
    assert (await visitors(office).ask("GET", path)).status == 410


async def test_a_link_is_drawn_into_the_open_page(ann, kyc_id):
    part = await ann.post(f"/cases/{kyc_id}/link", headers=HTMX)
    assert part.status == 200
    assert "<html" not in part.text
    assert HELD.search(part.text)
    assert 'id="history"' in part.text


async def test_who_makes_a_link_has_not_changed_the_case(office, ann, kyc_id):
    page = await ann.get(f"/cases/{kyc_id}")
    mark, seen = (re.search(rf'name="{name}" value="([^"]*)"', page.text)[1] for name in ("mark", "seen"))
    await ann.post(f"/cases/{kyc_id}/link")
    step = office.app.core.cache.steps_of(kyc_id)[0]
    form = {"mark": mark, "seen": seen, "version": step.version}
    shown = await ann.follow(await ann.post(f"/cases/{kyc_id}/steps/{step.id}/approve", form))
    assert "Approved: Identity." in shown.words
    assert (await ann.get(f"/cases/{kyc_id}/changes?mark={mark}&seen={seen}&holder=")).words.count("link") == 0


async def test_there_is_no_link_without_pages_of_customers(open_office, visitors):
    office = await open_office(portal={"enabled": False})
    await office.user()
    ann, kyc_id = visitors(office), await office.case(7)
    await ann.sign_in()
    assert "Customer's page" not in (await ann.get(f"/cases/{kyc_id}")).words
