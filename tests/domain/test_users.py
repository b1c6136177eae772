"""What a password must be, how names are spelled, and whose session a sign-in gives."""

import pytest
from msgspec.structs import replace

from kycmanager.domain.enums import SessionType
from kycmanager.domain.users import Login, User, UserStatus, password_fault, plain, session_of, spelled

ANN = User(
    id=5, name="ann", role=SessionType.ADMIN, brands=("acme",), status=UserStatus.ACTIVE, password="", totp=b"",
    totp_counter=0, created_time=1, updated_time=1, version=1,
)  # fmt: skip
LOGIN = Login(
    id=1, cookie_hash=b"", user_id=5, session=SessionType.ADMIN, sub=5, brands=None, jti="", issued=10,
    created_time=10, used_time=10, expires=99, address="", agent="",
)  # fmt: skip


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("short", "shorter than 12"), ("x" * 11, "shorter"), ("x" * 129, "longer than 128"),
        ("abcabcabcabc", "fewer than 5"), ("I am ANN, really", "name of the user"), ("four plain words do", ""),
        ("żółć łąka dąb", ""),
    ],
)  # fmt: skip
def test_which_passwords_are_taken(password, words):
    fault = password_fault(password, "Ann")
    assert (fault == "") is (words == "")
    assert words in fault


def test_the_same_letters_are_the_same_password():
    assert plain("Ame\u0301lie \uff11") == plain("Am\u00e9lie 1")
    assert spelled(" Ann@Example.COM ") == "ann@example.com"


def test_the_session_of_a_user_follows_the_user():
    session = session_of(LOGIN, ANN)
    assert (session.sub, session.type, session.brands, session.issued, session.expires) == (
        5, SessionType.ADMIN, frozenset({"acme"}), 10, 99,
    )  # fmt: skip
    assert session_of(LOGIN, replace(ANN, brands=None)).brands is None
    for status in (UserStatus.DISABLED, UserStatus.REMOVED):
        assert session_of(LOGIN, replace(ANN, status=status)) is None
    assert session_of(LOGIN, None) is None
    assert not session.local


def test_the_session_of_a_token_is_the_tokens():
    by_token = replace(LOGIN, user_id=0, sub=9, session=SessionType.DEALER, jti="j", brands=("zeta",))
    session = session_of(by_token, None)
    assert (session.sub, session.type, session.brands, session.jti) == (
        9, SessionType.DEALER, frozenset({"zeta"}), "j",
    )  # fmt: skip
    assert session_of(replace(by_token, brands=None), None).brands is None
