"""The queue against a naive model: random cases, claims and changes, every filter, order and page; and its bounds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kycmanager.desk_ports import CaseQuery
from kycmanager.domain import case
from kycmanager.domain.case import CaseFilter
from kycmanager.domain.enums import ProfileStatus, RiskLevel, StepStatus, StepType
from kycmanager.domain.errors import KycError
from kycmanager.domain.records import NO_OBJECT, Claim, Profile, Step
from kycmanager.store import waiting
from kycmanager.store.claims import Claims
from kycmanager.store.waiting import Waiting

NOW = 1000
BRANDS, CODES = ("acme", "beta"), ("id", "address")


class Queue:
    """The index over tables of its own, and the same answered by looking at every case."""

    def __init__(self):
        self.profiles, self.steps_of, self.claims = {}, {}, Claims()
        self.index = Waiting(self.claims, self.profiles, self.steps_of)

    def put(self, kyc_id, brand="acme", level=1, risk=0, review=False, steps=()):
        status = ProfileStatus.REVIEW_REQUIRED if review else ProfileStatus.PENDING
        self.profiles[kyc_id] = Profile(
            kyc_id, kyc_id, brand, status, 0, level, RiskLevel(risk), 0, 7, len(self.profiles)
        )
        self.steps_of[kyc_id] = tuple(
            Step(
                kyc_id * 10 + place, kyc_id, kyc_id, brand, 1, 1, 1, code, code, StepType.MANUAL, 1, 0, StepStatus(status),
                NO_OBJECT, time, 0, 5, 0, 0, "", "", 0, 1,
            )
            for place, (code, status, time) in enumerate(steps)
        )  # fmt: skip

    def wait(self, kyc_id, since, **fields):
        self.put(kyc_id, steps=[("id", 1, since)], **fields)
        self.index.note([kyc_id])

    def expected(self, query):
        found = []
        for kyc_id, profile in self.profiles.items():
            facets = case.facets(profile, self.steps_of[kyc_id])
            if case.fits(query.filter, facets, case.holder(self.claims.table.get(kyc_id), query.now)):
                found.append(case.place(query.order, facets, kyc_id))
        return [kyc_id for _, _, kyc_id in sorted(found)]

    def check(self, query):
        expected = self.expected(query)
        page = self.index.page(query)
        assert (page.ids, page.count) == (expected[query.offset : query.offset + query.limit], len(expected))
        walked, after = [], ""
        while True:
            page = self.index.page(CaseQuery(filter=query.filter, now=query.now, order=query.order, limit=query.limit, after=after))  # fmt: skip
            walked += page.ids
            if page.next is None:
                break
            after = page.next
        assert walked == expected


TIMES = st.integers(1, 12)
CHANGES = st.lists(
    st.tuples(
        st.integers(1, 10),
        st.sampled_from(BRANDS),
        st.integers(0, 2),
        st.integers(0, 4),
        st.booleans(),
        st.lists(st.tuples(st.sampled_from(CODES), st.integers(0, 5), TIMES), max_size=3),
    ),
    max_size=40,
)
CLAIMS = st.lists(st.tuples(st.integers(1, 10), st.integers(1, 3), st.integers(NOW - 3, NOW + 3)), max_size=8)
FILTERS = st.builds(
    CaseFilter,
    brands=st.none() | st.frozensets(st.sampled_from((*BRANDS, "other"))),
    level=st.just(-1) | st.integers(0, 3),
    step_code=st.sampled_from(("", "", *CODES, "other")),
    step_status=st.just(-1) | st.integers(0, 5),
    risk_level=st.just(-1) | st.integers(0, 4),
    assignee=st.just(-1) | st.integers(0, 4),
    waiting_from=st.just(0) | TIMES,
    waiting_to=st.just(0) | TIMES,
)
QUERIES = st.builds(
    CaseQuery,
    filter=FILTERS,
    now=st.integers(NOW, NOW + 4),
    order=st.sampled_from(("risk", "age")),
    limit=st.integers(1, 4),
    offset=st.integers(0, 5),
)


@pytest.fixture(autouse=True, scope="module")
def small():
    """Pieces of four and a small memory of what is gone, so that few cases meet every turn."""
    patch = pytest.MonkeyPatch()
    patch.setattr(waiting, "PIECE_MAX", 2)
    patch.setattr(waiting, "GONE_MIN", 1)
    patch.setattr(waiting, "CHANGED_MAX", 3)
    yield
    patch.undo()


@settings(max_examples=300, deadline=None)
@given(CHANGES, CHANGES, CLAIMS, st.lists(QUERIES, min_size=1, max_size=5))
def test_the_queue_answers_like_a_look_at_every_case(before, after, claims, queries):
    queue = Queue()
    for change in before:
        queue.put(change[0], *change[1:])
    queue.index.load(list(queue.profiles))
    for kyc_id, assignee, until in claims:
        queue.claims.put(Claim(kyc_id, assignee, 1, 0, until))
    queries.sort(key=lambda query: query.now)
    queue.check(queries[0])
    for number, change in enumerate(after):
        queue.put(change[0], *change[1:])
        queue.index.note([change[0]])
        if number % 7 == 0:
            queue.check(queries[0])
    for query in queries:
        queue.check(query)


def test_many_that_join_one_by_one_stay_in_order_and_leave_nothing_behind():
    queue = Queue()
    for number in range(200):
        queue.wait(number + 1, since=(number * 37) % 101 + 1, risk=number % 5)
    everything = CaseQuery(filter=CaseFilter(), now=NOW, limit=7)
    queue.check(everything)
    for number in range(190):
        queue.put(number + 1)
        queue.index.note([number + 1])
    queue.check(everything)
    queue.wait(300, since=5)
    queue.check(everything)
    assert len(queue.index._known) < 30
    assert sum(len(piece) for piece in queue.index._pieces) < 30
    assert all(len(piece) <= 4 for piece in queue.index._pieces)


def test_a_case_may_come_back_with_the_same_time():
    queue = Queue()
    query = CaseQuery(filter=CaseFilter(), now=NOW, order="age", limit=1)
    for _ in range(3):
        queue.wait(1, since=5)
        queue.check(query)
        queue.put(1)
        queue.index.note([1])
        queue.check(query)


@pytest.mark.parametrize("after", ["x", "1.2.3.4", "1", "-1.2.3", "1.2.\u0663", "..", "4.5", "9" * 40 + ".1.1"])
def test_a_cursor_of_another_list_is_refused_or_harmless(after):
    queue = Queue()
    queue.wait(1, since=5)
    query = CaseQuery(filter=CaseFilter(), now=NOW, after=after)
    if after.startswith("9"):
        assert queue.index.page(query).ids == [1]
    else:
        with pytest.raises(KycError, match="after: is not a cursor of this list and order"):
            queue.index.page(query)


def test_a_range_before_every_case_is_empty():
    queue = Queue()
    for kyc_id in range(1, 13):
        queue.wait(kyc_id, 4 + kyc_id)
    for last in (1, 4, 5, 16):
        queue.check(CaseQuery(filter=CaseFilter(waiting_to=last), now=NOW, order="age", limit=3))


@settings(max_examples=60, deadline=None)
@given(
    since=st.lists(st.tuples(st.integers(1, 400), st.sampled_from(BRANDS)), max_size=60),
    gone=st.sets(st.integers(1, 60), max_size=20),
    bands=st.lists(st.integers(0, 1100), max_size=4).map(sorted),
)
def test_ages_are_those_of_every_case(since, gone, bands):
    size, waiting.PIECE_MAX = waiting.PIECE_MAX, 4
    try:
        queue = Queue()
        for kyc_id, (time, brand) in enumerate(since, 1):
            queue.wait(kyc_id, time, brand=brand)
        queue.index.page(CaseQuery(filter=CaseFilter(), now=NOW))
        for kyc_id in gone & queue.profiles.keys():
            queue.put(kyc_id)
            queue.index.note([kyc_id])
        for brands in (None, frozenset(BRANDS[:1]), frozenset()):
            ages = sorted(
                NOW - time
                for kyc_id, (time, brand) in enumerate(since, 1)
                if kyc_id not in gone and (brands is None or brand in brands)
            )
            found = queue.index.ages(CaseFilter(brands=brands), NOW, bands)
            assert (found.cases, list(found.within)) == (
                len(ages),
                [sum(age <= band for age in ages) for band in bands],
            )
            if ages:
                expected = (ages[-1], ages[-(-len(ages) // 2) - 1], ages[-(-len(ages) * 9 // 10) - 1])
                assert (found.oldest, found.median, found.p90) == expected
            else:
                assert (found.oldest, found.median, found.p90) == (0, 0, 0)
    finally:
        waiting.PIECE_MAX = size
