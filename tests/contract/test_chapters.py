"""The chapters of the reference say what the code does."""

import inspect
import json
import re
from pathlib import Path

import pytest
from aiohttp.web_protocol import RequestHandler

import kycmanager
from kycmanager.commands import TABLE
from kycmanager.contract import feed, openapi_bytes, reference, rules, transfer
from kycmanager.contract.fields import fields_of, reachable
from kycmanager.contract.glossary import OF_STRUCT
from kycmanager.contract.notes import NOTES
from kycmanager.contract.shapes import UploadReply
from kycmanager.domain import answers, document, step
from kycmanager.domain.form_schema import FIELD_TYPES, Field
from kycmanager.domain.records import Event
from kycmanager.tokens.verify import TOKEN_LENGTH_MAX
from kycmanager.transports import channels
from kycmanager.transports.rest.settings import KIB, RestSettings
from storagemanager.label import LABEL_CHARS_MAX

COMMANDS = reference.commands_text(TABLE)
ACCESS = reference.access_text(TABLE)
DOCUMENT = json.loads(openapi_bytes())
SOURCES = {path.stem: path.read_text("utf-8") for path in (Path(kycmanager.__file__).parent / "commands").glob("*.py")}
NAMED = {
    name
    for text in SOURCES.values()
    for name in re.findall(
        r'"((?:delivery|identity|verification|profile|step|document|template|token|file|keys|user|case|note|filter|access|portal)'
        r'\.\w+)"',
        text,
    )
}
NO_EVENT = {
    "profile.created",
    "profile.erased",
    "verification.confirmed",
    "verification.failed",
    "identity.callback",
    "profile.required_level",
    "profile.risk",
    "file.infected",
    "file.released",
    "file.refused",
    "keys.rotation",
    "keys.rotated",
    "keys.sealed",
    "keys.held",
    "token.revoked",
    "token.subject_revoked",
    "case.renewed",
    "case.taken_over",
    "filter.saved",
    "filter.deleted",
    "delivery.replayed",
    "access.search",
    "access.view",
    "access.download",
    "access.export",
    "user.added",
    "user.changed",
    "user.removed",
    "user.signed_in",
    "user.signed_out",
    "portal.link_made",
    "portal.link_used",
    "portal.signed_out",
}
NO_ACTION = {"profile.updated", "document.submitted", "document.file_released", "document.file_refused"}


def test_every_event_and_action_is_told():
    assert {kind for kind, _, _ in feed.KINDS} == NAMED - NO_EVENT
    assert {action for action, _ in feed.ACTIONS} == NAMED - NO_ACTION
    for name in NAMED:
        assert f"| {name} |" in COMMANDS


@pytest.mark.parametrize(("kind", "told"), [(kind, told) for kind, told, _ in feed.KINDS])
def test_the_types_of_pushes_are_those_that_are_sent(kind, told):
    types = {
        channels.push_type(Event(1, 0, "acme", 1, 1, kind, type("Record", (), {"version": version})()))
        for version in (1, 2)
    }
    assert {int(number) for number in re.findall(r"\d", told)} == types


def test_every_trigger_is_told():
    assert all(f"`{name}`" in feed.events() for name in channels.TRIGGERS.values())
    for name in channels.Trigger.__struct_fields__:
        assert name in feed.events()


def test_every_field_type_has_its_answer():
    assert list(rules.ANSWERED) == list(FIELD_TYPES)
    codes = {code for code, _ in rules.FAULT_CODES}
    assert {code for _, text in rules.ANSWERED.values() for code in text.split(", ")} <= codes
    assert {
        reason[0] for name, reason in vars(answers).items() if name.isupper() and isinstance(reason, tuple)
    } <= codes


WRONG = {
    "text": [5, "x" * 10_001, "\x00"],
    "textarea": [5, "x" * 10_001, "\x00"],
    "date": [5, "31.12.2000"],
    "country": [5, "Germany"],
    "file_reference": [5, "x", "0b8f9c62-6a3c-4f6e-9d4e-0f6c2d5a1b3c"],
    "number": [True, 2**70],
    "boolean": ["yes"],
    "select": [[], "b", "x" * 1_001, 2**70, "\x00"],
    "multi_select": ["a", ["b"], ["a", "a"], ["x" * 1_001], [2**70], ["\x00"]],
}


@pytest.mark.parametrize("kind", FIELD_TYPES)
def test_the_fault_codes_of_a_field_type_are_those_that_come(kind):
    form = {"sections": [{"fields": [{"name": "f", "type": kind, "options": ["a"]}]}]}
    found = set()
    for value in WRONG[kind]:
        faults = answers.check(form, {"f": value}, partial=True, files={}, customer_id=1, brand="acme")
        found |= {fault.code for fault in faults}
    assert found == set(rules.ANSWERED[kind][1].split(", "))


def test_the_moves_are_those_of_the_domain():
    chapter = rules.moves()
    moves = sum(len(targets) for targets in step.TRANSITIONS.values())
    assert chapter.count("| any |") + chapter.count("only |") == moves
    assert "| 0 required | 2 approved | 4 manual only |" in chapter
    assert "| 2 approved | 3 rejected, 4 expired |" in chapter
    assert all(f"| {status.value} {status.name.lower()} |" in chapter for status in document.TRANSITIONS)


def test_the_bounds_of_files_and_heads_are_those_in_force():
    settings = RestSettings()
    assert (settings.upload_rate_min, settings.upload_grace_seconds) == (KIB, transfer.GRACE_SECONDS)
    assert LABEL_CHARS_MAX == transfer.PURPOSE_CHARS_MAX
    assert TOKEN_LENGTH_MAX == transfer.TOKEN_BYTES_MAX
    defaults = inspect.signature(RequestHandler.__init__).parameters
    assert {defaults[name].default for name in ("max_line_size", "max_field_size")} == {transfer.HEAD_LINE_BYTES_MAX}


def test_special_meanings_are_of_fields_that_are_there():
    types = [each for command in TABLE for each in (command.request, command.reply)] + [UploadReply]
    known = {cls.__name__: cls for cls in (*types, *reachable(types))}
    for name, field in OF_STRUCT:
        assert field in [each.name for each in fields_of(known[name])], (name, field)


def test_notes_are_of_commands_that_are_there():
    assert set(NOTES) <= {command.name for command in TABLE}
    operation = DOCUMENT["paths"]["/manager/kyc/profiles/{id}"]["get"]
    assert "/manager/kyc/profiles/0?customer_id=42&brand=acme" in operation["description"]


def test_shared_names_mean_what_they_mean_there():
    parts = re.split(r"^##+ (.+)\n", COMMANDS, flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    assert "| version | str |  | The version of the daemon |" in sections["ServerInfo"]
    assert "| steps | int |  | How many steps there are |" in sections["ServerInfo"]
    assert "| steps | list[StepView] |  | The steps |" in sections["MngGetKycProfile"]
    assert "| profile | Profile |  | The profile |" in sections["MngGetKycProfile"]
    assert "null for a customer of whom nothing was asked yet" in sections["CustomerGetKycStatus"]
    assert "on disk" not in sections["Subscribe"] + sections["Unsubscribe"]
    assert "Reply: The change is on disk." in sections["MngApproveKycStep"]
    assert "4 bytes, big-endian" in COMMANDS
    assert "need a manager session" in ACCESS


def test_examples_show_what_really_comes():
    def example(path, method):
        return DOCUMENT["paths"][path][method]["responses"]["200"]["content"]["application/json"]["example"]

    assert example("/manager/kyc/templates", "post")["template"]["status"] == 0
    assert example("/manager/kyc/documents", "post")["document"]["status"] == 0
    upload = example("/upload", "post")
    assert upload["file_name"] == upload["files"][0]["storage_name"] == f"{upload['file_id']}.pdf"
    assert upload["uploaded"][0]["file_name"] == upload["file_name"]


def test_the_example_of_a_form_is_a_form():
    from kycmanager.domain.form_schema import check, fields

    form = json.loads(re.search(r"```json\n(.*?)```", rules.forms(), re.DOTALL)[1])
    assert check(form) == []
    assert [type(field) for field in fields(form)] == [Field, Field]
