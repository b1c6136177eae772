"""The figures of the work: by day, brand, reason and level; what waits and runs out; and who may see what."""

import sqlite3

import pytest

from kycmanager.commands.statistics import DAYS_MAX, ROWS_MAX
from kycmanager.domain import statistics
from kycmanager.domain.statistics import DAY_SECONDS, REASONS_MAX, DayTally, TallyMark
from kycmanager.ports import StoreRefused

HOUR = 3600


async def told(caller, daemon=None, **data):
    if daemon is not None:
        await daemon.core.counting._count()
    return await caller.call("MngGetKycStatistics", data)


def last(reply):
    return {name: value for name, value in reply["days"][-1].items() if isinstance(value, int) and name != "day"}


@pytest.fixture
async def worked(daemon):
    """Of acme one step is approved and one rejected after an hour and two, one waits; beta has one that waits."""
    first, second = await daemon.pending(), await daemon.pending(customer=8)
    await daemon.pending("other", customer=8, level=2)
    await daemon.pending(customer=9, brand="beta")
    daemon.now += HOUR
    await daemon.boss.call("MngApproveKycStep", {"id": first, "reason": "clear"})
    daemon.now += HOUR
    await daemon.boss.call("MngClaimKycCase", {"kyc_id": 2})
    await daemon.boss.call("MngRejectKycStep", {"id": second, "reason": "blurred"})
    return daemon


async def test_the_work_of_a_day(worked):
    reply = await told(worked.boss, worked)
    assert last(reply) == {"submitted": 4, "approved": 1, "rejected": 1, "skipped": 0, "reopened": 0}
    assert len(reply["days"]) == 30
    assert reply["days"][-1]["day"] == worked.now // DAY_SECONDS * DAY_SECONDS
    assert reply["reasons"] == [
        {"kind": "approved", "reason": "clear", "decisions": 1},
        {"kind": "rejected", "reason": "blurred", "decisions": 1},
    ]
    assert reply["levels"] == [{"level": 1, "approved": 1}]
    assert (reply["decision"]["counted"], reply["first_touch"]["counted"], reply["uncounted"]) == (2, 3, 0)
    assert abs(reply["decision"]["median"] - HOUR) <= 0.05 * HOUR
    assert abs(reply["first_touch"]["p90"] - 2 * HOUR) <= 0.1 * HOUR


async def test_the_queue_by_age_is_of_this_moment(worked):
    worked.now += 3 * HOUR
    ages = (await told(worked.boss))["queue_age"]
    assert {name: ages[name] for name in ("cases", "oldest", "median", "p90")} == {
        "cases": 2, "oldest": 5 * HOUR, "median": 5 * HOUR, "p90": 5 * HOUR,
    }  # fmt: skip
    assert [(band["seconds_max"], band["cases"]) for band in ages["bands"]] == [
        (HOUR, 0), (4 * HOUR, 0), (24 * HOUR, 2), (72 * HOUR, 0), (168 * HOUR, 0), (0, 0),
    ]  # fmt: skip
    worked.now += 30 * 24 * HOUR
    assert (await told(worked.boss))["queue_age"]["bands"][-1] == {"seconds_max": 0, "cases": 2}


async def test_a_brand_has_its_own_and_nobody_sees_anothers(worked):
    assert last(await told(worked.boss, worked, brand="beta"))["submitted"] == 1
    assert last(await told(worked.manager(("acme",)), worked))["submitted"] == 3
    assert last(await told(worked.manager(("acme", "beta"))))["submitted"] == 4
    none = await told(worked.manager(("acme",)), brand="beta")
    assert (last(none)["submitted"], none["queue_age"]["cases"], none["reasons"]) == (0, 0, [])
    assert last(await told(worked.manager(())))["submitted"] == 0
    assert (await worked.customer().refused("MngGetKycStatistics"))[0] == 403


async def test_days_can_be_chosen(worked):
    await told(worked.boss, worked)
    worked.now += 3 * DAY_SECONDS
    reply = await told(worked.boss, time_from=worked.now - 3 * DAY_SECONDS, time_to=worked.now)
    assert [day["submitted"] for day in reply["days"]] == [4, 0, 0, 0]
    assert [day["submitted"] for day in (await told(worked.boss, time_to=worked.now - DAY_SECONDS))["days"]][-3:] == [4, 0, 0]  # fmt: skip
    assert (await told(worked.boss, time_from=worked.now))["reasons"] == []
    whole = await told(worked.boss, time_from=worked.now - (DAYS_MAX - 1) * DAY_SECONDS)
    assert len(whole["days"]) == DAYS_MAX
    assert len((await told(worked.boss, time_to=1))["days"]) == 1


@pytest.mark.parametrize(
    "data",
    [
        {"time_from": 10 * DAY_SECONDS, "time_to": 9 * DAY_SECONDS},
        {"time_from": 1},
        {"time_from": -1},
        {"time_to": 2**53},
    ],
)
async def test_days_that_cannot_be_are_refused(daemon, data):
    ((field, _),) = await daemon.boss.faults("MngGetKycStatistics", data)
    assert field in data


async def test_documents_that_run_out_soon(daemon):
    await daemon.step()
    day = DAY_SECONDS

    async def approved(seconds, customer=7, brand="acme"):
        document = await daemon.document(customer, brand)
        data = {"id": document["id"], "expire_time": daemon.now + seconds if seconds else 0}
        await daemon.boss.call("MngApproveKycDocument", data)
        return document["id"]

    async def expiring(caller, **data):
        return list((await told(caller, **data))["expiring"].values())

    first = await approved(5 * day)
    for days in (30, 31, 60, 89, 200, 0):
        await approved(days * day)
    await daemon.step(customer=8, brand="beta")
    await approved(20 * day, 8, "beta")
    assert await expiring(daemon.boss) == [3, 5, 6]
    assert await expiring(daemon.manager(("acme",))) == [2, 4, 5]
    assert await expiring(daemon.boss, brand="beta") == [1, 1, 1]
    await daemon.boss.call("MngRejectKycDocument", {"id": first, "reason": "forged"})
    assert await expiring(daemon.manager(("acme",))) == [1, 3, 4]
    await daemon.restart()
    assert await expiring(daemon.manager(("acme",))) == [1, 3, 4]
    daemon.now += 30 * day
    await daemon.core.expire_due()
    assert await expiring(daemon.manager(("acme",))) == [2, 3, 3]


async def test_a_restart_counts_on(worked):
    before = await told(worked.boss, worked)
    await worked.restart()
    assert await told(worked.boss) == before
    assert before["uncounted"] == 0
    await worked.boss.call("MngReopenKycStep", {"id": 2})
    assert (await told(worked.boss))["uncounted"] > 0
    assert last(await told(worked.boss, worked))["reopened"] == 1


async def test_a_core_that_could_not_keep_them_still_closes(worked, monkeypatch):
    async def broken(*_arguments, **_named):
        raise RuntimeError

    monkeypatch.setattr(worked.core.store, "keep_tallies", broken)
    await worked.restart()
    assert last(await told(worked.boss, worked))["submitted"] == 4


async def test_damaged_tallies_stop_the_start(worked):
    await worked.core.close()
    base = sqlite3.connect(worked.folder / "bases" / "kyc.db")
    base.execute("UPDATE tally SET counts = replace(counts, '1', '2')")
    base.commit()
    base.close()
    with pytest.raises(StoreRefused, match="tally"):
        await worked.restart()


async def test_reasons_that_are_too_many_are_one_row(daemon):
    tally = DayTally(decisions={"rejected": {f"r{number:03}": 200 - number for number in range(ROWS_MAX + 9)}})
    tally.decisions["skipped"] = {"*": 4, "vip": 500}
    tallies = daemon.core.cache.statistics.tallies
    tallies.load([statistics.packed("acme", daemon.now // DAY_SECONDS, tally)], TallyMark(statistics.VERSION, 0))
    reasons = (await told(daemon.boss))["reasons"]
    assert len(reasons) == ROWS_MAX + 2
    assert reasons[0] == {"kind": "skipped", "reason": "vip", "decisions": 500}
    rest = sum(200 - number for number in range(ROWS_MAX - 1, ROWS_MAX + 9))
    assert reasons[-2:] == [
        {"kind": "rejected", "reason": "*", "decisions": rest},
        {"kind": "skipped", "reason": "*", "decisions": 4},
    ]
    assert REASONS_MAX == 100
