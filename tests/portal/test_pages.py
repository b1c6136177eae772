"""What a customer sees and does, without scripts: the ways in, the steps, files, languages, and what is refused and why."""

import json

import pytest
from hall import ANSWERS, FORM, PAPERS, places
from papers import a_jpeg, a_pdf, an_active_pdf

from kycmanager.domain.enums import DocumentStatus, StepStatus


async def test_a_link_is_opened_by_looking_and_used_by_pressing(hall, customers):
    await hall.ask()
    visitor, link = customers(hall), await hall.link()
    for _ in range(3):  # a scanner of mails, a preview, a person
        page = await customers(hall).get(link)
        assert (page.status, "Continue" in page.words) == (200, True)
    page = await visitor.get(link)
    home = await visitor.follow(await visitor.post(link))
    assert "What we need from you" in home.words
    assert "httponly; path=/portal; samesite=lax" in _set_cookie(await customers(hall).get("/sign-in")).lower()
    again = await customers(hall).get(link)
    assert (again.status, "cannot be used" in again.words) == (410, True)
    rows = [row for row in await hall.audit() if row.action == "portal.link_used"]
    assert [(row.actor_id, row.actor_session, row.source, row.customer_id) for row in rows] == [(7, 9, "portal", 7)]


def _set_cookie(answer):
    return next(value for value in answer.headers.getall("Set-Cookie") if value.startswith("portal="))


async def test_two_who_press_at_once_are_one(hall, customers):
    await hall.ask()
    link, both = await hall.link(), [customers(hall), customers(hall)]
    for each in both:
        await each.get(link)
    assert [(await each.post(link)).status for each in both] == [303, 410]


async def test_a_link_that_ran_out_or_was_tampered_with_is_refused(hall, customers):
    await hall.ask()
    link, visitor = await hall.link(ttl=60), customers(hall)
    await visitor.get("/sign-in")
    for odd in (link[:-3] + "AAA", "/link/x", f"/link/{'x' * 5000}", f"/link/{hall.own()}", f"{link}.x"):
        assert (await visitor.get(odd)).status == 410
        assert (await visitor.post(odd)).status == 410
    hall.now += 60
    assert (await visitor.get(link)).status == 410
    assert (await visitor.post(link)).status == 410


async def test_a_token_lets_in_until_it_ends(open_hall, customers):
    hall = await open_hall(portal={"idle": "40h", "life": "60h"})
    await hall.ask()
    visitor = customers(hall)
    assert (await visitor.get("/")).place == "/portal/sign-in"
    assert (await visitor.enter(hall.own())).place == "/portal/"
    assert (await visitor.get("/sign-in")).place == "/portal/"
    assert (await visitor.get("")).place == "/portal/"
    hall.now += 99_999
    assert (await visitor.get("/")).status == 200
    hall.now += 1
    assert (await visitor.get("/")).place == "/portal/sign-in"


@pytest.mark.parametrize(("session", "sub"), [(1, 1), (3, 2), (4, 7)])
async def test_only_customers_come_in(hall, customers, session, sub):
    answer = await customers(hall).enter(hall.token(session, sub, ("acme",)))
    assert (answer.status, "not good" in answer.words) == (401, True)
    assert hall.token(session, sub, ("acme",)) not in answer.text


async def test_wrong_tokens_are_counted(open_hall, customers):
    hall = await open_hall(tokens={"failed_per_minute_max": 2})
    visitor = customers(hall)
    found = [(await visitor.enter(f"a.b.{number}")).status for number in range(8)]
    assert found[0] == 401
    assert "wait a minute" in (await visitor.enter("a.b.c")).words
    assert (await visitor.enter("")).status in {401, 429}


async def test_a_visit_ends_when_nobody_uses_it_and_in_any_case(open_hall, customers):
    hall = await open_hall(portal={"idle": "10m", "life": "1h"})
    await hall.ask()
    visitor = customers(hall)
    await visitor.enter(hall.own())
    for _ in range(6):
        assert (await visitor.get("/")).status == 200
        hall.now += 599
    assert (await visitor.get("/")).status == 200
    hall.now += 6
    assert (await visitor.get("/")).place == "/portal/sign-in"
    await visitor.enter(hall.own())
    hall.now += 600
    assert (await visitor.get("/")).place == "/portal/sign-in"
    lost = await visitor.post("/steps/1", ANSWERS)
    assert "had ended" in (await visitor.follow(lost)).words


async def test_a_visit_ends_with_the_customers_tokens(hall, customers):
    await hall.ask()
    by_token, by_link = customers(hall), customers(hall)
    await by_token.enter(hall.own())
    link = await hall.link()
    await by_link.get(link)
    await by_link.post(link)
    assert {(await each.get("/")).status for each in (by_token, by_link)} == {200}
    await hall.local("SysRevokeSubject", {"session": 9, "sub": 7, "not_before": hall.now + 1})
    assert {(await each.get("/")).place for each in (by_token, by_link)} == {"/portal/sign-in"}


async def test_who_signs_out_is_out_with_every_copy_of_the_cookie(hall, maria, customers):
    copy = customers(hall)
    copy.cookies = dict(maria.cookies)
    await maria.get("/")
    left = await maria.follow(await maria.post("/sign-out"))
    assert "You have signed out" in left.words
    assert (await copy.get("/")).place == "/portal/sign-in"


async def test_behind_tls_the_cookie_is_for_tls_only(open_hall, customers):
    hall = await open_hall(portal={"address": "https://kyc.example.com"})
    answer = await customers(hall).get("/sign-in")
    assert any(each.startswith("__Secure-portal=") and "Secure" in each for each in answer.headers.getall("Set-Cookie"))


async def test_the_pages_can_be_switched_off(open_hall, customers):
    hall = await open_hall(portal={"enabled": False})
    assert (await customers(hall).get("/sign-in")).status == 404


async def test_the_first_page_tells_where_each_step_stands(hall, maria):
    assert "Nothing is asked of you" in (await maria.get("/")).words
    first = await hall.ask("one", form_schema=FORM)
    await hall.ask("two", step_type=3)
    home = await maria.get("/")
    assert "Please complete the open steps" in home.words
    assert "To do" in home.words
    assert "We take care of it" in home.words
    await maria.get(f"/steps/{first}")
    await maria.post(f"/steps/{first}", {"answer.0": "Maria", "action": "save"})
    assert "Begun, not handed in" in (await maria.get("/")).words
    await maria.post(f"/steps/{first}", {**ANSWERS, "action": "submit"})
    home = await maria.get("/")
    assert "It is our turn now" in home.words
    assert "handed in on 15 January 2027" in home.words
    await hall.rest(f"/manager/kyc/steps/{first}/reject", hall.boss, {"reason": "unreadable"})
    home = await maria.get("/")
    assert "Something has to be corrected" in home.words
    assert "We could not read it." in home.words
    await maria.post(f"/steps/{first}", {**ANSWERS, "action": "submit"})
    for step in hall.steps():
        await hall.rest(f"/manager/kyc/steps/{step.id}/{'approve' if step.id == first else 'skip'}", hall.boss)
    home = await maria.get("/")
    assert "Everything is done" in home.words
    assert "We have accepted this" in (await maria.get(f"/steps/{first}")).words


async def test_a_reason_nobody_has_words_for_is_told_in_general(hall, maria):
    step = await hall.ask("one")
    await maria.get(f"/steps/{step}")
    await maria.post(f"/steps/{step}", {"action": "submit"})
    await hall.rest(f"/manager/kyc/steps/{step}/reject", hall.boss, {"reason": "x17"})
    page = await maria.get(f"/steps/{step}")
    assert "It could not be accepted." in page.words
    assert "x17" not in page.text


async def test_answers_are_kept_for_later_and_taken_back(hall, maria):
    step = await hall.ask(form_schema=FORM)
    await maria.get(f"/steps/{step}")
    page = await maria.follow(
        await maria.post(f"/steps/{step}", {"answer.0": "Maria", "answer.3": "yes", "action": "save"})
    )
    assert "not handed in yet" in page.words
    assert 'value="Maria"' in page.text
    await maria.post(f"/steps/{step}", {"answer.2": "PT", "action": "save"})
    records = hall.app.core.cache
    assert records.answers(records.step(step)) == {"country": "PT"}


async def test_a_fault_keeps_what_was_typed_and_changes_nothing(hall, maria):
    step = await hall.ask(form_schema=FORM)
    await maria.get(f"/steps/{step}")
    for action in ("save", "submit"):
        page = await maria.post(f"/steps/{step}", {"answer.0": "Maria", "answer.1": "31.12.1990", "action": action})
        assert page.status == 400
        assert 'value="31.12.1990"' in page.text
        assert 'value="Maria"' in page.text
        assert "Please enter the date" in page.words
    assert hall.app.core.cache.step(step).answers == {}
    assert "Error:" in page.words


async def test_documents_of_each_type_and_side_are_added_and_removed(hall, maria):
    step = await hall.ask(step_type=0, requirements=PAPERS)
    page = await maria.get(f"/steps/{step}")
    for wanted in (
        "Identity card: front (required)",
        "Identity card: back (required)",
        "A picture of yourself (optional)",
    ):
        assert wanted in page.words
    assert 'capture="environment"' in page.text
    assert 'capture="user"' in page.text
    early = await maria.post(f"/steps/{step}", {"action": "submit"})
    assert (early.status, "Please add a file to this step first." in early.words) == (400, True)
    page = await maria.follow(await maria.upload(f"/steps/{step}/files", a_jpeg(), "a <b>.jpg", "id_card_front"))
    assert "The file was added." in page.words
    assert "a <b>.jpg" in page.words
    picture = next(place for place in places(page) if place.startswith("/portal/files/"))
    async with maria.opening("GET", picture) as answer:
        assert (answer.status, answer.headers["Content-Type"]) == (200, "image/jpeg")
        assert "sandbox" in answer.headers["Content-Security-Policy"]
    part = await maria.upload(f"/steps/{step}/files", a_pdf("x"), "b.pdf", "id_card_back", **{"X-Part": "1"})
    assert part.text.lstrip().startswith('<section id="documents"')
    page = await maria.follow(await maria.post(f"/steps/{step}/files/1/remove"))
    assert "The file was removed." in page.words
    assert "a <b>.jpg" not in page.words
    assert [row.type for row in hall.documents()] == ["id_card_front", "id_card_back"]
    assert (await maria.post(f"/steps/{step}/files/2/remove", headers={"X-Part": "1"})).status == 200
    await maria.upload(f"/steps/{step}/files", a_jpeg(), "c.jpg", "selfie")
    await maria.post(f"/steps/{step}", {"action": "submit"})
    assert hall.documents()[-1].status == DocumentStatus.PENDING
    late = await maria.post(f"/steps/{step}/files/3/remove")
    assert (late.status, "cannot be changed any more" in late.words) == (409, True)
    assert "Remove" not in (await maria.get(f"/steps/{step}")).words


async def test_a_rejected_document_says_why_and_another_is_sent(hall, maria):
    step = await hall.ask(step_type=0)
    await maria.get(f"/steps/{step}")
    await maria.upload(f"/steps/{step}/files", a_jpeg())
    await maria.post(f"/steps/{step}", {"action": "submit"})
    await hall.rest("/manager/kyc/documents/1/reject", hall.boss, {"reason": "expired"})
    await hall.rest(f"/manager/kyc/steps/{step}/reject", hall.boss, {"reason": "expired"})
    assert "card.jpg: The document has expired." in (await maria.get("/")).words
    page = await maria.get(f"/steps/{step}")
    assert "not accepted The document has expired." in page.words
    assert (await maria.post(f"/steps/{step}", {"action": "submit"})).status == 400
    await maria.upload(f"/steps/{step}/files", a_jpeg(), "new.jpg")
    assert (await maria.post(f"/steps/{step}", {"action": "submit"})).status == 303
    assert hall.app.core.cache.step(step).status == StepStatus.PENDING


@pytest.mark.parametrize(("decision", "data"), [("approve", {}), ("reject", {"reason": "expired"})])
async def test_nobody_looks_at_the_files_of_a_step_that_is_decided(hall, maria, decision, data):
    step = await hall.ask(step_type=0)
    await maria.get(f"/steps/{step}")
    await maria.upload(f"/steps/{step}/files", a_jpeg())
    await maria.post(f"/steps/{step}", {"action": "submit"})
    assert "we are looking at it" in (await maria.get(f"/steps/{step}")).words
    await hall.rest(f"/manager/kyc/steps/{step}/{decision}", hall.boss, data)
    page = await maria.get(f"/steps/{step}")
    assert "· received" in page.words
    assert "looking at it" not in page.words


BAD_FILES = [
    (b"", "a.jpg", 400, "is empty", "está vacío"),
    (a_jpeg(), "a.html", 400, "this type are not taken", "este tipo"),
    (a_pdf("x"), "a.jpg", 400, "not what its name says", "no es lo que dice su nombre"),
    (a_jpeg()[:60], "a.jpg", 400, "cannot be read", "no se puede leer"),
    (an_active_pdf(), "a.pdf", 400, "holds programs", "contiene programas"),
    (b"x" * 30_000, "a.jpg", 413, "at most 20.0 KB", "como máximo 20,0 KB"),
    (b"x" * 1_500_000, "a.jpg", 413, "too large", "demasiado grande"),
]


@pytest.mark.parametrize(
    ("content", "name", "status", "english", "spanish"), BAD_FILES, ids=lambda each: str(each)[:12]
)
async def test_a_refused_file_is_explained_in_the_language(
    open_hall, customers, content, name, status, english, spanish
):
    hall = await open_hall(storage={"file_bytes_max": 20_000})
    step, visitor = await hall.ask(step_type=0), customers(hall)
    await visitor.enter(hall.own())
    await visitor.get(f"/steps/{step}")
    page = await visitor.upload(f"/steps/{step}/files", content, name)
    assert (page.status, english in page.words) == (400, True), page.words
    part = await visitor.upload(f"/steps/{step}/files", content, name, **{"X-Part": "1", "Accept-Language": "es-MX"})
    assert (part.status, spanish in json.loads(part.text)["message"]) == (status, True), part.text
    assert hall.documents() == ()


@pytest.mark.parametrize(
    ("quota", "told"),
    [("customer_files_max", "no room for more files"), ("customer_uploads_per_hour_max", "wait an hour")],
)
async def test_quotas_and_a_missing_file_are_explained(open_hall, customers, quota, told):
    hall = await open_hall(quotas={quota: 1})
    step, visitor = await hall.ask(step_type=0), customers(hall)
    await visitor.enter(hall.own())
    await visitor.get(f"/steps/{step}")
    assert "No file was chosen" in (await visitor.upload(f"/steps/{step}/files", a_jpeg(), "")).words
    assert (await visitor.upload(f"/steps/{step}/files", a_jpeg())).status == 303
    assert told in (await visitor.upload(f"/steps/{step}/files", a_jpeg())).words


async def test_a_question_for_a_file_is_answered_by_one(hall, maria):
    step = await hall.ask(form_schema=FORM)
    await maria.get(f"/steps/{step}")
    page = await maria.follow(await maria.upload(f"/steps/{step}/answers/5", a_jpeg(), "proof.jpg"))
    assert "proof.jpg" in page.words
    part = await maria.upload(f"/steps/{step}/answers/5", a_jpeg(), "other.jpg", **{"X-Part": "1"})
    assert '"file_name": "other.jpg"' in part.text
    assert "not what its name says" in (await maria.upload(f"/steps/{step}/answers/5", a_pdf("x"), "x.jpg")).words
    for number in ("0", "9", "x"):
        assert (await maria.upload(f"/steps/{step}/answers/{number}", a_jpeg())).status == 404


async def test_the_language_is_chosen_and_remembered(hall, maria):
    step = await hall.ask(form_schema=FORM)
    spanish = await maria.get(f"/steps/{step}", headers={"Accept-Language": "es-MX,en;q=0.5"})
    assert '<html lang="es">' in spanish.text
    assert "Sobre usted" in spanish.words
    assert "Nombre (obligatorio)" in spanish.words
    english = await maria.get(f"/steps/{step}")
    assert '<html lang="en">' in english.text
    chosen = await maria.get(f"/language/es?back=/portal/steps/{step}")
    assert (await maria.follow(chosen)).text.count('lang="es"') == 1
    assert '<html lang="es">' in (await maria.get("/nothing")).text
    assert (await maria.get("/language/xx")).status == 303
    assert '<html lang="en">' in (await maria.get("/")).text


async def test_a_manual_step_with_questions_is_the_customers(hall, maria):
    step = await hall.ask(step_type=4, form_schema=FORM)
    assert "To do" in (await maria.get("/")).words
    assert "Full name" in (await maria.get(f"/steps/{step}")).words


async def test_a_daemon_that_fails_says_a_number(hall, maria, monkeypatch):
    async def broken(*_arguments, **_named):
        raise ZeroDivisionError

    monkeypatch.setattr("kycmanager.pages.gateway.Gateway.run", broken)
    page = await maria.get("/")
    assert (page.status, "Please tell us this number:" in page.words) == (500, True)
