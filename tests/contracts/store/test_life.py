"""What is committed stays, and what has run out goes."""

import pytest

from kycmanager.ports import DataFault


async def test_what_was_committed_is_there_after_a_restart(store, make, reopened):
    records = (make.template(), make.profile(), make.step(), make.document(), make.audit(), make.event())
    await store.commit(make.batch(new=records))
    again = await reopened()
    snapshot = await make.load(again)
    assert (*snapshot.templates, *snapshot.profiles, *snapshot.steps, *snapshot.documents) == records[:4]
    assert list(await again.events_after(0, 10)) == [make.event()]


async def test_close_may_be_called_twice(store):
    await store.close()
    await store.close()


async def test_the_audit_and_the_feed_are_read_while_batches_are_written(store, make):
    for i in range(1, 30):
        await store.commit(make.batch(new=(make.event(seq=i),), counters={"event": i + 1}))
        assert len(await store.events_after(0, 100)) == i
        await store.maintain()


async def test_reopen_keeps_what_was_committed_and_takes_writes(store, make):
    await store.commit(make.batch(new=(make.profile(),), counters={"profile": 2}))
    assert (await store.reopen())["profile"] == 2
    await store.commit(make.batch(changed=(make.profile(version=2),)))
    assert (await make.load(store)).profiles == [make.profile(version=2)]
    assert await store.events_after(0, 1) == []


async def test_a_failed_batch_may_be_committed_again_one_by_one(store, make):
    with pytest.raises(DataFault):
        await store.commit(make.batch(new=(make.profile(), make.profile(id=2))))
    await store.commit(make.batch(new=(make.profile(),)))
    with pytest.raises(DataFault):
        await store.commit(make.batch(new=(make.profile(id=2),)))
    assert (await make.load(store)).profiles == [make.profile()]


async def test_maintain_forgets_old_keys_and_dead_revocations(store, make):
    day = 24 * 3600
    old, edge = make.key(scope="old", time=make.NOW - day - 1), make.key(scope="edge", time=make.NOW - day)
    dead = make.revocation(jti="dead", expires=make.NOW - 1)
    alive, ever = make.revocation(jti="alive", expires=make.NOW), make.revocation(jti="ever", expires=0)
    await store.commit(make.batch(new=(old, edge, dead, alive, ever)))
    await store.maintain()
    snapshot = await make.load(store)
    assert snapshot.idempotency == [edge]
    assert snapshot.revocations == [alive, ever]


async def test_a_key_may_be_used_again_once_it_has_run_out(store, make):
    await store.commit(make.batch(new=(make.key(time=1), make.key(time=make.NOW))))
    assert [k.time for k in (await make.load(store)).idempotency] == [1, make.NOW]
