"""The command reference and the access matrix, for people."""

from collections.abc import Iterable
from enum import Enum

from msgspec import UNSET, Struct

from kycmanager.commands.model import Accepted, Command, Kind, errors_of
from kycmanager.contract import feed, markdown, rules, transfer
from kycmanager.contract.answers import refusal_example
from kycmanager.contract.examples import request_example
from kycmanager.contract.fields import Field, bounds_text, fields_of, reachable, type_text
from kycmanager.contract.notes import note
from kycmanager.contract.routes import in_query, path_fields
from kycmanager.domain.enums import SessionType
from kycmanager.domain.errors import Code
from kycmanager.domain.json_text import json_text
from kycmanager.domain.session import ANYONE, CUSTOMERS, HOOK_CALLERS, MANAGERS, NOBODY

_NOTE = "<!-- Written by `python -m kycmanager.contract`; change the rows in kycmanager/commands instead. -->"

_GROUPS = {
    MANAGERS: "managers",
    CUSTOMERS: "customers",
    HOOK_CALLERS: "managers and SYSTEM",
    ANYONE: "any valid token",
    NOBODY: "no token: the daemon and its operator only",
}

_OTHER_DOORS = (
    ("POST /upload", ANYONE),
    ("GET, HEAD /storage/{name}", MANAGERS | CUSTOMERS),
    ("GET, HEAD /storage/{name}/rendition", MANAGERS | CUSTOMERS),
)

_ACCESS_PREFACE = """Which session types may call which command. A manager reaches the brands of its token, a customer
its own records. A row without a mark is reached by no token: only by the daemon itself and its operator."""

_CHANNELS = """Subscribe and Unsubscribe: any valid token may call them, but channels `kyc...` need a manager session,
or are the customer's own `kyc:<brand>:<id>`; all others are accepted and ignored. POST /upload: a customer's file
belongs to the customer, everybody else's to a brand of the token."""

_PREFACE = """# Commands

Every command is one row of the table. Over TCP a request is one line of JSON ended by CRLF, or one msgpack map after
its length in 4 bytes, big-endian; `extID` comes back unchanged. Over REST the answer is the bare data. Unknown keys are
ignored, times are Unix seconds, enumerations are numbers (see [Types](#types)).

A write takes an idempotency key: the header `Idempotency-Key` over REST, `idempotency_key` in `data` over TCP. Where a
write takes `version` it is made only while the record still has that version.

A refusal over TCP is `{"extID","status","error","message","data"}`, over REST `{"error","message"[,"data"]}`. What has
the key `event` is no reply but a push, `{"event":"kyc:event","type":1,"data":{...}}`: type 0 add, 1 update, 2 delete,
3 restore, 4 archive. `Subscribe` asks for them.

After the commands: [Files](#files), [Forms](#forms), [Answers](#answers), [Moves](#moves), [Events](#events),
[Actions](#actions), [Types](#types), [Errors](#errors).
"""


def commands_text(table: tuple[Command, ...]) -> str:
    """Return docs/generated/commands.md."""
    parts = [
        _NOTE,
        _PREFACE,
        _index(table),
        *(_command(command) for command in table),
        transfer.files(),
        rules.forms(),
        rules.answers(),
        rules.moves(),
        feed.events(),
        feed.actions(),
        _types([each for command in table for each in (command.request, command.reply)]),
        _codes(),
    ]
    return "\n".join(parts)


def access_text(table: tuple[Command, ...]) -> str:
    """Return docs/generated/access.md: who may call what."""
    head = ["", *(f"{kind.name} {kind.value}" for kind in SessionType)]
    rows = [_access_row(f"[{each.name}](commands.md#{_anchor(each.name)})", each.access.sessions) for each in table]
    rows += [_access_row(name, sessions) for name, sessions in _OTHER_DOORS]
    return "\n".join(
        [
            _NOTE,
            "# Access",
            "",
            _ACCESS_PREFACE,
            "",
            markdown.table(head, rows),
            "Open to everybody: GET /healthz, /readyz, /metrics, /openapi.json.",
            "",
            _CHANNELS,
            "",
        ],
    )


def _access_row(name: str, sessions: frozenset[SessionType]) -> list[str]:
    return [name, *("yes" if kind in sessions else "" for kind in SessionType)]


def _anchor(name: str) -> str:
    return name.lower().replace(".", "")


def _index(table: tuple[Command, ...]) -> str:
    rows = [[f"[{each.name}](#{_anchor(each.name)})", each.summary, _access(each), _route(each)] for each in table]
    return markdown.table(["Command", "", "Who", "REST"], rows)


def _access(command: Command) -> str:
    sessions = command.access.sessions
    return _GROUPS.get(sessions) or ", ".join(kind.name for kind in SessionType if kind in sessions)


def _route(command: Command) -> str:
    return f"`{', '.join(command.route.methods)} {command.route.path}`" if command.route else ""


def _command(command: Command) -> str:
    what = {Kind.READ: "a read", Kind.WRITE: "a write", Kind.QUERY: "a question to the base"}[command.kind]
    parts = [f"## {command.name}\n", f"{command.summary}.\n", f"For {_access(command)}; {what}.\n"]
    parts += _note(command)
    if command.access.sessions:
        parts.append(_tcp(command))
    if command.route:
        parts += [f"REST: {_route(command)}\n", _curl(command)]
    parts += [f"Request: {_doc(command.request)}\n", _request_fields(command.request)]
    parts += [f"Reply: {_reply_doc(command)}\n", _reply_fields(command.reply)]
    parts.append(f"Errors: {', '.join(f'{code.status} `{code.wire_name}`' for code in _sorted(errors_of(command)))}.\n")
    return "\n".join(parts)


def _note(command: Command) -> list[str]:
    found = note(command.name)
    links = ", ".join(f"[{chapter}](#{_anchor(chapter)})" for chapter in found.chapters)
    parts = [part for part in (found.text, links and f"See {links}.") if part]
    return [" ".join(parts) + "\n"] if parts else []


def _reply_doc(command: Command) -> str:
    return "It is done." if command.reply is Accepted and command.kind is not Kind.WRITE else _doc(command.reply)


def _sorted(codes: Iterable[Code]) -> list[Code]:
    return sorted(codes, key=list(Code).index)


def _doc(struct: type) -> str:
    return (struct.__doc__ or "").strip()


def _tcp(command: Command) -> str:
    request = {
        "command": command.name,
        "data": request_example(command.request),
        "extID": "1",
        "__token": "<jwt>",
    }
    return f"```json\n{json_text(request)}\n```\n"


def _curl(command: Command) -> str:
    assert command.route is not None
    method, path = command.route.methods[0], command.route.path
    data = request_example(command.request)
    for name in path_fields(path):
        path = path.replace(f"{{{name}}}", str(data.pop(name)))
    url = f"http://localhost:7480{path}"
    parts = ["curl" if method == "GET" else f"curl -X {method}", "-H 'Authorization: <jwt>'"]
    if in_query(method):
        query = "&".join(f"{name}={value}" for name, value in data.items())
        parts.append(f"'{url}?{query}'" if query else url)
    else:
        parts += ["-H 'Content-Type: application/json'", f"-d '{json_text(data)}'", url]
    return "```sh\n" + " ".join(parts) + "\n```\n"


def _request_fields(struct: type[Struct]) -> str:
    fields = fields_of(struct)
    if not fields:
        return "No fields.\n"
    rows = [
        [field.name, type_text(field.type), _default(field), bounds_text(field.type), field.doc] for field in fields
    ]
    return markdown.table(["Field", "Type", "Default", "Bounds", "Meaning"], rows)


def _default(field: Field) -> str:
    if field.required:
        return "**required**"
    return "not sent" if field.default is UNSET else f"`{json_text(field.default)}`"


def _reply_fields(struct: type[Struct]) -> str:
    rows = [
        [field.name, type_text(field.type), "" if _always(field) else "may be missing", field.doc]
        for field in fields_of(struct)
    ]
    return markdown.table(["Field", "Type", "", "Meaning"], rows)


def _always(field: Field) -> bool:
    return field.required or field.default is not UNSET


def _types(structs: list[type[Struct]]) -> str:
    parts = ["## Types\n"]
    for cls in reachable(structs):
        parts.append(f"### {cls.__name__}\n\n{_doc(cls)}\n")
        parts.append(_members(cls) if issubclass(cls, Enum) else _reply_fields(cls))
    return "\n".join(parts)


def _members(cls: type[Enum]) -> str:
    return markdown.table(["Number", "Name"], [[str(member.value), member.name.lower()] for member in cls])


def _codes() -> str:
    rows = [[str(code.status), f"`{code.wire_name}`", refusal_example(code)["message"]] for code in Code]
    return "## Errors\n\nNames are stable. Details, where there are any, are in `data`.\n\n" + markdown.table(
        ["Status", "Name", "For example"], rows
    )
