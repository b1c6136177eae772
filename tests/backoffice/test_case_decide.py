"""Deciding on the page of a case: with reasons, in allowed moves only, and never from a page that is out of date."""

import re
from html.parser import HTMLParser

import pytest
from pictures import jpeg

HTMX = {"HX-Request": "true"}


def hidden(answer):
    """Return what every decision carries of the page."""
    form = answer.text[answer.text.index('id="case"') :]
    return {name: re.search(rf'name="{name}" value="([^"]*)"', form)[1] for name in ("mark", "seen")}


def button(answer, path):
    """Return the version that the button of a decision carries, None where it is not offered."""
    found = re.search(
        rf'(?:formaction|data-path)="[^"]*{path}" (?:name="version" value|data-version)="(\d+)"', answer.text
    )
    return found and found[1]


def tags_of(text):
    """Return (tag, attributes) of everything that a browser would make of a page."""
    found = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, given: found.append((tag, {name: value or "" for name, value in given}))
    parser.feed(text)
    return found


async def decide(visitor, page, path, form=None, **named):
    sent = {**hidden(page), "version": button(page, path) or "1", **(form or {})}
    return await visitor.post(f"/cases/1{path}", sent, **named)


@pytest.fixture
async def held(office, ann):
    """A case with one pending step, and one document of it."""
    await office.case(7)
    await office.document(jpeg(), "front.jpg", "passport", code="identity")
    return office


async def test_a_step_is_approved(held, ann):
    page = await ann.get("/cases/1")
    shown = await ann.follow(await decide(ann, page, "/steps/1/approve"))
    assert "Approved: Identity." in shown.words
    assert held.app.core.cache.steps[1].status == 2
    row = (await held.audit())[-2]
    assert (row.action, row.actor_id, row.source) == ("step.approved", 1, "backoffice")
    assert button(shown, "/steps/1/approve") is None


async def test_the_last_decision_finishes_the_case(held, ann):
    await ann.get("/queue")
    page = await ann.follow(await ann.post("/queue/next"))
    assert page.text.count("data-waits") == 1
    assert "Open 1 step, 1 document" in page.words
    shown = await ann.follow(await decide(ann, page, "/steps/1/approve"))
    assert "ann finished the case" in shown.words
    assert "Reason: done" not in shown.words
    assert "data-waits" not in shown.text


async def test_an_approval_until_a_day_ends_with_it(held, ann):
    page = await ann.get("/cases/1")
    for day, fault in (("2020-01-01", "not in the future"), ("soon", "such as 2030-01-31"), ("2027-13-01", "such as")):
        answer = await decide(ann, page, "/documents/1/approve", {"expires": day})
        assert (answer.status, fault in answer.words) == (400, True), day
    shown = await ann.follow(await decide(ann, page, "/documents/1/approve", {"expires": "2028-02-29"}))
    assert "Approved until 2028-02-29: passport." in shown.words
    assert "good until 2028-02-29 23:59" in shown.words
    assert held.app.core.cache.documents_of(1)[0].expire_time == 1_835_481_599
    shown = await ann.follow(await decide(ann, shown, "/steps/1/approve", {"expires": "2028-03-01"}))
    assert held.app.core.cache.steps[1].expire_time == 1_835_481_599 + 86_400
    assert "expire time 2028-03-01 23:59 UTC" in (await ann.get("/audit?action=step.approved")).words


async def test_reviewers_read_what_customers_are_told_in_the_language_of_the_settings(open_office, visitors):
    office = await open_office(backoffice={"language": "es"})
    await office.user()
    await office.case(7)
    ann = visitors(office)
    await ann.sign_in()
    page = await ann.get("/cases/1")
    assert 'value="expired" data-told="El documento ha caducado. Envíe uno vigente, por favor."' in page.text
    shown = await ann.follow(await decide(ann, page, "/steps/1/reject", {"reason": "expired"}))
    assert "The customer reads: “El documento ha caducado." in shown.words


async def test_a_rejection_has_a_reason_a_comment_and_a_text_for_the_customer(held, ann):
    page = await ann.get("/cases/1")
    assert '<optgroup label="The customer can mend it">' in page.text
    assert 'value="forged" data-told="We are sorry: we cannot accept your application."' in page.text
    form = {"reason": "unreadable", "comment": "edges cut"}
    shown = await ann.follow(await decide(ann, page, "/steps/1/reject", form))
    for words in (
        "Rejected: Identity.", "Reason: Blurred, dark or cut off (can be mended). The customer reads:",
        "“We could not read it. Please send a clear picture.”", "Internal comment: edges cut",
    ):  # fmt: skip
        assert words in shown.words, words
    (step,) = held.app.core.cache.steps_of(1)
    assert (step.reason, step.comment) == ("unreadable", "edges cut")
    answer = await held.rest("/manager/kyc/notes", held.token(3, 99, None), {"kyc_id": 1, "text": "x"})
    assert answer["note"]["text"] == "x"


async def test_a_rejection_without_a_reason_is_refused(held, ann):
    page = await ann.get("/cases/1")
    for headers in ({}, HTMX):
        answer = await decide(ann, page, "/steps/1/reject", {"comment": "x", "reason": " "}, headers=headers)
        assert (answer.status, "reason: is required; say why" in answer.words) == (400, True)
    assert held.app.core.cache.steps[1].status == 1


async def test_a_rejection_is_undone_and_nothing_else_is(held, ann):
    page = await ann.follow(await decide(ann, await ann.get("/cases/1"), "/steps/1/reject", {"reason": "forged"}))
    assert "Undo the rejection" in page.words
    page = await ann.follow(await decide(ann, page, "/steps/1/reopen"))
    assert "The rejection is taken back: Identity." in page.words
    page = await ann.follow(await decide(ann, page, "/steps/1/approve"))
    assert not re.search(r"steps/1/(reopen|reject|approve|skip)", page.text)
    answer = await decide(ann, page, "/steps/1/reopen", {"version": str(held.app.core.cache.steps[1].version)})
    assert (answer.status, "only a rejection can be taken back" in answer.words) == (409, True)
    assert "Nothing was decided." in answer.words


async def test_a_step_is_skipped_with_a_reason(office, ann):
    await office.template()
    await office.rest(
        "/manager/kyc/required-level", office.token(3, 99, None), {"customer_id": 7, "brand": "acme", "level": 1}
    )
    page = await ann.get("/cases/1")
    assert button(page, "/steps/1/skip")
    assert (await decide(ann, page, "/steps/1/skip")).status == 400
    shown = await ann.follow(await decide(ann, page, "/steps/1/skip", {"reason": "known to us"}))
    assert "Skipped: Identity." in shown.words
    assert "known to us" in shown.words


async def test_documents_are_decided_apart_from_their_step(held, ann):
    page = await ann.follow(await decide(ann, await ann.get("/cases/1"), "/documents/1/approve"))
    assert "Approved: passport." in page.words
    assert (button(page, "/documents/1/approve"), bool(button(page, "/documents/1/reject"))) == (None, True)
    page = await ann.follow(await decide(ann, page, "/documents/1/reject", {"reason": "forged", "comment": "late"}))
    assert button(page, "/documents/1/reject") is None
    document, step = held.app.core.cache.documents[1], held.app.core.cache.steps[1]
    assert (document.status, document.reason, document.comment, step.status) == (3, "forged", "late", 1)


async def test_the_risk_is_set(held, ann):
    page = await ann.get("/cases/1")
    version = held.app.core.cache.profiles[1].version
    sent = {**hidden(page), "version": str(version), "risk_level": "4"}
    shown = await ann.follow(await ann.post("/cases/1/risk", sent))
    assert "The risk is set." in shown.words
    assert "Status review required" in shown.words
    assert "set the risk to prohibited" in shown.words
    assert (await ann.post("/cases/1/risk", {**sent, **hidden(shown), "risk_level": "9"})).status in {400, 409}


async def test_the_last_decision_offers_the_next_case(held, ann):
    page = await ann.get("/cases/1")
    part = await decide(ann, page, "/documents/1/approve", headers=HTMX)
    assert (part.status, "<html" in part.text, "Nothing of this case waits any more" in part.words) == (
        200,
        False,
        False,
    )
    assert 'id="standing"' in part.text
    part = await decide(ann, part, "/steps/1/approve", headers=HTMX)
    assert "Approved: Identity. Nothing of this case waits any more." in part.words
    assert "ann approved Identity" in part.words
    assert 'action="/backoffice/queue/next"' in part.text


async def test_a_stale_page_decides_nothing_and_says_what_has_changed(held, ann, visitors):
    await held.user("bob", role="admin")
    bob = visitors(held)
    await bob.sign_in("bob")
    page, his = await ann.get("/cases/1"), await bob.get("/cases/1")
    await decide(bob, his, "/documents/1/reject", {"reason": "forged", "comment": "no seal"})
    rows = [row for row in await held.audit() if not row.action.startswith("access.")]
    for headers in ({}, HTMX):
        answer = await decide(ann, page, "/steps/1/approve", headers=headers)
        assert answer.status == 409
        assert "Nothing was decided. This case has changed since you loaded it:" in answer.words
        assert "bob rejected passport (uploaded → rejected)" in answer.words
        assert hidden(answer) != hidden(page)
    sent = {**hidden(page), "version": "1", "risk_level": "3"}
    assert (await ann.post("/cases/1/risk", sent)).status == 409
    assert [row for row in await held.audit() if not row.action.startswith("access.")] == rows
    page = await ann.follow(await decide(ann, answer, "/steps/1/approve"))
    assert "Approved: Identity." in page.words


async def test_the_version_of_the_record_counts_by_itself(held, ann):
    page = await ann.get("/cases/1")
    answer = await decide(ann, page, "/steps/1/approve", {"version": "77"})
    assert (answer.status, "Something of it has another version now." in answer.words) == (409, True)
    assert held.app.core.cache.steps[1].status == 1
    assert (await decide(ann, page, "/steps/1/approve", {"version": "x"})).status == 400


async def test_an_open_page_is_told_what_has_changed(held, ann, visitors):
    await held.user("bob", role="admin")
    bob = visitors(held)
    await bob.sign_in("bob")
    page = hidden(await ann.get("/cases/1"))
    where = f"/cases/1/changes?mark={page['mark']}&seen={page['seen']}&holder=0.0"
    await ann.post("/cases/1/notes", {"text": "a note changes nothing"})
    assert (await ann.get(where, headers=HTMX)).status == 204
    his = await bob.get("/cases/1")
    for visitor, action, words in (
        (bob, "claim", "bob holds this case now."), (bob, "release", ""), (ann, "claim", "You hold this case now."),
    ):  # fmt: skip
        await visitor.post(f"/cases/1/{action}")
        told = await ann.get(where, headers=HTMX)
        assert (words in told.words, "data-stale" in told.text) == (True, False)
        assert told.status == (200 if words else 204)
    await ann.post("/cases/1/release")
    told = await ann.get(where.replace("0.0", "1.1"), headers=HTMX)
    assert "Nobody holds this case any more." in told.words
    await decide(bob, his, "/documents/1/approve")
    told = await ann.get(where, headers=HTMX)
    assert (told.status, "data-stale" in told.text) == (200, True)
    assert "bob approved passport (uploaded → approved)" in told.words
    assert "a note" not in told.words
    assert (await ann.get("/cases/1/changes?mark=x&seen=y", headers=HTMX)).status == 400


async def test_what_is_of_another_case_or_brand_is_not_decided_here(held, ann):
    await held.case(8, "zeta")
    await held.document(jpeg("Z"), "z.jpg", "passport", 8, "zeta", "identity")
    await held.case(9)
    page = await ann.get("/cases/1")
    rows = len(await held.audit())
    for path in (
        "/cases/1/steps/2/approve", "/cases/2/steps/2/approve", "/cases/1/steps/3/approve", "/cases/1/documents/2/approve",
        "/cases/2/documents/2/reject", "/cases/1/steps/99/reject", "/cases/1/steps/x/skip", "/cases/99/steps/1/approve",
        "/cases/2/risk", "/cases/2/notes", "/cases/99/notes", "/cases/1/steps/9007199254740993/approve",
    ):  # fmt: skip
        form = {**hidden(page), "version": "1", "reason": "x", "risk_level": "1", "text": "x"}
        assert (await ann.post(path, form)).status == 404, path
    for path in ("/cases/2", "/cases/2/history", "/cases/2/changes?mark=x&seen=1", "/cases/2/files/x"):
        assert (await ann.get(path)).status == 404, path
    assert len(await held.audit()) == rows


async def test_notes_are_written_and_listed(held, ann):
    await ann.get("/cases/1")
    shown = await ann.follow(await ann.post("/cases/1/notes", {"text": "  called them \n twice "}))
    assert "The note is written." in shown.words
    part = await ann.post("/cases/1/notes", {"text": "and again"}, headers=HTMX)
    assert ("<html" in part.text, part.words.index("and again") < part.words.index("called them")) == (False, True)
    assert "ann wrote a note" in part.words
    assert (await ann.post("/cases/1/notes", {"text": " "})).status == 400


async def test_the_history_is_paged(held, ann, monkeypatch):
    from kycmanager.backoffice import case_read

    monkeypatch.setattr(case_read, "HISTORY_ROWS", 3)
    page = await ann.get("/cases/1")
    seen = 0
    found = re.search(r'hx-get="/backoffice(/cases/1/history\?after=\d+)"', page.text)
    while found:
        part = await ann.get(found[1])
        seen += part.text.count("<time")
        found = re.search(r'hx-get="/backoffice(/cases/1/history\?after=\d+)"', part.text)
    assert seen >= 2
    assert "began the profile" in part.words
    assert (await ann.get("/cases/1/history?after=x")).status == 400


async def test_a_file_others_have_is_marked_with_a_link(held, ann):
    await held.case(9)
    await held.document(jpeg(), "same.jpg", "passport", 9)
    await held.case(8, "zeta")
    await held.document(jpeg(), "same.jpg", "passport", 8, "zeta")
    page = await ann.get("/cases/1")
    assert "Duplicate: 1 other customer has handed in the same file: customer 9 of acme" in page.words
    assert 'href="/backoffice/cases/2"' in page.text
    assert "zeta" not in page.text


async def test_what_comes_after_a_decision_is_marked(held, ann):
    held.now += 60
    await ann.follow(await decide(ann, await ann.get("/cases/1"), "/steps/1/reject", {"reason": "unreadable"}))
    held.now += 60
    await held.document(jpeg("Better"), "better.jpg", "passport", code="identity")
    await held.submit(7, "acme", {}, "identity")
    page = await ann.get("/cases/1")
    assert "handed in again since the last decision" in page.words
    assert "better.jpg, " in page.words
    assert page.words.count("new since the last decision") == 1


async def test_nothing_that_was_written_becomes_part_of_the_page(office, ann):
    evil = '"><img src=x onerror=alert(1)><script>alert(2)</script>{{ 7*7 }}'
    form = {"sections": [{"title": evil, "fields": [
        {"name": evil, "type": "text", "label": evil}, {"name": "b", "type": "select", "options": [{"value": evil, "label": evil}]},
    ]}]}  # fmt: skip
    await office.template(code="evil", name=evil[:200], form_schema=form)
    await office.rest(
        "/manager/kyc/required-level", office.token(3, 99, None), {"customer_id": 7, "brand": "acme", "level": 1}
    )
    await office.document(jpeg(), "x' onload='a.jpg", evil[:64], code="evil")
    await office.submit(7, "acme", {evil: evil, "b": evil}, "evil")
    await ann.get("/cases/1")
    await ann.post("/cases/1/notes", {"text": evil})
    await decide(ann, await ann.get("/cases/1"), "/steps/1/reject", {"reason": evil[:100], "comment": evil})
    file_id = office.app.core.cache.documents[1].file_id
    for path in ("/cases/1", f"/cases/1/files/{file_id}", "/cases/1/history", f"/cases/1?file={file_id}"):
        tags = tags_of((await ann.get(path)).text)
        assert [tag for tag, given in tags if tag == "script" and "src" not in given] == []
        assert [given for _, given in tags if given.get("src", "").startswith("x")] == []
        assert [name for _, given in tags for name in given if name.startswith("on")] == []
