"""The audit and the feed answer what was asked, page by page."""

import msgspec
import pytest

from kycmanager.ports import AuditQuery


def ask(**change):
    return msgspec.structs.replace(AuditQuery(brands=None), **change)


@pytest.fixture
async def filled(store, make):
    """Thirty rows: customers 1000 to 1002, three brands, ten seconds apart."""
    rows = [
        make.audit(
            id=i, time=make.NOW + 10 * i, brand=("alpha", "beta", "gamma")[i % 3], customer_id=1000 + i % 3,
            kyc_id=10 + i % 3, step_id=i % 5, document_id=i % 7, action=("add", "drop")[i % 2], actor_id=1 + i % 4,
            details={"n": i, "odd": make.ODD},
        )
        for i in range(1, 31)
    ]  # fmt: skip
    await store.commit(make.batch(new=tuple(rows), counters={"audit": 31}))
    return store, rows


FILTERS = {
    "all": ({}, lambda _r: True),
    "no brand": ({"brands": frozenset()}, lambda _r: False),
    "one brand": ({"brands": frozenset({"beta"})}, lambda r: r.brand == "beta"),
    "two brands": ({"brands": frozenset({"beta", "gamma"})}, lambda r: r.brand in {"beta", "gamma"}),
    "odd brand": ({"brands": frozenset({"') OR 1 --", "alpha"})}, lambda r: r.brand == "alpha"),
    "customer": ({"customer_id": 1001}, lambda r: r.customer_id == 1001),
    "customer elsewhere": ({"customer_id": 1001, "brands": frozenset({"alpha"})}, lambda _r: False),
    "kyc": ({"kyc_id": 11}, lambda r: r.kyc_id == 11),
    "step": ({"step_id": 3}, lambda r: r.step_id == 3),
    "step of customer": ({"customer_id": 1001, "step_id": 3}, lambda r: r.customer_id == 1001 and r.step_id == 3),
    "document": ({"document_id": 5}, lambda r: r.document_id == 5),
    "action": ({"action": "drop"}, lambda r: r.action == "drop"),
    "actor": ({"actor_id": 2}, lambda r: r.actor_id == 2),
    "from": ({"time_from": 1_800_000_100}, lambda r: r.id >= 10),
    "from between": ({"time_from": 1_800_000_101}, lambda r: r.id >= 11),
    "from after all": ({"time_from": 1_900_000_000}, lambda _r: False),
    "to": ({"time_to": 1_800_000_100}, lambda r: r.id <= 10),
    "to between": ({"time_to": 1_800_000_099}, lambda r: r.id <= 9),
    "to before all": ({"time_to": 1}, lambda _r: False),
    "span": ({"time_from": 1_800_000_050, "time_to": 1_800_000_100}, lambda r: 5 <= r.id <= 10),
    "span of customer": (
        {"time_from": 1_800_000_050, "time_to": 1_800_000_100, "customer_id": 1000},
        lambda r: r.id in {6, 9},
    ),
    "nothing": ({"action": "unheard"}, lambda _r: False),
}


@pytest.mark.parametrize("name", FILTERS)
async def test_each_filter_of_the_audit(filled, name):
    store, rows = filled
    change, fits = FILTERS[name]
    expected = [r for r in reversed(rows) if fits(r)]
    assert await store.audit(ask(**change)) == (expected, len(expected), False)


async def test_a_batch_of_many_rows_is_kept_row_by_row(store, make):
    rows = [make.audit(id=i, time=make.NOW + i, comment=f"row {i}") for i in range(1, 301)]
    await store.commit(make.batch(new=tuple(rows), counters={"audit": 301}))
    assert await store.audit(ask(limit=500)) == (rows[::-1], 300, False)


@pytest.mark.parametrize("change", [{}, {"customer_id": 1001}, {"action": "add"}])
async def test_pages_of_the_audit_join_to_the_whole(filled, change):
    store, _ = filled
    whole, count, _ = await store.audit(ask(**change))
    by_id, before = [], 0
    while True:
        page, page_count, _ = await store.audit(ask(**change, limit=4, before_id=before))
        assert page_count == count
        if not page:
            break
        by_id += page
        before = page[-1].id
    by_offset = []
    for offset in range(0, 40, 4):
        by_offset += (await store.audit(ask(**change, limit=4, offset=offset)))[0]
    assert by_id == by_offset == whole


async def test_an_empty_audit(store):
    assert await store.audit(ask(time_from=5, time_to=9)) == ([], 0, False)
    assert await store.audit_window(ask(), 10) == (1, False)
    assert store.audit_head().link == 0


async def test_windows_join_to_the_whole(filled):
    store, rows = filled
    found, before = [], 0
    while True:
        begins, more = await store.audit_window(ask(before_id=before, limit=3), 7)
        page, count, _ = await store.audit(ask(before_id=before, from_id=begins, action="add"))
        assert count == len(page) <= 7
        found += page
        if not more:
            break
        before = begins
    assert found == [r for r in reversed(rows) if r.action == "add"]


async def test_a_window_lies_within_the_times(filled):
    store, rows = filled
    assert await store.audit_window(ask(time_to=rows[9].time), 4) == (rows[9].id - 3, True)
    assert await store.audit_window(ask(time_from=rows[9].time), 1000) == (1, False)
    assert await store.audit_window(ask(time_from=rows[-1].time), 1) == (rows[-1].id, False)
    assert await store.audit_window(ask(time_to=1), 4) == (1, False)


async def test_the_head_of_the_audit(filled):
    store, rows = filled
    head = store.audit_head()
    assert (head.audit_id, len(head.hash)) == (rows[-1].id, 64)
    assert head.link > 0


async def test_the_audit_of_many_rows_is_counted_up_to_ten_thousand(store, make):
    rows = tuple(make.audit(id=i, time=make.NOW + i // 100) for i in range(1, 10_002))
    await store.commit(make.batch(new=rows[:-1]))
    assert (await store.audit(ask(limit=1)))[1:] == (10_000, False)
    assert (await store.audit(ask(limit=1, customer_id=1001)))[1:] == (10_000, False)
    await store.commit(make.batch(new=rows[-1:]))
    page, count, capped = await store.audit(ask(limit=1))
    assert (page, count, capped) == ([rows[-1]], 10_000, True)
    assert (await store.audit(ask(limit=1, customer_id=1001)))[1:] == (10_000, True)
    span = await store.audit(ask(time_from=make.NOW + 3, time_to=make.NOW + 3, limit=1000))
    assert [r.id for r in span[0]] == list(range(399, 299, -1))


async def test_times_that_repeat_are_all_found(store, make):
    times = [1, 1, 1, 2, 2, 5, 5, 5, 9]
    rows = tuple(make.audit(id=10 * i, time=t) for i, t in enumerate(times, 1))
    await store.commit(make.batch(new=rows))
    for low in range(11):
        for high in range(1, 11):
            found = (await store.audit(ask(time_from=low, time_to=high)))[0]
            assert [r.time for r in found] == [t for t in reversed(times) if low <= t <= high]


async def test_the_feed_is_read_gap_free_and_in_order(store, make):
    kinds = {
        "profile.updated": make.profile(brand=make.ODD),
        "step.approved": make.step(answers=make.NESTED, comment=make.ODD),
        "document.added": make.document(file_name=make.ODD),
        "template.removed": make.template(form_schema=make.NESTED),
    }
    events = [
        make.event(seq=i, kind=kind, record=record, brand=make.ODD, kyc_id=make.BIG)
        for i, (kind, record) in enumerate(list(kinds.items()) * 30, 1)
    ]
    await store.commit(make.batch(new=tuple(events[:70]), counters={"event": 71}))
    await store.commit(make.batch(new=tuple(events[70:]), counters={"event": 121}))
    read = []
    while page := await store.events_after(read[-1].seq if read else 0, 7):
        assert len(page) <= 7
        read += page
    assert read == events
    assert await store.events_after(120, 7) == []
    assert type(read[1].record) is type(kinds["step.approved"])
