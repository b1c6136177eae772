"""The audit as managers read it: every filter, pages, newest first, and only the brands in reach."""

import itertools

import pytest

AUDIT = "MngGetKycAudit"


async def story(daemon):
    """Some life of two customers in two brands, by several actors; the rows, newest first."""
    for customer, brand in ((7, "acme"), (8, "acme"), (7, "beta")):
        daemon.now += 100
        step_id = await daemon.pending("one", customer, brand)
        made = await daemon.document(customer, brand, step_id=step_id)
        daemon.now += 1
        await daemon.manager((brand,), sub=customer * 10).call("MngApproveKycStep", {"id": step_id})
        await daemon.manager((brand,), sub=2).call("MngRejectKycDocument", {"id": made["id"], "reason": "r"})
    return (await daemon.boss.call(AUDIT))["rows"]


async def test_newest_first(daemon):
    rows = await story(daemon)
    assert [row["id"] for row in rows] == list(range(len(rows), 0, -1))
    assert rows[0] == {
        "id": len(rows), "time": daemon.now, "brand": "beta", "customer_id": 7, "kyc_id": 3, "step_id": 3,
        "document_id": 3, "template_id": 0, "action": "document.rejected", "actor_id": 2, "actor_session": 1,
        "source": "test", "reason": "r", "comment": "", "old_status": 0, "new_status": 3, "details": {},
    }  # fmt: skip


async def test_filters_one_by_one_and_together(daemon):
    rows = await story(daemon)
    values = {
        "brand": ("acme", "none"), "customer_id": (7, 99), "kyc_id": (1, 99), "step_id": (1, 99),
        "document_id": (1, 99), "action": ("step.approved", "x"), "actor_id": (2, 99),
    }  # fmt: skip
    for size in (1, 2, 3, 7):
        for chosen in itertools.combinations(values, size):
            for given in itertools.product(*(values[name] for name in chosen)):
                wanted = dict(zip(chosen, given, strict=True))
                reply = await daemon.boss.call(AUDIT, wanted)
                expected = [row for row in rows if all(row[name] == value for name, value in wanted.items())]
                assert (reply["rows"], reply["count"], reply["next"]) == (expected, len(expected), None)
    everything = {"customer_id": 0, "kyc_id": 0, "step_id": 0, "document_id": 0, "action": "", "actor_id": 0}
    assert (await daemon.boss.call(AUDIT, everything))["rows"] == rows


async def test_times_are_inclusive(daemon):
    rows = await story(daemon)
    times = sorted({row["time"] for row in rows})
    for first, last in itertools.product([0, *times], repeat=2):
        for more in ({}, {"customer_id": 7}, {"brand": "beta"}):
            fit = [
                row for row in rows
                if first <= row["time"] <= (last or 2**60) and all(row[name] == value for name, value in more.items())
            ]  # fmt: skip
            assert (await daemon.boss.call(AUDIT, {"time_from": first, "time_to": last, **more}))["rows"] == fit


@pytest.mark.parametrize("more", [{}, {"customer_id": 7}, {"actor_id": 2}], ids=repr)
async def test_pages_lose_and_repeat_nothing(daemon, more):
    rows = [row for row in await story(daemon) if all(row[name] == value for name, value in more.items())]
    for limit in (1, 2, 5, len(rows), 100):
        walked, after, pages = [], "", 0
        while after is not None:
            reply = await daemon.boss.call(AUDIT, {"limit": limit, "after": after, **more})
            walked += reply["rows"]
            after, pages = reply["next"], pages + 1
            assert reply["count"] == len(rows)
        assert (walked, pages) == (rows, -(-len(rows) // limit))
    page = await daemon.boss.call(AUDIT, {"offset": 2, "limit": 2, **more})
    assert page["rows"] == rows[2:4]


async def test_a_walk_is_not_disturbed_by_new_rows(daemon):
    rows = await story(daemon)
    reply = await daemon.boss.call(AUDIT, {"limit": 5})
    await daemon.step("two")
    after = await daemon.boss.call(AUDIT, {"limit": 100, "after": reply["next"], "offset": 3})
    assert reply["rows"] + after["rows"] == rows


async def test_a_page_may_look_at_so_many_rows_and_go_on(daemon):
    rows = [row for row in await story(daemon) if row["action"] == "step.approved"]
    walked, after, pages = [], "", 0
    while after is not None:
        reply = await daemon.boss.call(AUDIT, {"action": "step.approved", "look": 4, "after": after})
        assert reply["count"] == len(reply["rows"]) <= 4
        assert reply.get("count_capped", False) == (reply["next"] is not None)
        walked += reply["rows"]
        after, pages = reply["next"], pages + 1
    assert (walked, pages > 3) == (rows, True)
    of_one = await daemon.boss.call(AUDIT, {"action": "step.approved", "look": 1, "customer_id": 8})
    assert (of_one["next"], of_one["rows"]) == (None, [row for row in rows if row["customer_id"] == 8])


async def test_the_end_of_the_chain_is_told_to_pages(daemon):
    rows = await story(daemon)
    head = await daemon.local("SysGetAuditHead", {})
    assert (head["audit_id"], head["link"] > 0, len(head["hash"])) == (rows[0]["id"], True, 64)
    assert await daemon.boss.refused("SysGetAuditHead") == (403, "PERMISSION_DENIED", "This session may not do that")


async def test_only_the_brands_in_reach(daemon):
    rows = await story(daemon)
    for brands in ((), ("acme",), ("acme", "beta"), ("x",)):
        reply = await daemon.manager(brands).call(AUDIT)
        assert reply["rows"] == [row for row in rows if row["brand"] in brands]
        assert (await daemon.manager(brands).call(AUDIT, {"step_id": 3}))["count"] == (5 if "beta" in brands else 0)


async def test_what_is_refused(daemon):
    for data, field in (
        ({"customer_id": -1}, "customer_id"), ({"time_from": -1}, "time_from"), ({"time_to": 2**53}, "time_to"),
        ({"action": "a" * 65}, "action"), ({"actor_id": "1"}, "actor_id"),
    ):  # fmt: skip
        status, name, message = await daemon.boss.refused(AUDIT, data)
        assert (status, name, message.partition(":")[0]) == (400, "INVALID_DATA", field)
    assert (await daemon.boss.call(AUDIT, {"after": "9" * 64}))["rows"] == []
