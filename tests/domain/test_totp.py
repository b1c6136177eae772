"""One-time codes: the vectors of RFC 6238, and what makes a code good."""

import pytest

from kycmanager.domain import totp

SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("time", "code"),
    [
        (59, "94287082"), (1111111109, "07081804"), (1111111111, "14050471"), (1234567890, "89005924"),
        (2000000000, "69279037"), (20000000000, "65353130"),
    ],
)  # fmt: skip
def test_the_codes_of_the_standard(time, code):
    assert totp.code_at(SECRET, time // totp.PERIOD_SECONDS) == code[-totp.DIGITS :]


def test_a_code_is_good_for_its_half_minute_and_those_beside_it():
    code = totp.code_at(SECRET, 100)
    good = [second for second in range(2900, 3200) if totp.counter_of(SECRET, code, second, after=0) == 100]
    assert (good[0], good[-1], len(good)) == (2970, 3059, 90)


def test_a_code_that_was_used_is_good_no_more():
    code = totp.code_at(SECRET, 100)
    assert totp.counter_of(SECRET, f" {code[:3]} {code[3:]} ", 3000, after=99) == 100
    assert totp.counter_of(SECRET, code, 3000, after=100) == 0


@pytest.mark.parametrize("wrong", ["", "000000", "abc", "𝟙" * 6, "1" * 1000])
def test_what_is_no_code(wrong):
    assert totp.counter_of(SECRET, wrong, 3000, after=0) == 0


def test_what_apps_read():
    uri = totp.uri(SECRET, "ann@example.com")
    assert uri == (
        "otpauth://totp/kycmanager%3Aann%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=kycmanager"
        "&algorithm=SHA1&digits=6&period=30"
    )
    assert totp.secret_text(SECRET) == "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
