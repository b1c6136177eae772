"""`kycmanager user`: what is asked of the daemon, what is said, and that no password is ever an argument or in clear."""

import getpass
import io
import sys

import pytest

from kycmanager.backoffice.passwords import Passwords
from kycmanager.cli import user as command

PASSWORD = "correct horse battery"
ANN = {
    "id": 1, "name": "ann", "role": "manager", "brands": ["acme", "zeta"], "enabled": True, "totp": False,
    "logins": 2, "created_time": 1,
}  # fmt: skip


def done(**change):
    return [{"status": 200, "data": {"user": ANN | change}}]


def test_a_user_is_added_with_the_password_of_stdin(run, tmp_path, control, monkeypatch):
    asked = control(done())
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n"))
    words = ("user", "add", "Ann", "--role", "manager", "--brand", "acme", "--brand", "zeta", "--data", tmp_path)
    code, out, err = run(*words)
    assert (code, err) == (0, "")
    assert out == (
        "added ann (manager 1, acme, zeta); `kycmanager user totp ann` has it asked for one-time codes too\n"
    )
    (request,) = asked.asked
    kept = request["data"].pop("password_hash")
    assert kept.startswith("$argon2id$v=19$m=47104,t=2,p=1$")
    assert request == {
        "command": "SysAddUser", "data": {"name": "ann", "role": "manager", "brands": ["acme", "zeta"]},
    }  # fmt: skip


async def test_the_hash_is_the_passwords():
    passwords = Passwords()
    kept = command.hash_of(PASSWORD)
    assert await passwords.fits(kept, PASSWORD)
    assert not await passwords.fits(kept, PASSWORD + "x")
    assert not await passwords.fits("", PASSWORD)
    assert not await passwords.fits("nonsense", PASSWORD)
    passwords.close()


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("typed", "code", "words"),
    [
        ([PASSWORD, PASSWORD], 0, ""), ([PASSWORD, "other"], 2, "the two passwords differ"),
        (["short", "short"], 2, "the password is shorter than 12 characters"),
        (["ann is my name", "ann is my name"], 2, "holds the name of the user"),
    ],
)  # fmt: skip
def test_on_a_terminal_it_is_asked_for_twice(run, tmp_path, control, monkeypatch, typed, code, words):
    control(*([done()] if code == 0 else []))
    prompts, answers = [], iter(typed)
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(getpass, "getpass", lambda prompt: prompts.append(prompt) or next(answers))
    ended, out, err = run("user", "password", "ann", "--data", tmp_path)
    assert ended == code
    assert words in err
    assert prompts == ["Password for ann: ", "The same again: "]
    if code == 0:
        assert out == "changed the password of ann (manager 1, acme, zeta) and ended its sign-ins\n"


def test_the_secret_of_the_codes_is_shown_once(run, tmp_path, control):
    asked = control(done(totp=True), done())
    code, out, _ = run("user", "totp", "Ann", "--data", tmp_path)
    said, address, secret = out.splitlines()
    assert code == 0
    assert "shown once" in said
    assert address.startswith(f"otpauth://totp/kycmanager%3Aann?secret={secret}&issuer=kycmanager")
    assert len(bytes.fromhex(asked.asked[0]["data"]["totp"])) == 20
    code, out, _ = run("user", "totp", "ann", "--off", "--data", tmp_path)
    assert (code, out) == (0, "ann (manager 1, acme, zeta) is asked for no codes any more\n")
    assert asked.asked[1]["data"] == {"name": "ann", "totp": ""}


@pytest.mark.parametrize(
    ("action", "request_", "words"),
    [
        (
            "disable",
            ("SysSetUser", {"name": "ann", "enabled": False}),
            "disabled ann (manager 1, acme, zeta) and ended",
        ),
        ("enable", ("SysSetUser", {"name": "ann", "enabled": True}), "enabled ann"),
        ("remove", ("SysRemoveUser", {"name": "ann"}), "removed ann (manager 1, acme, zeta) and ended its sign-ins"),
    ],
)
def test_the_other_actions(run, tmp_path, control, action, request_, words):
    asked = control(done())
    code, out, err = run("user", action, "ANN", "--data", tmp_path)
    assert (code, err) == (0, "")
    assert words in out
    assert asked.asked == [{"command": request_[0], "data": request_[1]}]


def test_users_are_listed(run, tmp_path, control):
    bob = ANN | {"id": 2, "name": "bob", "brands": None, "enabled": False, "totp": True, "logins": 0}
    control([{"status": 200, "data": {"users": [ANN, bob]}}], [{"status": 200, "data": {"users": []}}])
    code, out, _ = run("user", "list", "--data", tmp_path)
    assert code == 0
    assert out.splitlines() == [
        "ann (manager 1, acme, zeta): may sign in, without codes, signed in from 2 browsers",
        "bob (manager 2, all brands): disabled, with codes, signed in from 0 browsers",
    ]
    assert "no users yet" in run("user", "list", "--data", tmp_path)[1]


def test_without_a_daemon_the_base_is_opened(run, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n"))
    words = ("user", "add", "ann", "--role", "crm_admin", "--id", 77, "--data", tmp_path / "d")
    (tmp_path / "d").mkdir()
    assert run(*words)[0] == 0
    assert run("user", "list", "--data", tmp_path / "d")[1].startswith("ann (crm_admin 77, all brands): may sign in")
    code, out, err = run("user", "disable", "eve", "--data", tmp_path / "d")
    assert (code, out) == (1, "")
    assert err == "kycmanager: User was not found (RET_NOT_FOUND); `kycmanager user list` names those there are\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("add", "ann", "--role", "boss"),
            "there is no role 'boss'; use one of manager, admin, crm_manager, crm_admin",
        ),
        (("add", "ann"), "the following arguments are required: --role"),
        (("add", "--role", "manager"), "the following arguments are required: NAME"),
        (("password",), "the following arguments are required: NAME"),
    ],
)
def test_a_wrong_call_says_how_to_call(run, tmp_path, arguments, words):
    code, out, err = run("user", *arguments, "--data", tmp_path)
    assert (code, out) == (2, "")
    assert words in err
