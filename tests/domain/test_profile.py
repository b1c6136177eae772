"""The recalculation by a table, and against a slow restatement of its rules in their own words."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kycmanager.domain.enums import ProfileStatus, RiskLevel, StepStatus
from kycmanager.domain.profile import (
    GateFacts,
    amend,
    considered,
    gate,
    missing,
    new_profile,
    recalculate,
)
from kycmanager.domain.records import Profile, Step

REQUIRED, PENDING, APPROVED, REJECTED, EXPIRED, SKIPPED = StepStatus

NONE, DRAFT, IN_REVIEW, PASSED, FAILED, LAPSED, REVIEW = ProfileStatus

OPTIONAL = {"required": 0}
EXPLICIT = {"explicit": 1}

TABLE: list[tuple[str, dict[str, Any], list[tuple[Any, ...]], tuple[ProfileStatus, int]]] = [
    # what it shows, the profile and flags, steps as (code, level, status[, changes]), expected (status, current_level)
    ("nothing at all", {}, [], (NONE, 0)),
    ("a document alone", {"has_documents": True}, [], (DRAFT, 0)),
    ("a level without templates", {"required_level": 2}, [], (DRAFT, 0)),
    ("only an optional step", {"required_level": 1}, [("a", 1, PENDING, OPTIONAL)], (DRAFT, 0)),
    ("only a step above the level", {"required_level": 1}, [("a", 2, PENDING)], (DRAFT, 0)),
    ("only a step above level 0", {}, [("a", 1, APPROVED)], (DRAFT, 0)),
    ("prohibited beats all", {"risk_level": RiskLevel.PROHIBITED}, [], (REVIEW, 0)),
    (
        "prohibited keeps the level",
        {"risk_level": RiskLevel.PROHIBITED, "required_level": 1},
        [("a", 1, APPROVED)],
        (REVIEW, 1),
    ),
    ("a due review beats all", {"review_due": True, "required_level": 1}, [("a", 1, REJECTED)], (REVIEW, 0)),
    ("a due review of nothing", {"review_due": True}, [], (REVIEW, 0)),
    ("high risk is no rule", {"risk_level": RiskLevel.HIGH, "required_level": 1}, [("a", 1, APPROVED)], (PASSED, 1)),
    ("the documented example", {"required_level": 1}, [("a", 1, REQUIRED)], (IN_REVIEW, 0)),
    ("pending", {"required_level": 1}, [("a", 1, PENDING)], (IN_REVIEW, 0)),
    ("approved", {"required_level": 1}, [("a", 1, APPROVED)], (PASSED, 1)),
    ("rejected", {"required_level": 1}, [("a", 1, REJECTED)], (FAILED, 0)),
    ("expired", {"required_level": 1}, [("a", 1, EXPIRED)], (LAPSED, 0)),
    ("skipped", {"required_level": 1}, [("a", 1, SKIPPED)], (PASSED, 1)),
    (
        "rejected beats expired and pending",
        {"required_level": 1},
        [("a", 1, EXPIRED), ("b", 1, REJECTED), ("c", 1, PENDING)],
        (FAILED, 0),
    ),
    ("expired beats pending", {"required_level": 1}, [("a", 1, PENDING), ("b", 1, EXPIRED)], (LAPSED, 0)),
    ("one is not enough", {"required_level": 1}, [("a", 1, APPROVED), ("b", 1, REQUIRED)], (IN_REVIEW, 0)),
    ("the lower level done", {"required_level": 2}, [("a", 1, APPROVED), ("b", 2, REQUIRED)], (IN_REVIEW, 1)),
    ("the upper level done", {"required_level": 2}, [("a", 1, REQUIRED), ("b", 2, APPROVED)], (IN_REVIEW, 0)),
    (
        "a gap in the middle",
        {"required_level": 3},
        [("a", 1, APPROVED), ("b", 2, REJECTED), ("c", 3, APPROVED)],
        (FAILED, 1),
    ),
    (
        "two below the gap",
        {"required_level": 9},
        [("c", 9, APPROVED), ("b", 4, SKIPPED), ("a", 2, APPROVED), ("d", 7, PENDING)],
        (IN_REVIEW, 4),
    ),
    ("levels without steps do not count", {"required_level": 9}, [("a", 3, APPROVED)], (PASSED, 3)),
    (
        "an optional step blocks nothing",
        {"required_level": 2},
        [("a", 1, APPROVED), ("b", 1, REJECTED, OPTIONAL)],
        (PASSED, 1),
    ),
    (
        "an explicit step above the level counts for the status, not for the level",
        {"required_level": 1},
        [("a", 1, APPROVED), ("b", 5, PENDING, EXPLICIT)],
        (IN_REVIEW, 1),
    ),
    ("an explicit step done above the level", {"required_level": 1}, [("b", 5, APPROVED, EXPLICIT)], (PASSED, 0)),
    (
        "an explicit step within the level",
        {"required_level": 2},
        [("a", 1, PENDING, EXPLICIT), ("b", 2, APPROVED)],
        (IN_REVIEW, 0),
    ),
    (
        "the newest of a code, expired before",
        {"required_level": 1},
        [("a", 1, EXPIRED), ("a", 1, APPROVED)],
        (PASSED, 1),
    ),
    (
        "the newest of a code, approved before",
        {"required_level": 1},
        [("a", 1, APPROVED), ("a", 1, REQUIRED)],
        (IN_REVIEW, 0),
    ),
    (
        "the newest of a code is optional",
        {"required_level": 1},
        [("a", 1, REJECTED), ("a", 1, REQUIRED, OPTIONAL)],
        (DRAFT, 0),
    ),
]


def build_steps(step: Callable[..., Step], rows: list[tuple[Any, ...]]) -> list[Step]:
    return [
        step(id=number, code=row[0], level=row[1], status=row[2], **(row[3] if len(row) > 3 else {}))
        for number, row in enumerate(rows, start=1)
    ]


@pytest.mark.parametrize(("facts", "rows", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_the_table(
    profile: Callable[..., Profile],
    step: Callable[..., Step],
    facts: dict[str, Any],
    rows: list[tuple[Any, ...]],
    expected: tuple[ProfileStatus, int],
) -> None:
    facts = dict(facts)
    flags = {flag: facts.pop(flag, False) for flag in ("has_documents", "review_due")}
    before = profile(version=6, **facts)
    steps = build_steps(step, rows)
    for order in (steps, steps[::-1]):
        after = recalculate(before, order, **flags, now=300)
        status, level = expected
        assert after == profile(**facts, status=status, current_level=level, updated_time=300, version=7)
    assert before == profile(version=6, **facts)


def literal_current_level(required_level: int, counted: list[Step]) -> int:
    reached = [
        level
        for level in {step.level for step in counted}
        if level <= required_level
        and all(step.status in (APPROVED, SKIPPED) for step in counted if step.level <= level)
    ]
    return max(reached) if reached else 0


def literal_considered(profile: Profile, steps: list[Step]) -> list[Step]:
    newest = [step for step in steps if step.id == max(other.id for other in steps if other.code == step.code)]
    return [
        step for step in newest if step.required == 1 and (step.level <= profile.required_level or step.explicit == 1)
    ]


def literal_status(profile: Profile, steps: list[Step], has_documents: bool, review_due: bool) -> ProfileStatus:
    counted = [step.status for step in literal_considered(profile, steps)]
    if profile.risk_level == RiskLevel.PROHIBITED or review_due:
        return ProfileStatus.REVIEW_REQUIRED
    if len(counted) == 0:
        untouched = len(steps) == 0 and not has_documents and profile.required_level == 0
        return ProfileStatus.NONE if untouched else ProfileStatus.DRAFT
    if any(status == REJECTED for status in counted):
        return ProfileStatus.REJECTED
    if any(status == EXPIRED for status in counted):
        return ProfileStatus.EXPIRED
    if all(status in (APPROVED, SKIPPED) for status in counted):
        return ProfileStatus.APPROVED
    return ProfileStatus.PENDING


rows_of_steps = st.lists(
    st.tuples(
        st.sampled_from("abcde"),
        st.integers(1, 4),
        st.sampled_from([REQUIRED, PENDING, APPROVED, APPROVED, APPROVED, REJECTED, EXPIRED, SKIPPED]),
        st.fixed_dictionaries({"required": st.sampled_from([1, 1, 1, 0]), "explicit": st.sampled_from([0, 0, 1])}),
    ),
    max_size=8,
)


@settings(max_examples=300)
@given(
    rows=rows_of_steps,
    order=st.randoms(use_true_random=False),
    required_level=st.integers(0, 5),
    risk_level=st.sampled_from(RiskLevel),
    has_documents=st.booleans(),
    review_due=st.booleans(),
)
def test_against_the_rules_in_their_own_words(
    *,
    profile: Callable[..., Profile],
    step: Callable[..., Step],
    rows: list[tuple[Any, ...]],
    order: Any,
    required_level: int,
    risk_level: RiskLevel,
    has_documents: bool,
    review_due: bool,
) -> None:
    before = profile(required_level=required_level, risk_level=risk_level)
    steps = build_steps(step, rows)
    order.shuffle(steps)
    after = recalculate(before, steps, has_documents=has_documents, review_due=review_due, now=300)
    counted = literal_considered(before, steps)
    assert after.status == literal_status(before, steps, has_documents, review_due)
    assert after.current_level == literal_current_level(required_level, counted)
    assert (after.version, after.updated_time) == (2, 300)
    assert sorted(found.id for found in considered(before, steps)) == sorted(found.id for found in counted)
    left = [found.id for found in counted if found.status in (REQUIRED, PENDING, REJECTED, EXPIRED)]
    assert sorted(found.id for found in missing(before, steps)) == sorted(left)
    if after.status == ProfileStatus.APPROVED:
        assert not missing(after, steps)


def test_considered_and_missing(profile: Callable[..., Profile], step: Callable[..., Step]) -> None:
    steps = build_steps(
        step,
        [
            ("a", 1, EXPIRED),
            ("a", 1, PENDING),
            ("b", 1, APPROVED),
            ("c", 2, SKIPPED),
            ("d", 2, REQUIRED, OPTIONAL),
            ("e", 3, REQUIRED),
            ("f", 3, REJECTED, EXPLICIT),
            ("g", 2, EXPIRED),
        ],
    )
    before = profile(required_level=2)
    assert [found.id for found in considered(before, steps)] == [2, 3, 4, 7, 8]
    assert [found.id for found in missing(before, steps)] == [2, 7, 8]


def test_new_profile(profile: Callable[..., Profile]) -> None:
    assert new_profile(5, 42, "acme", 300) == profile(created_time=300, updated_time=300)


def test_amend(profile: Callable[..., Profile]) -> None:
    assert amend(profile(), now=300, required_level=2) == profile(required_level=2, updated_time=300, version=2)


def test_gate_without_a_profile() -> None:
    assert gate(None, []) == GateFacts(
        kyc_required=False,
        kyc_required_level=0,
        kyc_status=ProfileStatus.NONE,
        kyc_current_level=0,
        kyc_profile_id=0,
        allowed=False,
    )


@pytest.mark.parametrize(
    ("status", "risk_level", "allowed"),
    [(status, risk, (status.value, risk.value < 4) == (3, True)) for status in ProfileStatus for risk in RiskLevel],
)
def test_gate_allows_the_approved_only(
    profile: Callable[..., Profile],
    status: ProfileStatus,
    risk_level: RiskLevel,
    allowed: bool,
) -> None:
    facts = gate(profile(status=status, risk_level=risk_level, required_level=2, current_level=1), [])
    assert facts == GateFacts(
        kyc_required=True,
        kyc_required_level=2,
        kyc_status=status,
        kyc_current_level=1,
        kyc_profile_id=5,
        allowed=allowed,
    )


@pytest.mark.parametrize(
    ("required_level", "rows", "expected"),
    [
        (0, [], False),
        (1, [], True),
        (0, [("a", 1, REQUIRED)], False),
        (0, [("a", 1, REQUIRED, OPTIONAL)], False),
        (0, [("a", 1, REQUIRED, EXPLICIT)], True),
        (0, [("a", 1, APPROVED, EXPLICIT)], True),
    ],
)
def test_gate_kyc_required(
    profile: Callable[..., Profile],
    step: Callable[..., Step],
    required_level: int,
    rows: list[tuple[Any, ...]],
    expected: bool,
) -> None:
    assert gate(profile(required_level=required_level), build_steps(step, rows)).kyc_required is expected
