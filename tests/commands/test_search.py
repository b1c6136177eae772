"""Searching leaves a trace, looking does, and a template's reach is counted."""

import itertools

import pytest


@pytest.fixture
async def held(daemon):
    """Customers 1 and 2 of acme and 1 of beta hold documents; 1 and 1 are of the same person."""
    for customer, brand, kind in ((1, "acme", "passport"), (2, "acme", "bill"), (1, "beta", "passport")):
        await daemon.step(customer=customer, brand=brand)
        await daemon.document(customer=customer, brand=brand, type=kind)
    return daemon


async def found(caller, **data):
    reply = await caller.call("MngSearchKyc", data)
    assert reply["count"] >= len(reply["rows"])
    return [(row["customer_id"], row["brand"]) for row in reply["rows"]]


async def test_profiles_are_found_by_customer_and_by_their_documents(held):
    boss, one = held.boss, held.core.cache.document(2)
    assert await found(boss, customer_id=1) == [(1, "acme"), (1, "beta")]
    assert await found(boss, customer_id=1, brand="beta") == [(1, "beta")]
    assert await found(boss, checksum=one.checksum) == [(2, "acme")]
    assert await found(boss, document_type="passport") == [(1, "acme"), (1, "beta")]
    assert await found(boss, document_type="passport", customer_id=2) == []
    assert await found(boss, file_name=one.file_name) == [(1, "acme"), (2, "acme"), (1, "beta")]
    assert await found(boss, file_name=one.file_name, limit=1, offset=1) == [(2, "acme")]
    assert await found(boss, checksum="no such") == []
    assert await found(held.manager(("acme",)), document_type="passport") == [(1, "acme")]
    assert await found(held.manager(("acme",)), document_type="passport", brand="beta") == []
    assert await found(held.manager(()), customer_id=1) == []
    await held.restart()
    assert await found(held.boss, document_type="passport") == [(1, "acme"), (1, "beta")]


async def test_pages_of_a_search_join(held):
    reply = await held.boss.call("MngSearchKyc", {"file_name": "a.txt", "limit": 2})
    assert reply["count"] == 3
    last = await held.boss.call("MngSearchKyc", {"file_name": "a.txt", "limit": 2, "after": reply["next"]})
    assert [row["id"] for row in (*reply["rows"], *last["rows"])] == [1, 2, 3]
    assert last["next"] is None


async def test_every_search_is_in_the_audit(held):
    me = held.manager(("acme",), sub=5)
    assert await held.traces(lambda: me.call("MngSearchKyc", {"customer_id": 1, "document_type": "x"})) == (
        ["access.search"],
        [],
    )
    (row,) = await held.audit(action="access.search")
    assert (row.brand, row.customer_id, row.actor_id) == ("acme", 1, 5)
    assert row.details == {"customer_id": 1, "document_type": "x", "found": 0}
    await held.boss.call("MngSearchKyc", {"customer_id": 1})
    await held.boss.call("MngSearchKyc", {"customer_id": 1, "brand": "beta"})
    assert [row.brand for row in await held.audit(action="access.search")] == ["acme", "", "beta"]
    assert await held.boss.faults("MngSearchKyc", {"brand": "acme"}) == [("customer_id", "invalid")]


async def test_looks_are_in_the_audit(held):
    me = held.manager(("acme",), sub=5)
    document = held.core.cache.document(1)
    await me.call("MngNoteKycAccess", {"action": "view", "kyc_id": 1})
    await me.call("MngNoteKycAccess", {"action": "download", "document_id": 1, "details": {"page": 2}})
    await me.call("MngNoteKycAccess", {"action": "export", "details": {"rows": 9}})
    rows = await held.audit(actor_id=5)
    assert [(row.action, row.brand, row.customer_id, row.kyc_id, row.document_id, row.details) for row in rows] == [
        ("access.view", "acme", 1, 1, 0, {}),
        ("access.download", "acme", 1, document.kyc_id, 1, {"page": 2}),
        ("access.export", "acme", 0, 0, 0, {"rows": 9}),
    ]
    for data in ({"kyc_id": 3}, {"document_id": 3}, {"kyc_id": 2, "document_id": 1}, {"document_id": 99}):
        assert (await me.refused("MngNoteKycAccess", {"action": "view", **data}))[0] == 404
    assert await me.faults("MngNoteKycAccess", {"action": "view", "details": {"x": "y" * 4096}}) == [
        ("details", "invalid")
    ]


async def test_the_impact_of_a_template(daemon):
    boss = daemon.boss

    async def impact(**data):
        reply = await boss.call("MngGetKycTemplateImpact", {"brand": "acme", "level": 1, **data})
        return reply["profiles_using"], reply["profiles_gaining"]

    assert await impact() == (0, 0)
    template = (await daemon.template())["id"]
    for customer, level in ((1, 1), (2, 2), (3, 3)):
        await boss.call("MngSetKycRequiredLevel", {"customer_id": customer, "brand": "acme", "level": level})
    await daemon.step(customer=4)
    await daemon.step(customer=5, brand="beta")
    assert await impact(id=template) == (4, 0)
    assert await impact() == (0, 3)
    assert await impact(level=2) == (0, 2)
    assert await impact(level=2, required=0) == (0, 0)
    assert await impact(level=2, status=1) == (0, 0)
    await daemon.restart()
    boss = daemon.boss
    assert await impact(id=template) == (4, 0)
    assert await impact(level=4) == (0, 0)
    acme = daemon.manager(("acme",))
    for data in ({"brand": "beta", "level": 1}, {"brand": "acme", "level": 1, "id": 2}):
        assert (await acme.refused("MngGetKycTemplateImpact", data))[0] == 404


async def duplicates(caller, kyc_id):
    rows = (await caller.call("MngGetKycDuplicates", {"kyc_id": kyc_id}))["rows"]
    return [(row["document_id"], row["count"], [each["kyc_id"] for each in row["profiles"]]) for row in rows]


async def test_files_that_other_customers_have_handed_in_too_are_told(daemon):
    for customer, brand in ((1, "acme"), (2, "acme"), (1, "beta"), (3, "acme")):
        await daemon.step(customer=customer, brand=brand)
        daemon._numbers = itertools.count(5)  # the same file again
        await daemon.document(customer=customer, brand=brand)
    await daemon.document(customer=1)
    acme, beta = daemon.manager(("acme",)), daemon.manager(("beta",))
    assert await duplicates(daemon.boss, 1) == [(1, 3, [2, 3, 4])]
    assert await duplicates(acme, 1) == [(1, 2, [2, 4])]
    assert await duplicates(beta, 3) == []
    assert (await beta.refused("MngGetKycDuplicates", {"kyc_id": 1}))[0] == 404
    await daemon.restart()
    assert await duplicates(acme, 2) == [(2, 2, [1, 4])]


async def test_few_of_many_sharers_are_named(daemon):
    for customer in range(1, 9):
        await daemon.step(customer=customer)
        daemon._numbers = itertools.count(5)
        await daemon.document(customer=customer)
    assert await duplicates(daemon.boss, 8) == [(8, 7, [1, 2, 3, 4, 5])]
