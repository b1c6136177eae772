"""What was counted of the feed: kept whole with its mark, and the part of the feed that is counted."""

import msgspec
import pytest

from kycmanager.domain.records import Claim
from kycmanager.domain.statistics import KeptTally, TallyMark
from kycmanager.ports import DataFault

FIRST = KeptTally("alpha", 20_000, {"submitted": 2, "decisions": {"rejected": {"=1": 1}}})
SECOND = KeptTally("beta", 20_001, {"levels": {"3": 4}})


async def test_nothing_is_kept_at_first(store):
    assert await store.tallies() == ([], None)


async def test_tallies_and_mark_are_replaced_together(store, make, reopened):
    await store.keep_tallies([FIRST, SECOND], TallyMark(1, 7, (3, make.BIG)), anew=True)
    assert await store.tallies() == ([FIRST, SECOND], TallyMark(1, 7, (3, make.BIG)))
    more = msgspec.structs.replace(FIRST, brand=make.ODD, counts=make.NESTED)
    changed = msgspec.structs.replace(SECOND, counts={"levels": {"3": 5}})
    await store.keep_tallies([more, changed], TallyMark(1, 9), anew=False)
    kept, mark = await (await reopened()).tallies()
    assert sorted(kept, key=lambda each: (each.brand != "alpha", each.brand)) == [FIRST, *sorted([more, changed], key=lambda each: each.brand)]  # fmt: skip
    assert mark == TallyMark(1, 9)


async def test_anew_leaves_nothing_of_before(store):
    await store.keep_tallies([FIRST], TallyMark(1, 7), anew=True)
    await store.keep_tallies([SECOND], TallyMark(2, 3), anew=True)
    assert await store.tallies() == ([SECOND], TallyMark(2, 3))


async def test_what_cannot_be_stored_changes_nothing(store, make):
    await store.keep_tallies([FIRST], TallyMark(1, 7), anew=True)
    with pytest.raises(DataFault):
        await store.keep_tallies([SECOND, KeptTally("beta", 2**70, {})], TallyMark(1, 8), anew=True)
    assert await store.tallies() == ([FIRST], TallyMark(1, 7))


async def test_only_the_events_asked_for_are_read_and_no_further_than_asked(store, make):
    kinds = ("profile.updated", "step.approved", "case.claimed")
    records = {"profile.updated": make.profile(), "step.approved": make.step(), "case.claimed": Claim(1, 2, 3, 4, 5)}
    for batch in range(4):
        told = [
            make.event(seq=batch * 3 + place + 1, kind=kind, record=records[kind]) for place, kind in enumerate(kinds)
        ]
        empty = msgspec.structs.replace(make.batch(), events=told, counters={"event": batch * 3 + 4})
        await store.commit(empty)
    asked = {"step.approved", "case.claimed"}
    found, upto = await store.events_of(asked, after=0, upto=12, enough=1000)
    assert ([event.seq for event in found], upto) == ([2, 3, 5, 6, 8, 9, 11, 12], 12)
    assert (found[0].record, found[1].record) == (make.step(), Claim(1, 2, 3, 4, 5))
    found, upto = await store.events_of(asked, after=2, upto=9, enough=1)
    assert ([event.seq for event in found], upto) == ([3], 3)
    found, upto = await store.events_of(asked, after=3, upto=9, enough=4)
    assert ([event.seq for event in found], upto) == ([5, 6, 8, 9], 9)
    assert await store.events_of(asked, after=12, upto=12, enough=4) == ([], 12)
    assert await store.events_of({"note.added"}, after=0, upto=7, enough=100) == ([], 7)
