"""Every generated method calls its own command with what it was given, and gives the row's reply."""

import inspect

import msgspec
import pytest

from kycmanager.client.caller import Caller
from kycmanager.client.generated.methods import Commands
from kycmanager.commands import TABLE
from kycmanager.commands.model import Kind
from kycmanager.contract.clients import method_name
from kycmanager.contract.examples import full_example, request_example


class Recorder(Commands):
    """Answers every call with the example of its reply."""

    def __init__(self):
        self.calls = []

    async def call(self, command, data, reply, *, idempotency_key=None):
        self.calls.append((command, data, idempotency_key))
        return msgspec.convert(full_example(reply), reply)


@pytest.mark.parametrize("command", [each for each in TABLE if each.access.sessions], ids=lambda command: command.name)
async def test_a_method(command):
    client, given = Recorder(), request_example(command.request)
    key = {"idempotency_key": "k"} if command.kind is Kind.WRITE else {}
    reply = await getattr(client, method_name(command))(**given, **key)
    assert isinstance(reply, command.reply)
    assert client.calls == [(command.name, given, key.get("idempotency_key"))]
    msgspec.convert(client.calls[0][1], command.request)


def test_the_one_thing_a_client_must_have():
    assert inspect.isabstract(Commands)
    assert issubclass(Commands, Caller)
