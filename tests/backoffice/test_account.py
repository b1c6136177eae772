"""What users change of themselves: the password, the codes, the sign-ins elsewhere; each proven, each in the audit."""

import re

import pytest
from office import PASSWORD

from kycmanager.backoffice import account
from kycmanager.backoffice.pace import FREE_TRIES
from kycmanager.domain.totp import code_at

FRESH = "four little words here"
CHANGE = {"current": PASSWORD, "fresh": FRESH, "again": FRESH}
SECRET = bytes(range(20))


async def told(visitor, path, form):
    """Send a form; return what the next page says."""
    await visitor.get("/account")
    page = await visitor.follow(await visitor.post(f"/account/{path}", form))
    return " ".join(re.findall(r'<p class="notice [a-z]+">(.*?)</p>', page.text))


async def changes(office):
    return [(row.actor_id, row.details["changed"]) for row in await office.audit() if row.action == "user.changed"]


async def test_a_user_changes_the_password_and_is_signed_out_elsewhere(office, visitors, ann):
    other, bob = visitors(office), visitors(office)
    await other.sign_in()
    await office.user("bob")
    await bob.sign_in("bob")
    assert await told(ann, "password", CHANGE) == (
        "The password is changed, and every other sign-in of yours has ended."
    )
    assert [(await each.get("/account")).status for each in (ann, other, bob)] == [200, 303, 200]
    assert (await other.sign_in()).status == 401
    assert (await other.sign_in(password=FRESH)).status == 303
    assert await changes(office) == [(1, ["password"])]


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({**CHANGE, "current": "wrong"}, "The password is wrong. Nothing was changed."), ({}, "The password is wrong."),
        ({**CHANGE, "again": "other"}, "The two new passwords differ. Nothing was changed."),
        ({**CHANGE, "fresh": "short", "again": "short"}, "The new password is shorter than 12 characters"),
        ({**CHANGE, "fresh": PASSWORD, "again": PASSWORD}, "The new password is the one you have."),
    ],
)  # fmt: skip
async def test_a_password_that_may_not_be_changes_nothing(office, ann, form, words):
    assert words in await told(ann, "password", form)
    assert await changes(office) == []


async def test_whoever_finds_an_open_browser_does_not_guess_the_password(office, ann):
    for _ in range(FREE_TRIES):
        await told(ann, "password", {**CHANGE, "current": "a wrong guess"})
    for path in ("password", "codes/offer"):
        answer = await ann.post(f"/account/{path}", CHANGE)
        assert (answer.status, "Too many tries from here" in answer.words) == (429, True)
    assert await changes(office) == []


async def test_codes_are_asked_once_one_has_proven_the_secret_and_no_more_after_a_last_one(office, visitors, ann):
    assert "The password is wrong" in await told(ann, "codes/offer", {"current": "wrong"})
    assert await told(ann, "codes/offer", {"current": PASSWORD}) == ""
    page = await ann.get("/account")
    shown = re.search(r'<code class="secret">([A-Z2-7 ]+)</code>', page.text)[1].replace(" ", "")
    assert f"otpauth://totp/kycmanager%3Aann?secret={shown}&amp;" in page.text
    secret = next(iter(offered(office).values()))
    assert "The code is wrong" in await told(ann, "codes/prove", {"code": "000000"})
    code = code_at(secret, office.now // 30)
    assert "You are asked for a code at every sign-in from now on." in await told(ann, "codes/prove", {"code": code})
    assert (offered(office), shown in (await ann.get("/account")).text) == ({}, False)
    assert "You are asked for codes already" in await told(ann, "codes/offer", {"current": PASSWORD})
    other = visitors(office)
    assert (await other.sign_in()).status == 401
    assert (await other.sign_in(code=code)).status == 401  # it has proven the secret, and is good once
    assert "The code is wrong" in await told(ann, "codes/remove", {"code": code})
    office.now += 30
    code = code_at(secret, office.now // 30)
    assert "You are asked for no codes any more." in await told(ann, "codes/remove", {"code": code})
    assert (await other.sign_in()).status == 303
    assert await changes(office) == [(1, ["totp"]), (1, ["totp"])]


def offered(office):
    app = office.app.backoffice._runner.app
    (route,) = [each for each in app.router.routes() if each.resource.canonical.endswith("/codes/offer")]
    return route.handler.__self__._offered


async def test_a_secret_that_was_forgotten_is_not_proven(office, visitors, ann, monkeypatch):
    monkeypatch.setattr(account, "OFFERED_MAX", 1)
    assert "not known any more" in await told(ann, "codes/prove", {"code": "000000"})
    other = visitors(office)
    await other.sign_in()
    for each in (ann, other):
        await told(each, "codes/offer", {"current": PASSWORD})
    assert "not known any more" in await told(ann, "codes/prove", {"code": "000000"})
    assert "The code is wrong" in await told(ann, "codes/remove", {"code": "000000"})
    assert await changes(office) == []


async def test_all_other_sign_ins_are_ended_at_once(office, visitors, ann):
    assert "End all others" not in (await ann.get("/account")).words
    others = [visitors(office) for _ in range(3)]
    for each in others:
        await each.sign_in()
    assert "End all others" in (await ann.get("/account")).words
    assert await told(ann, "end-others", {}) == "You are signed in from this browser only."
    assert [(await each.get("/account")).status for each in (ann, *others)] == [200, 303, 303, 303]
    assert [row.action for row in await office.audit()].count("user.signed_out") == 3


async def test_the_holder_of_a_token_has_no_password_though_a_user_has_its_number(office, visitors):
    assert await office.user() == 1
    visitor = visitors(office)
    await visitor.get("/sign-in")
    await visitor.post("/sign-in", {"token": office.token(1, 1, ("acme",))})
    page = await visitor.get("/account")
    assert "signed in by a token, which has no password and no codes" in page.words
    assert 'type="password"' not in page.text
    for path in ("password", "codes/offer", "codes/prove", "codes/remove"):
        answer = await visitor.post(f"/account/{path}", {**CHANGE, "code": "000000"})
        assert (answer.status, "signed in by a token" in answer.words) == (403, True)
    assert await changes(office) == []
