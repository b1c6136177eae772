import asyncio

import pytest
from msgspec.structs import replace

from kycmanager.domain.errors import Code
from kycmanager.domain.outbound import Delivery, DeliveryState
from kycmanager.store.outbound import OutboundOverlay, OutboundTables

WAITING, DELIVERED, DEAD, _ = DeliveryState


def delivery(id, **change):  # noqa: A002 - the record's own name
    made = Delivery(
        id=id, channel="a", brand="acme", customer_id=7, recipient=0, seq=id, kind="x", body="", state=WAITING,
        attempts=0, created_time=1, since=1, next_time=1, ended_time=0, outcome="",
    )  # fmt: skip
    return replace(made, **change)


@pytest.fixture
def tables():
    tables = OutboundTables()
    tables.load([delivery(1), delivery(2, state=DEAD, ended_time=5)], [("a", 9)], [("a", 7, "m")])
    return tables


@pytest.fixture
def overlay(tables):
    return OutboundOverlay(tables, lambda table, key, value: table.__setitem__(key, value))


def test_what_is_loaded(tables):
    assert tables.waiting == {"a": 1}
    assert (tables.cursors, tables.marks) == ({"a": 9}, {("a", 7): "m"})
    assert tables.delivery_of("a", 1).id == 1
    assert tables.delivery_of("a", 3) is None


def test_a_batch_sees_its_own_changes(tables, overlay):
    assert overlay.change() is None
    assert (overlay.cursor("a"), overlay.cursor("b")) == (9, None)
    overlay.set_cursor("a", 10)
    overlay.put_delivery(delivery(1, state=DELIVERED, ended_time=6))
    overlay.put_delivery(delivery(3, recipient=4))
    assert overlay.cursor("a") == 10
    assert overlay.delivery(1) is overlay.delivery_of("a", 1, 0) is None
    assert overlay.delivery_of("a", 3, 4).id == 3
    assert overlay.delivery_of("a", 3, 0) is None
    assert overlay.delivery_of("a", 2, 0).id == 2
    assert [each.id for each in overlay.dead("a")] == [2]
    assert tables.delivery_of("a", 1).state is WAITING


def test_what_is_published_is_told_once_it_can_be_looked_up(tables, overlay):
    told = []
    tables.watchers.append(lambda changed: told.append([(each.id, tables.deliveries.get(each.id)) for each in changed]))
    gone, new = delivery(1, state=DELIVERED, ended_time=6), delivery(3)
    overlay.put_delivery(gone)
    overlay.put_delivery(new)
    overlay.forget(6)
    overlay.set_mark("a", 8, "n")
    overlay.publish()
    assert told == [[(1, None), (3, new)]]
    assert list(tables.deliveries) == [3]
    assert tables.waiting == {"a": 1}
    assert tables.marks == {("a", 7): "m", ("a", 8): "n"}


@pytest.mark.parametrize(("fault", "kept"), [("lost", 0), ("arrived", 1)])
async def test_whether_a_batch_without_an_audit_row_arrived_is_found_out(line, fault, kept):
    def queue(changes, _now):
        changes.outbound.put_delivery(delivery(changes.next_id("delivery")))
        changes.outbound.set_cursor("a", 5)

    line.store.faults = [fault]
    assert (await line.post(queue)).code is Code.OUTCOME_UNKNOWN
    async with asyncio.timeout(10):
        while not line.strand.healthy:
            await asyncio.sleep(0.01)
    assert len(line.cache.outbound.deliveries) == kept
    assert line.cache.outbound.cursors == ({"a": 5} if kept else {})
