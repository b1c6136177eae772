"""The life of a step: its one table of moves, and how a step comes from a template."""

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

from kycmanager.domain.enums import StepStatus, StepType
from kycmanager.domain.errors import Code, KycError
from kycmanager.domain.records import NO_OBJECT, Profile, Step, Template

_ANY = frozenset(StepType)
_MANUAL = frozenset({StepType.MANUAL})

TRANSITIONS: Mapping[StepStatus, Mapping[StepStatus, frozenset[StepType]]] = MappingProxyType(
    {
        StepStatus.REQUIRED: MappingProxyType(
            {StepStatus.PENDING: _ANY, StepStatus.SKIPPED: _ANY, StepStatus.APPROVED: _MANUAL},
        ),
        StepStatus.PENDING: MappingProxyType({StepStatus.APPROVED: _ANY, StepStatus.REJECTED: _ANY}),
        StepStatus.APPROVED: MappingProxyType({StepStatus.EXPIRED: _ANY}),
        StepStatus.REJECTED: MappingProxyType({StepStatus.PENDING: _ANY}),
        StepStatus.EXPIRED: MappingProxyType({}),
        StepStatus.SKIPPED: MappingProxyType({}),
    },
)
"""Every allowed move, from -> to -> the step types that may take it (manager API, section 3, "Life of a step")."""

ACTIVE = frozenset({StepStatus.REQUIRED, StepStatus.PENDING, StepStatus.APPROVED, StepStatus.REJECTED})
"""The statuses of steps that count now; expired and skipped ones are history."""

DONE = frozenset({StepStatus.APPROVED, StepStatus.SKIPPED})
"""The statuses that leave nothing to do."""

_NEED_DOCUMENTS = frozenset({StepType.DOCUMENT, StepType.MIXED})


def allows(step: Step, to: StepStatus) -> bool:
    """Tell whether the step may become `to` now."""
    return step.step_type in TRANSITIONS[step.status].get(to, ())


def move(step: Step, to: StepStatus, *, now: int, **changes: Any) -> Step:
    """Give the step in its new status, with other fields changed as named; `now` in Unix seconds.

    Raises INVALID_STATE when the table has no such move.
    """
    if not allows(step, to):
        raise KycError(
            Code.INVALID_STATE,
            f"Step has status {StepStatus(step.status).name.lower()}; it cannot become {StepStatus(to).name.lower()}",
        )
    return replace(step, status=to, version=step.version + 1, updated_time=now, **changes)


def reopened(step: Step, *, now: int, **changes: Any) -> Step:
    """Give a rejected step back in pending: the rejection is taken back. Raises INVALID_STATE for any other.

    A required step becomes pending by its customer alone.
    """
    if step.status is not StepStatus.REJECTED:
        raise KycError(
            Code.INVALID_STATE,
            f"Step has status {StepStatus(step.status).name.lower()}; only a rejection can be taken back",
        )
    return move(step, StepStatus.PENDING, now=now, **changes)


def amend(step: Step, *, now: int, **changes: Any) -> Step:
    """Give the next version of the step with some fields changed; a new status goes through `move`."""
    return replace(step, version=step.version + 1, updated_time=now, **changes)


def required_step(
    template: Template,
    profile: Profile,
    *,
    id: int,  # noqa: A002 - the record's own name for it
    level: int = 0,
    explicit: bool,
    now: int,
) -> Step:
    """Build the first version of a step in required; level 0 means the template's own.

    An `explicit` step (required by its code) is required even where its template is optional.
    """
    return Step(
        id=id,
        customer_id=profile.customer_id,
        kyc_id=profile.id,
        brand=profile.brand,
        template_id=template.id,
        template_version=template.version,
        level=level or template.level,
        code=template.code,
        name=template.name,
        step_type=template.step_type,
        required=1 if explicit else template.required,
        explicit=1 if explicit else 0,
        status=StepStatus.REQUIRED,
        answers=NO_OBJECT,
        submitted_time=0,
        created_time=now,
        updated_time=now,
        reviewed_time=0,
        reviewed_by=0,
        reason="",
        comment="",
        expire_time=0,
        version=1,
    )


def documents_needed(step: Step) -> bool:
    """Tell whether submitting the step needs an attached document (step types document and mixed)."""
    return step.step_type in _NEED_DOCUMENTS


def newest(steps: Collection[Step]) -> dict[str, Step]:
    """Index the step of the highest id by its code."""
    found = {step.code: step for step in steps}
    if len(found) == len(steps):
        return found  # most have one step of each code
    found.clear()
    for step in steps:
        other = found.get(step.code)
        if other is None or other.id < step.id:
            found[step.code] = step
    return found


def active(steps: Iterable[Step], code: str) -> Step | None:
    """Find the active step of a code, the newest if there are several; None if there is none."""
    found: Step | None = None
    for step in steps:
        if step.code == code and step.status in ACTIVE and (found is None or found.id < step.id):
            found = step
    return found
