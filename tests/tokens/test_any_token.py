"""Whatever comes as a token, the answer is a session that is allowed, or a refusal; never another error."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kycmanager.domain.enums import SessionType
from kycmanager.domain.errors import Code, KycError
from kycmanager.tokens.limits import claimed_subject

NOW = 1_800_000_000

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)
names = st.sampled_from(["sub", "id", "session", "role", "brands", "iat", "nbf", "exp", "jti", "aud", "iss"])
likely = st.sampled_from([1, 9, "7", "*", ["a"], NOW + 5, "a", -1, 2**53])
some = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def outcome(verifier, token):
    try:
        session = verifier.verify(token)
    except KycError as refused:
        if refused.code not in {Code.UNAUTHENTICATED, Code.INVALID_CUSTOMER}:
            raise
        return None
    assert 1 <= session.sub < 2**53
    assert isinstance(session.type, SessionType)
    assert session.expires > NOW
    assert session.issued <= NOW + 30
    assert session.type is not SessionType.CUSTOMER or len(session.brands) == 1
    assert not session.local
    return session


@some
@given(st.dictionaries(names, values | likely, max_size=11))
def test_any_signed_claims(verifier, sign, good, differences):
    outcome(verifier, sign({**good, **differences}))
    outcome(verifier, sign(differences))


@some
@given(st.text() | st.from_regex(r"[A-Za-z0-9_-]{0,40}(\.[A-Za-z0-9_-]{0,40}){2}", fullmatch=True))
def test_any_text(verifier, text):
    assert outcome(verifier, text) is None
    assert len(claimed_subject(text)) <= 32


@some
@given(values | st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk"]), values | likely))
def test_any_header(verifier, sign, good, header):
    outcome(verifier, sign(good, header))
