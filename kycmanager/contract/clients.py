"""The methods of the typed clients: one for every row that a token can reach."""

import re
from collections.abc import Iterable
from textwrap import fill

from msgspec import UNSET

from kycmanager.commands.model import Command, Kind
from kycmanager.contract.fields import Field, classes_in, fields_of, type_text
from kycmanager.domain.json_text import json_text

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|\.")
_WIDTH = 120

_HEAD = '''"""The commands as methods, written by `python -m kycmanager.contract`: change the rows instead."""

{imports}

class Commands(Caller):
    """Every command a token can reach. What is left out is not sent: the daemon's default counts."""
'''


def text(table: tuple[Command, ...]) -> str:
    """Return the module with the methods for these rows."""
    rows = [command for command in table if command.access.sessions]
    parts = [_HEAD.format(imports=_imports(rows)), *(_method(command) for command in rows)]
    return "\n".join(parts)


def method_name(command: Command) -> str:
    """Return the command's name in snake case: MngGetKycStep is mng_get_kyc_step, kyc.require_step kyc_require_step."""
    return _WORD_START.sub("_", command.name).lower()


def _imports(rows: list[Command]) -> str:
    typed = " ".join(type_text(field.type) for command in rows for field in fields_of(command.request))
    typing = [name for name in ("Any", "Literal") if name in re.findall(r"\w+", typed)]
    local = [(command.reply.__module__, command.reply.__name__) for command in rows]
    local += [
        (cls.__module__, cls.__name__)
        for command in rows
        for field in fields_of(command.request)
        for cls in classes_in(field.type)
    ]
    by_module: dict[str, set[str]] = {"kycmanager.client.caller": {"Caller", "given"}}
    for module, name in local:
        by_module.setdefault(module, set()).add(name)
    lines = [f"from typing import {', '.join(typing)}\n"] if typing else []
    lines.append("from msgspec import UNSET, UnsetType\n")
    lines += [_import(module, sorted(names)) for module, names in sorted(by_module.items())]
    return "\n".join(lines) + "\n"


def _import(module: str, names: list[str]) -> str:
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= _WIDTH:
        return line
    return f"from {module} import (\n" + "".join(f"    {name},\n" for name in names) + ")"


def _method(command: Command) -> str:
    fields = fields_of(command.request)
    writes = command.kind is Kind.WRITE
    parameters = [_parameter(field) for field in fields]
    parameters += ["idempotency_key: str | None = None"] if writes else []
    arguments = [f'"{command.name}"', _data(fields), command.reply.__name__]
    arguments += ["idempotency_key=idempotency_key"] if writes else []
    return "\n".join(
        [
            _signature(method_name(command), parameters, command.reply.__name__),
            _docstring(command, fields),
            _exploded("        return await self.call(", arguments, ")"),
            "",
        ],
    )


def _parameter(field: Field) -> str:
    kind = type_text(field.type)
    return f"{field.name}: {kind}" if field.required else f"{field.name}: {kind} | UnsetType = UNSET"


def _signature(name: str, parameters: list[str], reply: str) -> str:
    if not parameters:
        return f"    async def {name}(self) -> {reply}:"
    return _exploded(f"    async def {name}(", ["self", "*", *parameters], f") -> {reply}:")


def _data(fields: tuple[Field, ...]) -> str:
    if not fields:
        return "{}"
    return _exploded("            given(", [f"{field.name}={field.name}" for field in fields], ")").lstrip()


def _exploded(start: str, parts: Iterable[str], end: str) -> str:
    """Put one part on each line; a comma after the last keeps every formatter from joining them."""
    indent = " " * (len(start) - len(start.lstrip()))
    return "\n".join([start, *(f"{indent}    {part}," for part in parts), indent + end])


def _docstring(command: Command, fields: tuple[Field, ...]) -> str:
    sentence = (command.request.__doc__ or "").strip()
    told = [f"{field.name}: {_told(field)}" for field in fields if field.doc]
    lines = [f'        """{command.summary}.', ""]
    lines += [_wrapped(sentence, "        ")]
    if told:
        lines += ["", *(_wrapped(f"- {line}", "        ", "          ") for line in told)]
    return "\n".join([*lines, '        """'])


def _told(field: Field) -> str:
    if field.required or field.default is UNSET:
        return f"{field.doc}."
    return f"{field.doc}; {json_text(field.default)} when left out."


def _wrapped(line: str, indent: str, further: str | None = None) -> str:
    return fill(line, width=_WIDTH, initial_indent=indent, subsequent_indent=further or indent, break_long_words=False)
