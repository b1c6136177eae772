"""Requests that cannot be decoded: the refusal names the field and the reason, never what was given."""

import msgspec
import pytest

from kycmanager.commands import TABLE
from kycmanager.commands.decoding import decode, explain
from kycmanager.domain.errors import Code, KycError

ROWS = {command.name: command for command in TABLE}
CANARY = "Jane Q. Canary"


def refusal(command, data, *, texts=False):
    with pytest.raises(KycError) as caught:
        decode(ROWS[command], data, texts=texts)
    error = caught.value
    assert error.code is Code.INVALID_DATA
    (fault,) = error.data["errors"]
    return error.message, fault["field"]


def outcome(command, data):
    """Return the request or the refusal."""
    try:
        return decode(ROWS[command], data, texts=False)
    except KycError as error:
        return error


@pytest.mark.parametrize(
    ("command", "data", "message"),
    [
        ("MngSetKycRisk", {"brand": "a", "risk_level": 1}, "customer_id: is required"),
        ("MngSetKycRisk", {"customer_id": 1, "brand": "a", "risk_level": 5}, "risk_level: expected 0 to 4"),
        ("MngSetKycRisk", {"customer_id": 1.5, "brand": "a", "risk_level": 1}, "customer_id: expected int, got float"),
        ("MngGetKycProfiles", {"status": 7}, "status: expected int <= 6"),
        ("MngGetKycProfiles", {"status": -2}, "status: expected int >= -1"),
        ("MngGetKycProfiles", {"order": "name"}, "order: expected one of id, -id, updated_time, -updated_time"),
        ("MngUpdateKycStepTemplate", {"id": 1, "status": 3}, "status: expected 0 to 2"),
        ("SysRevokeSubject", {"session": 6, "sub": 1, "not_before": 0}, "session: expected one of 0, 1, 2, 3, 4, 5, 9, 10, 11"),
        ("Subscribe", {"after_seq": "x"}, "after_seq: expected int or null, got str"),
        ("kyc.require_step", {"customer_id": 1, "brand": "a", "step_code": "s", "level": "x"}, "level: expected int or null, got str"),
        ("MngGetKycProfiles", {"brand": "a b"}, "brand: has a form that is not allowed"),
        ("Subscribe", {"chanels": ["kyc", 5]}, "chanels[1]: expected str, got int"),
        ("Subscribe", {"channels": "kyc"}, "channels: expected array, got str"),
        ("SysExpireDue", {"steps": [1, 0]}, "steps[1]: expected int >= 1"),
        ("MngGetKycStep", {"id": "x"}, "Invalid step id"),
        ("MngGetKycProfile", {"id": -1}, "Invalid profile id"),
        ("MngRejectKycDocument", {}, "Invalid document id"),
        ("MngDeleteKycStepTemplate", {"id": None}, "Invalid template id"),
    ],
)  # fmt: skip
def test_messages(command, data, message):
    found, field = refusal(command, data)
    assert found == message
    assert field == ("id" if message.startswith("Invalid") else message.partition(":")[0])


@pytest.mark.parametrize("command", ROWS)
def test_no_refusal_repeats_what_was_given(command):
    for field in ROWS[command].request.__struct_fields__:
        for given in (CANARY, [CANARY], {CANARY: CANARY}, {"a": CANARY}, {5: CANARY}):
            error = outcome(command, {field: given})
            if isinstance(error, KycError):
                assert CANARY not in error.message + str(error.data)


@pytest.mark.parametrize("command", ROWS)
def test_unknown_keys_are_ignored(command):
    extra = {"file_size": CANARY, "__access": {"session": 3}, "": 0}
    plain, found = outcome(command, {}), outcome(command, extra)
    assert str(found) == str(plain)


def test_texts_are_converted_where_they_may_be():
    found = decode(ROWS["MngGetKycProfiles"], {"limit": "5", "status": "-1", "brand": "a"}, texts=True)
    assert (found.limit, found.status, found.brand) == (5, -1, "a")
    assert refusal("MngGetKycProfiles", {"limit": "x"}, texts=True)[0].startswith("limit: ")
    assert refusal("MngGetKycStep", {"id": "5 "}, texts=True)[0] == "Invalid step id"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Object missing required field `a`", ("a", "is required")),
        ("Object missing required field `a` - at `$.b`", ("b.a", "is required")),
        ("Expected `int`, got `str` - at `$.steps[...]`", ("steps[]", "expected int, got str")),
        ("Expected `str`, got `int` - at `key` in `$.answers`", ("answers", "expected str, got int")),
        ("Expected `int | str | null`, got `array` - at `$.a`", ("a", "expected int or str or null, got array")),
        ("Invalid enum value 'Jane' - at `$.a[0].b`", ("a[0].b", "is not one of the allowed values")),
        ("Expected `object`, got `array`", ("data", "expected object, got array")),
    ],
)
def test_places(text, expected):
    assert explain(msgspec.ValidationError(text)) == expected
