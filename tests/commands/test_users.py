"""Users and their sign-ins: who may be added, what ends a sign-in, what is written down."""

import pytest
from msgspec.structs import replace

from kycmanager.domain.enums import SessionType
from kycmanager.domain.errors import KycError
from kycmanager.domain.session import Session
from kycmanager.domain.users import LOGINS_MAX

HASH = "$argon2id$v=19$m=47104,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g"


def data(name="ann", **fields):
    return {"name": name, "role": "manager", "brands": ["acme"], "password_hash": HASH, **fields}


async def added(daemon, name="ann", **fields):
    return (await daemon.local("SysAddUser", data(name, **fields)))["user"]


async def refused(daemon, command, fields):
    with pytest.raises(KycError) as caught:
        await daemon.local(command, fields)
    return caught.value.code.wire_name


def login(daemon, number=1, **fields):
    return {
        "cookie_hash": f"{number:064x}", "expires": daemon.now + 3600, "address": "::1", "agent": "Firefox", **fields,
    }  # fmt: skip


async def signed_in(daemon, user, number=1, **fields):
    return (await daemon.local("SysSignInUser", login(daemon, number, user_id=user["id"], **fields)))["login"]


def page(daemon, user):
    """Somebody who is signed in, as the pages run the rows of sign-ins."""
    caller = daemon.manager(None, sub=user["id"])
    caller.session = replace(caller.session, local=True)
    return caller


async def test_a_user_survives_a_restart(daemon):
    ann = await added(daemon)
    expected = {
        "id": 1, "name": "ann", "role": "manager", "brands": ["acme"], "enabled": True, "totp": False, "logins": 0,
        "created_time": daemon.now,
    }  # fmt: skip
    assert ann == expected
    assert (await added(daemon, "bob", id=40, role="crm_admin", brands=None))["brands"] is None
    assert (await added(daemon, "eve"))["id"] == 41
    await daemon.restart()
    users = (await daemon.local("SysGetUsers", {}))["users"]
    assert [(user["name"], user["id"], user["role"]) for user in users] == [
        ("ann", 1, "manager"), ("bob", 40, "crm_admin"), ("eve", 41, "manager"),
    ]  # fmt: skip
    assert [(row.action, row.details["name"], row.source) for row in await daemon.audit()] == [
        ("user.added", name, "control") for name in ("ann", "bob", "eve")
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "Ann"}, {"name": ""}, {"name": "a b"}, {"name": "a" * 65}, {"role": "customer"}, {"brands": []},
        {"brands": ["a b"]}, {"password_hash": "secret"}, {"password_hash": HASH.replace("argon2id", "argon2i")},
        {"id": -1},
    ],
)  # fmt: skip
async def test_what_is_no_user_is_refused(daemon, wrong):
    assert await refused(daemon, "SysAddUser", data(**wrong)) == "INVALID_DATA"


async def test_names_and_ids_are_unique_and_an_id_for_ever(daemon):
    await added(daemon, id=2**53 - 1)
    assert await refused(daemon, "SysAddUser", data()) == "DUPLICATE_RECORD"
    assert await refused(daemon, "SysAddUser", data("bob")) == "INVALID_DATA"
    await added(daemon, "bob", id=7)
    assert (await daemon.local("SysRemoveUser", {"name": "bob"}))["user"]["enabled"] is False
    assert await refused(daemon, "SysAddUser", data("bob", id=7)) == "DUPLICATE_RECORD"
    assert (await added(daemon, "bob", id=8))["id"] == 8
    assert [user["id"] for user in (await daemon.local("SysGetUsers", {}))["users"]] == [8, 2**53 - 1]
    for command in ("SysSetUser", "SysRemoveUser"):
        assert await refused(daemon, command, {"name": "nobody"}) == "RET_NOT_FOUND"
    (row,) = daemon.rows("SELECT name, password, length(totp) FROM user WHERE id = 7")
    assert row == ("bob", "", 0)


async def test_two_of_a_name_in_one_batch_are_one(daemon):
    boss = page(daemon, {"id": 1})
    first, second = boss.start("SysAddUser", data()), boss.start("SysAddUser", data())
    await first
    with pytest.raises(KycError):
        await second
    gone, again = boss.start("SysRemoveUser", {"name": "ann"}), boss.start("SysAddUser", data())
    await gone
    assert (await again)["user"]["id"] == 2


@pytest.mark.parametrize(
    ("change", "stays"),
    [({"enabled": False}, 0), ({"password_hash": HASH}, 0), ({"totp": "ab" * 20}, 1), ({"enabled": True}, 1)],
)
async def test_what_ends_the_sign_ins_of_a_user(daemon, change, stays):
    ann, bob = await added(daemon), await added(daemon, "bob")
    await signed_in(daemon, ann)
    await signed_in(daemon, bob, 2)
    assert (await daemon.local("SysSetUser", {"name": "ann", **change}))["user"]["logins"] == stays
    for _ in range(2):
        assert len(daemon.core.cache.users.logins()) == 1 + stays
        assert daemon.core.cache.users.login_with(bytes.fromhex(f"{1:064x}")) is None or stays
        assert daemon.core.cache.users.login_with(bytes.fromhex(f"{2:064x}")).user_id == bob["id"]
        await daemon.restart()
    row = (await daemon.audit())[-1]
    assert row.action == "user.changed"
    assert "secret" not in repr(row.details)
    assert "ab" * 20 not in repr(row.details)


async def test_a_removed_user_is_signed_out_and_a_disabled_one_cannot_sign_in(daemon):
    ann, bob = await added(daemon), await added(daemon, "bob")
    await signed_in(daemon, ann)
    await daemon.local("SysRemoveUser", {"name": "ann"})
    await daemon.local("SysSetUser", {"name": "bob", "enabled": False})
    assert daemon.core.cache.users.logins() == []
    for user in (ann, bob, {"id": 99}):
        assert await refused(daemon, "SysSignInUser", login(daemon, user_id=user["id"])) == "PERMISSION_DENIED"


async def test_a_code_signs_in_once(daemon):
    ann = await added(daemon)
    await daemon.local("SysSetUser", {"name": "ann", "totp": "ab" * 20})
    boss = page(daemon, ann)
    fields = [login(daemon, number, user_id=ann["id"], totp_counter=500) for number in (1, 2)]
    first, second = (boss.start("SysSignInUser", each) for each in fields)
    await first
    with pytest.raises(KycError):
        await second
    for counter in (0, 499, 500):
        each = login(daemon, 3, user_id=ann["id"], totp_counter=counter)
        assert await refused(daemon, "SysSignInUser", each) == "PERMISSION_DENIED"
    await daemon.restart()
    assert await refused(daemon, "SysSignInUser", fields[1]) == "PERMISSION_DENIED"
    await signed_in(daemon, ann, 4, totp_counter=501)
    assert (await daemon.local("SysSetUser", {"name": "ann", "totp": ""}))["user"]["totp"] is False
    await signed_in(daemon, ann, 5)


async def test_a_token_signs_in_as_who_it_is(daemon):
    fields = {"session": 11, "sub": 9, "brands": ["acme"], "jti": "j", "issued": daemon.now}
    await daemon.local("SysSignInToken", login(daemon, **fields))
    await daemon.restart()
    (held,) = daemon.core.cache.users.logins()
    assert (held.user_id, held.session, held.sub, held.brands, held.jti) == (
        0, SessionType.CRM_ADMIN, 9, ("acme",), "j",
    )  # fmt: skip
    (row,) = await daemon.audit()
    assert (row.action, row.actor_id, row.actor_session) == ("user.signed_in", 9, 11)
    for session in (0, 4, 5, 9):
        assert await refused(daemon, "SysSignInToken", login(daemon, **{**fields, "session": session})) == (
            "PERMISSION_DENIED"
        )


async def test_each_sees_and_ends_the_own_sign_ins(daemon):
    ann, bob = await added(daemon), await added(daemon, "bob")
    first = await signed_in(daemon, ann)
    daemon.now += 5
    second = await signed_in(daemon, ann, 2)
    assert [each["id"] for each in (await page(daemon, ann).call("SysGetLogins"))["logins"]] == [
        second["id"],
        first["id"],
    ]
    assert (await page(daemon, bob).call("SysGetLogins"))["logins"] == []
    for command in ("SysEndLogin", "SysUseLogin"):
        for number in (first["id"], 99):
            answer = (404, "RET_NOT_FOUND", "Sign-in was not found")
            assert await page(daemon, bob).refused(command, {"id": number}) == answer
    await page(daemon, ann).call("SysEndLogin", {"id": first["id"]})
    assert [each["id"] for each in (await page(daemon, ann).call("SysGetLogins"))["logins"]] == [second["id"]]
    row = (await daemon.audit())[-1]
    assert (row.action, row.actor_id, row.details) == ("user.signed_out", ann["id"], {"login": first["id"]})
    daemon.now += 3600
    assert (await page(daemon, ann).call("SysGetLogins"))["logins"] == []


async def test_the_use_of_a_sign_in_is_kept_by_the_minute_without_a_row_of_audit(daemon):
    ann = await added(daemon)
    held = await signed_in(daemon, ann)
    rows = len(await daemon.audit())
    for seconds, used in ((59, 0), (1, 60), (30, 60)):
        daemon.now += seconds
        await page(daemon, ann).call("SysUseLogin", {"id": held["id"]})
        assert daemon.core.cache.users.login(held["id"]).used_time == held["used_time"] + used
    await daemon.restart()
    assert daemon.core.cache.users.login(held["id"]).used_time == held["used_time"] + 60
    assert len(await daemon.audit()) == rows


async def test_old_sign_ins_make_room(daemon):
    ann, bob = await added(daemon), await added(daemon, "bob")
    kept = await signed_in(daemon, bob, 1000, expires=daemon.now + 99_999)
    for number in range(LOGINS_MAX + 2):
        await signed_in(daemon, ann, number)
    ids = [each.id for each in daemon.core.cache.users.logins()]
    assert len(ids) == LOGINS_MAX + 1
    assert kept["id"] in ids
    daemon.now += 3600
    await signed_in(daemon, bob, 1001)
    assert [each.user_id for each in daemon.core.cache.users.logins()] == [bob["id"]] * 2
    await daemon.restart()
    assert len(daemon.core.cache.users.logins()) == 2


async def test_a_user_is_no_record_that_shows_a_secret(daemon):
    ann = await added(daemon)
    await signed_in(daemon, ann)
    users = daemon.core.cache.users
    assert repr(users.user(ann["id"])) == "User(1, 'ann', MANAGER, ACTIVE)"
    assert repr(users.logins()[0]) == "Login(1, MANAGER 1)"
    assert users.logins()[0].is_of(Session(sub=1, type=SessionType.MANAGER, brands=None))


async def test_only_the_user_of_a_sign_in_changes_the_own_password_and_codes(daemon):
    ann, bob = await added(daemon), await added(daemon, "bob")
    mine, other = await signed_in(daemon, ann), await signed_in(daemon, ann, 2)
    his = await signed_in(daemon, bob, 3)
    fields = {"session": 1, "sub": ann["id"], "brands": None, "jti": "j", "issued": daemon.now}
    token = (await daemon.local("SysSignInToken", login(daemon, 4, **fields)))["login"]
    other_hash = HASH.replace("aGFzaGhhc2g", "b3RoZXJoYXNo")
    commands = {
        "SysSetOwnPassword": {"password_hash": other_hash},
        "SysSetOwnTotp": {"totp_secret": "ab" * 20, "totp_counter": 7},
    }
    for command, data in commands.items():
        for number in (his["id"], 99, token["id"]):
            status, name, _ = await page(daemon, ann).refused(command, {"id": number, **data})
            assert (status, name) == (404, "RET_NOT_FOUND")
        await page(daemon, ann).call(command, {"id": mine["id"], **data})
    users = daemon.core.cache.users
    assert (users.user(ann["id"]).password, users.user(ann["id"]).totp_counter) == (other_hash, 7)
    assert [each.id for each in users.logins()] == [mine["id"], his["id"], token["id"]]
    assert other["id"] not in [each.id for each in users.logins()]
    told = [(row.actor_id, row.details["changed"]) for row in await daemon.audit() if row.action == "user.changed"]
    assert told == [(ann["id"], ["password"]), (ann["id"], ["totp"])]
    await daemon.local("SysSetUser", {"name": "ann", "enabled": False})
    assert (await page(daemon, ann).refused("SysSetOwnTotp", {"id": mine["id"], "totp_secret": ""}))[0] == 404
