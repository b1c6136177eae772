"""How the OpenAPI document tells of answers: the one success, and every refusal with its names."""

from collections.abc import Iterable
from typing import Any

from kycmanager.commands.model import Command, errors_of
from kycmanager.domain.errors import Code

JSON = "application/json"
SCHEMAS = "#/components/schemas/"
RESPONSES = "#/components/responses/"

_MESSAGES: dict[Code, str] = {
    Code.INVALID_DATA: "brand: is required",
    Code.INVALID_FILE: "The content of the file is not what its extension says",
    Code.INVALID_CUSTOMER: "A customer token names exactly one brand",
    Code.UNAUTHENTICATED: "A valid token is required",
    Code.FORBIDDEN: "This session may not do that",
    Code.NOT_FOUND: "Step was not found",
    Code.INVALID_METHOD: "Unknown command; Describe lists the known ones",
    Code.DUPLICATE_RECORD: "code: this brand has a template with this code already",
    Code.INVALID_STATE: "Step is expired; documents cannot be added to it",
    Code.STALE_VERSION: "version: the record has changed since; read it again",
    Code.IDEMPOTENCY_CONFLICT: "idempotency_key: was used before with other data; take a new key",
    Code.FILE_TOO_LARGE: "The file is larger than allowed",
    Code.QUOTA_EXCEEDED: "customer_files: has no room left: 1000 of 1000 files are used",
    Code.LINE_TOO_LONG: "The request is larger than allowed",
    Code.TOO_FREQUENT: "Too many failed tokens; try again later",
    Code.INTERNAL: "Something failed here; the log knows",
    Code.OVERLOADED: "Too many requests are waiting; try again later",
    Code.OUTCOME_UNKNOWN: "Whether the change was kept is not known; read before repeating it",
    Code.SHUTDOWN: "The daemon is stopping",
    Code.STORAGE_FULL: "No space is left",
}
_DATA: dict[Code, dict[str, Any]] = {
    Code.INVALID_DATA: {"errors": [{"field": "brand", "code": "invalid", "message": "is required"}]},
    Code.STALE_VERSION: {"version": 3},
    Code.QUOTA_EXCEEDED: {"quota": "customer_files", "used": 1000, "limit": 1000},
    Code.INTERNAL: {"correlation_id": "5f2c0e9a"},
}

DOOR_CODES = (Code.LINE_TOO_LONG, Code.OVERLOADED)
"""What the REST server itself may answer before a command is reached, whatever the command."""


def refusal_example(code: Code) -> dict[str, Any]:
    """Return an error body as it could come with this code."""
    body: dict[str, Any] = {"error": code.wire_name, "message": _MESSAGES[code]}
    return body | ({"data": _DATA[code]} if code in _DATA else {})


def codes_of(command: Command) -> tuple[Code, ...]:
    """Return every code the route of a command may answer."""
    return tuple(dict.fromkeys((*errors_of(command), *DOOR_CODES)))


def refusals(codes: Iterable[Code]) -> dict[str, Any]:
    """Return the error responses of an operation, by status, as references to those `responses` makes."""
    wanted = set(codes)
    by_status: dict[int, list[Code]] = {}
    for code in Code:
        if code in wanted:
            by_status.setdefault(code.status, []).append(code)
    return {
        str(status): {"$ref": RESPONSES + ".".join((str(status), *(code.name for code in group)))}
        for status, group in sorted(by_status.items())
    }


def responses(names: Iterable[str]) -> dict[str, Any]:
    """Return the error responses behind these names, such as `409.INVALID_STATE.STALE_VERSION`."""
    return {name: _refusal([Code[code] for code in name.split(".")[1:]]) for name in sorted(names)}


def _refusal(codes: list[Code]) -> dict[str, Any]:
    names = list(dict.fromkeys(code.wire_name for code in codes))
    schema = {"allOf": [{"$ref": f"{SCHEMAS}Refusal"}, {"properties": {"error": {"enum": names}}}]}
    examples = {code.name: {"value": refusal_example(code)} for code in codes}
    return {"description": ", ".join(names), "content": {JSON: {"schema": schema, "examples": examples}}}


def success(description: str, schema: dict[str, Any], example: Any) -> dict[str, Any]:
    """Return the one response that is a success; every write answers 200 too."""
    return {"200": {"description": description, "content": {JSON: {"schema": schema, "example": example}}}}
