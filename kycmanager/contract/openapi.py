"""The OpenAPI 3.1 document: every row with a route, and the routes that are no commands."""

import sys
from enum import Enum
from typing import Any

import msgspec
from msgspec import Struct

import kycmanager
from kycmanager.commands.model import Command
from kycmanager.contract import doors, shapes
from kycmanager.contract.answers import RESPONSES, SCHEMAS, responses
from kycmanager.contract.fields import reachable
from kycmanager.contract.glossary import meaning
from kycmanager.contract.operations import body_name, body_schema, operation, tag

_INFO = """Commands of the KYC manager over HTTP. Every command is reachable over TCP too, by its name.

A token is a JWT in the header `Authorization`, as it is or after `Bearer`. Times are Unix seconds, enumerations are
numbers, every success is status 200. A refusal is `{"error", "message"[, "data"]}`; the names of errors are stable.
Unknown keys are ignored. A write is on disk before it is answered; with `Idempotency-Key` it can be repeated safely.
"""


def document(table: tuple[Command, ...]) -> dict[str, Any]:
    """Return the document for these rows."""
    rows = [command for command in table if command.route is not None]
    components = _components(rows)
    paths = _paths(rows, components)
    for command in rows:
        components.setdefault(body_name(command), body_schema(command, components))
    paths |= doors.PATHS
    schemas, names = _used(paths, components)
    return {
        "openapi": "3.1.0",
        "info": {"title": "KYC manager", "version": kycmanager.__version__, "description": _INFO},
        "servers": [{"url": "/"}],
        "tags": _tags(rows),
        "paths": paths,
        "components": {
            "securitySchemes": doors.SECURITY_SCHEMES,
            "parameters": doors.PARAMETERS,
            "responses": responses(names),
            "schemas": schemas,
        },
    }


def text(table: tuple[Command, ...]) -> str:
    """Return the document as the text of openapi.json."""
    return msgspec.json.format(msgspec.json.encode(document(table)), indent=1).decode() + "\n"


def _paths(rows: list[Command], components: dict[str, Any]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for command in rows:
        assert command.route is not None
        for method in command.route.methods:
            paths.setdefault(command.route.path, {})[method.lower()] = operation(command, method, components)
    return paths


def _tags(rows: list[Command]) -> list[dict[str, str]]:
    modules = {tag(command): sys.modules[command.request.__module__] for command in rows}
    described = {name: (module.__doc__ or name).strip() for name, module in modules.items()}
    return [{"name": name, "description": text} for name, text in (described | doors.TAGS).items()]


def _components(rows: list[Command]) -> dict[str, Any]:
    types: list[type[Struct]] = [each for command in rows for each in (command.request, command.reply)]
    types += [shapes.Refusal, shapes.UploadReply, shapes.Alive, shapes.Readiness]
    _, found = msgspec.json.schema_components(dict.fromkeys(types), ref_template=SCHEMAS + "{name}")
    classes: dict[str, type[Struct | Enum]] = {cls.__name__: cls for cls in (*types, *reachable(types))}
    return {name: _explained(schema, classes[name]) for name, schema in sorted(found.items())}


def _explained(schema: dict[str, Any], cls: type[Struct | Enum]) -> dict[str, Any]:
    """Add what the glossary knows of the fields, or the names of an enumeration's numbers."""
    if issubclass(cls, Enum):
        return _named(schema, cls)
    described = {
        name: field | ({"description": text} if (text := meaning(cls, name)) else {})
        for name, field in schema["properties"].items()
    }
    return schema | {"properties": described}


def _named(schema: dict[str, Any], cls: type[Enum]) -> dict[str, Any]:
    numbers = ", ".join(f"{member.value} {member.name.lower()}" for member in cls)
    return (
        {"type": "integer"}
        | schema
        | {
            "description": f"{schema['description']} {numbers}.",
            "x-enum-varnames": [member.name for member in cls],
        }
    )


def _used(paths: dict[str, Any], components: dict[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """Return the schemas that the paths lead to, and the names of the responses they refer to."""
    found: set[str] = {f"{SCHEMAS}Refusal"}
    waiting: list[Any] = [paths]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, dict):
            waiting.extend(value.values())
            ref = value.get("$ref")
            if isinstance(ref, str) and ref not in found:
                found.add(ref)
                waiting.append(components.get(ref.removeprefix(SCHEMAS)))
    kept = {name: schema for name, schema in sorted(components.items()) if SCHEMAS + name in found}
    return kept, {ref.removeprefix(RESPONSES) for ref in found if ref.startswith(RESPONSES)}
