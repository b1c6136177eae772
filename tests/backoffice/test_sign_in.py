"""The way in: by password, code or token; what slows a guesser; and cookies nobody can plant or steal."""

import re

import pytest
from office import PASSWORD

from kycmanager.backoffice.pace import (
    DELAY_OF_ADDRESS_SECONDS_MAX,
    DELAY_SECONDS_MAX,
    FREE_TRIES,
    FREE_TRIES_OF_ADDRESS,
    Tries,
    network,
)
from kycmanager.backoffice.passwords import AT_ONCE, WAITING_MAX, Passwords
from kycmanager.backoffice.sign_in import REFUSED
from kycmanager.domain.errors import KycError
from kycmanager.domain.totp import code_at

SECRET = bytes(range(20))


async def signed_in(visitor):
    return (await visitor.get("/account")).status == 200


async def test_a_user_signs_in_and_out(office, visitors):
    user_id = await office.user()
    visitor = visitors(office)
    answer = await visitor.get("/sign-in")
    assert answer.status == 200
    before = visitor.cookie()
    answer = await visitor.sign_in(" ANN ")
    assert (answer.status, answer.place) == (303, "/backoffice/queue")
    after = visitor.cookie()
    assert len(after) == 43
    assert after != before
    page = await visitor.follow(answer)
    assert page.status == 200
    assert "ann" in page.words
    assert (await visitor.follow(await visitor.get("/sign-in"))).status == 200
    answer = await visitor.post("/sign-out")
    assert answer.place == "/backoffice/sign-in"
    assert visitor.cookie() != after
    assert not await signed_in(visitor)
    rows = [(row.action, row.actor_id, row.actor_session, row.source) for row in await office.audit()]
    assert [row for row in rows[1:] if row[0] != "access.search"] == [
        ("user.signed_in", user_id, 1, "backoffice"), ("user.signed_out", user_id, 1, "backoffice"),
    ]  # fmt: skip
    visitor.cookies = {"backoffice": after}
    assert not await signed_in(visitor)


async def test_nobody_sees_a_page_without_a_sign_in(office, visitors):
    visitor = visitors(office)
    for path in ("", "/", "/queue", "/queue?brand=acme", "/queue/rows", "/cases/1", "/account", "/nothing", "/queue/x"):
        answer = await visitor.get(path)
        assert (answer.status, answer.text) == (303, "")
        assert answer.place.startswith("/backoffice/sign-in")
    assert (await visitor.get("/queue?brand=acme&level=1")).place == (
        "/backoffice/sign-in?next=/backoffice/queue%3Fbrand%3Dacme%26level%3D1"
    )
    for path in ("/sign-out", "/queue/next", "/cases/1/claim", "/account/end"):
        answer = await visitor.post(path, {"id": "1"})
        assert (answer.status, answer.place) == (303, "/backoffice/sign-in")
    part = await visitor.get("/queue/rows", headers={"HX-Request": "true"})
    assert (part.status, part.headers["HX-Redirect"]) == (401, "/backoffice/sign-in")
    assert (await visitor.get("/events")).status == 204
    assert await office.audit() == []


@pytest.mark.parametrize(
    ("wanted", "place"),
    [
        ("/backoffice/cases/7?a=1", "/backoffice/cases/7?a=1"), ("https://evil.example/", "/backoffice/queue"),
        ("//evil.example/backoffice/", "/backoffice/queue"), ("/backoffice/../docs", "/backoffice/queue"),
        ("/backoffice/sign-in", "/backoffice/queue"), ("/backoffice/\r\nX: y", "/backoffice/queue"),
        ("/backoffice/\\evil", "/backoffice/queue"), ("", "/backoffice/queue"),
    ],
)  # fmt: skip
async def test_after_the_sign_in_one_is_where_one_wanted_to_be_but_never_elsewhere(office, visitors, wanted, place):
    await office.user()
    assert (await visitors(office).sign_in(next=wanted)).place == place


async def test_every_wrong_try_is_told_the_same(office, visitors):
    await office.user()
    await office.user("bob")
    await office.local("SysSetUser", {"name": "bob", "enabled": False})
    await office.user("eve", id=9)
    await office.local("SysSetUser", {"name": "eve", "totp": SECRET.hex()})
    answers = []
    for name, password, code in (
        ("ann", "wrong password", ""), ("nobody", PASSWORD, ""), ("bob", PASSWORD, ""), ("eve", PASSWORD, "000000"),
        ("eve", PASSWORD, ""), ("ann", "", ""),
    ):  # fmt: skip
        visitor = visitors(office)
        answer = await visitor.sign_in(name, password, code=code)
        told = re.sub(r'value="[^"]*"|[0-9a-f]{64}', "", answer.text)
        answers.append((answer.status, told))
        assert REFUSED in answer.words
        assert password not in answer.text or not password
        assert not await signed_in(visitor)
    assert len(set(answers)) == 1
    assert answers[0][0] == 401
    assert [row.action for row in await office.audit()].count("user.signed_in") == 0


async def test_a_code_is_asked_where_there_is_one_and_is_good_once(office, visitors):
    await office.user()
    await office.local("SysSetUser", {"name": "ann", "totp": SECRET.hex()})
    code = code_at(SECRET, office.now // 30)
    first, second = visitors(office), visitors(office)
    assert (await first.sign_in(code=f"{code[:3]} {code[3:]}")).status == 303
    assert (await second.sign_in(code=code)).status == 401
    office.now += 30
    assert (await second.sign_in(code=code_at(SECRET, office.now // 30))).status == 303


async def test_a_token_of_a_manager_signs_in_until_it_runs_out_or_is_revoked(office, visitors):
    visitor, other = visitors(office), visitors(office)
    token = office.token(10, 42, ("acme",))
    for each in (visitor, other):
        await each.get("/sign-in")
        assert (await each.post("/sign-in", {"token": f" {token}\n"})).place == "/backoffice/queue"
    assert "crm manager 42" in (await visitor.get("/account")).words
    jti = office.app.core.executor.authenticate(token).jti
    await office.local("SysRevokeToken", {"jti": jti, "expires": office.now + 100_000})
    assert not await signed_in(visitor)
    assert not await signed_in(other)


@pytest.mark.parametrize(
    ("session", "status", "words"),
    [(9, 403, "This token is not a manager's"), (4, 403, "not a manager's"), (None, 401, "missing, wrong, expired")],
)
async def test_no_other_token_does(office, visitors, session, status, words):
    token = office.token(session, 7, ("acme",)) if session else "nonsense"
    visitor = visitors(office)
    await visitor.get("/sign-in")
    answer = await visitor.post("/sign-in", {"token": token})
    assert answer.status == status
    assert words in answer.words
    assert token not in answer.text


async def test_wrong_tokens_are_slowed_down(open_office, visitors):
    office = await open_office(tokens={"failed_per_minute_max": 2})
    visitor = visitors(office)
    await visitor.get("/sign-in")
    answers = [(await visitor.post("/sign-in", {"token": "a.b.c"})).status for _ in range(4)]
    assert answers == [401, 401, 429, 429]


async def test_a_guesser_waits_longer_each_time_and_the_user_elsewhere_does_not(open_office, visitors):
    office = await open_office(backoffice={"proxy": True})
    await office.user()
    guesser, ann = (
        visitors(office, **{"X-Forwarded-For": f"198.51.100.1, {address}"})
        for address in ("203.0.113.66", "203.0.113.7")
    )
    for _ in range(FREE_TRIES):
        assert (await guesser.sign_in(password="a wrong guess")).status == 401
    told = []
    for _ in range(4):
        answer = await guesser.sign_in()
        assert answer.status == 429  # not even the right password is looked at
        told.append(int(re.search(r"again in (\d+) seconds", answer.words)[1]))
        office.now += told[-1]
        assert (await guesser.sign_in(password="a wrong guess")).status == 401
    assert told == [1, 2, 4, 8]
    assert (await ann.sign_in()).status == 303


async def test_behind_a_proxy_and_with_tls_cookies_are_for_tls_only(open_office, visitors):
    office = await open_office(backoffice={"proxy": True})
    answer = await visitors(office).get("/sign-in")
    assert cookie_parts(answer, "__Host-backoffice") == {"HttpOnly", "Path=/", "SameSite=Strict", "Secure"}


async def test_a_cookie_is_for_this_host_alone(office, visitors):
    await office.user()
    visitor = visitors(office)
    for answer in (await visitor.get("/sign-in"), await visitor.sign_in()):
        assert cookie_parts(answer, "backoffice") == {"HttpOnly", "Path=/", "SameSite=Strict"}
    assert "Set-Cookie" not in (await visitor.get("/queue")).headers


def cookie_parts(answer, name):
    (cookie,) = answer.headers.getall("Set-Cookie")
    pair, *parts = cookie.split("; ")
    assert pair.startswith(f"{name}=")
    return set(parts)


async def test_a_planted_cookie_is_worth_nothing(office, visitors):
    await office.user()
    visitor = visitors(office)
    visitor.cookies = {"backoffice": "planted"}
    await visitor.sign_in()
    assert visitor.cookie() != "planted"
    thief = visitors(office)
    thief.cookies = {"backoffice": "planted"}
    assert not await signed_in(thief)
    assert await signed_in(visitor)
    for odd in ("", "x" * 65, '"'):
        thief.cookies = {"backoffice": odd}
        assert not await signed_in(thief)


async def test_signing_in_again_ends_the_sign_in_before(office, ann):
    before = ann.cookie()
    await ann.get("/account")
    assert (await ann.post("/sign-in", {"name": "ann", "password": PASSWORD})).status == 303
    assert ann.cookie() != before
    assert len(office.app.core.cache.users.logins()) == 1
    assert await signed_in(ann)


# -- the parts


def test_failures_are_forgotten_and_delays_have_an_end():
    now = [1_000_000]
    tries = Tries(lambda: now[0])

    def fail(times, name="ann"):
        for _ in range(times):
            tries.begin(name, "::1")

    fail(FREE_TRIES - 1)
    assert tries.wait("ann", "::1") == 0
    fail(40)
    assert tries.wait("ann", "::1") == DELAY_SECONDS_MAX
    assert tries.wait("bob", "::1") == 0
    fail(FREE_TRIES_OF_ADDRESS, "bob")
    assert tries.wait("eve", "::1") == DELAY_OF_ADDRESS_SECONDS_MAX
    assert tries.wait("ann", "::2") == DELAY_SECONDS_MAX  # the same network
    assert tries.wait("ann", "2001:db8::1") == 0
    tries.succeeded("ann", "::1")
    tries.succeeded("eve", "2001:db8::9")
    assert tries.wait("ann", "::1") == DELAY_OF_ADDRESS_SECONDS_MAX
    now[0] += 3600
    fail(1, "bob")
    assert tries.wait("bob", "::1") == 0


def test_what_is_remembered_of_guessers_is_bounded():
    tries = Tries(lambda: 0)
    for number in range(30_000):
        tries.begin("ann", f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(tries._failures) == 20_000


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("10.0.0.1", "10.0.0.1"), ("::ffff:10.0.0.1", "10.0.0.1"), ("2001:db8::1", "20010db800000000::/64"),
        ("2001:0db8::ffff:1", "20010db800000000::/64"), ("2001:db8:0:1::1", "20010db800000001::/64"), ("", ""),
        ("unknown", "unknown"),
    ],
)  # fmt: skip
def test_whom_an_address_stands_for(address, place):
    assert network(address) == place


async def test_few_passwords_are_checked_at_once_and_the_rest_is_refused():
    import asyncio

    passwords = Passwords()
    waiting = [asyncio.ensure_future(passwords.fits("", "x")) for _ in range(WAITING_MAX)]
    await asyncio.sleep(0)
    with pytest.raises(KycError) as caught:
        await passwords.fits("", "x")
    assert caught.value.code.wire_name == "OVERLOADED"
    for each in waiting[AT_ONCE + 1 :]:
        each.cancel()
    assert await asyncio.gather(*waiting[: AT_ONCE + 1]) == [False] * (AT_ONCE + 1)
    passwords.close()
