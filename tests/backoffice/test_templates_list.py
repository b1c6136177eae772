"""The list of templates: filters, counts, a page at a time; disabling, enabling, archiving; the border of brands."""

import re

import pytest
from editing import form_in, typed

SCHEMA = {"sections": [{"fields": [{"name": "a", "type": "text"}, {"name": "b", "type": "date"}]}]}


def codes(page):
    return re.findall(r'<a href="/backoffice/templates/\d+">[^<]*</a> <span class="hint">([^<]*)</span>', page.text)


async def levels(office, *customers, level=1):
    boss = office.token(3, 99, None)
    for customer in customers:
        await office.rest(
            "/manager/kyc/required-level", boss, {"customer_id": customer, "brand": "acme", "level": level}
        )


async def test_templates_are_listed_by_filters_with_their_use(office, ann):
    assert "There is no template yet." in (await ann.get("/templates")).words
    await office.template(code="one", form_schema=SCHEMA)
    await office.template(code="two", level=2, name="")
    await office.template("zeta", code="three")
    await levels(office, 1, 2)
    page = await ann.get("/templates")
    assert codes(page) == ["one", "two"]
    assert "Templates 2" in page.words
    assert re.search(r"One one acme 1 questionnaire yes active 2 2 2027", page.words)
    for query, found in (
        ("level=2", ["two"]), ("level=3", []), ("status=0", ["one", "two"]), ("status=1", []), ("brand=acme", ["one", "two"]),
        ("brand=zeta", []), ("nonsense=1", ["one", "two"]),
    ):  # fmt: skip
        assert codes(await ann.get(f"/templates?{query}")) == found, query
    for query, fault in (
        ("level=x", "level: must be a number"),
        ("status=9", "status: "),
        ("brand=%3Cb%3E", "brand: "),
    ):
        page = await ann.get(f"/templates?{query}")
        assert (page.status, f"{fault}" in page.words, "Correct the filter" in page.words) == (200, True, True)
        assert "<b>" not in page.text


async def test_more_templates_are_shown_a_page_at_a_time(office, ann):
    for number in range(52):
        await office.template(code=f"c{number}")
    page = await ann.get("/templates?level=1")
    assert len(codes(page)) == 50
    more = re.search(r'hx-get="(/backoffice/templates/rows[^"]+)"', page.text)[1]
    part = await ann.ask("GET", more.replace("&amp;", "&"), headers={"HX-Request": "true"})
    assert codes(part) == ["c50", "c51"]
    assert "<html" not in part.text


async def test_a_template_is_disabled_enabled_and_archived_when_it_is_confirmed(office, ann):
    await office.template()
    await levels(office, 1)
    for to, words, status, done in (
        ("disable", "Disable “Identity”?", 1, "is disabled now"),
        ("enable", "Enable “Identity”?", 0, "is active now"),
        ("archive", "its code stays taken", 2, "is archived now"),
        ("enable", "is asked of whoever is asked for its level", 0, "is active now"),
    ):
        page = await ann.get(f"/templates/1/status?to={to}")
        assert words in page.words
        assert "1 profile has a step made from it." in page.words
        answer = await ann.post("/templates/1/status", status_form(page))
        assert answer.place == "/backoffice/templates/1"
        assert done in (await ann.follow(answer)).words
        assert office.app.core.cache.template(1).status == status


def status_form(page):
    text = re.search(r'<form method="post" action="/backoffice/templates/\d+/status".*?</form>', page.text, re.DOTALL)[
        0
    ]
    return {name: value.replace("&#34;", '"') for name, value in re.findall(r'name="([^"]+)" value="([^"]*)"', text)}


async def test_what_nobody_was_asked_for_is_removed(office, ann):
    await office.template()
    page = await ann.get("/templates/1/status?to=archive")
    assert "removed for good" in page.words
    answer = await ann.post("/templates/1/status", status_form(page))
    assert answer.place == "/backoffice/templates"
    assert "The template “identity” is removed." in (await ann.follow(answer)).words


async def test_a_status_is_not_changed_over_somebody_elses_change(office, ann):
    await office.template()
    page = await ann.get("/templates/1/status?to=disable")
    other = await ann.get("/templates/1")
    shown = await typed(ann, other, "save", {"level": "4"})
    assert shown.status == 303
    stale = await ann.post("/templates/1/status", status_form(page))
    assert "Somebody has changed this template meanwhile; nothing was done." in stale.words
    assert "Level : 1 → 4" in stale.words
    assert office.app.core.cache.template(1).status == 0
    stale = await ann.post("/templates/1/status", {**status_form(page), "origin": "{}"})
    assert "Nothing that is shown here." in stale.words
    assert (await ann.post("/templates/1/status", status_form(stale))).status == 303


@pytest.mark.parametrize("path", ["/templates/1", "/templates/1/status?to=disable", "/templates/new?from=1"])
async def test_a_template_of_another_brand_is_as_one_that_is_not_there(office, ann, path):
    await office.template("zeta")
    foreign, missing = await ann.get(path), await ann.get(path.replace("1", "9"))
    assert (foreign.status, foreign.words) == (404, missing.words)


async def test_a_template_of_another_brand_cannot_be_changed(office, ann):
    await office.template("zeta")
    await office.template("acme")
    own = form_in(await ann.get("/templates/2"))
    for do in ("save", "review", "rebase"):
        assert (await ann.post("/templates/draft", {**own, "id": "1", "version": "1", "do": do})).status == 404
    for to in ("disable", "archive"):
        assert (await ann.post("/templates/1/status", {"to": to, "version": "1"})).status == 404
    moved = await ann.post("/templates/draft", {**own, "brand": "zeta", "do": "save"})
    assert "is no brand of yours" in moved.words
    new = {**form_in(await ann.get("/templates/new")), "brand": "zeta", "code": "x", "do": "save"}
    assert "is no brand of yours" in (await ann.post("/templates/draft", new)).words
    assert "It is counted as soon as brand and level are right." in moved.words
    cache = office.app.core.cache
    assert [cache.template(number).version for number in (1, 2)] == [1, 1]
    assert cache.template(3) is None


@pytest.mark.parametrize("path", ["/templates/x", "/templates/0", "/templates/-1", f"/templates/{'1' * 30}"])
async def test_what_is_no_template_is_not_found(ann, path):
    assert (await ann.get(path)).status in {400, 404}


async def test_what_is_no_deed_is_not_found(office, ann):
    await office.template()
    assert (await ann.get("/templates/1/status?to=dance")).status == 404
    assert (await ann.post("/templates/1/status", {"to": "dance", "version": "1"})).status == 404
    assert (await ann.post("/templates/1/status", {"to": "disable", "version": "x"})).status == 400


async def test_somebody_of_all_brands_types_the_brand(office, visitors):
    await office.user("boss", None)
    boss = visitors(office)
    await boss.sign_in("boss")
    assert '<input name="brand"' in (await boss.get("/templates")).text
    page = await boss.get("/templates/new")
    assert form_in(page)["brand"] == ""
    assert (await typed(boss, page, "save", {"brand": "new", "code": "x"})).status == 303
