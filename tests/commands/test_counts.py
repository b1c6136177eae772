"""Counts beyond ten thousand: exact for one filter with a brand, else capped and said so."""

import pytest

MANY = 10_020


@pytest.fixture
async def busy(daemon):
    calls = []
    for number in range(1, MANY + 1):
        data = {"customer_id": number, "brand": "acme", "level": 1}
        calls.append(daemon.boss.start("MngSetKycRequiredLevel", data))
        if len(calls) == 4000:
            for call in calls:
                await call
            calls.clear()
    for call in calls:
        await call
    return daemon


EXACT, CAPPED = {"count": MANY}, {"count": 10_000, "count_capped": True}


async def test_counts(busy):
    boss, one, two = busy.boss, busy.manager(("acme",)), busy.manager(("acme", "beta"))
    for caller, data, expected in (
        (boss, {"brand": "acme"}, EXACT),
        (boss, {"brand": "acme", "status": 1}, EXACT),
        (boss, {"brand": "acme", "required_level": 1}, EXACT),
        (boss, {"brand": "acme", "updated_from": 1}, EXACT),
        (one, {}, EXACT),
        (one, {"status": 1}, EXACT),
        (boss, {"brand": "acme", "status": 1, "required_level": 1}, CAPPED),
        (boss, {"brand": "acme", "status": 1, "updated_from": 1}, CAPPED),
        (boss, {}, CAPPED),
        (boss, {"status": 1}, CAPPED),
        (two, {}, CAPPED),
        (two, {"brand": "beta"}, {"count": 0}),
        (boss, {"brand": "acme", "status": 2}, {"count": 0}),
    ):
        reply = await caller.call("MngGetKycProfiles", {"limit": 1, **data})
        del reply["rows"], reply["next"]
        assert reply == expected
    reply = await boss.call("MngGetKycProfiles", {"offset": 10_000, "limit": 1000})
    assert [row["id"] for row in reply["rows"]] == list(range(10_001, MANY + 1))
    assert (reply["count"], reply["count_capped"], reply["next"]) == (10_000, True, None)
    audit = await boss.call("MngGetKycAudit", {"limit": 1})
    assert (audit["count"], audit["count_capped"]) == (10_000, True)
    await walk(boss)


async def walk(boss):
    found, after = [], ""
    while after is not None:
        reply = await boss.call("MngGetKycProfiles", {"limit": 1000, "after": after, "order": "-updated_time"})
        found += [row["id"] for row in reply["rows"]]
        after = reply["next"]
    assert found == list(range(MANY, 0, -1))
