"""Where a customer stands: the profile recalculated from its steps, and the gate that follows from it."""

from collections.abc import Collection
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from kycmanager.domain.enums import ProfileStatus, RiskLevel, StepStatus
from kycmanager.domain.records import Profile, Step
from kycmanager.domain.step import DONE, newest

_WEIGHT = {
    StepStatus.APPROVED: 0,
    StepStatus.SKIPPED: 0,
    StepStatus.REQUIRED: 1,
    StepStatus.PENDING: 1,
    StepStatus.EXPIRED: 2,
    StepStatus.REJECTED: 3,
}
_BY_WEIGHT = (ProfileStatus.APPROVED, ProfileStatus.PENDING, ProfileStatus.EXPIRED, ProfileStatus.REJECTED)
"""The heaviest considered step decides: rules 3 to 6 of the recalculation in one pass."""

_PROHIBITED = RiskLevel.PROHIBITED  # looking a member up in its enumeration costs as much as a call

_NO_LEVEL = 2**53
"""Above every level: no considered step is in the way."""


class GateFacts(Struct, frozen=True):
    """Whether a customer may open an account, and why (manager API, section 5); a missing profile is all zeros."""

    kyc_required: bool
    kyc_required_level: int
    kyc_status: ProfileStatus
    kyc_current_level: int
    kyc_profile_id: int
    allowed: bool


def new_profile(id: int, customer_id: int, brand: str, now: int) -> Profile:  # noqa: A002 - the record's own name
    """Build the first version of a customer's profile: nothing required, nothing known; `now` in Unix seconds."""
    return Profile(
        id=id,
        customer_id=customer_id,
        brand=brand,
        status=ProfileStatus.NONE,
        current_level=0,
        required_level=0,
        risk_level=RiskLevel.UNKNOWN,
        created_time=now,
        updated_time=now,
        version=1,
    )


def amend(profile: Profile, *, now: int, **changes: Any) -> Profile:
    """Give the next version of the profile with some fields changed; status and level come from `recalculate`."""
    return replace(profile, version=profile.version + 1, updated_time=now, **changes)


def recalculate(
    profile: Profile,
    steps: Collection[Step],
    *,
    has_documents: bool,
    review_due: bool,
    now: int,
) -> Profile:
    """Give the next version of the profile after a decision (manager API, section 3, "Recalculation of a profile").

    `steps` are all steps of the profile, in any order; history may be left out as long as the newest of each code
    is there. `has_documents`: the profile has any document. `now` in Unix seconds.
    """
    by_code = newest(steps)
    heaviest, level = _standing(profile, by_code)
    if review_due or profile.risk_level == _PROHIBITED:
        status = ProfileStatus.REVIEW_REQUIRED
    elif heaviest >= 0:
        status = _BY_WEIGHT[heaviest]
    elif by_code or has_documents or profile.required_level:
        status = ProfileStatus.DRAFT
    else:
        status = ProfileStatus.NONE
    return replace(profile, status=status, current_level=level, updated_time=now, version=profile.version + 1)


def _standing(profile: Profile, by_code: dict[str, Step]) -> tuple[int, int]:
    """Give the weight of the heaviest considered step, -1 for none, and the level reached; in one pass."""
    required_level = profile.required_level
    heaviest, reached, blocked = -1, 0, _NO_LEVEL
    for step in by_code.values():
        level = step.level
        if not step.required or (level > required_level and not step.explicit):
            continue
        weight = _WEIGHT[step.status]
        if weight > heaviest:  # noqa: PLR1730 - max() costs three times as much, on every write
            heaviest = weight
        if weight:
            if level < blocked:  # noqa: PLR1730 - the same
                blocked = level
        elif reached < level <= required_level:
            reached = level
    return heaviest, reached if reached < blocked else _highest_below(blocked, profile, by_code)


def _highest_below(blocked: int, profile: Profile, by_code: dict[str, Step]) -> int:
    """Find the level reached under the lowest one that is not done: all considered steps below that are done."""
    highest = 0
    for step in by_code.values():
        if highest < step.level < blocked and is_considered(profile, step):
            highest = step.level
    return highest


def is_considered(profile: Profile, step: Step) -> bool:
    """Tell whether the newest step of its code counts: required, and by its level or explicitly."""
    return bool(step.required) and (step.level <= profile.required_level or bool(step.explicit))


def considered(profile: Profile, steps: Collection[Step]) -> tuple[Step, ...]:
    """Keep the steps the profile's status follows from: the newest of each code that `is_considered`."""
    return tuple([step for step in newest(steps).values() if is_considered(profile, step)])


def missing(profile: Profile, steps: Collection[Step]) -> tuple[Step, ...]:
    """Keep the considered steps that still need something: neither approved nor skipped."""
    return tuple([step for step in considered(profile, steps) if step.status not in DONE])


def gate(profile: Profile | None, steps: Collection[Step]) -> GateFacts:
    """State the gate of a customer (manager API, section 5); the `missing` steps are given apart.

    kyc_required: a level is required, or a step is considered. allowed: approved, and the risk not prohibited.
    """
    if profile is None:
        return GateFacts(
            kyc_required=False,
            kyc_required_level=0,
            kyc_status=ProfileStatus.NONE,
            kyc_current_level=0,
            kyc_profile_id=0,
            allowed=False,
        )
    return GateFacts(
        kyc_required=profile.required_level > 0 or bool(considered(profile, steps)),
        kyc_required_level=profile.required_level,
        kyc_status=profile.status,
        kyc_current_level=profile.current_level,
        kyc_profile_id=profile.id,
        allowed=profile.status == ProfileStatus.APPROVED and profile.risk_level != RiskLevel.PROHIBITED,
    )
