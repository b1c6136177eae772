"""Attacks on the pages of customers: others' things, foreign forms, hostile texts, planted cookies, odd requests."""

import asyncio
import io
import re

import pytest
from hall import ANSWERS, FORM, Customer, part
from papers import a_jpeg

EVIL = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>"
CSRF = [
    {"word": ""},
    {"word": "0" * 64},
    {"word": "é"},
]


async def stored(hall):
    return (await hall.app.core.storage.get_many([row.file_id for row in hall.documents()])).keys()


def files_on_disk(hall):
    return [path for path in (hall.folder / "storage").rglob("*") if path.is_file()]


@pytest.fixture
async def others(hall):
    """Customer 8 of acme and customer 7 of zeta have a step, a document and a file each: (step, document, file)."""
    made = []
    for customer, brand in ((8, "acme"), (7, "zeta")):
        step = await hall.ask("about", customer, brand, step_type=2, form_schema=FORM)
        visitor = Customer(hall.url)
        await visitor.enter(hall.own(customer, brand))
        await visitor.get(f"/steps/{step}")
        assert (await visitor.upload(f"/steps/{step}/files", a_jpeg(), "theirs.jpg")).status == 303
        document = hall.documents(customer, brand)[0]
        made.append((step, document.id, document.file_id))
        await visitor.http.close()
    return made


async def test_what_is_anothers_is_forbidden_and_what_is_not_there_is_not_found(hall, maria, others):
    own = await hall.ask(step_type=2, form_schema=FORM)
    await maria.get(f"/steps/{own}")
    events = hall.app.core.cache.counters["event"]
    missing = (999, 999, "00000000-0000-4000-8000-000000000000")
    for (step, document, file), status in ((others[0], 403), (others[1], 403), (missing, 404)):
        found = [
            await maria.get(f"/steps/{step}"),
            await maria.get(f"/files/{file}"),
            await maria.post(f"/steps/{step}", {**ANSWERS, "action": "save"}),
            await maria.post(f"/steps/{step}", {**ANSWERS, "action": "submit"}),
            await maria.upload(f"/steps/{step}/files", a_jpeg()),
            await maria.upload(f"/steps/{step}/answers/5", a_jpeg()),
            await maria.post(f"/steps/{step}/files/{document}/remove"),
            await maria.post(f"/steps/{own}/files/{document}/remove"),
        ]
        assert [answer.status for answer in found] == [status] * len(found)
        assert not any("theirs.jpg" in answer.text for answer in found)
    taken = await maria.post(f"/steps/{own}", {"answer.5": others[0][2], "action": "save"})
    assert (taken.status, "This file is not there any more" in taken.words) == (400, True)
    assert "theirs.jpg" not in taken.text
    assert hall.app.core.cache.counters["event"] == events


@pytest.mark.parametrize("path", ["/steps/x", "/steps/0", "/steps/-1", "/steps/1e3", "/steps/99999999999999999999999", "/files/x", "/files/..%2f..%2fkeys", "/nothing", "/steps/1/files/x/remove"])  # fmt: skip
async def test_what_names_nothing_is_not_found(hall, maria, path):
    await hall.ask()
    assert (await maria.get(path)).status in {404, 405}


async def test_a_form_that_no_page_of_ours_sent_changes_nothing(hall, maria):
    step = await hall.ask(step_type=2, form_schema=FORM)
    await maria.get(f"/steps/{step}")
    counters, files = dict(hall.app.core.cache.counters), files_on_disk(hall)
    for form in CSRF:
        assert (await maria.post(f"/steps/{step}", {**ANSWERS, "action": "save", **form})).status == 403
        assert (await maria.upload(f"/steps/{step}/files", a_jpeg(), **form)).status == 403
        assert (await maria.upload(f"/steps/{step}/answers/5", a_jpeg(), **form)).status == 403
        assert (await maria.post("/sign-out", form)).status == 403
    for site in ("cross-site", "same-site", "none"):
        headers = {"Sec-Fetch-Site": site}
        assert (await maria.post(f"/steps/{step}", {"action": "save"}, headers=headers)).status == 403
        assert (await maria.upload(f"/steps/{step}/files", a_jpeg(), **headers)).status == 403
    late = part("file", "a.jpg", a_jpeg()) + part("word", None, maria.word.encode()) + b"--edge--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=edge"}
    assert (await maria.ask("POST", f"/portal/steps/{step}/files", data=late, headers=headers)).status == 403
    for kind in ("text/plain", "application/json", "multipart/form-data"):
        headers = {"Content-Type": kind}
        assert (await maria.ask("POST", f"/portal/steps/{step}", data=b"x", headers=headers)).status in {400, 403}
        assert (await maria.ask("POST", f"/portal/steps/{step}/files", data=b"x", headers=headers)).status in {400, 403}
    assert (hall.app.core.cache.counters, files_on_disk(hall)) == (counters, files)
    assert (await maria.get("/")).status == 200


async def test_a_link_and_a_token_are_used_by_our_forms_only(hall, customers):
    await hall.ask()
    link, visitor = await hall.link(), customers(hall)
    await visitor.get(link)
    for form in CSRF:
        assert (await visitor.post(link, form)).status == 403
        assert (await visitor.post("/sign-in", {"token": hall.own(), **form})).status == 403
    stranger = customers(hall)
    assert (await stranger.post(link, {"word": visitor.word})).status == 403
    assert (await visitor.post(link, headers={"Sec-Fetch-Site": "cross-site"})).status == 403
    assert (await visitor.post(link)).status == 303


async def test_a_link_pressed_twice_at_the_same_moment_lets_one_in(hall, customers):
    await hall.ask()
    link, visitor = await hall.link(), customers(hall)
    await visitor.get(link)
    found = await asyncio.gather(*[visitor.post(link) for _ in range(4)])
    assert sorted(answer.status for answer in found) == [303, 410, 410, 410]


async def test_a_planted_cookie_is_worth_nothing_after_the_way_in(hall, customers):
    await hall.ask()
    victim, attacker = customers(hall), customers(hall)
    await attacker.get("/sign-in")
    victim.cookies = dict(attacker.cookies)
    await victim.enter(hall.own())
    assert victim.cookie() != attacker.cookie()
    assert (await attacker.get("/")).place == "/portal/sign-in"
    await victim.get("/")
    await attacker.get("/sign-in")
    assert attacker.word != victim.word


async def test_cookies_tokens_and_links_are_not_taken_for_each_other(hall, maria, customers):
    await hall.ask()
    link = (await hall.link()).removeprefix("/link/")
    for cookie in (hall.own(), link, "x" * 32, "x" * 5000, "a.b.c", ""):
        visitor = customers(hall)
        visitor.cookies = {"portal": cookie} if cookie else {}
        assert (await visitor.get("/")).place == "/portal/sign-in"
    async with maria.http.get("/customer/kyc", headers={"Authorization": maria.cookie()}) as answer:
        assert answer.status == 401
    visitor = customers(hall)
    visitor.cookies = {"backoffice": maria.cookie()}
    assert (await visitor.ask("GET", "/backoffice/queue")).status == 303


@pytest.mark.parametrize(
    "back",
    ["https://evil.example", "//evil.example", "/portal//evil.example", "/backoffice/queue", "/portal/../backoffice",
     "/portal/\\evil.example", "javascript:alert(1)", "/portal/\r\nSet-Cookie: a=b", "/portalx", "", "/portal/é"],
)  # fmt: skip
async def test_a_link_to_a_language_leads_nowhere_else(hall, customers, back):
    answer = await customers(hall).ask("GET", "/portal/language/es", params={"back": back})
    assert (answer.status, answer.place) == (303, "/portal/")
    assert "a" not in answer.headers.getall("Set-Cookie")


async def test_hostile_texts_are_shown_as_texts(open_hall, customers):
    reason = {"code": "evil", "kind": "retry", "label": "x", "customer_text": {"en": EVIL}}
    hall = await open_hall(backoffice={"reasons": [reason]})
    fields = [
        {"name": EVIL, "type": "text", "label": EVIL, "hint": EVIL, "pattern": EVIL},
        {"name": "choice", "type": "select", "options": [EVIL, {"value": 1, "label": EVIL}]},
        {"name": "many", "type": "multi_select", "options": [EVIL]},
        {"name": "file", "type": "file_reference", "label": EVIL},
    ]
    form = {"title": EVIL, "hint": EVIL, "sections": [{"title": EVIL, "hint": EVIL, "fields": fields}]}
    wanted = {"documents": [{"type": EVIL[:60], "label": EVIL, "hint": EVIL, "sides": [EVIL]}, 7, {"type": 7}, {}]}
    step = await hall.ask(name=EVIL, step_type=2, form_schema=form, requirements=wanted)
    visitor = customers(hall)
    await visitor.enter(hall.own())
    pages = [await visitor.get(f"/steps/{step}?said={EVIL}")]
    kind = EVIL[:60] + "_" + EVIL
    pages.append(await visitor.upload(f"/steps/{step}/files", a_jpeg(), "x<script>alert(1).jpg", kind[:64]))
    assert pages[-1].status == 404 or pages[-1].status == 303
    pages.append(await visitor.upload(f"/steps/{step}/files", a_jpeg(), "x<script>alert(1)</script>.jpg"))
    assert pages[-1].status == 303
    pages.append(await visitor.upload(f"/steps/{step}/answers/3", a_jpeg(), "<img onerror=alert(1)>.jpg"))
    pages.append(await visitor.post(f"/steps/{step}", {"answer.0": EVIL, "answer.1": f"{EVIL}!", "action": "submit"}))
    assert pages[-1].status == 400
    pages.append(await visitor.post(f"/steps/{step}", {"answer.0": EVIL, "answer.1": "0", "action": "submit"}))
    assert pages[-1].status == 303
    await hall.rest("/manager/kyc/documents/1/reject", hall.boss, {"reason": "evil"})
    await hall.rest(f"/manager/kyc/steps/{step}/reject", hall.boss, {"reason": "evil"})
    pages += [await visitor.get("/"), await visitor.get(f"/steps/{step}"), await visitor.get(f"/{EVIL}")]
    for page in pages:
        assert "alert(1)" not in re.sub(r"&lt;.*?alert\(1\)|&#34;.*?alert\(1\)|=alert\(1\)&gt;", "", page.text)
        assert not re.search(r"<img[^>]* onerror|<script(?! src=)", page.text)
    assert EVIL in pages[-2].words


async def test_every_page_is_guarded_by_its_headers_and_holds_no_script_of_its_own(hall, maria, customers):
    step = await hall.ask(step_type=2, form_schema=FORM)
    link = await hall.link()
    pages = [await maria.get(path) for path in ("/", f"/steps/{step}", "/nothing", f"/steps/{step}0")]
    pages += [await customers(hall).get(path) for path in ("/sign-in", link, "/link/x", "/")]
    for page in pages:
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["X-Frame-Options"] == "DENY"
        assert not re.search(r"<script(?! src=\"/portal/static/)|<style|\sstyle=|\son[a-z]+=|javascript:", page.text)
    for path in re.findall(r'"(/portal/static/[^"]+)"', pages[1].text):
        async with maria.http.get(path) as answer:
            assert (answer.status, "immutable" in answer.headers["Cache-Control"]) == (200, True)
    assert (await maria.get("/static/0/portal.css")).status == 404


async def test_odd_requests_are_refused_and_the_daemon_goes_on(hall, maria):
    step = await hall.ask(form_schema=FORM)
    await maria.get(f"/steps/{step}")
    long = io.BytesIO(f"word={maria.word}&answer.0={'x' * 2_000_000}".encode())
    plain = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await maria.ask("POST", f"/portal/steps/{step}", data=long, headers=plain)).status == 400
    assert (await maria.post("/sign-out", {"x": "x" * 100_000})).status == 400
    assert (await maria.ask("DELETE", "/portal/")).status in {400, 405}
    edge = {"Content-Type": "multipart/form-data; boundary=edge"}
    word = part("word", None, maria.word.encode())
    for body in (
        b"",
        b"--edge\r\n",
        word + b"--edge--\r\n",
        word + part("type", None, b"x" * 2000) + part("file", "a.jpg", a_jpeg()) + b"--edge--\r\n",
        word + part("file", "a.jpg", a_jpeg()) + part("file", "b.jpg", a_jpeg()) + b"--edge--\r\n",
        word + part("file", "a.jpg", a_jpeg()),
    ):
        answer = await maria.ask("POST", f"/portal/steps/{step}/files", data=io.BytesIO(body), headers=edge)
        assert answer.status in {400, 413}, body[:80]
    assert (await maria.upload(f"/steps/{step}/files", a_jpeg(), type_="never asked")).status == 404
    assert hall.documents() == ()
    assert (await maria.get("/")).status == 200


async def test_nothing_of_a_token_or_link_stands_in_the_log(hall, customers, capfd):
    await hall.ask()
    link, visitor = await hall.link(), customers(hall)
    await visitor.get(link)
    await visitor.post(link)
    await visitor.enter(hall.own())
    await visitor.enter("a.b.c")
    told = capfd.readouterr()
    assert link.rpartition("/")[2] not in told.out + told.err
    assert hall.own() not in told.out + told.err


async def test_a_refused_upload_is_read_to_its_end_and_an_endless_one_is_not(open_hall, customers):
    hall = await open_hall(storage={"file_bytes_max": 1_000_000})
    step, visitor = await hall.ask(step_type=0), customers(hall)
    await visitor.enter(hall.own())
    await visitor.get(f"/steps/{step}")
    refused = await visitor.upload(f"/steps/{step}/files", b"x" * 900_000, "a.html")
    assert "this type are not taken" in refused.words

    async def endless():
        yield part("word", None, visitor.word.encode())
        yield b'--edge\r\nContent-Disposition: form-data; name="other"\r\n\r\n'
        for _ in range(40):
            yield b"x" * 65_536

    headers = {"Content-Type": "multipart/form-data; boundary=edge", "X-Part": "1"}
    long = await visitor.ask("POST", f"/portal/steps/{step}/files", data=endless(), headers=headers)
    assert (long.status, "at most 1.0 MB" in long.text) == (413, True)
    assert (await visitor.get("/")).status == 200


async def test_a_script_is_told_of_faults_too(hall, maria, others):
    answer = await maria.upload(f"/steps/{others[0][0]}/files", a_jpeg(), **{"X-Part": "1"})
    assert (answer.status, "This is not yours" in answer.text) == (403, True)


async def test_a_step_that_was_handed_in_takes_no_answers(hall, maria):
    step = await hall.ask(form_schema=FORM)
    await maria.get(f"/steps/{step}")
    assert (await maria.post(f"/steps/{step}", {**ANSWERS, "action": "submit"})).status == 303
    for action in ("save", "submit"):
        answer = await maria.post(f"/steps/{step}", {"answer.0": "Other", "action": action})
        assert (answer.status, "cannot be changed any more" in answer.words) == (409, True)
    assert hall.app.core.cache.answers(hall.steps()[0])["full_name"] == "Maria Example"


async def test_behind_a_proxy_wrong_tokens_count_for_whom_it_names(open_hall, customers):
    hall = await open_hall(tokens={"failed_per_minute_max": 1}, backoffice={"proxy": True})
    for number in range(6):
        visitor = customers(hall, **{"X-Forwarded-For": f"1.2.3.4, 5.6.7.{number}"})
        assert (await visitor.enter("a.b.c")).status == 401
