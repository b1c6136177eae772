"""The numbers on the wire, written by hand: whoever changes one changes a contract."""

from enum import IntEnum

import pytest

from kycmanager.domain import enums

WIRE: dict[type[IntEnum], dict[str, int]] = {
    enums.ProfileStatus: {
        "NONE": 0,
        "DRAFT": 1,
        "PENDING": 2,
        "APPROVED": 3,
        "REJECTED": 4,
        "EXPIRED": 5,
        "REVIEW_REQUIRED": 6,
    },
    enums.StepStatus: {"REQUIRED": 0, "PENDING": 1, "APPROVED": 2, "REJECTED": 3, "EXPIRED": 4, "SKIPPED": 5},
    enums.DocumentStatus: {"UPLOADED": 0, "PENDING": 1, "APPROVED": 2, "REJECTED": 3, "EXPIRED": 4, "DELETED": 5},
    enums.RiskLevel: {"UNKNOWN": 0, "LOW": 1, "MEDIUM": 2, "HIGH": 3, "PROHIBITED": 4},
    enums.StepType: {"DOCUMENT": 0, "QUESTIONNAIRE": 1, "MIXED": 2, "PROVIDER": 3, "MANUAL": 4},
    enums.TemplateStatus: {"ACTIVE": 0, "DISABLED": 1, "ARCHIVED": 2},
    enums.SessionType: {
        "USER": 0,
        "MANAGER": 1,
        "DEALER": 2,
        "ADMIN": 3,
        "SYSTEM": 4,
        "FIX": 5,
        "CUSTOMER": 9,
        "CRM_MANAGER": 10,
        "CRM_ADMIN": 11,
    },
}


@pytest.mark.parametrize("kind", WIRE, ids=lambda kind: kind.__name__)
def test_numbers_on_the_wire(kind: type[IntEnum]) -> None:
    assert {member.name: member.value for member in kind} == WIRE[kind]


def test_the_table_above_is_complete() -> None:
    defined = {value for value in vars(enums).values() if isinstance(value, type) and issubclass(value, IntEnum)}
    assert defined - {IntEnum} == set(WIRE)
