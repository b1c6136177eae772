"""The queue page: what waits, by filters one can keep; the next case; the border between brands."""

import re
from urllib.parse import unquote

import pytest

from kycmanager.backoffice import queue
from kycmanager.backoffice.queue import ROWS, Filter, kept, wanted
from kycmanager.domain.enums import SessionType
from kycmanager.domain.errors import KycError
from kycmanager.domain.session import Session

ME = Session(sub=5, type=SessionType.MANAGER, brands=None)


def customers(answer):
    return [int(number) for number in re.findall(r'<a href="/backoffice/cases/\d+">(\d+)</a>', answer.text)]


async def test_what_waits_is_shown_riskiest_first(office, ann):
    page = await ann.get("/queue")
    assert "Nothing waits. New cases appear here by themselves." in page.words
    await office.case(1)
    office.now += 3 * 3600
    await office.case(2, risk=3)
    await office.case(3, brand="zeta")
    page = await ann.get("/queue")
    assert customers(page) == [2, 1]
    assert "Queue 2" in page.words
    assert "high" in page.words
    assert "3 h 0 min" in page.words
    assert customers(await ann.get("/queue?order=age")) == [1, 2]


async def test_filters(office, ann):
    await office.case(1, risk=2)
    office.now += 5 * 3600
    await office.case(2)
    for query, found in (
        ("level=1", [1, 2]), ("level=2", []), ("risk_level=2", [1]), ("step_code=identity", [1, 2]),
        ("step_status=2", []), ("waiting=4", [1]), ("assignee=nobody", [1, 2]), ("assignee=me", []),
        ("brand=acme", [1, 2]), ("brand=zeta", []), ("nonsense=1", [1, 2]),
    ):  # fmt: skip
        assert customers(await ann.get(f"/queue?{query}")) == found, query
    page = await ann.get("/queue?level=x")
    assert (page.status, "level: must be a number. Correct the filter" in page.words) == (200, True)
    page = await ann.get("/queue?brand=%3Cscript%3E")
    assert "<script>" not in page.text
    assert "brand: " in page.words


async def test_more_is_shown_a_page_at_a_time(office, ann):
    await office.template()
    for number in range(ROWS + 3):
        await office.case(number + 1)
    page = await ann.get("/queue?level=1")
    assert customers(page) == list(range(1, ROWS + 1))
    more = re.search(r'hx-get="(/backoffice/queue/rows\?level=1&amp;after=[^"]+)" hx-target', page.text)[1]
    part = await ann.ask("GET", more.replace("&amp;", "&"), headers={"HX-Request": "true"})
    assert customers(part) == [ROWS + 1, ROWS + 2, ROWS + 3]
    assert "Show more" not in part.words
    assert "<html" not in part.text


async def test_a_look_at_the_queue_is_in_the_audit_once(office, ann):
    await office.template()
    for number in range(ROWS + 1):
        await office.case(number + 1)

    async def looks():
        return [row.details for row in await office.audit() if row.action == "access.search"]

    passive = {"HX-Request": "true", "X-Passive": "1"}
    page = await ann.get("/queue?level=1")
    await ann.get("/queue/rows?level=1", headers=passive)
    assert await looks() == [{"queue": {"level": "1"}}]
    await ann.get("/queue/rows", headers=passive)  # no page of this sign-in was shown that
    assert (await looks())[1:] == [{"queue": {}}]
    after = re.search(r"after=([^\"&]+)\"", page.text)[1]
    await ann.get(f"/queue/rows?level=1&after={after}", headers=passive)
    assert (await looks())[2:] == [{"queue": {"level": "1"}, "after": unquote(after)}]
    await ann.get("/queue?level=1")
    assert len(await looks()) == 4


async def test_what_is_remembered_of_looks_is_bounded(office, ann, monkeypatch):
    monkeypatch.setattr(queue, "SEEN_MAX", 1)
    for path in ("/queue", "/queue?level=1"):
        await ann.get(path)
    await ann.get("/queue/rows", headers={"HX-Request": "true", "X-Passive": "1"})
    assert [row.action for row in await office.audit()].count("access.search") == 3


async def test_the_next_case_is_claimed_and_opened(office, ann):
    first, second = await office.case(1), await office.case(2)
    await ann.get("/queue")
    answer = await ann.post("/queue/next", {"assignee": "me"})
    assert answer.place == f"/backoffice/cases/{first}"
    page = await ann.follow(answer)
    assert "You hold this case for 10 min more" in page.words
    assert (await ann.post("/queue/next", {"leaving": str(first)})).place == f"/backoffice/cases/{second}"
    page = await ann.follow(await ann.post("/queue/next", {"level": "9"}))
    assert "No case is free that fits these filters." in page.words
    assert customers(await ann.get("/queue?assignee=me")) == [2]
    assert "me 10 min left" in (await ann.get("/queue")).words


async def test_a_filter_is_kept_found_again_and_forgotten(office, visitors, ann):
    user_id = office.app.core.cache.users.user_named("ann").id
    await ann.get("/queue")
    form = {"name": "mine <b>", "level": "1", "assignee": "me", "waiting": "24", "order": "age", "brand": ""}
    answer = await ann.post("/queue/filters", form)
    assert answer.place == "/backoffice/queue?level=1&assignee=me&order=age"
    page = await ann.follow(answer)
    assert "The filter “mine <b>” is kept." in page.words
    assert '<a href="/backoffice/queue?level=1&amp;assignee=me&amp;order=age" aria-current="true">' in page.text
    held = office.app.core.cache.desk.filters_of(1, user_id)
    assert [each.filter for each in held] == [{"level": 1, "assignee": user_id, "assignee_session": 1, "order": "age"}]
    bob = visitors(office)
    await office.user("bob")
    await bob.sign_in("bob")
    assert "mine" not in (await bob.get("/queue")).words
    for name, level in (("", "1"), ("odd", "x")):
        page = await ann.follow(await ann.post("/queue/filters", {"name": name, "level": level}))
        assert "The filter is not kept." in page.words
    page = await ann.follow(await ann.post("/queue/filters/remove", {"name": "mine <b>"}))
    assert "is forgotten" in page.words
    assert (await ann.post("/queue/filters/remove", {"name": "mine <b>"})).status == 404


def test_how_filters_are_read():
    assert Filter.of({"brand": " acme ", "level": 1, "x": 2}).given == {"brand": "acme", "level": "1"}
    assert Filter().address == ""
    assert Filter(brand="a&b").address == "?brand=a%26b"
    everything = Filter(
        brand="acme", level="2", step_code="id", step_status="1", risk_level="3", assignee="7", waiting="2", order="age"
    )
    assert wanted(everything, ME, 10_000) == {
        "brand": "acme", "level": 2, "step_code": "id", "step_status": 1, "risk_level": 3, "assignee": 7,
        "waiting_to": 2800, "order": "age",
    }  # fmt: skip
    assert wanted(Filter(assignee="me"), ME, 0) == {"assignee": 5, "assignee_session": 1}
    assert wanted(Filter(assignee="nobody", waiting="9"), ME, 0) == {"assignee": 0, "waiting_to": 0}
    assert kept({"assignee": 5, "level": -1, "risk_level": 0}, ME).given == {"assignee": "me", "risk_level": "0"}
    assert kept({"assignee": 5, "assignee_session": 1}, ME).given == {"assignee": "me"}
    assert kept({"assignee": 0}, ME).given == {"assignee": "nobody"}
    assert kept({"assignee": 6}, ME).given == {"assignee": "6"}


@pytest.mark.parametrize("field", ["level", "step_status", "risk_level", "assignee", "waiting"])
@pytest.mark.parametrize("text", ["x", "-1", "1.5", "²", "9" * 30])
def test_what_is_no_number_is_refused_with_its_field(field, text):
    with pytest.raises(KycError) as caught:
        wanted(Filter(**{field: text}), ME, 0)
    assert caught.value.message == f"{field}: must be a number"
