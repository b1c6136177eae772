"""The closed table of error names and statuses, written by hand."""

import pytest

from kycmanager.domain.errors import Code, KycError, forbidden, invalid, not_found

TABLE = [
    ("INVALID_DATA", 400),
    ("RET_INVALID_DATA", 400),
    ("INVALID_CUSTOMER", 400),
    ("PERMISSION_DENIED", 401),
    ("PERMISSION_DENIED", 403),
    ("RET_NOT_FOUND", 404),
    ("RET_INVALID_METHOD", 405),
    ("DUPLICATE_RECORD", 409),
    ("INVALID_STATE", 409),
    ("RET_STALE_VERSION", 409),
    ("IDEMPOTENCY_CONFLICT", 409),
    ("FILE_TOO_LARGE", 413),
    ("QUOTA_EXCEEDED", 413),
    ("LINE_TOO_LONG", 413),
    ("RET_TOO_FREQUENT", 429),
    ("RET_ERROR", 500),
    ("OVERLOADED", 503),
    ("OUTCOME_UNKNOWN", 503),
    ("RET_ERR_SHUTDOWN", 503),
    ("STORAGE_FULL", 507),
]


def test_the_closed_table() -> None:
    assert [(code.wire_name, code.status) for code in Code] == TABLE


def test_an_error_carries_its_details() -> None:
    error = KycError(Code.INVALID_STATE, "Step is approved", {"id": 1})
    assert (error.code, error.message, error.data, str(error)) == (
        Code.INVALID_STATE,
        "Step is approved",
        {"id": 1},
        "Step is approved",
    )


@pytest.mark.parametrize(
    ("error", "code", "message", "data"),
    [
        (
            invalid("level", "must be 1 to 100"),
            Code.INVALID_DATA,
            "level: must be 1 to 100",
            {"errors": [{"field": "level", "code": "invalid", "message": "must be 1 to 100"}]},
        ),
        (not_found("step"), Code.NOT_FOUND, "Step was not found", None),
        (forbidden(), Code.FORBIDDEN, "This session may not do that", None),
    ],
)
def test_builders(error: KycError, code: Code, message: str, data: object) -> None:
    assert (error.code, error.message, error.data) == (code, message, data)
