"""Answers in the search page: the box, the fields, the links, and what the audit is told; without any script."""

import asyncio
import re

import pytest

from kycmanager.backoffice.search import Asked, recognised, wanted

FORM = {"sections": [{"fields": [{"name": "who", "type": "text"}, {"name": "e.mail", "type": "text"}]}]}
ROW = re.compile(r'<a href="/backoffice/cases/\d+">(\d+)</a>')
LINK = re.compile(r'<a href="([^"]+)">Search for ([^<]+) instead</a>')


@pytest.fixture
async def office(open_office):
    """A daemon in which answers may be searched."""
    return await open_office(backoffice={"idle": "11h", "search_fields": ["who", "e.mail"]})


async def indexed(office):
    while office.app.core.cache.lookup.due:
        await asyncio.sleep(0)


async def hand_in(office, customer, brand="acme", **answers):
    if not office.app.core.cache.active_templates(brand):
        await office.template(brand, "form", form_schema=FORM)
    boss, own = office.token(3, 99, None), office.token(9, customer, (brand,))
    await office.rest("/manager/kyc/required-level", boss, {"customer_id": customer, "brand": brand, "level": 1})
    kyc_id = office.app.core.cache.profile_of(customer, brand).id
    (step,) = office.app.core.cache.steps_of(kyc_id)
    await office.rest(f"/customer/kyc/steps/{step.id}/submit", own, {"answers": answers})


async def searches(office):
    return [row.details for row in await office.audit() if row.action == "access.search"]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Ann Example", "answer"), ("ann@example.com", "answer"), ("J. Smith", "answer"), ("ann", "document_type"),
        ("my scan.pdf", "file_name"), ("scan.pdf", "file_name"), ("7", "customer_id"), ("ab" * 32, "checksum"),
    ],
)  # fmt: skip
def test_the_box_reads_names_and_addresses_as_answers(text, read):
    assert recognised(text, answers=True) == read
    assert recognised(text) != "answer"


def test_what_the_command_is_given():
    assert wanted(Asked(q="Ann Example"), ["who", "born"]) == {"field": "who", "value": "Ann Example"}
    assert wanted(Asked(q="Ann Example", field="born", value="x"), ["who"]) == {"field": "born", "value": "x"}
    assert wanted(Asked(q="Ann Example"), []) == {"document_type": "Ann Example"}


async def test_the_box_tries_the_first_field_and_offers_the_others(office, ann):
    await indexed(office)
    await hand_in(office, 7, **{"who": "Ann Example", "e.mail": "ann@example.com"})
    await hand_in(office, 8, "zeta", who="Ann Example")
    page = await ann.get("/search?q=ann++EXAMPLE")
    assert (ROW.findall(page.text), "Searched for who ann EXAMPLE" in page.words) == (["7"], True)
    page = await ann.get("/search?q=ann@example.com")
    assert (ROW.findall(page.text), "instead" in page.words) == ([], True)
    links = {words: path.replace("&amp;", "&") for path, words in LINK.findall(page.text)}
    assert list(links) == ["it as e.mail", "a file name", "a document type"]
    page = await ann.ask("GET", links["it as e.mail"])
    assert ROW.findall(page.text) == ["7"]
    page = await ann.get("/search?q=ann")
    assert [words for _, words in LINK.findall(page.text)] == ["it as who", "it as e.mail", "a file name"]
    told = await searches(office)
    assert told[:3] == [{"field": "who", "found": 1}, {"field": "who", "found": 0}, {"field": "e.mail", "found": 1}]
    assert "xample" not in str(told)


async def test_the_form_offers_the_fields_of_the_policy(office, ann):
    await hand_in(office, 7, who="Ann Example")
    await indexed(office)
    page = await ann.get("/search?customer_id=7&field=who&value=Ann+Example")
    assert (ROW.findall(page.text), "<option selected>who</option>" in page.text) == (["7"], True)
    assert 'name="value" value="Ann Example"' in page.text
    assert "Searched for customer 7 , who Ann Example ." in page.words
    for query, told in (
        ("field=who", "value: is needed with a field"),
        ("value=Ann", "field: is needed with a value"),
        ("field=%3Cb%3E&value=Ann", "field: answers to it may not be searched; only those to who, e.mail may"),
    ):
        page = await ann.get(f"/search?{query}")
        assert (page.status, told in page.words, "<b>" in page.text) == (200, True, False), query
    assert "Show more" not in page.words


async def test_until_all_is_indexed_the_page_says_so(open_office, visitors):
    office = await open_office(backoffice={"search_fields": ["who"]})
    await indexed(office)
    office.app.core.cache.lookup.mark = None  # as if it were not
    await office.user()
    ann = visitors(office)
    await ann.sign_in()
    page = await ann.get("/search?field=who&value=Ann")
    assert "Answers are still being indexed" in page.words


async def test_without_fields_the_page_is_as_before(open_office, visitors):
    office = await open_office()
    await office.user()
    ann = visitors(office)
    await ann.sign_in()
    page = await ann.get("/search?q=Ann+Example")
    assert ("Answer to" in page.words, 'name="field"' in page.text) == (False, False)
    assert [words for _, words in LINK.findall(page.text)] == ["a file name"]
