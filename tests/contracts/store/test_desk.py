"""Claims, notes and filters: what was kept is there again, what was let go is not."""

import msgspec
import pytest

from kycmanager.domain.records import Claim, Note, SavedFilter
from kycmanager.ports import DataFault


@pytest.fixture
async def desk(store, make):
    await store.commit(make.batch(new=(make.profile(), make.profile(id=2, customer_id=2, brand=make.ODD))))
    return store


def changed(make, **fields):
    return msgspec.structs.replace(make.batch(), **fields)


async def test_claims_are_replaced_and_let_go(desk, make, reopened):
    first, second = Claim(1, make.BIG, 10, 5, 6), Claim(2, 7, 1, 5, make.BIG)
    await desk.commit(changed(make, claims=[first, second]))
    assert (await make.load(desk)).claims == [first, second]
    renewed = msgspec.structs.replace(first, lease_until=9)
    await desk.commit(changed(make, claims=[renewed], released=[2]))
    assert (await make.load(await reopened())).claims == [renewed]


async def test_a_claim_that_is_not_there_can_be_let_go(desk, make):
    await desk.commit(changed(make, released=[1, 2]))
    assert (await make.load(desk)).claims == []


async def test_notes_come_back_in_clear_and_sealed_with_owner_and_brand_of_their_profile(desk, make, reopened):
    clear = Note(1, 2, 2, make.ODD, make.NOW, make.BIG, 11, {"text": make.ODD})
    sealed = Note(2, 1, 1001, "alpha", make.NOW, 7, 1, b"\x00\xff" * 30)
    await desk.commit(changed(make, notes=[clear, sealed], counters={"note": 3}))
    snapshot = await make.load(await reopened())
    assert snapshot.notes == [clear, sealed]
    assert snapshot.counters["note"] == 3


async def test_filters_are_one_by_name_and_reviewer(desk, make, reopened):
    mine, other = SavedFilter(1, 7, make.ODD, make.NESTED, 5), SavedFilter(3, 7, make.ODD, {}, 5)
    await desk.commit(changed(make, filters=[mine, other, SavedFilter(1, 7, "gone", {}, 1)]))
    again = msgspec.structs.replace(mine, filter={"level": 2}, updated_time=6)
    await desk.commit(changed(make, filters=[again], removed_filters=[(1, 7, "gone"), (1, 7, "never")]))
    assert (await make.load(await reopened())).filters == [again, other]


@pytest.mark.parametrize(
    "fields",
    [{"claims": [Claim(9, 1, 1, 1, 1)]}, {"notes": [Note(1, 9, 1, "alpha", 1, 1, 1, {})]}],
    ids=["claim", "note"],
)
async def test_what_belongs_to_no_profile_is_refused(desk, make, fields):
    with pytest.raises(DataFault):
        await desk.commit(changed(make, **fields))
    snapshot = await make.load(desk)
    assert (snapshot.claims, snapshot.notes) == ([], [])


async def test_a_note_is_never_written_twice(desk, make):
    note = Note(1, 1, 1001, "alpha", make.NOW, 7, 1, {"text": "a"})
    await desk.commit(changed(make, notes=[note]))
    with pytest.raises(DataFault):
        await desk.commit(changed(make, notes=[msgspec.structs.replace(note, content={"text": "b"})]))
    assert (await make.load(desk)).notes == [note]


async def test_an_older_note_is_sealed_and_no_other_one(desk, make):
    note = Note(1, 1, 1001, "alpha", make.NOW, 7, 1, {"text": "a"})
    await desk.commit(changed(make, notes=[note]))
    sealed = msgspec.structs.replace(note, content=b"sealed")
    await desk.commit(changed(make, sealed_notes=[sealed]))
    assert (await make.load(desk)).notes == [sealed]
    with pytest.raises(DataFault):
        await desk.commit(changed(make, sealed_notes=[msgspec.structs.replace(sealed, id=2)]))


async def test_the_feed_tells_of_claims_and_notes(desk, make):
    claim = Claim(1, 7, 1, 5, 6)
    note = Note(1, 1, 1001, "alpha", make.NOW, 7, 1, b"sealed")
    events = [
        make.event(seq=1, kind="case.claimed", record=claim),
        make.event(seq=2, kind="note.added", record=note),
        make.event(seq=3, kind="note.added", record=msgspec.structs.replace(note, content={"text": make.ODD})),
    ]
    await desk.commit(make.batch(new=tuple(events), counters={"event": 4}))
    assert list(await desk.events_after(0, 10)) == events
