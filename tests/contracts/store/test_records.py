"""What is written comes back, whole and in order."""

import msgspec
import pytest

from kycmanager.domain.enums import DocumentStatus, ProfileStatus, RiskLevel, StepStatus, StepType, TemplateStatus
from kycmanager.domain.records import NO_OBJECT
from kycmanager.ports import DataFault

COUNTERS = dict.fromkeys(
    (
        "template",
        "profile",
        "step",
        "document",
        "audit",
        "event",
        "login",
        "note",
        "delivery",
        "identity",
        "verification",
        "code",
    ),
    1,
)


async def test_an_empty_base_has_nothing_and_counts_from_one(store, make):
    snapshot = await make.load(store)
    assert snapshot.counters == COUNTERS
    assert [snapshot.templates, snapshot.template_texts, snapshot.profiles, snapshot.steps] == [[]] * 4
    assert [snapshot.documents, snapshot.idempotency, snapshot.revocations] == [[]] * 3


async def test_every_kind_of_record_comes_back_as_it_was(store, make):
    big, odd, nested = make.BIG, make.ODD, make.NESTED
    records = {
        "templates": make.template(
            id=big, brand=odd, code=odd, name=odd, description=odd, step_type=StepType.MANUAL, requirements=nested,
            form_schema=nested, status=TemplateStatus.ARCHIVED, created_time=big, level=-1, sort_index=-big,
        ),
        "template_texts": make.text(big, 3, nested, {}),
        "profiles": make.profile(
            id=big, customer_id=big, brand=odd, status=ProfileStatus.REVIEW_REQUIRED, risk_level=RiskLevel.PROHIBITED,
        ),
        "steps": make.step(
            id=big, kyc_id=big, customer_id=big, brand=odd, code=odd, name=odd, step_type=StepType.PROVIDER,
            status=StepStatus.SKIPPED, answers=nested, reason=odd, comment=odd, submitted_time=big, expire_time=big,
            reviewed_time=big, reviewed_by=big, explicit=1, required=0, template_id=big, template_version=3,
        ),
        "documents": make.document(
            id=big, kyc_id=big, customer_id=big, brand=odd, step_id=0, type=odd, status=DocumentStatus.DELETED,
            file_name=odd, file_size=big, reason=odd, comment=odd, expire_time=big, content_type="",
        ),
        "idempotency": make.key(scope=odd, digest=b"", record_id=big),
        "revocations": make.revocation(jti=odd, session=10, sub=big, not_before=big, expires=0),
    }  # fmt: skip
    await store.commit(make.batch(new=tuple(records.values())))
    snapshot = await make.load(store)
    for name, record in records.items():
        assert getattr(snapshot, name) == [record], name


async def test_enumerations_come_back_as_such_and_empty_objects_are_shared(store, make):
    await store.commit(make.batch(new=(make.template(), make.profile(), make.step(), make.document())))
    snapshot = await make.load(store)
    assert type(snapshot.templates[0].step_type) is StepType
    assert type(snapshot.templates[0].status) is TemplateStatus
    assert type(snapshot.profiles[0].status) is ProfileStatus
    assert type(snapshot.profiles[0].risk_level) is RiskLevel
    assert type(snapshot.steps[0].status) is StepStatus
    assert type(snapshot.documents[0].status) is DocumentStatus
    assert snapshot.steps[0].answers is NO_OBJECT
    assert snapshot.steps[0].brand is snapshot.profiles[0].brand


async def test_records_come_back_in_the_order_of_their_ids(store, make):
    profiles = tuple(make.profile(id=i, customer_id=i) for i in range(1, 200))
    await store.commit(make.batch(new=profiles[::-1]))
    assert (await make.load(store)).profiles == list(profiles)


async def test_an_update_writes_every_field_that_may_change(store, make, reopened):
    new = (make.template(), make.profile(), make.step(), make.document())
    await store.commit(make.batch(new=new))
    changed = (
        make.template(
            level=2, code="c", name="n", description="d", step_type=StepType.MIXED, required=0,
            status=TemplateStatus.DISABLED, sort_index=5, requirements={"r": 1}, form_schema={"s": 1},
            updated_time=make.NOW + 1, version=2,
        ),
        make.profile(
            status=ProfileStatus.APPROVED, current_level=1, required_level=3, risk_level=RiskLevel.HIGH,
            updated_time=make.NOW + 1, version=2,
        ),
        make.step(
            level=4, required=0, explicit=1, status=StepStatus.APPROVED, answers={"a": make.ODD},
            submitted_time=make.NOW + 1, updated_time=make.NOW + 2, reviewed_time=make.NOW + 3, reviewed_by=9,
            reason="r", comment=make.ODD, expire_time=make.NOW + 4, version=2,
        ),
        make.document(
            step_id=0, type="t", status=DocumentStatus.APPROVED, file_id="f", file_name="n", content_type="c",
            file_size=2, checksum="s", updated_time=make.NOW + 1, reviewed_time=make.NOW + 2, reviewed_by=9,
            reason="r", comment="c", expire_time=make.NOW + 3, version=2,
        ),
    )  # fmt: skip
    await store.commit(make.batch(changed=changed))
    snapshot = await make.load(await reopened())
    found = (*snapshot.templates, *snapshot.profiles, *snapshot.steps, *snapshot.documents)
    assert found == changed


@pytest.mark.parametrize("count", [1, 3, 4, 15, 16, 63, 64, 65, 150])
async def test_batches_of_any_size_write_each_row_once(store, make, count):
    profiles = tuple(make.profile(id=i, customer_id=i) for i in range(1, count + 1))
    await store.commit(make.batch(new=profiles))
    changed = tuple(msgspec.structs.replace(p, version=100 + p.id) for p in profiles)
    await store.commit(make.batch(changed=changed))
    assert (await make.load(store)).profiles == list(changed)


async def test_a_removed_template_takes_its_texts_along(store, make):
    kept, gone = make.template(id=2, code="kept"), make.template(id=1, code="gone")
    await store.commit(make.batch(new=(gone, kept, make.text(1, 1, {}, {}), make.text(2, 1, {}, {}))))
    await store.commit(make.batch(removed=(1,)))
    snapshot = await make.load(store)
    assert snapshot.templates == [kept]
    assert snapshot.template_texts == [make.text(2, 1, {}, {})]


async def test_the_code_of_a_removed_template_is_free_in_the_same_batch(store, make):
    await store.commit(make.batch(new=(make.template(id=1),)))
    await store.commit(make.batch(new=(make.template(id=2),), removed=(1,)))
    assert [t.id for t in (await make.load(store)).templates] == [2]


async def test_a_template_made_changed_and_removed_in_one_batch_leaves_nothing(store, make):
    new = (make.template(id=1), make.text(1, 1, {}, {}))
    await store.commit(make.batch(new=new, changed=(make.template(id=1, version=2),), removed=(1,)))
    assert (await make.load(store)).templates == []


async def test_counters_are_kept_and_follow_the_rows(store, make, reopened):
    await store.commit(make.batch(counters={"profile": 5, "event": 9}))
    await store.commit(make.batch(new=(make.event(seq=9), make.audit(id=1)), counters={"event": 10, "audit": 2}))
    expected = COUNTERS | {"profile": 5, "event": 10, "audit": 2}
    assert (await make.load(store)).counters == expected
    assert await store.reopen() == expected
    assert (await make.load(await reopened())).counters == expected


async def test_progress_tells_table_done_and_total(store, make):
    profiles = tuple(make.profile(id=i, customer_id=i) for i in range(1, 4))
    await store.commit(make.batch(new=profiles, counters={"profile": 4}))
    told = []
    await store.load(lambda table, done, total: told.append((table, done, total)))
    assert ("profile", 3, 3) in told
    assert ("step", 0, 0) in told


@pytest.mark.parametrize("bad", [1 << 64, "\ud800", object()], ids=["integer", "surrogate", "type"])
async def test_a_value_that_does_not_fit_leaves_nothing_of_its_batch(store, make, bad):
    field = "comment" if isinstance(bad, str) else "reviewed_by"
    good = (make.profile(), make.audit(), make.event())
    with pytest.raises(DataFault):
        await store.commit(make.batch(new=(*good, make.step(**{field: bad})), counters={"profile": 2}))
    snapshot = await make.load(store)
    assert snapshot.profiles == []
    assert snapshot.counters == COUNTERS
    assert await store.events_after(0, 10) == []
    await store.commit(make.batch(new=good, counters={"profile": 2, "event": 2, "audit": 2}))
    assert (await make.load(store)).counters == COUNTERS | {"profile": 2, "event": 2, "audit": 2}


@pytest.mark.parametrize("bad", [{"x": "\ud800"}, {"x": object()}], ids=["surrogate", "type"])
async def test_answers_that_are_no_json_leave_nothing(store, make, bad):
    with pytest.raises(DataFault):
        await store.commit(make.batch(new=(make.profile(), make.step(answers=bad))))
    assert (await make.load(store)).profiles == []


@pytest.mark.parametrize(
    "break_it",
    [
        lambda make: make.batch(new=(make.profile(id=2),)),
        lambda make: make.batch(new=(make.profile(id=1, customer_id=2),)),
        lambda make: make.batch(new=(make.template(id=2),)),
        lambda make: make.batch(new=(make.step(kyc_id=77),)),
        lambda make: make.batch(new=(make.document(kyc_id=77),)),
        lambda make: make.batch(new=(make.text(77, 1, {}, {}),)),
        lambda make: make.batch(new=(make.event(seq=1),)),
        lambda make: make.batch(new=(make.event(seq=2, kind="unheard.of"),)),
        lambda make: make.batch(changed=(make.profile(id=2),)),
        lambda make: make.batch(changed=(make.step(id=2),)),
        lambda make: make.batch(counters={"unheard": 2}),
    ],
    ids=["customer", "id", "code", "step", "document", "text", "seq", "kind", "profile", "no step", "counter"],
)
async def test_what_contradicts_the_base_is_refused(store, make, break_it):
    await store.commit(make.batch(new=(make.template(), make.profile(), make.event())))
    before = await make.load(store)
    with pytest.raises(DataFault):
        await store.commit(break_it(make))
    assert await make.load(store) == before
