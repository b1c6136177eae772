"""Users and sign-ins come back as they were; a sign-in that has ended does not."""

from msgspec.structs import replace

from kycmanager.domain.enums import SessionType
from kycmanager.domain.users import Login, User, UserStatus


def user(make, **change):
    base = User(
        id=1, name="ann", role=SessionType.CRM_ADMIN, brands=("alpha", make.ODD), status=UserStatus.ACTIVE,
        password="$argon2id$...", totp=b"\x00\xff", totp_counter=make.BIG, created_time=make.NOW,
        updated_time=make.NOW, version=1,
    )  # fmt: skip
    return replace(base, **change)


def login(make, **change):
    base = Login(
        id=1, cookie_hash=b"\xff" * 32, user_id=1, session=SessionType.CRM_ADMIN, sub=1, brands=None, jti=make.ODD,
        issued=make.NOW, created_time=make.NOW, used_time=make.NOW, expires=make.BIG, address="::1", agent=make.ODD,
    )  # fmt: skip
    return replace(base, **change)


def batch(make, **lists):
    return replace(make.batch(), **lists)


async def test_they_come_back(store, make, reopened):
    users = [user(make), user(make, id=2, brands=None, status=UserStatus.REMOVED, password="", totp=b"")]
    logins = [login(make), login(make, id=2, brands=("alpha",))]
    await store.commit(batch(make, users=users, logins=logins))
    snapshot = await make.load(await reopened())
    assert (snapshot.users, snapshot.logins) == (users, logins)
    assert type(snapshot.users[1].status) is UserStatus
    assert type(snapshot.logins[0].session) is SessionType


async def test_the_last_value_counts_and_what_has_ended_is_gone(store, make):
    await store.commit(batch(make, users=[user(make)], logins=[login(make), login(make, id=2)]))
    changed = user(make, status=UserStatus.DISABLED, version=2)
    used = login(make, used_time=make.NOW + 60)
    await store.commit(batch(make, users=[changed], logins=[used], ended_logins=[2, 3]))
    snapshot = await make.load(store)
    assert (snapshot.users, snapshot.logins) == ([changed], [used])
