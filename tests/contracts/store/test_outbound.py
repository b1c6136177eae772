"""Deliveries: what waits or is dead is there again at the start, what has ended can be asked for until it is forgotten."""

import msgspec
import pytest

from kycmanager.domain.outbound import Delivery, DeliveryState
from kycmanager.outbound_ports import DeliveryQuery, OutboundChange

WAITING, DELIVERED, DEAD, DROPPED = DeliveryState


def delivery(make, id, **change):  # noqa: A002 - the record's own name
    base = Delivery(
        id=id, channel="webhooks.crm", brand="alpha", customer_id=1001, recipient=0, seq=id, kind="step.approved", body="",
        state=WAITING, attempts=0, created_time=make.NOW, since=make.NOW, next_time=make.NOW, ended_time=0, outcome="",
    )  # fmt: skip
    return msgspec.structs.replace(base, **change)


def batch(make, *deliveries, cursors=None, marks=None, forget_before=0, **fields):
    change = OutboundChange(list(deliveries), cursors or {}, marks or {}, forget_before)
    return msgspec.structs.replace(make.batch(), outbound=change, **fields)


def ids(found):
    return [each.id for each in found[0]]


async def test_what_waits_or_is_dead_comes_back(store, make, reopened):
    odd = delivery(
        make, 2, channel=make.ODD, brand=make.ODD, customer_id=make.BIG, recipient=make.BIG, seq=make.BIG, kind=make.ODD, body=make.ODD,
        state=DEAD, attempts=make.BIG, ended_time=make.NOW, outcome=make.ODD,
    )  # fmt: skip
    gone = delivery(make, 3, state=DELIVERED, ended_time=make.NOW)
    await store.commit(batch(make, delivery(make, 1), odd, gone, counters={"delivery": 4}))
    snapshot = await make.load(await reopened())
    assert snapshot.deliveries == [delivery(make, 1), odd]
    assert snapshot.counters["delivery"] == 4


async def test_cursors_and_marks_are_put_in_the_place_of_the_ones_before(store, make, reopened):
    await store.commit(batch(make, cursors={"a": 1, make.ODD: make.BIG}, marks={("a", 7): "x", ("b", 7): ""}))
    await store.commit(batch(make, cursors={"a": 2}, marks={("a", 7): make.ODD}))
    snapshot = await make.load(await reopened())
    assert sorted(snapshot.cursors) == sorted([("a", 2), (make.ODD, make.BIG)])
    assert snapshot.marks == [("a", 7, make.ODD), ("b", 7, "")]


async def test_the_list_is_newest_first_and_filtered(store, make):
    await store.commit(
        batch(
            make,
            delivery(make, 1),
            delivery(make, 2, customer_id=7, state=DELIVERED, ended_time=5),
            delivery(make, 3, brand="beta", state=DEAD, ended_time=6),
            delivery(make, 4, channel="sep12", state=DROPPED, ended_time=7),
        )
    )
    everything = {"brands": None}
    for query, expected in [
        ({}, [4, 3, 2, 1]),
        ({"limit": 2}, [4, 3]),
        ({"before_id": 3}, [2, 1]),
        ({"brands": frozenset({"alpha"})}, [4, 2, 1]),
        ({"brands": frozenset()}, []),
        ({"customer_id": 7}, [2]),
        ({"customer_id": 1001, "state": 0}, [1]),
        ({"channel": "sep12"}, [4]),
        ({"state": 2}, [3]),
        ({"state": 2, "channel": "sep12"}, []),
    ]:
        assert ids(await store.deliveries(DeliveryQuery(**{**everything, **query}))) == expected, query
    _, count, capped = await store.deliveries(DeliveryQuery(brands=None, limit=1, before_id=2))
    assert (count, capped) == (4, False)


async def test_what_ended_long_ago_is_forgotten_and_what_waits_never(store, make, reopened):
    await store.commit(
        batch(
            make,
            delivery(make, 1, created_time=1),
            delivery(make, 2, state=DELIVERED, ended_time=99),
            delivery(make, 3, state=DEAD, ended_time=99),
            delivery(make, 4, state=DEAD, ended_time=100),
        )
    )
    await store.commit(batch(make, forget_before=100))
    assert ids(await store.deliveries(DeliveryQuery(brands=None))) == [4, 1]
    assert [each.id for each in (await make.load(await reopened())).deliveries] == [1, 4]


@pytest.mark.parametrize("field", ["outcome", "body"])
async def test_the_last_value_counts(store, make, field):
    await store.commit(batch(make, delivery(make, 1, **{field: "before"})))
    again = delivery(make, 1, **{field: "after"}, attempts=1)
    await store.commit(batch(make, again))
    assert (await store.deliveries(DeliveryQuery(brands=None)))[0] == [again]
