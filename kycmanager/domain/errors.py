"""The closed set of error codes and the one exception that carries them."""

from enum import Enum
from typing import Any


class Code(Enum):
    """Why a command was refused: the stable name on the wire and its status (manager API, section 7).

    The status is part of the code on every wire, TCP included; two codes share the name PERMISSION_DENIED.
    """

    INVALID_DATA = ("INVALID_DATA", 400)
    INVALID_FILE = ("RET_INVALID_DATA", 400)
    INVALID_CUSTOMER = ("INVALID_CUSTOMER", 400)
    UNAUTHENTICATED = ("PERMISSION_DENIED", 401)
    FORBIDDEN = ("PERMISSION_DENIED", 403)
    NOT_FOUND = ("RET_NOT_FOUND", 404)
    INVALID_METHOD = ("RET_INVALID_METHOD", 405)
    DUPLICATE_RECORD = ("DUPLICATE_RECORD", 409)
    INVALID_STATE = ("INVALID_STATE", 409)
    STALE_VERSION = ("RET_STALE_VERSION", 409)
    IDEMPOTENCY_CONFLICT = ("IDEMPOTENCY_CONFLICT", 409)
    FILE_TOO_LARGE = ("FILE_TOO_LARGE", 413)
    QUOTA_EXCEEDED = ("QUOTA_EXCEEDED", 413)
    LINE_TOO_LONG = ("LINE_TOO_LONG", 413)
    TOO_FREQUENT = ("RET_TOO_FREQUENT", 429)
    INTERNAL = ("RET_ERROR", 500)
    OVERLOADED = ("OVERLOADED", 503)
    OUTCOME_UNKNOWN = ("OUTCOME_UNKNOWN", 503)
    SHUTDOWN = ("RET_ERR_SHUTDOWN", 503)
    STORAGE_FULL = ("STORAGE_FULL", 507)

    @property
    def wire_name(self) -> str:
        """The name clients match on."""
        return self.value[0]

    @property
    def status(self) -> int:
        """The status of the reply, the same over TCP and REST."""
        return self.value[1]


class KycError(Exception):
    """A refusal: `code` for machines, `message` for people, `data` with the details (fields, faults)."""

    def __init__(self, code: Code, message: str, data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


def invalid(field: str, reason: str) -> KycError:
    """Build the refusal of one field: INVALID_DATA whose message and data name it."""
    return KycError(
        Code.INVALID_DATA,
        f"{field}: {reason}",
        {"errors": [{"field": field, "code": "invalid", "message": reason}]},
    )


def not_found(noun: str) -> KycError:
    """Build the constant answer for a missing object and for one outside the caller's brands alike."""
    return KycError(Code.NOT_FOUND, f"{noun.capitalize()} was not found")


def forbidden() -> KycError:
    """Build the answer to a session of the wrong type, or to a customer who reaches for another's object."""
    return KycError(Code.FORBIDDEN, "This session may not do that")
