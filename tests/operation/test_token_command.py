"""`kycmanager token`: what it prints is what the daemon takes, and what it revokes is named exactly."""

import io
import sys
import time

import jwt
import pytest

from kycmanager.config import Tokens
from kycmanager.domain.enums import SessionType
from kycmanager.tokens.issue import issue_token
from kycmanager.tokens.keys import load_keys
from kycmanager.tokens.revocations import Revocations
from kycmanager.tokens.verify import Verifier, wall_clock

DONE = [{"status": 200, "data": {"accepted": True}}]


def session_of(token, data_dir):
    return Verifier(load_keys(Tokens(), data_dir), Tokens(), Revocations()).verify(token)


def test_a_token_and_nothing_else_is_printed(run, tmp_path):
    code, out, err = run(
        "token",
        "issue",
        "--data",
        tmp_path / "d",
        "--session",
        "Crm_Manager",
        "--id",
        5,
        "--brand",
        "a",
        "--brand",
        "b",
        "--ttl",
        "30m",
    )
    assert (code, out.count("\n")) == (0, 1)
    assert err.startswith(f"kycmanager: made a new key, {tmp_path}/d/keys/token.key; a daemon with its data elsewhere")
    assert err.count("\n") == 1
    session = session_of(out.strip(), tmp_path / "d")
    assert (session.sub, session.type, session.brands) == (5, SessionType.CRM_MANAGER, frozenset({"a", "b"}))
    assert session.expires - session.issued == 1800
    assert abs(session.issued - time.time()) < 5


@pytest.mark.parametrize("name", ["user", "MANAGER", "Dealer", "admin", "system", "fix", "crm-manager", "CRM_ADMIN"])
def test_all_brands_when_none_is_named_and_eight_hours(run, tmp_path, name):
    code, out, _ = run("token", "issue", "--data", tmp_path, "--session", name, "--id", 1)
    session = session_of(out.strip(), tmp_path)
    assert (code, session.brands, session.expires - session.issued) == (0, None, 28_800)
    assert session.type.name == name.upper().replace("-", "_")


def test_the_settings_and_the_environment_are_heeded(run, tmp_path, monkeypatch):
    (tmp_path / "c.toml").write_text('[tokens]\nttl = "5m"\n[server]\ndata = "elsewhere"\n')
    monkeypatch.setenv("KYCMANAGER_TOKEN_SECRET", "e" * 40)
    code, out, err = run("token", "issue", "--config", tmp_path / "c.toml", "--session", "admin", "--id", 1)
    claims = jwt.decode(out.strip(), "e" * 40, algorithms=["HS256"])
    assert (code, claims["exp"] - claims["iat"], claims["sub"]) == (0, 300, "1")
    assert err == ""
    assert not (tmp_path / "elsewhere").exists()


def test_a_key_that_is_there_is_not_spoken_of(run, tmp_path):
    load_keys(Tokens(), tmp_path)
    code, out, err = run("token", "issue", "--data", tmp_path, "--session", "admin", "--id", 1)
    assert (code, out.count("\n"), err) == (0, 1, "")


def test_a_wrong_call_makes_no_key(run, tmp_path):
    for wrong in (("--session", "boss", "--id", 1), ("--session", "admin", "--id", 1, "--ttl", "5")):
        assert run("token", "issue", "--data", tmp_path / "d", *wrong)[0] == 2
    assert not (tmp_path / "d").exists()


WRONG = [
    (("--session", "nobody", "--id", 1), "there is no session 'nobody'; use one of user, manager,"),
    (("--session", "customer", "--id", 1), "exactly one brand; give --brand once"),
    (("--session", "customer", "--id", 1, "--brand", "a", "--brand", "b"), "exactly one brand"),
    (("--session", "admin", "--id", 0), "the id 0 is not in 1.."),
    (("--session", "admin", "--id", 1, "--brand", "a b"), "'a b' is no brand"),
    (("--session", "admin", "--id", 1, "--ttl", "soon"), "--ttl: 'soon' is no length of time"),
    (("--session", "admin", "--id", "one"), "invalid int value"),
    (("--session", "admin"), "the following arguments are required: --id"),
]


@pytest.mark.parametrize(("arguments", "words"), WRONG)
def test_a_wrong_call_says_how_to_call(run, tmp_path, arguments, words):
    code, out, err = run("token", "issue", "--data", tmp_path, *arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert "Traceback" not in err


def test_a_token_is_revoked_by_its_jti(run, tmp_path, control):
    asked = control(DONE)
    code, out, err = run("token", "revoke", "--data", tmp_path, "--jti", "abc")
    assert (code, out, err) == (0, "revoked the token abc\n", "")
    assert asked.asked == [{"command": "SysRevokeToken", "data": {"jti": "abc", "expires": 0}}]


def test_a_token_is_revoked_by_its_text(run, tmp_path, control, monkeypatch):
    asked = control(DONE, DONE)
    _, token, _ = run("token", "issue", "--data", tmp_path, "--session", "admin", "--id", 1)
    session = session_of(token.strip(), tmp_path)
    monkeypatch.setattr(sys, "stdin", io.StringIO(token))
    for given in (token.strip(), "-"):
        code, out, _ = run("token", "revoke", "--data", tmp_path, "--token", given)
        assert (code, out) == (0, f"revoked the token {session.jti}\n")
    assert asked.asked == [{"command": "SysRevokeToken", "data": {"jti": session.jti, "expires": session.expires}}] * 2


def test_all_tokens_of_a_subject_are_revoked_and_the_next_is_good(run, tmp_path, control):
    asked = control(DONE)
    _, old, _ = run("token", "issue", "--data", tmp_path, "--session", "dealer", "--id", 9)
    code, out, _ = run("token", "revoke", "--data", tmp_path, "--session", "Dealer", "--id", 9)
    _, new, _ = run("token", "issue", "--data", tmp_path, "--session", "dealer", "--id", 9)
    assert (code, out) == (0, "revoked all tokens of dealer 9 issued before now\n")
    (request,) = asked.asked
    assert request["command"] == "SysRevokeSubject"
    not_before = request["data"].pop("not_before")
    assert request["data"] == {"session": 2, "sub": 9}
    assert session_of(old.strip(), tmp_path).issued < not_before <= session_of(new.strip(), tmp_path).issued


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "in one way: --jti ID, or --token TOKEN, or --session NAME --id N"),
        (("--jti", "a", "--id", 1), "in one way"),
        (("--jti", "a", "--token", "b"), "in one way"),
        (("--jti", ""), "an empty --jti"),
        (("--session", "admin"), "both --session NAME and --id N"),
        (("--id", 1), "both --session NAME and --id N"),
        (("--session", "admin", "--id", 0), "the id 0"),
        (("--session", "boss", "--id", 1), "there is no session 'boss'"),
    ],
)
def test_a_wrong_revocation_says_how_to_call(run, tmp_path, arguments, words):
    code, out, err = run("token", "revoke", "--data", tmp_path, *arguments)
    assert (code, out) == (2, "")
    assert words in err


def test_only_tokens_of_our_keys_can_be_revoked_by_text(run, tmp_path):
    code, _, err = run("token", "revoke", "--data", tmp_path, "--token", "a.b.c")
    assert code == 1
    assert "no key of this manager signed that token" in err


def test_expired_and_nameless_tokens(run, tmp_path):
    keys = load_keys(Tokens(), tmp_path)
    expired = issue_token(keys.signing, session=SessionType.ADMIN, sub=1, brands=None, now=5, ttl_seconds=5)
    code, out, _ = run("token", "revoke", "--data", tmp_path, "--token", expired)
    assert (code, "nothing to revoke" in out) == (0, True)
    nameless = jwt.encode({"sub": "4", "session": 10, "exp": wall_clock() + 99}, keys.signing.material)
    code, _, err = run("token", "revoke", "--data", tmp_path, "--token", nameless)
    assert (code, "--session crm_manager --id 4" in err) == (1, True)
