"""The search page: what one box reads, what is found, who is told of it, and the border between brands."""

import re

import pytest

from kycmanager.backoffice.search import ROWS, Asked, recognised, wanted
from kycmanager.domain.errors import KycError
from kycmanager.ports import StoreFull

SUM = "ab" * 32


def customers(answer):
    return [int(number) for number in re.findall(r'<a href="/backoffice/cases/\d+">(\d+)</a>', answer.text)]


async def searches(office):
    return [row for row in await office.audit() if row.action == "access.search"]


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("7", "customer_id"), ("9007199254740991", "customer_id"), ("00700000000000000", "document_type"),
        ("٧", "document_type"), (SUM, "checksum"), (SUM.upper(), "checksum"), (SUM[1:], "document_type"),
        ("scan.pdf", "file_name"), ("1.5", "file_name"), ("passport", "document_type"), ("id card", "document_type"),
    ],
)  # fmt: skip
def test_one_box_reads_what_was_typed(text, field):
    assert recognised(text) == field


def test_fields_become_what_the_command_takes():
    assert wanted(Asked.of({"q": " 7 ", "brand": "acme", "nonsense": "1"})) == {"customer_id": 7, "brand": "acme"}
    assert wanted(Asked(q=SUM.upper())) == {"checksum": SUM}
    assert wanted(Asked(q="passport", customer_id="8")) == {"document_type": "passport", "customer_id": 8}
    assert wanted(Asked()) == {}


@pytest.mark.parametrize("number", ["x", "0", "-1", "1" * 17, "٧"])
def test_a_customer_is_a_number(number):
    with pytest.raises(KycError, match="customer_id: must be a number above 0"):
        wanted(Asked(customer_id=number))


async def test_a_customer_is_found_by_number_and_the_audit_knows_who_searched(office, ann):
    await office.case(7, risk=3)
    await office.case(8, brand="zeta")
    page = await ann.get("/search")
    assert (page.status, "Searched for" in page.words, len(await searches(office))) == (200, False, 0)
    page = await ann.get("/search?q=7")
    assert customers(page) == [7]
    assert "Searched for customer 7" in page.words
    assert "high" in page.words
    (row,) = await searches(office)
    assert (row.actor_id, row.source, row.brand, row.customer_id) == (1, "backoffice", "acme", 7)
    assert row.details == {"customer_id": 7, "found": 1}
    page = await ann.get("/search?q=8")
    assert customers(page) == []
    assert "Nobody was found. A customer of another brand than yours is not found either." in page.words
    assert (await searches(office))[-1].details == {"customer_id": 8, "found": 0}


async def test_files_are_found_by_type_name_and_checksum(office, ann):
    from kycmanager.domain.records import Document

    kyc_id = await office.case(7)
    fields = dict.fromkeys(Document.__struct_fields__, 0)
    texts = {"type": "passport", "file_name": "my scan.pdf", "checksum": SUM, "brand": "acme"}
    office.app.core.cache.desk.finder.add([Document(**{**fields, **texts, "kyc_id": kyc_id})])
    for query in ("q=passport", "q=my+scan.pdf", f"q={SUM.upper()}", "document_type=passport&customer_id=7&brand=acme"):
        assert customers(await ann.get(f"/search?{query}")) == [7], query
    page = await ann.get("/search?q=my+scan")
    assert customers(page) == []
    instead = re.search(r'<a href="([^"]+)">Search for a file name instead', page.text)[1]
    assert "Search for a document type instead" in (await ann.get("/search?q=a.b")).words
    assert instead == "/backoffice/search?file_name=my+scan"
    assert "instead" not in (await ann.get(f"/search?checksum={SUM}")).words


async def test_a_search_that_cannot_be_is_told(office, ann):
    for query, told in (
        ("customer_id=x", "customer_id: must be a number above 0. Correct it and search again."),
        ("brand=acme", "customer_id: give at least one of"),
        ("brand=%3Cscript%3E&q=7", "brand: "),
    ):
        page = await ann.get(f"/search?{query}")
        assert (page.status, told in page.words) == (200, True), query
        assert "<script>" not in page.text
    assert await searches(office) == []


async def test_what_cannot_be_written_down_is_not_shown(office, ann, monkeypatch):
    async def full(_batch):
        raise StoreFull

    await office.case(7)
    monkeypatch.setattr(office.app.core.store, "commit", full)
    for path in ("/search?q=7", "/audit", "/audit/export?as=csv"):
        page = await ann.get(path)
        assert (page.status, "its disk is full" in page.words) == (507, True), path
        assert "/backoffice/cases/" not in page.text


async def test_more_is_found_a_page_at_a_time_and_each_page_is_in_the_audit(office, visitors):
    await office.user(brands=None)
    ann = visitors(office)
    await ann.sign_in()
    for number in range(ROWS + 2):
        await office.case(7, brand=f"b{number}")
    page = await ann.get("/search?q=7")
    assert (len(customers(page)), f"Search {ROWS + 2}" in page.words) == (ROWS, True)
    more = re.search(r'hx-get="(/backoffice/search/rows\?q=7&amp;after=[^"]+)"', page.text)[1]
    part = await ann.ask("GET", more.replace("&amp;", "&"), headers={"HX-Request": "true"})
    assert (len(customers(part)), "Show more" in part.words) == (2, False)
    assert len(await searches(office)) == 2
