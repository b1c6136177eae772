"""The index of answers: written with the records it is of, replaced, removed and made anew in one transaction."""

import msgspec
import pytest

from kycmanager.desk_ports import LookupChange
from kycmanager.domain.lookup import WHOLE, LookupMark
from kycmanager.ports import DataFault

MARK = LookupMark(1, b"k" * 8, ("born", "full name", "org.name"), 7)


async def loaded(store):
    snapshot = await store.load(lambda *_: None)
    return list(snapshot.lookups), snapshot.lookup_mark


def changing(make, *put, removed=(), **more):
    """A batch that changes nothing but the index."""
    return msgspec.structs.replace(make.batch(), lookup=LookupChange(list(put), list(removed), **more))


@pytest.fixture
async def held(store, make):
    """A store that holds a step, and the hashes of its answers."""
    records = make.batch(new=(make.template(), make.text(1, 1, {}, {}), make.profile(), make.step()))
    await store.commit(msgspec.structs.replace(records, lookup=LookupChange([(1, b"a" * 32)], [], mark=MARK)))
    return store


async def test_there_is_none_at_first(store):
    assert await loaded(store) == ([], None)


async def test_rows_come_with_their_step_and_are_replaced_and_removed(held, make, reopened):
    assert await loaded(held) == ([(1, b"a" * 32)], MARK)
    await held.commit(changing(make, (1, bytes(range(16)))))
    assert await loaded(await reopened()) == ([(1, bytes(range(16)))], MARK)


async def test_rows_go_and_the_mark_moves(held, make, reopened):
    whole = msgspec.structs.replace(MARK, cursor=WHOLE, key=b"", fields=(make.ODD,))
    await held.commit(changing(make, removed=[1, 2], mark=whole))
    assert await loaded(await reopened()) == ([], whole)


async def test_anew_leaves_nothing_of_before(held, make):
    other = msgspec.structs.replace(MARK, version=2, cursor=0)
    await held.commit(changing(make, anew=True, mark=other))
    assert await loaded(held) == ([], other)
    await held.commit(changing(make, anew=True))
    assert await loaded(held) == ([], None)


async def test_what_cannot_be_stored_changes_nothing(held, make):
    for change in (
        changing(make, (99, b"a"), removed=[1]),
        changing(make, (1, b"b"), mark=LookupMark(2**70, b"", (), 0)),
    ):
        with pytest.raises(DataFault):
            await held.commit(change)
    assert await loaded(held) == ([(1, b"a" * 32)], MARK)
