"""What a good token says, and how long it is remembered."""

import timeit

import pytest

from kycmanager.config import Tokens
from kycmanager.domain.enums import SessionType
from kycmanager.domain.errors import KycError
from kycmanager.domain.records import Revocation
from kycmanager.domain.session import Session
from kycmanager.tokens.issue import issue_token
from kycmanager.tokens.revocations import Revocations
from kycmanager.tokens.verify import Verifier, wall_clock

NOW = 1_800_000_000

SESSIONS = [
    # claims, the session they make
    ({"sub": "7", "session": 1}, (7, SessionType.MANAGER, frozenset())),
    ({"sub": 7, "session": 0}, (7, SessionType.USER, frozenset())),
    ({"id": 7, "role": 3}, (7, SessionType.ADMIN, frozenset())),
    ({"id": "7", "role": 11}, (7, SessionType.CRM_ADMIN, frozenset())),
    ({"sub": 8, "id": 7, "session": 2, "role": 3}, (8, SessionType.DEALER, frozenset())),
    ({"sub": 2**53 - 1, "session": 10, "brands": "*"}, (2**53 - 1, SessionType.CRM_MANAGER, None)),
    ({"sub": str(2**53 - 1), "session": 4, "brands": []}, (2**53 - 1, SessionType.SYSTEM, frozenset())),
    ({"sub": 1, "session": 5, "brands": ["A.b-c_1", "b", "b"]}, (1, SessionType.FIX, frozenset({"A.b-c_1", "b"}))),
    ({"sub": 1, "session": 9, "brands": ["acme"]}, (1, SessionType.CUSTOMER, frozenset({"acme"}))),
]


@pytest.mark.parametrize(("claims", "expected"), SESSIONS)
def test_claims_make_the_session(verifier, sign, claims, expected):
    session = verifier.verify(sign({**claims, "exp": NOW + 1}))
    assert (session.sub, session.type, session.brands) == expected
    assert (session.jti, session.issued, session.expires, session.local) == ("", 0, NOW + 1, False)


def test_times_may_have_fractions_and_a_clock_may_be_a_little_ahead(verifier, sign, good):
    claims = {**good, "iat": NOW + 29.5, "nbf": NOW + 30, "exp": NOW + 99.9}
    session = verifier.verify(sign(claims))
    assert (session.issued, session.expires) == (NOW + 29, NOW + 99)


def test_a_remembered_token_still_expires(verifier, sign, good, clock):
    token = sign(good)
    assert verifier.verify(token) is verifier.verify(token)
    clock.now = good["exp"] - 1
    assert verifier.verify(token).sub == 7
    clock.now = good["exp"]
    for _ in range(2):
        with pytest.raises(KycError):
            verifier.verify(token)


def test_what_is_remembered_is_bounded(keys, sign, good, clock):
    verifier = Verifier(keys, Tokens(cached_max=8), Revocations(), clock)
    tokens = [sign({**good, "sub": number}) for number in range(1, 40)]
    first = verifier.verify(tokens[0])
    for token in tokens:
        verifier.verify(token)
        assert verifier.verify(tokens[0]) is first  # in use: it moves to the young generation
        assert len(verifier._young) + len(verifier._old) <= 8
    assert tokens[1] not in verifier._young
    assert tokens[1] not in verifier._old


def test_one_revocation_makes_everything_be_looked_at_again(verifier, revocations, sign, good):
    kept, revoked = sign(good), sign({**good, "jti": "gone"})
    first = verifier.verify(kept)
    verifier.verify(revoked)
    revocations.add(Revocation(jti="gone", session=0, sub=0, not_before=0, expires=0))
    with pytest.raises(KycError):
        verifier.verify(revoked)
    again = verifier.verify(kept)
    assert again == first
    assert again is not first


def test_a_remembered_token_costs_next_to_nothing(keys):
    verifier = Verifier(keys, Tokens(), Revocations())
    token = issue_token(keys.signing, session=SessionType.ADMIN, sub=1, brands=None, now=wall_clock(), ttl_seconds=600)
    seconds = min(timeit.repeat(lambda: verifier.verify(token), number=20_000, repeat=7)) / 20_000
    assert seconds < 2e-6  # 0.2 us on an idle machine; this one may be busy


def test_sessions_are_values(verifier, sign, good):
    assert verifier.verify(sign(good)) == Session(
        sub=7, type=SessionType.MANAGER, brands=frozenset({"acme"}), jti="j1", issued=NOW - 10, expires=NOW + 3600
    )
