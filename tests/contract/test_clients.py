"""The generated methods: one for each row a token can reach, with the row's fields and types."""

import ast
import inspect

import msgspec
import pytest
from msgspec import UNSET

from kycmanager.client.generated.methods import Commands
from kycmanager.commands import TABLE
from kycmanager.commands.model import Kind
from kycmanager.contract import clients
from kycmanager.contract.fields import fields_of
from kycmanager.domain.session import NOBODY

REACHABLE = [command for command in TABLE if command.access.sessions]


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("MngGetKycProfile", "mng_get_kyc_profile"),
        ("kyc.require_step", "kyc_require_step"),
        ("kyc.set_required_level", "kyc_set_required_level"),
        ("CustomerSubmitKycStep", "customer_submit_kyc_step"),
        ("Ping", "ping"),
    ],
)
def test_names(name, method):
    command = next(each for each in TABLE if each.name == name)
    assert clients.method_name(command) == method


@pytest.mark.parametrize("command", REACHABLE, ids=lambda command: command.name)
def test_every_reachable_row_is_a_method(command):
    signature = inspect.signature(getattr(Commands, clients.method_name(command)))
    parameters = dict(signature.parameters)
    parameters.pop("self")
    assert all(each.kind is inspect.Parameter.KEYWORD_ONLY for each in parameters.values())
    key = parameters.pop("idempotency_key", None)
    assert (key is not None) == (command.kind is Kind.WRITE)
    fields = fields_of(command.request)
    assert [field.name for field in fields] == list(parameters)
    for field in fields:
        assert parameters[field.name].default is (inspect.Parameter.empty if field.required else UNSET)
    assert signature.return_annotation is command.reply


def test_an_unreachable_row_is_none():
    assert not hasattr(Commands, "sys_expire_due")
    hidden = msgspec.structs.replace(TABLE[0].access, sessions=NOBODY)
    assert "MngAddKycStepTemplate" not in clients.text((msgspec.structs.replace(TABLE[0], access=hidden), TABLE[1]))


def test_the_module_is_python_whatever_the_rows():
    ping = next(command for command in TABLE if command.name == "Ping")
    for rows in ((ping,), TABLE[:1], TABLE):
        text = clients.text(rows)
        ast.parse(text)
        assert max(map(len, text.splitlines())) <= 120
    assert "from typing" not in clients.text((ping,))
