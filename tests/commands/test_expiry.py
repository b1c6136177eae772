"""Expiry by the timer: steps with their successors, documents, and what was missed while the daemon was down."""

import msgspec
import pytest

from kycmanager.domain.enums import StepStatus
from kycmanager.store.strand import Work


async def approved(daemon, seconds, code="identity", **fields):
    """Return the id of a step that is approved for so many seconds."""
    step_id = await daemon.pending(code, **fields)
    await daemon.boss.call("MngApproveKycStep", {"id": step_id, "expire_time": daemon.now + seconds})
    return step_id


def stand(daemon):
    return [(step.id, step.code, step.status) for step in daemon.core.cache.steps_of(1)]


async def test_nothing_expires_before_its_time(daemon):
    await approved(daemon, 10)
    daemon.now += 9
    await daemon.core.expire_due()
    assert stand(daemon) == [(1, "identity", 2)]
    daemon.now += 1
    await daemon.core.expire_due()
    assert stand(daemon) == [(1, "identity", 4), (2, "identity", 0)]


async def test_what_expiry_leaves_behind(daemon):
    await approved(daemon, 10)
    daemon.now += 10
    actions, kinds = await daemon.traces(daemon.core.expire_due)
    assert actions == ["step.required", "step.expired"]
    assert kinds == ["step.expired", "step.required", "profile.updated"]
    rows = (await daemon.audit())[-2:]
    assert [(row.actor_id, row.actor_session, row.source, row.reason) for row in rows] == [
        (0, 4, "timer", "expired")
    ] * 2
    assert [(row.step_id, row.old_status, row.new_status) for row in rows] == [(2, 0, 0), (1, 2, 4)]
    assert rows[0].details == {"successor_of": 1}


async def test_a_successor_is_like_new(daemon):
    schema = {"sections": [{"fields": [{"name": "city", "type": "text"}]}]}
    step_id = await daemon.step(form_schema=schema)
    await daemon.customer().call("CustomerSubmitKycStep", {"id": step_id, "answers": {"city": "Oslo"}})
    data = {"id": step_id, "reason": "r", "comment": "c", "expire_time": daemon.now + 10}
    await daemon.boss.call("MngApproveKycStep", data)
    daemon.now += 10
    await daemon.core.expire_due()
    fresh, old = await daemon.shown(2), await daemon.shown(1)
    clean = {
        "id": 2, "status": 0, "answers": {}, "submitted_time": 0, "created_time": daemon.now, "reviewed_time": 0,
        "reviewed_by": 0, "reason": "", "comment": "", "expire_time": 0, "version": 1, "updated_time": daemon.now,
    }  # fmt: skip
    assert fresh == {**old, **clean}
    assert (old["answers"], old["expire_time"], old["updated_time"]) == ({"city": "Oslo"}, daemon.now, daemon.now)


@pytest.mark.parametrize(
    ("change", "version", "requirements"),
    [({"requirements": {"n": 2}}, 2, {"n": 2}), ({"status": 1, "requirements": {"n": 2}}, 1, {"n": 1})],
    ids=["active", "disabled"],
)
async def test_a_successor_is_made_from_the_template_as_it_is_unless_that_is_gone(
    daemon, change, version, requirements
):
    await approved(daemon, 10, requirements={"n": 1})
    await daemon.boss.call("MngUpdateKycStepTemplate", {"id": 1, **change})
    daemon.now += 10
    await daemon.core.expire_due()
    shown = await daemon.shown(2)
    assert (shown["template_version"], shown["requirements"], shown["status"]) == (version, requirements, 0)
    await daemon.restart()
    assert await daemon.shown(2) == shown


async def test_a_successor_keeps_level_and_claim_of_its_step(daemon):
    await daemon.template("one", level=1, required=0)
    data = {"customer_id": 7, "brand": "acme", "step_code": "one", "level": 6}
    await daemon.boss.call("MngRequireKycStep", data)
    await approved(daemon, 10, "one")
    daemon.now += 10
    await daemon.core.expire_due()
    shown = await daemon.shown(2)
    assert (shown["level"], shown["required"], shown["explicit"]) == (6, 1, 1)
    assert (await daemon.profile())["status"] == 2


async def test_a_long_absence_is_caught_up(daemon):
    first = await approved(daemon, 10, "one")
    second = await approved(daemon, 20, "two")
    made = await daemon.document()
    await daemon.boss.call("MngApproveKycDocument", {"id": made["id"], "expire_time": daemon.now + 15, "comment": "c"})
    daemon.now += 1000
    await daemon.restart()
    await daemon.core.expire_due()
    steps = daemon.core.cache.steps
    assert [steps[step_id].status for step_id in (first, second)] == [4, 4]
    document = daemon.core.cache.documents[made["id"]]
    assert (document.status, document.reason, document.comment) == (4, "expired", "c")
    rows = len(await daemon.audit())
    await daemon.core.expire_due()
    assert len(await daemon.audit()) == rows


async def test_more_than_one_turn_of_the_timer_takes(daemon):
    await daemon.template("id", step_type=4)
    for customer in range(1, 301):
        daemon.boss.start("MngRequireKycStep", {"customer_id": customer, "brand": "acme", "step_code": "id"})
    calls = [
        daemon.boss.start("MngApproveKycStep", {"id": step_id, "expire_time": daemon.now + 1 + step_id % 3})
        for step_id in range(1, 301)
    ]
    for call in calls:
        await call
    daemon.now += 10
    await daemon.core.expire_due()
    statuses = [step.status for step in daemon.core.cache.steps.values()]
    assert (len(statuses), statuses.count(4), statuses.count(0)) == (600, 300, 300)


async def test_what_has_moved_on_is_left_alone(daemon):
    step_id = await approved(daemon, 10)
    made = await daemon.document()
    await daemon.boss.call("MngApproveKycDocument", {"id": made["id"], "expire_time": daemon.now + 10})
    await daemon.boss.call("MngRejectKycDocument", {"id": made["id"], "reason": "forged"})
    daemon.now += 5
    data = {"steps": [step_id, 99], "documents": [made["id"], 99]}
    assert await daemon.local("SysExpireDue", data) == {"steps": 0, "documents": 0}
    daemon.now += 5
    assert list(daemon.core.cache.due(daemon.now, 10)) == [("step", step_id)]
    assert await daemon.local("SysExpireDue", {"steps": [step_id, step_id]}) == {"steps": 1, "documents": 0}


async def test_approving_again_moves_the_time(daemon):
    await approved(daemon, 10)
    daemon.now += 10
    await daemon.core.expire_due()
    await daemon.customer().call("CustomerSubmitKycStep", {"id": 2})
    await daemon.boss.call("MngApproveKycStep", {"id": 2})
    daemon.now += 10_000_000
    await daemon.core.expire_due()
    assert stand(daemon) == [(1, "identity", 4), (2, "identity", 2)]
    assert (await daemon.profile())["status"] == 3


@pytest.mark.parametrize(("required", "doubled", "left"), [(0, False, [4]), (1, True, [4, 0]), (1, False, [4, 0])])
async def test_no_successor_where_none_is_needed(daemon, required, doubled, left):
    step_id = await approved(daemon, 10)
    old = daemon.core.cache.steps[step_id]

    def arrange(changes, _now):
        changes.put_step(msgspec.structs.replace(old, required=required))
        if doubled:
            changes.put_step(msgspec.structs.replace(old, id=changes.next_id("step"), status=StepStatus.REQUIRED))

    daemon.core.strand.post(Work(with_row(arrange, await daemon.audit()), lambda _: None))
    daemon.now += 10
    await daemon.core.expire_due()
    assert [step.status for step in daemon.core.cache.steps.values()] == left


def with_row(run, rows):
    """A change is committed with its audit row only."""

    def change(changes, now):
        run(changes, now)
        changes.tell(msgspec.structs.replace(rows[-1], id=changes.next_id("audit")))

    return change
