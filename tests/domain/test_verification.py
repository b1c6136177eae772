"""Codes: how they are made, how often, and when they are right."""

import pytest

from kycmanager.domain import verification as rules
from kycmanager.domain.errors import Code, KycError

NOW = 1_800_000_000
SEED = b"\x07" * 32


def begun(held=None, value="ann@example.com", now=NOW, seed=SEED):
    code, salt = rules.code_of(seed)
    return rules.begun(held, id=1, kyc_id=1, field="email", value=value, code=code, salt=salt, now=now), code


def test_a_code_is_six_digits_and_is_not_kept():
    held, code = begun()
    assert (len(code), code.isdecimal()) == (6, True)
    assert code.encode() not in held.digest + held.salt
    assert rules.code_of(b"\x08" * 32)[0] != code
    assert held.expires == NOW + rules.CODE_SECONDS


def test_the_right_code_confirms_this_value_only():
    held, code = begun()
    done = rules.tried(held, code, now=NOW + 1)
    assert rules.is_confirmed(done, " ann@example.com")
    assert not rules.is_confirmed(done, "eve@example.com")
    assert not rules.is_confirmed(held, "ann@example.com")
    assert not rules.is_confirmed(None, "ann@example.com")
    with pytest.raises(KycError):
        rules.ensure_open(done, "email", now=NOW + 2)


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "٤٤٤٤٤٤", 123456, None])
def test_what_is_no_code_is_a_try_too(code):
    held, right = begun()
    assert code != right
    assert rules.tried(held, code, now=NOW).attempts == 1


def test_five_tries_and_ten_minutes():
    held, code = begun()
    for _ in range(rules.ATTEMPTS_MAX):
        held = rules.tried(rules.ensure_open(held, "email", now=NOW), "x", now=NOW)
    with pytest.raises(KycError) as caught:
        rules.ensure_open(held, "email", now=NOW)
    assert caught.value.code is Code.TOO_FREQUENT
    fresh, _ = begun(held, now=NOW + 60)
    assert rules.ensure_open(fresh, "email", now=NOW + 60).attempts == 0
    for broken, now in ((None, NOW), (fresh, NOW + 660)):
        with pytest.raises(KycError) as caught:
            rules.ensure_open(broken, "email", now=now)
        assert caught.value.code is Code.INVALID_DATA
    assert code


def test_how_often_a_code_is_made():
    assert rules.may_send(None, now=NOW)
    held, _ = begun()
    assert not rules.may_send(held, now=NOW + rules.RESEND_SECONDS - 1)
    for number in range(1, rules.SENDS_MAX):
        assert rules.may_send(held, now=NOW + number * 60)
        held, _ = begun(held, now=NOW + number * 60)
    assert not rules.may_send(held, now=NOW + 3600)
    assert rules.may_send(held, now=NOW + rules.SENDS_SECONDS)
    assert begun(held, now=NOW + rules.SENDS_SECONDS)[0].sends == 1
