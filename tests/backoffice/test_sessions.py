"""How a sign-in lives and ends: unused, old, by its owner, by the operator; across restarts."""

from office import Office, Visitor


async def alive(visitor):
    return (await visitor.get("/account")).status == 200


async def test_an_unused_sign_in_ends_and_a_used_one_goes_on_for_its_life(open_office, visitors):
    office = await open_office(backoffice={"idle": "30m", "life": "2h"})
    await office.user()
    used, unused = visitors(office), visitors(office)
    for each in (used, unused):
        await each.sign_in()
    began = office.now
    while office.now < began + 7200 - 1200:
        office.now += 1200
        assert await alive(used)
        assert await alive(unused) is False or office.now == began + 1200
        if office.now == began + 1200:
            office.now += 1801 - 1200
            assert await alive(used)
            unused.cookies = {}
    office.now = began + 7200
    assert not await alive(used)


async def test_what_a_page_does_by_itself_is_no_use(open_office, visitors):
    office = await open_office(backoffice={"idle": "10m"})
    await office.user()
    visitor = visitors(office)
    await visitor.sign_in()
    for _ in range(2):
        office.now += 299
        assert (await visitor.get("/queue/rows", headers={"X-Passive": "1"})).status == 200
    office.now += 2
    assert not await alive(visitor)


async def test_the_owner_sees_and_ends_the_sign_ins(office, visitors, ann):
    other, bob = visitors(office, **{"User-Agent": "<b>Other</b>"}), visitors(office)
    await office.user("bob")
    await other.sign_in()
    await bob.sign_in("bob")
    page = await ann.get("/account")
    assert "&lt;b&gt;Other&lt;/b&gt;" in page.text
    assert page.words.count("127.0.0.1") == 2
    _, _, bobs = office.app.core.cache.users.logins()
    answer = await ann.post("/account/end", {"id": str(bobs.id)})
    assert (answer.status, "Sign-in was not found" in answer.words) == (404, True)
    for odd in ("", "x", "-1", "1" * 40, "²"):
        assert (await ann.post("/account/end", {"id": odd})).status == 400
    mine, others, _ = office.app.core.cache.users.logins()
    page = await ann.follow(await ann.post("/account/end", {"id": str(others.id)}))
    assert "That sign-in has ended." in page.words
    assert "That sign-in has ended." not in (await ann.get("/account")).words
    assert not await alive(other)
    assert await alive(bob)
    assert (await ann.post("/account/end", {"id": str(mine.id)})).status == 303
    assert not await alive(ann)


async def test_the_operator_ends_them_at_once(office, visitors):
    for number, (command, data) in enumerate(
        [
            ("SysSetUser", {"enabled": False}), ("SysSetUser", {"password_hash": "$argon2id$v=19$m=8,t=1,p=1$YQ$YQ"}),
            ("SysRemoveUser", {}), ("SysRevokeSubject", {}),
        ]
    ):  # fmt: skip
        name = f"user{number}"
        user_id = await office.user(name)
        visitor = visitors(office)
        await visitor.sign_in(name)
        assert await alive(visitor)
        by_subject = {"session": 1, "sub": user_id, "not_before": office.now + 1}
        await office.local(command, by_subject if command == "SysRevokeSubject" else {"name": name, **data})
        assert not await alive(visitor), command


async def test_a_sign_in_survives_a_restart_and_so_does_its_end(tmp_path):
    async with Office(tmp_path / "data") as office:
        await office.user()
        visitor, other = Visitor(office.url), Visitor(office.url)
        for each in (visitor, other):
            await each.sign_in()
        await other.get("/account")
        await other.post("/sign-out")
        cookies = [visitor.cookie(), other.cookie()]
        await visitor.http.close()
        await other.http.close()
    found = []
    async with Office(tmp_path / "data") as office:
        for cookie in cookies:
            visitor = Visitor(office.url)
            visitor.cookies = {"backoffice": cookie}
            found.append(await alive(visitor))
            await visitor.http.close()
    assert found == [True, False]


async def test_the_base_holds_no_cookie(office, ann):
    (login,) = office.app.core.cache.users.logins()
    assert ann.cookie().encode() not in login.cookie_hash
    for file in (office.folder / "bases").iterdir():
        if file.is_file():
            assert ann.cookie().encode() not in file.read_bytes()
