"""What holds on every page: headers, forms of ours alone, answers to faults, files that can be kept."""

import asyncio
import re

import pytest
from aiohttp import web

from kycmanager.pages import http
from kycmanager.ports import StoreFull

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
STRICT = {
    "Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin", "X-Frame-Options": "DENY", "Server": "kycmanager",
}  # fmt: skip


def routes(office):
    """Every address of the pages, as the application has them."""
    app = office.app.backoffice._runner.app
    return [(route.method, route.resource.canonical) for route in app.router.routes() if route.method != "HEAD"]


async def test_every_page_has_the_strict_headers(office, ann):
    await office.case()
    seen = 0
    for method, canonical in routes(office):
        if "/static/" in canonical or canonical.endswith("/events"):
            continue
        path = canonical.replace("{kyc_id}", "1").removeprefix("/backoffice")
        answers = [await ann.get(path)] if method == "GET" else [await ann.post(path), await ann.get(path)]
        for answer in (*answers, await ann.post(path, {"word": "wrong"})):
            assert {name: answer.headers.get(name) for name in STRICT} == STRICT, (method, path)
            assert "aiohttp" not in str(answer.headers)
            seen += 1
        if canonical.endswith("/sign-out"):
            await ann.sign_in()
    assert seen > 25
    for path in ("/nothing", "/cases/x", "/cases/99", "/static/0000000000000000/pages.css"):
        answer = await ann.get(path)
        assert answer.status == 404
        assert {name: answer.headers.get(name) for name in STRICT} == STRICT


async def test_no_page_holds_a_script_a_style_or_an_address_elsewhere(office, ann):
    await office.case()
    for path in ("/sign-in", "/queue", "/queue?brand=acme&waiting=4", "/cases/1", "/account", "/nothing"):
        text = (await ann.get(path)).text
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|<script(?! src=\"/backoffice/static/)", text), path
        assert not re.search(r"(?:src|href|action|hx-get|hx-post)=\"(?!/backoffice|#|\{)", text), path
        assert "http:" not in text.replace("http://www.w3.org", "")


async def test_every_link_of_the_pages_leads_somewhere(office, ann):
    await office.case()
    links = set()
    for path in ("/queue", "/cases/1", "/account", "/nothing"):
        links |= set(re.findall(r"(?:href|src|data-live)=\"(/[^\"#]*)\"", (await ann.get(path)).text))
    links.discard("/backoffice/events")
    assert {"/backoffice/queue", "/backoffice/account", "/backoffice/cases/1"} <= links
    for link in links:
        assert (await ann.ask("GET", link)).status == 200, link


@pytest.mark.parametrize(
    "changed",
    [
        {"word": ""}, {"word": "0" * 64}, {"word": "é"}, {},
    ],
)  # fmt: skip
async def test_a_form_of_another_page_changes_nothing(office, ann, visitors, changed):
    await ann.get("/account")
    stranger = visitors(office)
    await stranger.get("/sign-in")
    word = changed.get("word", stranger.word)
    for headers in ({}, {"HX-Request": "true", "X-Form-Word": word}):
        for path in ("/sign-out", "/queue/next", "/account/end"):
            answer = await ann.post(path, {"word": word}, headers=headers)
            assert answer.status == 403
            assert "older sign-in or from another site; nothing was changed" in answer.words
    assert (await ann.get("/account")).status == 200


async def test_a_form_that_another_site_sent_changes_nothing(office, ann):
    await ann.get("/account")
    for site, status in (("cross-site", 403), ("same-site", 403), ("none", 403), ("same-origin", 303)):
        answer = await ann.post("/sign-out", headers={"Sec-Fetch-Site": site})
        assert answer.status == status, site


async def test_the_word_may_come_in_a_header(office, ann):
    await ann.get("/account")
    answer = await ann.ask("POST", "/backoffice/sign-out", data={"a": "b"}, headers={"X-Form-Word": ann.word})
    assert answer.status == 303


@pytest.mark.parametrize(
    ("data", "headers"),
    [
        (b"{}", {"Content-Type": "application/json"}), (b"x", {}),
        (b"--b\r\n\r\n--b--", {"Content-Type": "multipart/form-data; boundary=b"}),
        (b"a=%ff%fe", {"Content-Type": "application/x-www-form-urlencoded; charset=nonsense"}),
        (b"a=" + b"x" * 70_000, {"Content-Type": "application/x-www-form-urlencoded"}),
    ],
)  # fmt: skip
async def test_what_is_no_form_is_refused(office, ann, data, headers):
    answer = await ann.ask("POST", "/backoffice/sign-out", data=data, headers=headers)
    assert answer.status == 400
    assert "form:" in answer.words


async def test_a_form_that_comes_too_slowly_is_refused(office, ann, monkeypatch):
    monkeypatch.setattr(http, "FORM_SECONDS", 0.05)
    ended = asyncio.Event()

    async def slowly():
        yield b"word="
        await ended.wait()

    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await ann.ask("POST", "/backoffice/sign-out", data=slowly(), headers=headers)
    ended.set()
    assert (answer.status, "form: came too slowly" in answer.words) == (400, True)


async def test_a_full_disk_keeps_nobody_from_the_queue(office, ann, monkeypatch):
    async def full(_batch):
        raise StoreFull

    office.now += 120
    monkeypatch.setattr(office.app.core.store, "commit", full)
    assert (await ann.get("/queue")).status == 200
    answer = await ann.post("/sign-out")
    assert answer.status == 507
    assert "Nothing was changed. Tell whoever runs the daemon that its disk is full." in answer.words
    monkeypatch.undo()
    assert (await ann.post("/sign-out")).status == 303


@pytest.mark.parametrize(
    ("error", "told"), [(web.HTTPGone, (400, "request: gone")), (web.HTTPNotFound, (404, "Page was not found"))]
)
def test_what_http_refuses_by_itself_is_told_in_our_words(error, told):
    found = http.of_http(error())
    assert (found.code.status, found.message) == told


def test_what_fails_in_http_is_no_refusal():
    with pytest.raises(web.HTTPServiceUnavailable):
        http.of_http(web.HTTPServiceUnavailable())


async def test_faults_say_what_to_do_next(office, ann):
    answer = await ann.get("/nothing")
    assert (answer.status, "Page was not found" in answer.words, "Go to the queue" in answer.words) == (404, True, True)
    answer = await ann.get("/account/end")
    assert answer.status == 405
    part = await ann.get("/queue/rows?level=x", headers={"HX-Request": "true"})
    assert (part.status, part.headers["HX-Retarget"]) == (400, "#notices")
    assert "level: must be a number. Go back, correct it and send it again." in part.words
    assert "<html" not in part.text


async def test_what_breaks_here_is_told_by_a_number_and_nothing_else(office, ann, monkeypatch, caplog):
    from kycmanager.pages.gateway import Gateway

    async def broken(*_args):
        raise RuntimeError("a secret")

    monkeypatch.setattr(Gateway, "run", broken)
    for headers in ({}, {"HX-Request": "true"}):
        answer = await ann.get("/queue", headers=headers)
        assert answer.status == 500
        assert "Something failed here" in answer.words
        assert "secret" not in answer.text
        assert re.search(r"umber: [0-9a-f]+", answer.words)


async def test_files_are_kept_for_good_under_the_hash_of_what_they_hold(office, visitors):
    visitor = visitors(office)
    page = await visitor.get("/sign-in")
    paths = re.findall(r'"(/backoffice/static/[^"]+)"', page.text)
    assert len(paths) == 6
    kinds = set()
    for path in paths:
        answer = await visitor.ask("GET", path)
        assert (answer.status, answer.headers["Cache-Control"]) == (200, "public, max-age=31536000, immutable")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Set-Cookie" not in answer.headers
        kinds.add(answer.headers["Content-Type"].partition(";")[0])
    assert kinds == {"text/css", "text/javascript", "image/svg+xml"}


async def test_the_pages_can_be_left_out(open_office, visitors):
    office = await open_office(backoffice={"enabled": False})
    assert (await visitors(office).get("/sign-in")).status == 404
    assert office.app.backoffice is None
