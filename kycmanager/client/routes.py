"""How a command becomes an HTTP request: the path, the query, the body."""

from typing import Any

import msgspec
from msgspec import NODEFAULT, Struct

from kycmanager.client.errors import NoRoute
from kycmanager.commands import TABLE
from kycmanager.commands.model import Command
from kycmanager.contract.routes import in_query, path_fields
from kycmanager.domain.json_text import json_text

_COMMANDS = {command.name: command for command in TABLE}


class RestRequest(Struct, frozen=True):
    """What is sent; `body` is bytes, a form, or something that is read while it is sent."""

    method: str
    path: str
    query: dict[str, str] = {}
    body: Any = None
    headers: dict[str, str] = {}


def request_of(name: str, data: dict[str, Any], idempotency_key: str | None) -> RestRequest:
    """Return the request for a command. Raises NoRoute."""
    command = _COMMANDS.get(name)
    if command is None or command.route is None:
        raise NoRoute(f"{name} has no route over REST; call it over TCP")
    method = command.route.methods[0]
    path, rest = _placed(command, command.route.path, data)
    headers = {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
    if in_query(method):
        return RestRequest(method, path, query={key: _text(value) for key, value in rest.items()}, headers=headers)
    headers["Content-Type"] = "application/json"
    return RestRequest(method, path, body=msgspec.json.encode(rest), headers=headers)


def _placed(command: Command, path: str, data: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Put the fields of the path in their place; what is left out is what the row says of it."""
    rest = dict(data)
    for field in path_fields(path):
        value = rest.pop(field) if field in rest else _default(command, field)
        path = path.replace(f"{{{field}}}", _text(value))
    return path, rest


def _default(command: Command, field: str) -> Any:
    found = next(each for each in msgspec.structs.fields(command.request) if each.name == field)
    if found.default is NODEFAULT:
        raise NoRoute(f"{command.name} needs {field}")
    return found.default


def _text(value: Any) -> str:
    """Write a value of a query: a text as it is, everything else as in JSON, which the daemon converts back."""
    return value if isinstance(value, str) else json_text(value)
