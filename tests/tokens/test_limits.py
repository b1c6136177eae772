"""Wrong tokens are limited; good ones are not."""

import pytest

from kycmanager.domain.errors import Code, KycError
from kycmanager.tokens.limits import ADDRESS_FACTOR, FailedTokens, claimed_subject


def codes(failed, address, tokens):
    return [failed.refusal(address, token).code for token in tokens]


@pytest.fixture
def wrong(hand_made):
    unsigned, _ = hand_made
    return lambda **claims: f"{unsigned({'alg': 'HS256'}, claims)}.AAAA"


def test_further_wrong_ones_of_a_subject_are_too_many(clock, wrong):
    failed = FailedTokens(3, clock)
    mine = [wrong(sub="7")] * 5
    assert codes(failed, "10.0.0.1", mine) == [Code.UNAUTHENTICATED] * 3 + [Code.TOO_FREQUENT] * 2
    assert codes(failed, "10.0.0.1", [wrong(id=8)]) == [Code.UNAUTHENTICATED]
    assert codes(failed, "10.0.0.2", mine[:1]) == [Code.UNAUTHENTICATED]
    clock.now += 60
    assert codes(failed, "10.0.0.1", mine[:1]) == [Code.UNAUTHENTICATED]


def test_an_address_cannot_go_on_under_new_names(clock, wrong):
    failed = FailedTokens(3, clock)
    answers = codes(failed, "10.0.0.1", [wrong(sub=number) for number in range(3 * ADDRESS_FACTOR + 5)])
    assert answers == [Code.UNAUTHENTICATED] * (3 * ADDRESS_FACTOR) + [Code.TOO_FREQUENT] * 5


def test_memory_is_bounded_and_the_rest_share_one_counter(clock, wrong):
    failed = FailedTokens(3, clock, counted_max=10)
    for number in range(50):
        failed.refusal(f"10.0.0.{number}", wrong(sub=number))
        assert len(failed) <= 11
    assert codes(failed, "10.9.9.9", [wrong(sub=1)]) == [Code.TOO_FREQUENT]
    clock.now += 60
    assert codes(failed, "10.9.9.9", [wrong(sub=1)]) == [Code.UNAUTHENTICATED]


def test_a_good_token_is_never_refused_for_its_address(clock, verifier, sign, good):
    failed = FailedTokens(1, clock)
    token = sign(good)
    for _ in range(20):
        try:
            verifier.verify(sign({**good, "exp": 1}))
        except KycError:
            failed.refusal("10.0.0.1", token)
        assert verifier.verify(token).sub == 7


@pytest.mark.parametrize(
    ("token", "subject"),
    [
        ("", ""),
        ("a", ""),
        ("a.b.c", ""),
        ("a.A.c", ""),
        ("a.\u00e9.c", ""),
        ("a." + "W1tb" * 900 + ".c", ""),
        ("a.W10.c", ""),  # []
        ("a.e30.c", ""),  # {}
        ("a.eyJzdWIiOjd9.c", "7"),
        ("a.eyJzdWIiOjd9." + "c" * 9000, ""),
        ("a.eyJpZCI6Ijci" + "fQ.c", "7"),
    ],
)
def test_the_claimed_subject_is_read_without_trust(token, subject):
    assert claimed_subject(token) == subject


def test_a_long_claimed_subject_is_cut(wrong):
    assert claimed_subject(wrong(sub="x" * 5000)) == "x" * 32
