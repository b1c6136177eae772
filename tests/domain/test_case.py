"""Which cases wait, since when, and who holds them."""

import msgspec
import pytest

from kycmanager.domain import case
from kycmanager.domain.case import CaseFilter
from kycmanager.domain.enums import DocumentStatus, ProfileStatus, RiskLevel, SessionType, StepStatus
from kycmanager.domain.errors import KycError
from kycmanager.domain.records import Claim
from kycmanager.domain.session import MANAGERS, Session


def session(sub=7, kind=SessionType.MANAGER):
    return Session(sub=sub, type=kind, brands=None)


HELD = Claim(5, 7, 1, 100, 200)


@pytest.mark.parametrize(
    ("now", "who", "held"),
    [
        (199, session(), True),
        (200, session(), False),
        (199, session(8), False),
        (199, session(kind=SessionType.ADMIN), False),
    ],
)
def test_a_claim_is_of_one_session_until_its_lease_is_over(now, who, held):
    assert case.is_held_by(who, HELD, now) == held
    assert case.holder(HELD, now) == (7 if now < 200 else 0)
    assert not case.is_held_by(who, None, now)
    assert case.holder(None, now) == 0


def test_a_lease_begins_anew_and_the_claim_keeps_its_beginning():
    assert case.lease(session(), 5, HELD, now=150, seconds=60) == Claim(5, 7, 1, 100, 210)
    assert case.lease(session(), 5, HELD, now=250, seconds=60) == Claim(5, 7, 1, 250, 310)
    assert case.lease(session(8), 5, HELD, now=150, seconds=60) == Claim(5, 8, 1, 150, 210)


def test_a_case_of_somebody_else_is_refused_with_the_facts():
    for free in ((session(), HELD, 150), (session(8), HELD, 200), (session(8), None, 150)):
        case.ensure_free(*free)
    with pytest.raises(KycError, match="Case is held by 7") as caught:
        case.ensure_free(session(8), HELD, 150)
    assert caught.value.data == {"assignee": 7, "assignee_session": 1, "lease_until": 200}


def test_those_who_decide_take_over():
    assert {kind for kind in MANAGERS if case.may_take_over(session(kind=kind))} == {
        SessionType.ADMIN,
        SessionType.CRM_ADMIN,
    }


def facets(**change):
    base = case.Facets(
        "acme", 2, RiskLevel.HIGH, 100, frozenset({("a", StepStatus.PENDING), ("b", StepStatus.REQUIRED)})
    )
    return msgspec.structs.replace(base, **change)


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        ({}, True),
        ({"brands": frozenset({"acme"})}, True),
        ({"brands": frozenset()}, False),
        ({"level": 2}, True),
        ({"level": 0}, False),
        ({"risk_level": 3}, True),
        ({"risk_level": 0}, False),
        ({"assignee": 9}, True),
        ({"assignee": 0}, False),
        ({"step_code": "a"}, True),
        ({"step_code": "b"}, False),
        ({"step_code": "b", "step_status": 0}, True),
        ({"step_code": "a", "step_status": 0}, False),
        ({"step_status": 0}, True),
        ({"step_status": 3}, False),
        ({"waiting_from": 100, "waiting_to": 100}, True),
        ({"waiting_from": 101}, False),
        ({"waiting_to": 99}, False),
    ],
)
def test_each_filter(wanted, fits):
    assert case.fits(CaseFilter(**wanted), facets(), 9) == fits
    assert not case.fits(CaseFilter(**wanted), None, 9)


def test_the_riskiest_come_first_or_the_oldest():
    cases = [(facets(risk_level=RiskLevel.LOW, since=1), 1), (facets(since=5), 2), (facets(since=5), 1)]
    assert sorted(case.place("risk", *each) for each in cases) == [(-3, 5, 1), (-3, 5, 2), (-1, 1, 1)]
    assert sorted(case.place("age", *each) for each in cases) == [(0, 1, 1), (0, 5, 1), (0, 5, 2)]


def test_a_case_that_waits_for_nothing(profile, step):
    plain, asked = profile(status=ProfileStatus.PENDING), step(status=StepStatus.REQUIRED)
    assert case.facets(plain, (asked,)) is None
    assert not case.waits(plain, (asked,))
    with pytest.raises(KycError, match="waits for nothing"):
        case.ensure_waiting(plain, (asked,))


def test_a_review_waits_since_the_profile_changed(profile, step):
    review = profile(status=ProfileStatus.REVIEW_REQUIRED, updated_time=55)
    case.ensure_waiting(review, ())
    assert case.facets(review, ()).since == 55
    assert case.facets(review, (step(status=StepStatus.PENDING, submitted_time=70),)).since == 70


def test_a_case_waits_since_its_oldest_pending_step(profile, step):
    steps = [
        step(status=StepStatus.PENDING, submitted_time=time, updated_time=9, code=f"c{time}") for time in (30, 20, 40)
    ]
    steps.append(step(status=StepStatus.APPROVED, submitted_time=10))
    assert case.facets(profile(), steps).since == 20
    assert case.facets(profile(), [step(status=StepStatus.PENDING, submitted_time=0, updated_time=9)]).since == 9


def test_undecided_documents_of_pending_steps_are_counted(step, document):
    steps = [step(id=1, status=StepStatus.PENDING), step(id=2, status=StepStatus.REQUIRED)]
    documents = [document(step_id=place, status=status) for place in (0, 1, 2) for status in DocumentStatus]
    assert case.open_documents(steps, documents) == 2
