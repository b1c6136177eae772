"""The closed enumerations of the data model; on the wire each is its number (manager API, section 3)."""

from enum import IntEnum


class ProfileStatus(IntEnum):
    """Where a customer stands in one brand."""

    NONE = 0
    DRAFT = 1
    PENDING = 2
    APPROVED = 3
    REJECTED = 4
    EXPIRED = 5
    REVIEW_REQUIRED = 6


class StepStatus(IntEnum):
    """Where one step stands; the allowed moves are `step.TRANSITIONS`."""

    REQUIRED = 0
    PENDING = 1
    APPROVED = 2
    REJECTED = 3
    EXPIRED = 4
    SKIPPED = 5


class DocumentStatus(IntEnum):
    """Where one document stands; the allowed moves are `document.TRANSITIONS`."""

    UPLOADED = 0
    PENDING = 1
    APPROVED = 2
    REJECTED = 3
    EXPIRED = 4
    DELETED = 5


class RiskLevel(IntEnum):
    """How risky a customer is; PROHIBITED forces a review and closes the gate."""

    UNKNOWN = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    PROHIBITED = 4


class StepType(IntEnum):
    """What a step asks for."""

    DOCUMENT = 0
    QUESTIONNAIRE = 1
    MIXED = 2
    PROVIDER = 3
    MANUAL = 4


class TemplateStatus(IntEnum):
    """Whether a template may still be attached; only ACTIVE ones are."""

    ACTIVE = 0
    DISABLED = 1
    ARCHIVED = 2


class SessionType(IntEnum):
    """Who holds a token (manager API, section 2)."""

    USER = 0
    MANAGER = 1
    DEALER = 2
    ADMIN = 3
    SYSTEM = 4
    FIX = 5
    CUSTOMER = 9
    CRM_MANAGER = 10
    CRM_ADMIN = 11
