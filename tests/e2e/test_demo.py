"""`kycmanager demo`: the day is played, noticed when it goes wrong, and leaves nothing behind."""

import io
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console
from running import environment

from kycmanager.cli.demo import Demo
from kycmanager.cli.faults import CliError

BROKEN = str(Path(__file__).parent / "support" / "broken_daemon.py")


def played(folder, *options):
    """Start the demo with a folder of its own for what is temporary."""
    return subprocess.Popen(
        [sys.executable, "-m", "kycmanager", "demo", *options],
        env=environment() | {"TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def ports(told):
    return [int(port) for port in re.search(r"serves TCP at (\d+), HTTP at (\d+)", told).groups()]


def timeless(told):
    return re.sub(r"\d\d:\d\d:\d\d", "", told)


def test_the_day_is_played_twice_and_is_the_same(tmp_path):
    stories = []
    for _ in range(2):
        process = played(tmp_path)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, "")
        assert list(tmp_path.iterdir()) == []
        stories.append(out)
    assert timeless(stories[0]) == timeless(stories[1])
    told = stories[0]
    marks = (
        "Anna        writes a template for level 2: About you, 7 questions",
        "Workflow    deposit of 5000 EUR: asks level 2",
        "live  step.required: passport is required",
        "hands in answers with 8 faults",
        "shoe_size: is no field of this step",
        "live  step.rejected: address is rejected",
        "live  kyc.step.approved: questionnaire of customer 1001, who is approved now",
        "CRM         asks the gate: allowed.",
        "profile.required_level",
        "The daemon  stops when it is asked to",
    )
    places = [told.index(mark) for mark in marks]
    assert places == sorted(places)
    assert "each compared with the reply it tells of" in told


def test_everything_is_shown_to_those_who_ask(tmp_path):
    process = played(tmp_path, "--verbose")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert '> {"MngAddKycStepTemplate":{"brand":"acme"' in out
    assert not any(listens(port) for port in ports(out))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_day_leaves_nothing_behind(tmp_path, number):
    process = played(tmp_path, "--verbose")
    told = ""
    while "serves TCP" not in told:
        line = process.stdout.readline()
        assert line, process.communicate()
        told += line
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 1, out
    assert err.startswith("kycmanager: ")
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []
    assert not any(listens(port) for port in ports(told))


@pytest.mark.parametrize(
    ("command", "how", "where", "came"),
    [
        ("MngApproveKycStep", "fails", "after ", "500 RET_ERROR"),
        ("CustomerSubmitKycStep", "does-nothing", "after ", "missing required field `step`"),
        ("MngGetKycGate", "opens", "CRM asks the gate for customer 1001", "[0,0,true]"),
        ("MngGetKycAudit", "fails", "after ", "500 RET_ERROR"),
    ],
)
def test_a_broken_handler_is_noticed(tmp_path, capsys, monkeypatch, command, how, where, came):
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    daemon = (sys.executable, BROKEN, command, how)
    demo = Demo(command=daemon, data=tmp_path / "data", keep=False, verbose=False, console=Console(file=io.StringIO()))
    assert demo.run() == 1
    told = capsys.readouterr().err
    assert told.startswith(f"kycmanager: the day went wrong: {where}")
    assert "expected: " in told
    assert came in told.partition("came:")[2]


def test_a_daemon_that_does_not_start_is_told(tmp_path, capsys):
    process = played(tmp_path, "--data", str(tmp_path / "file" / "x"))
    (tmp_path / "file").write_text("")
    assert process.wait(30) == 1
    assert "cannot be made" in process.communicate()[1]


def test_a_folder_with_something_in_it_is_refused(tmp_path):
    (tmp_path / "mine").write_text("precious")
    process = played(tmp_path, "--data", str(tmp_path))
    _, err = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "is not empty" in err
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_kept_daemon_goes_on(tmp_path):
    process = played(tmp_path, "--keep", "--data", str(tmp_path / "kept"))
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    pid = int(re.search(r"kill (\d+)", out)[1])
    try:
        tcp = int(re.search(r"TCP 127.0.0.1:(\d+)", out)[1])
        assert listens(tcp)
        assert (tmp_path / "kept" / "bases" / "kyc.db").exists()
    finally:
        os.kill(pid, signal.SIGTERM)
    while listens(tcp):
        pass


def test_a_daemon_that_cannot_start_is_told(tmp_path):
    demo = Demo(
        command=(sys.executable, "-c", "print('no good')"),
        data=tmp_path / "data",
        keep=False,
        verbose=False,
        console=Console(file=io.StringIO()),
    )
    with pytest.raises(CliError, match="did not start: no good"):
        demo.run()
