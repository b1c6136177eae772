"""Attacks on every page the application has: other brands' ids, foreign forms, frames, planted cookies, links elsewhere.

The pages are taken from the router: those to come are tried, too.
"""

import pytest
from attacked import CUSTOMER, IDS, OTHER, SECRET, Brand, ids_of, placed, routes

FORM = {
    "text": "x", "comment": "x", "reason": "x", "version": "1", "mark": "x", "seen": "0", "to": "archive", "name": "x",
    "risk_level": "1", "id": "1", "do": "preview", "current": "x", "fresh": "x", "again": "x", "code": "000000",
}  # fmt: skip
"""What forms send: enough for each to be judged by whose record it names."""

ELSEWHERE = (
    "https://evil.example/", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "http:evil.example",
    "/backoffice/../../evil", "/backoffice//../x", "/backoffice/\\evil", "javascript:alert(1)", "data:text/html,x",
    "/backofficeevil", "/backoffice.evil.example/", "/backoffice/\r\nSet-Cookie: a=b", "evil", "/backoffice/sign-in",
    "/portal", "",
)  # fmt: skip


async def asked(visitor, method, address, form=None, **named):
    """Ask for a page; whatever comes back may be in no frame and is no page's of another site."""
    if method == "GET":
        answer = await visitor.get(address, **named)
    else:
        answer = await visitor.post(address, form if form is not None else FORM, **named)
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"], address
    assert answer.headers["X-Frame-Options"] == "DENY", address
    return answer


async def changes(office):
    """Return what was done, without the looks."""
    return [row.action for row in await office.audit() if not row.action.startswith(("access.", "user.signed"))]


@pytest.fixture
async def acme(office):
    return await Brand("acme", CUSTOMER, "plain").fill(office)


@pytest.fixture
async def zeta(office):
    return await Brand("zeta", OTHER, SECRET).fill(office)


@pytest.fixture
async def chief(office, visitors):
    """Who may do everything in acme, beside ann, a manager there."""
    await office.user("chief", role="admin")
    visitor = visitors(office)
    await visitor.sign_in("chief")
    await visitor.get("/account")
    return visitor


class Nothing:
    """What belongs to nobody."""

    kyc_id = step_id = document_id = template_id = 999_999
    file_id = "00000000-0000-4000-8000-000000000000"


async def test_every_id_of_a_page_is_known(office):
    unknown = {known for _, address in routes(office) for known in ids_of(address)} - IDS.keys()
    assert not unknown, "say in IDS what these are, so that the ids of other brands are tried there"
    assert len(routes(office)) > 30


async def test_no_page_has_a_record_of_another_brand(office, acme, zeta, ann, chief):
    await ann.get("/account")
    before, kept = await changes(office), office.app.core.cache.profile(zeta.kyc_id)
    tried = 0
    for method, address in routes(office):
        ids = len(ids_of(address))
        for foreign in range(ids):
            for behind in (acme, zeta):
                rest = [behind] * (ids - foreign - 1)
                path = placed(address, [acme] * foreign + [zeta] + rest)
                answer = await asked(chief, method, path)
                assert (answer.status, SECRET in answer.text) == (404, False), (method, path, answer.words)
                unknown = placed(address, [acme] * foreign + [Nothing] + rest)
                told = await asked(ann, method, path), await asked(ann, method, unknown)
                assert told[0].status == told[1].status >= 400, (method, path)
                assert told[0].words == told[1].words
                tried += 1
    assert tried >= 8
    assert await changes(office) == before
    assert office.app.core.cache.profile(zeta.kyc_id) == kept


async def test_no_filter_of_a_page_reaches_another_brand(office, acme, zeta, ann):
    named = {
        "brand": "zeta", "q": OTHER, "customer": OTHER, "customer_id": OTHER, "case": zeta.kyc_id, "from": zeta.template_id,
        "step": zeta.step_id, "document": zeta.document_id, "as": "jsonl", "id": zeta.template_id,
    }  # fmt: skip
    for method, address in routes(office):
        if method != "GET" or ids_of(address) or address in {"/events", "/sign-out"}:
            continue
        for query in (named, *({name: value} for name, value in named.items())):
            answer = await asked(ann, "GET", address, params=query)
            for theirs in (SECRET, f"/cases/{zeta.kyc_id}", f'/templates/{zeta.template_id}"'):
                assert theirs not in answer.text, (address, query)


async def test_no_form_reaches_a_record_of_another_brand(office, acme, zeta, ann, visitors):
    await office.user("zoe", brands=["zeta"])
    zoe = visitors(office)
    await zoe.sign_in("zoe")
    await zoe.get(f"/cases/{zeta.kyc_id}")
    await zoe.post(f"/cases/{zeta.kyc_id}/claim")
    login = office.app.core.cache.users.logins()[-1]
    await ann.get("/account")
    before = await changes(office)
    claim, template = office.app.core.cache.desk.claim(zeta.kyc_id), office.app.core.cache.template(zeta.template_id)
    assert claim is not None
    for address, form in (
        ("/account/end", {"id": login.id}), ("/queue/next", {"leaving": zeta.kyc_id, "brand": "zeta"}),
        ("/templates/draft", {**FORM, "id": zeta.template_id, "do": "save", "brand": "acme"}),
        ("/templates/draft", {**FORM, "id": zeta.template_id, "do": "rebase", "brand": "acme"}),
        ("/queue/filters", {"name": "theirs", "brand": "zeta"}),
    ):  # fmt: skip
        answer = await asked(ann, "POST", address, form)
        assert SECRET not in answer.text
        assert answer.status in {303, 400, 404}, (address, answer.words)
    assert [each for each in (await changes(office))[len(before) :] if each != "filter.saved"] == []
    assert office.app.core.cache.desk.claim(zeta.kyc_id) == claim
    assert office.app.core.cache.template(zeta.template_id) == template
    assert (await zoe.get("/account")).status == 200


async def test_no_form_of_another_site_or_sign_in_does_anything(office, acme, ann, visitors):
    await office.user("bob")
    bob = visitors(office)
    await bob.sign_in("bob")
    await bob.get("/account")
    await ann.get("/account")
    before, word, tried = await changes(office), ann.word, 0
    for method, address in routes(office):
        if method == "GET":
            continue
        path = placed(address, [acme] * len(ids_of(address)))
        for form, headers in (
            ({"word": ""}, {}), ({"word": bob.word}, {}), ({"word": "0" * 64}, {"HX-Request": "true"}),
            ({"word": word}, {"Sec-Fetch-Site": "cross-site"}), ({"word": word}, {"Sec-Fetch-Site": "same-site"}),
            ({"word": ""}, {"X-Form-Word": bob.word}),
        ):  # fmt: skip
            answer = await asked(ann, method, path, {**FORM, **form}, headers=headers)
            assert answer.status == 403, (path, form, headers)
            tried += 1
        answer = await ann.ask("POST", f"/backoffice{path}", data=b"{}", headers={"Content-Type": "text/plain"})
        assert answer.status == 400, path
    assert tried >= 60
    assert await changes(office) == before
    assert (await ann.get("/account")).status == 200


async def test_nothing_is_shown_or_done_before_the_sign_in(office, acme, visitors):
    stranger, before = visitors(office), await changes(office)
    await stranger.get("/sign-in")
    for method, address in routes(office):
        if address == "/sign-in":
            continue
        answer = await asked(stranger, method, placed(address, [acme] * len(ids_of(address))))
        assert answer.status in {303, 204}, address
        assert answer.status == 204 or answer.place.startswith("/backoffice/sign-in")
        assert str(CUSTOMER) not in answer.text
    assert await changes(office) == before


async def test_every_sign_in_has_a_cookie_of_its_own_and_the_one_before_is_dead(office, visitors):
    await office.user()
    visitor, thief = visitors(office), visitors(office)
    seen = set()
    for _ in range(3):
        await visitor.get("/sign-in")
        planted = visitor.cookie()
        await visitor.post("/sign-in", {"name": "ann", "password": "correct horse battery"})
        assert (await visitor.get("/account")).status == 200
        thief.cookies = {"backoffice": planted}
        assert (await thief.get("/account")).status == 303
        seen |= {planted, visitor.cookie()}
    held = visitor.cookie()
    await visitor.post("/sign-out")
    thief.cookies = {"backoffice": held}
    assert (await thief.get("/account")).status == 303
    assert len(seen) >= 4


async def test_no_link_to_the_sign_in_leads_elsewhere(office, visitors):
    await office.user()
    visitor = visitors(office)
    for wanted in ELSEWHERE:
        assert (await visitor.sign_in(next=wanted)).place == "/backoffice/queue", wanted
        answer = await visitor.get("/sign-in", params={"next": wanted})
        assert (answer.status, answer.place) == (303, "/backoffice/queue"), wanted
        await visitor.get("/account")
        await visitor.post("/sign-out")
        page = await visitor.get("/sign-in", params={"next": wanted})
        assert 'name="next" value="/backoffice/queue"' in page.text
