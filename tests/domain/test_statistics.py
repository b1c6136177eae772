"""What is counted, event by event; and how exact the spans of times are."""

import math
import random

import pytest

from kycmanager.domain import statistics
from kycmanager.domain.enums import DocumentStatus, StepStatus, StepType
from kycmanager.domain.records import NO_OBJECT, Claim, Document, Event, Step
from kycmanager.domain.statistics import DAY_SECONDS, OTHER, REASONS_MAX, Counting, DayTally

DAY = 20_000
NOON = DAY * DAY_SECONDS + 43_200


def step(step_id=1, *, since=NOON, reason="", level=1, status=StepStatus.PENDING):
    return Step(
        step_id, 7, 5, "acme", 1, 1, level, "id", "id", StepType.MANUAL, 1, 0, status, NO_OBJECT, since, 0, 0, 0, 0,
        reason, "", 0, 1,
    )  # fmt: skip


def document(step_id):
    return Document(9, 7, 5, step_id, "acme", "", DocumentStatus.APPROVED, "f", "", "", 1, "", 0, 0, 0, 0, "", "", 0, 1)


class Feed:
    """A counting of case 5, which has steps 1 to 3."""

    def __init__(self):
        self.counting = Counting(lambda kyc_id: (1, 2, 3) if kyc_id == 5 else ())
        self.seq = 0

    def tell(self, kind, time, record=None, brand="acme"):
        self.seq += 1
        record = Claim(5, 1, 1, time, time + 600) if record is None else record
        self.counting.count([Event(self.seq, time, brand, 7, 5, kind, record)])

    def day(self, day=DAY, brand="acme"):
        return self.counting.days.get((brand, day), DayTally())


@pytest.fixture
def feed():
    return Feed()


def at(*seconds):
    counted = {}
    for each in seconds:
        span = statistics.span_of(each)
        counted[span] = counted.get(span, 0) + 1
    return counted


def test_a_step_is_handed_in_claimed_and_approved(feed):
    feed.tell("step.submitted", NOON, step())
    feed.tell("case.claimed", NOON + 60)
    feed.tell("step.approved", NOON + 300, step(reason="clear", level=2))
    assert feed.day() == DayTally(
        submitted=1, decisions={"approved": {"clear": 1}}, levels={2: 1}, first_touch=at(60), decision=at(300)
    )
    assert (feed.counting.untouched, feed.counting.touched) == ({}, set())


def test_without_a_claim_the_decision_is_the_first_touch(feed):
    feed.tell("step.submitted", NOON, step())
    feed.tell("step.rejected", NOON + 300, step(reason="blurred"))
    assert (feed.day().first_touch, feed.day().decision, feed.day().levels) == (at(300), at(300), {})


def test_each_counts_on_its_own_day(feed):
    feed.tell("step.submitted", NOON, step())
    feed.tell("case.claimed", NOON + DAY_SECONDS)
    feed.tell("step.rejected", NOON + 2 * DAY_SECONDS, step())
    assert [feed.day(day).submitted for day in range(DAY, DAY + 3)] == [1, 0, 0]
    assert [feed.day(day).first_touch for day in range(DAY, DAY + 3)] == [{}, at(DAY_SECONDS), {}]
    assert [feed.day(day).decision for day in range(DAY, DAY + 3)] == [{}, {}, at(2 * DAY_SECONDS)]


def test_a_claim_touches_every_waiting_step_of_its_case_once(feed):
    feed.tell("step.submitted", NOON, step(1))
    feed.tell("step.submitted", NOON + 10, step(2, since=NOON + 10))
    feed.tell("case.claimed", NOON + 100)
    feed.tell("case.claimed", NOON + 200)
    feed.tell("step.submitted", NOON + 300, step(3, since=NOON + 300))
    assert feed.day().first_touch == at(100, 90)
    feed.tell("step.approved", NOON + 400, step(1))
    assert feed.day().first_touch == at(100, 90)
    assert (feed.counting.untouched, feed.counting.touched) == ({3: NOON + 300}, {2})


def test_a_decision_on_a_document_touches_its_step(feed):
    feed.tell("step.submitted", NOON, step(2))
    feed.tell("document.approved", NOON + 5, document(0))
    feed.tell("document.rejected", NOON + 30, document(2))
    feed.tell("document.approved", NOON + 40, document(2))
    assert (feed.day().first_touch, feed.day().decisions) == (at(30), {})


def test_what_is_handed_in_again_is_touched_again(feed):
    feed.tell("step.submitted", NOON, step())
    feed.tell("step.rejected", NOON + 60, step())
    feed.tell("step.submitted", NOON + 100, step(since=NOON + 100))
    feed.tell("case.claimed", NOON + 150)
    assert (feed.day().submitted, feed.day().first_touch) == (2, at(60, 50))


def test_a_rejection_that_is_taken_back_stays_counted_and_its_step_touched(feed):
    feed.tell("step.submitted", NOON, step())
    feed.tell("step.rejected", NOON + 60, step(reason="wrong"))
    feed.tell("step.reopened", NOON + 90, step())
    feed.tell("step.approved", NOON + 120, step())
    day = feed.day()
    assert (day.reopened, day.decisions) == (1, {"rejected": {"wrong": 1}, "approved": {"": 1}})
    assert (day.first_touch, day.decision) == (at(60), at(60, 120))
    assert (feed.counting.untouched, feed.counting.touched) == ({}, set())


def test_what_nobody_handed_in_has_no_times(feed):
    feed.tell("step.approved", NOON, step(since=0))
    feed.tell("step.skipped", NOON, step(2, since=0, reason="vip"))
    day = feed.day()
    assert day.decisions == {"approved": {"": 1}, "skipped": {"vip": 1}}
    assert (day.first_touch, day.decision, day.levels) == ({}, {}, {1: 1})


def test_other_events_and_other_brands_count_apart(feed):
    feed.tell("profile.updated", NOON, step())
    feed.tell("step.submitted", NOON, step(), brand="beta")
    assert (feed.day(), feed.day(brand="beta").submitted) == (DayTally(), 1)
    assert feed.counting.changed == {("beta", DAY)}


def test_reasons_are_bounded(feed):
    for number in range(REASONS_MAX + 20):
        feed.tell("step.skipped", NOON, step(since=0, reason=f"r{number}"))
        feed.tell("step.skipped", NOON, step(since=0, reason="r0"))
    counted = feed.day().decisions["skipped"]
    assert len(counted) == REASONS_MAX + 1
    assert (counted[OTHER], counted["r0"], sum(counted.values())) == (20, REASONS_MAX + 21, 2 * REASONS_MAX + 40)


@pytest.mark.parametrize("seed", range(20))
def test_a_median_and_a_p90_are_off_by_at_most_5_percent(seed):
    chance = random.Random(seed)
    times = [int(math.exp(chance.uniform(0, 19))) for _ in range(chance.randint(1, 300))]
    for percent in (1, 50, 90, 100):
        exact = sorted(times)[math.ceil(len(times) * percent / 100) - 1]
        found = statistics.quantiles(at(*times), percent)[0]
        assert abs(found - exact) <= 0.05 * exact, (percent, exact, found)


def test_every_second_of_the_first_year_has_a_span_that_is_near_and_short_times_are_exact():
    assert [statistics.quantiles(at(each), 50)[0] for each in range(20)] == list(range(20))
    for lower, upper, mean in zip(statistics._LASTS, statistics._LASTS[1:], statistics._MEANS[1:], strict=False):
        assert 0.95 * upper <= mean <= 1.05 * (lower + 1)
    assert len(statistics._MEANS) < 250
    assert statistics.span_of(10**12) == len(statistics._MEANS) - 1
    assert statistics.quantiles({}, 50, 90) == [0, 0]
    assert statistics.quantiles(at(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), 1, 50, 90, 100) == [1, 5, 9, 10]
    assert statistics.quantiles(at(7), 50, 90) == [7, 7]


def test_a_kept_tally_is_the_same_again():
    tally = DayTally(3, 1, {"rejected": {"ö": 2, "": 1}}, {1: 2, 100: 1}, at(5, 500), at(7))
    assert statistics.unpacked(statistics.packed("acme", DAY, tally)) == tally
    kept = statistics.packed("acme", DAY, tally)
    tally.levels[1] += 1
    assert statistics.unpacked(kept).levels[1] == 2


def test_how_steps_stood_before_some_events_follows_from_how_they_stand():
    events = [
        Event(1, 0, "acme", 7, 5, "step.approved", step(1, since=3)),
        Event(2, 0, "acme", 7, 5, "step.submitted", step(2, since=4)),
        Event(3, 0, "acme", 7, 5, "step.rejected", step(2, since=4)),
        Event(4, 0, "acme", 7, 5, "step.submitted", step(2, since=5)),
        Event(5, 0, "acme", 7, 5, "step.reopened", step(3, since=1)),
        Event(6, 0, "acme", 7, 5, "step.skipped", step(4, since=0)),
        Event(7, 0, "acme", 7, 5, "step.approved", step(5, since=0)),
        Event(8, 0, "acme", 7, 5, "step.submitted", step(5, since=8)),
        Event(9, 0, "acme", 7, 5, "case.claimed", Claim(5, 1, 1, 1, 1)),
    ]
    assert statistics.waiting_before({2: 5, 3: 1, 5: 8, 6: 9}, events) == {1: 3, 6: 9}
