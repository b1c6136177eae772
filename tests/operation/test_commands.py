"""The other sub-commands: check, verify, and how every one of them fails."""

import asyncio
import datetime as dt
import subprocess
import sys
from pathlib import Path

import pytest
from tls_files import certify

from kycmanager.store.sqlite import SqliteStore


def test_check_of_an_empty_folder_makes_nothing(run, tmp_path):
    code, out, err = run("check", "--data", tmp_path / "d")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "settings: ok",
        "keys: none yet, the first start makes one",
        "certificate: none, the doors speak without TLS",
        "bases: none yet, the first start makes them",
    ]
    assert not (tmp_path / "d").exists()


def test_check_reads_the_master_keys_of_the_environment(run, tmp_path, monkeypatch):
    monkeypatch.setenv("KYCMANAGER_MASTER_KEY", "abc")
    code, _, err = run("check", "--data", tmp_path)
    assert (code, err.partition(":")[2].strip().partition(",")[0]) == (
        1,
        "KYCMANAGER_MASTER_KEY holds a line that is no master key: each is 32 random bytes in base64",
    )


def test_check_asks_the_daemon_about_the_bases(run, tmp_path, control):
    asked = control(
        [{"progress": ["checking", 1, 1]}, {"status": 200, "data": {"profiles": 5, "steps": 9}}], [{"status": 200}]
    )
    (tmp_path / "bases" / "kyc.db").write_bytes(b"")
    run("token", "issue", "--data", tmp_path, "--session", "admin", "--id", 1)
    code, out, err = run("check", "--data", tmp_path)
    assert (code, err) == (0, "checking: 1 of 1\n")
    assert "keys: ok, 1" in out
    assert out.endswith("bases: ok, profiles 5, steps 9\n")
    assert asked.asked[0] == {"command": "SysCheck", "data": {}}
    assert run("check", "--data", tmp_path)[1].endswith("bases: ok, empty\n")


def certificate(folder):
    day = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    certify(folder, begins=day, ends=day.replace(year=2036))


def test_check_looks_for_the_search_fields_in_the_forms(run, tmp_path, control):
    def told(unknown):
        return [{"status": 200, "data": {"profiles": 5}}], [{"status": 200, "data": {"unknown": unknown}}]

    settings = tmp_path / "config.toml"
    settings.write_text('[backoffice]\nsearch_fields = ["who"]\n')
    words = ("check", "--config", settings, "--data", tmp_path)
    asked = control(*told({}), *told({"who": "whom"}), *told({"who": ""}))
    (tmp_path / "bases" / "kyc.db").touch()
    code, out, err = run(*words)
    assert (code, out.splitlines()[-1], err) == (0, "search fields: ok", "")
    for advice in ("did you mean 'whom'?", "correct it, or add the field to a template first"):
        code, _, err = run(*words)
        assert (code, err) == (1, f"kycmanager: backoffice.search_fields: no form has a field 'who'; {advice}\n")
    assert asked.asked[1] == {"command": "SysCheckFields", "data": {"fields": ["who"]}}


def test_check_looks_at_the_certificate(run, tmp_path):
    certificate(tmp_path)
    settings = tmp_path / "c.toml"
    settings.write_text('[server]\ntls_cert = "cert.pem"\ntls_key = "key.pem"\n')
    assert "certificate: ok\n" in run("check", "--config", settings, "--data", tmp_path)[1]
    (tmp_path / "key.pem").write_text("nonsense")
    code, _, err = run("check", "--config", settings, "--data", tmp_path)
    assert (code, "server.tls_cert and server.tls_key cannot be used together" in err) == (1, True)
    (tmp_path / "key.pem").unlink()
    code, _, err = run("check", "--config", settings, "--data", tmp_path)
    assert (code, "No such file" in err, err.count("\n")) == (1, True, 1)


def make_base(folder):
    async def make():
        store = SqliteStore(folder / "bases" / "kyc.db", heads=folder / "audit" / "heads.log")
        await store.open()
        await store.close()

    asyncio.run(make())


def test_verify_names_what_is_damaged(run, tmp_path, control):
    fault = {"object": "file 5b8d", "fault": "content differs from its checksum"}
    control(
        [{"progress": ["hashing", 3, 3]}, {"status": 200, "data": {"checked": 3, "faults": []}}],
        [{"status": 200, "data": {"checked": 3, "faults": [fault]}}],
    )
    make_base(tmp_path)
    assert run("verify", "--data", tmp_path) == (
        0, "checked records 0, audit rows 0, files 3; faults 0\n", "hashing: 3 of 3\n",
    )  # fmt: skip
    code, out, _ = run("verify", "--data", tmp_path)
    assert code == 1
    assert out.splitlines()[:2] == [
        "file 5b8d: content differs from its checksum",
        "checked records 0, audit rows 0, files 3; faults 1",
    ]
    assert "backup" in out


@pytest.mark.parametrize("command", [("check",), ("verify",), ("token", "issue", "--session", "admin", "--id", "1")])
def test_wrong_settings_are_one_line(run, tmp_path, command):
    (tmp_path / "config.toml").write_text("[limits]\nline_byte_max = 1\n")
    code, out, err = run(*command)
    assert (code, out) == (1, "")
    assert err == "kycmanager: limits.line_byte_max: there is no such setting; did you mean limits.line_bytes_max?\n"


def test_a_refused_command_is_one_line(run, tmp_path, control):
    control([{"status": 503, "error": "OVERLOADED", "message": "Too many writes are waiting; try again"}])
    make_base(tmp_path)
    code, _, err = run("verify", "--data", tmp_path)
    assert (code, err) == (1, "kycmanager: Too many writes are waiting; try again (OVERLOADED)\n")


def test_help_and_version(run):
    for arguments in (("--help",), ("serve", "--help"), ("token", "--help"), ("demo", "--help"), ("--version",)):
        code, out, _ = run(*arguments)
        assert (code, "kycmanager" in out) == (0, True)
    for arguments in ((), ("token",), ("dance",), ("serve", "--port", "5")):
        code, _, err = run(*arguments)
        assert (code, "usage: kycmanager" in err) == (2, True)


def test_the_package_runs_as_a_program():
    root = Path(__file__).parents[2]
    ended = subprocess.run(
        [sys.executable, "-m", "kycmanager", "--version"], cwd=root, capture_output=True, check=False
    )
    assert (ended.returncode, ended.stdout[:11], ended.stderr) == (0, b"kycmanager ", b"")


def test_an_interrupt_is_no_traceback(run, monkeypatch):
    def interrupted(_args):
        raise KeyboardInterrupt

    monkeypatch.setattr("kycmanager.cli.verify.main", interrupted)
    assert run("verify") == (1, "", "kycmanager: interrupted; start it again when you like\n")
