"""Lists: every filter alone and together, orders, cursors, offsets and counts."""

import itertools

import pytest

PROFILES, DOCUMENTS, TEMPLATES = "MngGetKycProfiles", "MngGetKycDocuments", "MngGetKycStepTemplates"


async def ids(caller, command, **data):
    reply = await caller.call(command, data)
    found = [row["id"] for row in reply["rows"]]
    assert reply["count"] == len(found)
    assert "count_capped" not in reply
    return found


async def profiles(daemon):
    """Eight profiles in two brands; status, levels, risk and time differ."""
    for brand in ("acme", "beta"):
        await daemon.template("id", brand=brand, step_type=4)
    for customer, (brand, level, risk, approved) in enumerate(
        itertools.product(("acme", "beta"), (1, 3), (0, 4)[:1], (False, True)), 1
    ):
        daemon.now += 200
        data = {"customer_id": customer, "brand": brand}
        await daemon.boss.call("MngSetKycRequiredLevel", {**data, "level": level})
        if approved:
            await daemon.boss.call("MngApproveKycStep", {"id": customer})
        if customer % 4 == 0:
            await daemon.boss.call("MngSetKycRisk", {**data, "risk_level": 3 + risk})
    await daemon.boss.call("MngSetKycRequiredLevel", {"customer_id": 1, "brand": "beta", "level": 1})
    return (await daemon.boss.call(PROFILES))["rows"]


FILTERS = {
    "customer_id": (1, 2, 99),
    "brand": ("acme", "beta", "none"),
    "status": (2, 3, 0, 6),
    "required_level": (1, 3, 0),
    "current_level": (0, 1, 3),
    "risk_level": (0, 3),
}


async def test_profiles_by_every_filter_and_every_pair(daemon):
    rows = await profiles(daemon)
    assert len(rows) == 9
    names = list(FILTERS)
    pairs = [*itertools.combinations(names, 2), *((name,) for name in names), tuple(names)]
    for chosen in pairs:
        for values in itertools.product(*(FILTERS[name] for name in chosen)):
            wanted = dict(zip(chosen, values, strict=True))
            expected = [row["id"] for row in rows if all(row[name] == value for name, value in wanted.items())]
            assert await ids(daemon.boss, PROFILES, **wanted) == expected


async def test_profiles_by_time(daemon):
    rows = await profiles(daemon)
    times = sorted({row["updated_time"] for row in rows})
    for first, last in itertools.product([0, *times, times[-1] + 1], repeat=2):
        for more in ({}, {"brand": "acme"}, {"status": 2}, {"customer_id": 1}):
            fit = [
                row["id"] for row in rows
                if first <= row["updated_time"] <= (last or 2**62) and all(row[k] == v for k, v in more.items())
            ]  # fmt: skip
            assert await ids(daemon.boss, PROFILES, updated_from=first, updated_to=last, **more) == fit


@pytest.mark.parametrize("order", ["id", "-id", "updated_time", "-updated_time"])
async def test_orders_and_walks(daemon, order):
    rows = await profiles(daemon)
    key = (lambda row: row["id"]) if order.endswith("id") else (lambda row: (row["updated_time"], row["id"]))
    for more in ({}, {"status": 2}, {"brand": "beta"}, {"customer_id": 1}, {"updated_from": daemon.now - 900}):
        fit = [row for row in rows if all(row.get(k) == v for k, v in more.items() if k != "updated_from")]
        fit = [row for row in fit if row["updated_time"] >= more.get("updated_from", 0)]
        expected = [row["id"] for row in sorted(fit, key=key, reverse=order.startswith("-"))]
        assert await ids(daemon.boss, PROFILES, order=order, **more) == expected
        for limit in (1, 2, 4):
            walked, after = [], ""
            while after is not None:
                data = {"order": order, "limit": limit, "after": after, **more}
                reply = await daemon.boss.call(PROFILES, data)
                walked += [row["id"] for row in reply["rows"]]
                assert reply["count"] == len(expected)
                after = reply["next"]
            assert walked == expected
        offsets = [
            (await daemon.boss.call(PROFILES, {"order": order, "offset": n, "limit": 2, **more}))["rows"]
            for n in range(11)
        ]
        assert [[row["id"] for row in page] for page in offsets] == [expected[n : n + 2] for n in range(11)]


async def test_minus_one_means_any(daemon):
    rows = await profiles(daemon)
    everything = [row["id"] for row in rows]
    for name in ("status", "required_level", "current_level", "risk_level"):
        assert await ids(daemon.boss, PROFILES, **{name: -1}) == everything
    await daemon.document(1)
    assert await ids(daemon.boss, DOCUMENTS, status=-1) == [1]
    assert await ids(daemon.boss, TEMPLATES, status=-1, step_type=-1) == [1, 2]


async def test_templates_by_every_filter(daemon):
    made = [
        await daemon.template(f"c{number % 3}", brand=brand, level=1 + number % 2, step_type=number % 5)
        for brand in ("acme", "beta")
        for number in range(3)
    ]
    await daemon.boss.call("MngUpdateKycStepTemplate", {"id": 2, "status": 1})
    made[1]["status"] = 1
    values = {"brand": ("acme", "x"), "level": (1, 2), "code": ("c1", "C1"), "status": (0, 1, 2), "step_type": (0, 1)}
    for size in (1, 2, 5):
        for chosen in itertools.combinations(values, size):
            for given in itertools.product(*(values[name] for name in chosen)):
                wanted = dict(zip(chosen, given, strict=True))
                expected = [row["id"] for row in made if all(row[name] == value for name, value in wanted.items())]
                assert await ids(daemon.boss, TEMPLATES, **wanted) == expected


async def test_documents_by_every_filter(daemon):
    steps = {customer: await daemon.step(customer=customer) for customer in (7, 8)}
    made = [
        await daemon.document(customer, step_id=step_id, type=type_)
        for customer in (7, 8)
        for step_id, type_ in ((0, "bill"), (steps[customer], "bill"), (steps[customer], "passport"))
    ]
    await daemon.boss.call("MngApproveKycDocument", {"id": 2})
    made[1]["status"] = 2
    values = {
        "customer_id": (7, 9), "brand": ("acme", "x"), "kyc_id": (1, 2, 9), "step_id": (1, 2, 9), "status": (0, 2, 5),
        "type": ("bill", "passport", ""),
    }  # fmt: skip
    for size in (1, 2, 3, 6):
        for chosen in itertools.combinations(values, size):
            for given in itertools.product(*(values[name] for name in chosen)):
                wanted = dict(zip(chosen, given, strict=True))
                expected = [row["id"] for row in made if all(row[name] == value for name, value in wanted.items())]
                assert await ids(daemon.boss, DOCUMENTS, **wanted) == expected


async def test_a_walk_goes_on_when_its_last_row_has_left_the_list(daemon):
    await daemon.step()
    for _ in range(5):
        await daemon.document()
    for more in ({"customer_id": 7}, {"kyc_id": 1}, {}):
        open_, after = [], ""
        while after is not None:
            reply = await daemon.boss.call(DOCUMENTS, {"status": 0, "limit": 1, "after": after, **more})
            (row,) = reply["rows"]
            open_.append(row["id"])
            await daemon.boss.call("MngApproveKycDocument", {"id": row["id"]})
            after = reply["next"]
        assert len(open_) == 5
        for _ in range(5):
            await daemon.document()


async def test_bounds_and_cursors_are_checked(daemon):
    await daemon.step()
    await daemon.document()
    for command in (PROFILES, DOCUMENTS, TEMPLATES, "MngGetKycAudit"):
        for data, message in (
            ({"limit": 0}, "limit: expected int >= 1"),
            ({"limit": 1001}, "limit: expected int <= 1000"),
            ({"limit": "5"}, "limit: expected int, got str"),
            ({"offset": -1}, "offset: expected int >= 0"),
            ({"offset": 10_001}, "offset: expected int <= 10000"),
            ({"after": "x"}, "after: is not a cursor of this list"),
            ({"after": "٣"}, "after: is not a cursor of this list"),
            ({"after": "1" * 65}, "after: expected str of length <= 64"),
        ):
            assert await daemon.boss.refused(command, data) == (400, "INVALID_DATA", message)
        assert (await daemon.boss.call(command, {"limit": 1000, "offset": 10_000}))["rows"] == []
    for command, more in ((PROFILES, {"customer_id": 7}), (DOCUMENTS, {"kyc_id": 1})):
        assert (await daemon.boss.refused(command, {**more, "after": "x"}))[2] == "after: is not a cursor of this list"
    bad = {"order": "updated_time", "after": "5"}
    for more in ({}, {"customer_id": 7}):
        message = "after: is not a cursor of this list and order"
        assert (await daemon.boss.refused(PROFILES, {**bad, **more}))[2] == message
    message = "order: expected one of id, -id, updated_time, -updated_time"
    assert (await daemon.boss.refused(PROFILES, {"order": "Jane Doe"}))[2] == message


async def test_a_page_has_a_hundred_rows_unless_told_otherwise(daemon):
    calls = [
        daemon.boss.start("MngSetKycRequiredLevel", {"customer_id": number, "brand": "acme", "level": 1})
        for number in range(1, 151)
    ]
    for call in calls:
        await call
    first = await daemon.boss.call(PROFILES)
    second = await daemon.boss.call(PROFILES, {"after": first["next"], "offset": 50})
    assert [row["id"] for row in first["rows"] + second["rows"]] == list(range(1, 151))
    assert (first["count"], second["count"], second["next"]) == (150, 150, None)
