"""Every move of a step for every step type, from a table written by hand; and how steps come to be."""

from collections.abc import Callable
from itertools import product

import pytest

from kycmanager.domain.enums import StepStatus, StepType
from kycmanager.domain.errors import Code, KycError
from kycmanager.domain.records import Profile, Step, Template
from kycmanager.domain.step import (
    ACTIVE,
    DONE,
    TRANSITIONS,
    active,
    allows,
    amend,
    documents_needed,
    move,
    newest,
    required_step,
)

ALLOWED = {
    ("REQUIRED", "PENDING"),
    ("REQUIRED", "SKIPPED"),
    ("PENDING", "APPROVED"),
    ("PENDING", "REJECTED"),
    ("REJECTED", "PENDING"),
    ("APPROVED", "EXPIRED"),
}
ALLOWED_MANUAL = ALLOWED | {("REQUIRED", "APPROVED")}

MOVES = list(product(StepType, StepStatus, StepStatus))


@pytest.mark.parametrize(("step_type", "status", "to"), MOVES, ids=lambda value: value.name)
def test_every_move(step: Callable[..., Step], step_type: StepType, status: StepStatus, to: StepStatus) -> None:
    before = step(step_type=step_type, status=status, version=8, updated_time=200)
    if (status.name, to.name) in (ALLOWED_MANUAL if step_type.name == "MANUAL" else ALLOWED):
        assert allows(before, to)
        assert move(before, to, now=300) == step(step_type=step_type, status=to, version=9, updated_time=300)
        assert before == step(step_type=step_type, status=status, version=8, updated_time=200)
    else:
        assert not allows(before, to)
        with pytest.raises(KycError) as caught:
            move(before, to, now=300)
        assert caught.value.code is Code.INVALID_STATE
        assert caught.value.message == f"Step has status {status.name.lower()}; it cannot become {to.name.lower()}"


def test_the_message_of_a_refused_move(step: Callable[..., Step]) -> None:
    with pytest.raises(KycError, match=r"^Step has status approved; it cannot become rejected$"):
        move(step(status=StepStatus.APPROVED), StepStatus.REJECTED, now=300)


def test_every_status_has_its_row() -> None:
    assert set(TRANSITIONS) == set(StepStatus)


def test_active_and_done() -> None:
    assert {status.name for status in ACTIVE} == {"REQUIRED", "PENDING", "APPROVED", "REJECTED"}
    assert {status.name for status in DONE} == {"APPROVED", "SKIPPED"}


def test_a_move_carries_the_submission(step: Callable[..., Step]) -> None:
    after = move(step(), StepStatus.PENDING, now=300, submitted_time=300, answers={"name": "Ann"})
    assert (after.submitted_time, after.answers) == (300, {"name": "Ann"})


def test_amend_keeps_the_status(step: Callable[..., Step]) -> None:
    assert amend(step(), now=300, answers={"a": 1}) == step(answers={"a": 1}, updated_time=300, version=2)


@pytest.mark.parametrize(
    ("template_required", "level", "explicit", "expected"),
    [
        (1, 0, False, (1, 3, 0)),
        (0, 0, False, (0, 3, 0)),
        (1, 3, False, (1, 3, 0)),
        (0, 0, True, (1, 3, 1)),
        (1, 0, True, (1, 3, 1)),
        (0, 9, True, (1, 9, 1)),
    ],
)
def test_required_step(
    *,
    template: Callable[..., Template],
    profile: Callable[..., Profile],
    step: Callable[..., Step],
    template_required: int,
    level: int,
    explicit: bool,
    expected: tuple[int, int, int],
) -> None:
    made = required_step(
        template(required=template_required),
        profile(),
        id=77,
        level=level,
        explicit=explicit,
        now=300,
    )
    required, made_level, made_explicit = expected
    assert made == step(
        id=77,
        template_version=4,
        required=required,
        level=made_level,
        explicit=made_explicit,
        created_time=300,
        updated_time=300,
    )


def test_required_step_takes_its_text_from_the_template(
    template: Callable[..., Template],
    profile: Callable[..., Profile],
) -> None:
    source = template(id=9, version=6, code="pep", name="Exposure", step_type=StepType.QUESTIONNAIRE, brand="zeta")
    made = required_step(source, profile(id=3, customer_id=8, brand="zeta"), id=1, level=2, explicit=False, now=5)
    assert (made.template_id, made.template_version, made.code, made.name) == (9, 6, "pep", "Exposure")
    assert (made.step_type, made.kyc_id, made.customer_id, made.brand) == (StepType.QUESTIONNAIRE, 3, 8, "zeta")


@pytest.mark.parametrize(
    ("step_type", "expected"),
    [
        (StepType.DOCUMENT, True),
        (StepType.QUESTIONNAIRE, False),
        (StepType.MIXED, True),
        (StepType.PROVIDER, False),
        (StepType.MANUAL, False),
    ],
)
def test_documents_needed(step: Callable[..., Step], step_type: StepType, expected: bool) -> None:
    assert documents_needed(step(step_type=step_type)) is expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], []),
        ([(1, "a")], [1]),
        ([(1, "a"), (2, "b")], [1, 2]),
        ([(1, "a"), (2, "a")], [2]),
        ([(2, "a"), (1, "a")], [2]),
        ([(1, "a"), (5, "b"), (3, "a"), (4, "b"), (2, "a")], [3, 5]),
    ],
)
def test_newest_by_code(step: Callable[..., Step], given: list[tuple[int, str]], expected: list[int]) -> None:
    steps = [step(id=id_, code=code) for id_, code in given]
    assert [found.id for found in newest(steps).values()] == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], None),
        ([(1, "a", StepStatus.REQUIRED)], 1),
        ([(1, "a", StepStatus.PENDING)], 1),
        ([(1, "a", StepStatus.APPROVED)], 1),
        ([(1, "a", StepStatus.REJECTED)], 1),
        ([(1, "a", StepStatus.EXPIRED)], None),
        ([(1, "a", StepStatus.SKIPPED)], None),
        ([(1, "b", StepStatus.REQUIRED)], None),
        ([(1, "a", StepStatus.EXPIRED), (2, "a", StepStatus.REQUIRED)], 2),
        ([(1, "a", StepStatus.PENDING), (2, "a", StepStatus.SKIPPED)], 1),
        ([(1, "a", StepStatus.PENDING), (2, "a", StepStatus.PENDING)], 2),
        ([(2, "a", StepStatus.PENDING), (1, "a", StepStatus.PENDING)], 2),
    ],
)
def test_active(
    step: Callable[..., Step],
    given: list[tuple[int, str, StepStatus]],
    expected: int | None,
) -> None:
    found = active([step(id=id_, code=code, status=status) for id_, code, status in given], "a")
    assert (found.id if found else None) == expected
