"""One row of the table as an operation of the OpenAPI document."""

from typing import Any

from kycmanager.commands.model import Command, Kind
from kycmanager.contract.answers import JSON, SCHEMAS, codes_of, refusals, success
from kycmanager.contract.examples import field_example, full_example, request_example
from kycmanager.contract.notes import note
from kycmanager.contract.routes import in_query, path_fields
from kycmanager.domain.enums import SessionType

SECURITY: list[dict[str, list[str]]] = [{"token": []}, {"bearer": []}]


def operation_id(command: Command, method: str) -> str:
    """Return the command's name; a second method of the same route has the method added."""
    assert command.route is not None
    return command.name if method == command.route.methods[0] else f"{command.name}_{method}"


def tag(command: Command) -> str:
    """Return the part of the daemon a command belongs to: the module of its request."""
    return command.request.__module__.rpartition(".")[2]


def body_name(command: Command) -> str:
    """Return the name of the schema of a command's body: the request without what stands in the path."""
    assert command.route is not None
    name = command.request.__name__
    return f"{name}Body" if path_fields(command.route.path) else name


def body_schema(command: Command, components: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a command's body."""
    assert command.route is not None
    whole: dict[str, Any] = components[command.request.__name__]
    taken = path_fields(command.route.path)
    return whole | {
        "title": body_name(command),
        "properties": {name: schema for name, schema in whole["properties"].items() if name not in taken},
        "required": [name for name in whole["required"] if name not in taken],
    }


def operation(command: Command, method: str, components: dict[str, Any]) -> dict[str, Any]:
    """Return the operation of one method of a command's route."""
    made: dict[str, Any] = {
        "operationId": operation_id(command, method),
        "summary": command.summary,
        "description": _description(command),
        "tags": [tag(command)],
        "parameters": _parameters(command, method, components),
    }
    if not in_query(method):
        made["requestBody"] = _body(command, components)
    reply = {"$ref": SCHEMAS + command.reply.__name__}
    return made | {
        "responses": success(_sentence(command.reply), reply, full_example(command.reply))
        | refusals(codes_of(command)),
        "security": SECURITY,
        "x-sessions": session_names(command),
    }


def session_names(command: Command) -> list[str]:
    """Return the session types that may call, in the order of their numbers."""
    return [kind.name for kind in SessionType if kind in command.access.sessions]


def _sentence(struct: type) -> str:
    return (struct.__doc__ or "").strip().splitlines()[0]


def _description(command: Command) -> str:
    parts = [_sentence(command.request), note(command.name).text, f"Sessions: {', '.join(session_names(command))}."]
    return "\n\n".join(part for part in parts if part)


def _parameters(command: Command, method: str, components: dict[str, Any]) -> list[dict[str, Any]]:
    assert command.route is not None
    taken = path_fields(command.route.path)
    schema = components[command.request.__name__]
    found = [_parameter(command, name, "path", schema) for name in taken]
    if in_query(method):
        found += [_parameter(command, name, "query", schema) for name in schema["properties"] if name not in taken]
    if command.kind is Kind.WRITE:
        found.append({"$ref": "#/components/parameters/IdempotencyKey"})
    return found


def _parameter(command: Command, name: str, place: str, schema: dict[str, Any]) -> dict[str, Any]:
    own = dict(schema["properties"][name])
    return {
        "name": name,
        "in": place,
        "required": place == "path" or name in schema["required"],
        "description": own.pop("description", name),
        "schema": own,
        "example": field_example(command.request, name),
    }


def _body(command: Command, components: dict[str, Any]) -> dict[str, Any]:
    schema = body_schema(command, components)
    example = {name: value for name, value in request_example(command.request).items() if name in schema["properties"]}
    return {
        "required": bool(schema["required"]),
        "content": {JSON: {"schema": {"$ref": SCHEMAS + body_name(command)}, "example": example}},
    }
