"""Whether an answer is one the command declares: by its type, by its errors, and by the OpenAPI document."""

import json
from functools import cache, lru_cache
from typing import Any

import msgspec
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from kycmanager.commands import TABLE
from kycmanager.commands.model import errors_of
from kycmanager.contract import openapi_bytes
from kycmanager.domain.errors import Code

ROWS = {command.name: command for command in TABLE}
DOCUMENT = json.loads(openapi_bytes())
_REGISTRY: Registry[Any] = Registry().with_resource("urn:api", DRAFT202012.create_resource(DOCUMENT))
_CONNECTION_CODES = (Code.INVALID_METHOD, Code.LINE_TOO_LONG, Code.OVERLOADED)
"""What a door itself may answer, whatever the command."""


def misfits(command: str, status: int, body: Any) -> list[str]:
    """Say what is wrong with an answer; nothing when it is declared."""
    return list(_misfits(command, status, json.dumps(body)))


@lru_cache(maxsize=100)
def _misfits(command: str, status: int, text: str) -> tuple[str, ...]:
    """Judge an answer by its JSON: many callers are told the same, and it is judged once."""
    row, body = ROWS[command], json.loads(text)
    found = []
    if status == 200:
        try:
            typed = msgspec.json.decode(text, type=row.reply, strict=True)
        except msgspec.ValidationError as error:
            return (f"{command}: {error}",)
        if msgspec.to_builtins(typed) != body:
            found.append(f"{command}: undeclared fields in {body}")
    else:
        declared = {(code.wire_name, code.status) for code in (*errors_of(row), *_CONNECTION_CODES)}
        if (body["error"], status) not in declared:
            found.append(f"{command}: {status} {body['error']} is not declared")
        if not body["message"]:
            found.append(f"{command}: no message")
    if row.route is not None:
        found += [f"{command}: {fault}" for fault in schema_faults(row.route.methods[0], row.route.path, status, body)]
    return tuple(found)


def schema_faults(method: str, path: str, status: int, body: Any) -> list[str]:
    """Say what the OpenAPI document has against an answer."""
    validator = _validator(method.lower(), path, str(status))
    if validator is None:
        return [f"{method} {path} does not declare {status}"]
    return [error.message for error in validator.iter_errors(body)]


@cache
def _validator(method: str, path: str, status: str) -> Draft202012Validator | None:
    answer = DOCUMENT["paths"][path][method]["responses"].get(status)
    if answer is None:
        return None
    place = f"/paths/{path.replace('/', '~1')}/{method}/responses/{status}"
    if "$ref" in answer:
        place = answer["$ref"].removeprefix("#")
    schema = {"$ref": f"urn:api#{_escaped(place)}/content/application~1json/schema"}
    return Draft202012Validator(schema, registry=_REGISTRY)


def _escaped(place: str) -> str:
    return place.replace("{", "%7B").replace("}", "%7D")
