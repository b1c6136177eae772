"""The command reference and the access matrix hold every row."""

import re

import msgspec
import pytest

from kycmanager.commands import TABLE
from kycmanager.commands.model import errors_of
from kycmanager.contract import reference
from kycmanager.contract.examples import request_example
from kycmanager.contract.fields import fields_of
from kycmanager.domain.enums import SessionType

COMMANDS = reference.commands_text(TABLE)
ACCESS = reference.access_text(TABLE)
SECTIONS = dict(zip(*[iter(re.split(r"^## (.+)\n", COMMANDS, flags=re.MULTILINE)[1:])] * 2, strict=True))


@pytest.mark.parametrize("command", TABLE, ids=lambda command: command.name)
def test_every_row_has_its_section(command):
    section = SECTIONS[command.name]
    assert command.summary in section
    for field in (*fields_of(command.request), *fields_of(command.reply)):
        assert f"| {field.name} |" in section
    for code in errors_of(command):
        assert f"{code.status} `{code.wire_name}`" in section
    assert ('"__token":"<jwt>"' in section) == bool(command.access.sessions)
    assert ("curl" in section) == (command.route is not None)
    if command.route:
        assert command.route.path in section


@pytest.mark.parametrize("command", TABLE, ids=lambda command: command.name)
def test_every_field_is_explained(command):
    unknown = [f.name for f in (*fields_of(command.request), *fields_of(command.reply)) if not f.doc]
    assert not unknown, f"say in kycmanager/contract/glossary.py what {unknown} of {command.name} mean"


@pytest.mark.parametrize("command", TABLE, ids=lambda command: command.name)
def test_the_example_is_a_request(command):
    msgspec.convert(request_example(command.request), command.request)


def test_the_lines_of_a_command():
    section = SECTIONS["MngRejectKycStep"]
    assert (
        '{"command":"MngRejectKycStep","data":{"id":7,"reason":"manual_review"},"extID":"1","__token":"<jwt>"}'
        in section
    )
    assert "/manager/kyc/steps/7/reject" in section
    assert "| id | int | **required** | 1..2^53-1 |" in section
    assert '| reason | str | `""` | at most 200 characters |' in section
    assert "For managers; a write." in section


def test_a_query_and_a_bare_get():
    assert "'http://localhost:7480/manager/kyc/profiles?limit=100'" in SECTIONS["MngGetKycProfiles"]
    assert "-H 'Authorization: <jwt>' http://localhost:7480/ping\n" in SECTIONS["Ping"]


def test_who_may_call_in_words():
    assert "For customers; a read." in SECTIONS["CustomerGetKycStatus"]
    assert "For managers and SYSTEM; a write." in SECTIONS["kyc.require_step"]
    assert "For any valid token; a read." in SECTIONS["Ping"]
    assert "For no token" in SECTIONS["SysExpireDue"]
    assert "a question to the base" in SECTIONS["MngGetKycAudit"]


def test_an_unusual_access_is_listed():
    odd = msgspec.structs.replace(TABLE[0].access, sessions=frozenset({SessionType.FIX, SessionType.USER}))
    text = reference.commands_text((msgspec.structs.replace(TABLE[0], access=odd),))
    assert "For USER, FIX; a write." in text


def test_what_may_be_missing_is_said():
    assert "| count_capped | bool | may be missing |" in SECTIONS["MngGetKycProfiles"]
    assert "No fields." in SECTIONS["Ping"]


def test_types_and_codes_are_explained():
    assert "### StepView" in SECTIONS["Types"]
    assert "| 6 | review_required |" in SECTIONS["Types"]
    assert "| 409 | `RET_STALE_VERSION` |" in SECTIONS["Errors"]


def test_links_lead_somewhere():
    anchors = {heading.lower().replace(".", "") for heading in SECTIONS}
    assert set(re.findall(r"\(#([^)]+)\)", COMMANDS)) <= anchors
    assert set(re.findall(r"commands\.md#([^)]+)\)", ACCESS)) <= anchors


@pytest.mark.parametrize("command", TABLE, ids=lambda command: command.name)
def test_the_matrix_has_every_row(command):
    (line,) = [line for line in ACCESS.splitlines() if line.startswith(f"| [{command.name}](")]
    marks = [cell.strip() for cell in line.split("|")[2:-1]]
    assert marks == ["yes" if kind in command.access.sessions else "" for kind in SessionType]


def test_the_matrix_has_the_files():
    assert "| POST /upload | yes |" in ACCESS
    assert "| GET, HEAD /storage/{name} |" in ACCESS
    assert "| GET, HEAD /storage/{name}/rendition |" in ACCESS
