"""Local commands: over the socket of the daemon, or on the base when there is none."""

import os
import socket
import time

import pytest

from kycmanager.cli.control import DaemonAbsentError, call, perform
from kycmanager.cli.faults import CliError
from kycmanager.config import Config
from kycmanager.domain.errors import Code, KycError
from kycmanager.ports import StoreHeld

DONE = {"status": 200, "data": {"accepted": True}}


@pytest.fixture
def based(tmp_path):
    """A folder that has a base."""
    (tmp_path / "bases").mkdir()
    (tmp_path / "bases" / "kyc.db").touch()
    return tmp_path


def quiet(*_):
    """Nobody looks at the progress."""


def test_the_reply_and_the_progress_before_it(control, tmp_path):
    asked = control([{"progress": ["hashing", 1, 2]}, {"progress": ["hashing", 2, 2]}, DONE])
    seen = []
    assert call(tmp_path, "SysVerify", {"a": 1}, lambda *line: seen.append(line)) == {"accepted": True}
    assert seen == [("hashing", 1, 2), ("hashing", 2, 2)]
    assert asked.asked == [{"command": "SysVerify", "data": {"a": 1}}]


def test_a_refusal_is_told(control, tmp_path):
    control([{"status": 503, "error": "OVERLOADED", "message": "Try again"}], [{"status": 500}], [{"status": 200}])
    with pytest.raises(CliError, match=r"Try again \(OVERLOADED\)"):
        call(tmp_path, "X", {}, quiet)
    with pytest.raises(CliError, match=r"refused \(RET_ERROR\)"):
        call(tmp_path, "X", {}, quiet)
    assert call(tmp_path, "X", {}, quiet) == {}


@pytest.mark.parametrize("lines", [[], [b'{"status":'], [b"nonsense\n"], [b"[]\n"]])
def test_a_daemon_that_does_not_answer(control, tmp_path, lines):
    control(lines)
    with pytest.raises(CliError, match="did not answer X; look into its log"):
        call(tmp_path, "X", {}, quiet)


def test_a_silent_daemon_is_not_waited_for_for_ever(tmp_path):
    (tmp_path / "bases").mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "bases" / "control.sock"))
        listening.listen()
        with pytest.raises(CliError, match="did not answer"):
            call(tmp_path, "X", {}, quiet, silence_seconds_max=0.1)


def test_no_daemon(tmp_path):
    with pytest.raises(DaemonAbsentError):
        call(tmp_path, "X", {}, quiet)
    (tmp_path / "bases").mkdir()
    with pytest.raises(DaemonAbsentError):
        call(tmp_path, "X", {}, quiet)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "bases" / "control.sock"))
    with pytest.raises(DaemonAbsentError):  # what a killed daemon leaves behind
        call(tmp_path, "X", {}, quiet)
    (tmp_path / "file").write_text("")
    with pytest.raises(DaemonAbsentError):
        call(tmp_path / "file", "X", {}, quiet)


def test_a_socket_that_may_not_be_used(tmp_path):
    (tmp_path / "bases").mkdir()
    (tmp_path / "bases" / "control.sock").symlink_to("control.sock")
    with pytest.raises(CliError, match=r"control\.sock.*as the user of the daemon"):
        call(tmp_path, "X", {}, quiet)


def test_a_long_folder_name_is_no_hindrance(control, tmp_path):
    deep = tmp_path.joinpath(*["d" * 40] * 4)
    with pytest.raises(DaemonAbsentError):
        call(deep, "X", {}, quiet)
    deep.mkdir(parents=True)
    linked = tmp_path / "short"
    linked.symlink_to(deep)
    control([DONE], data_dir=linked if len(os.fsencode(linked)) < 80 else deep)
    assert call(deep, "X", {}, quiet) == {"accepted": True}


def test_without_a_daemon_the_base_is_opened(based):
    asked = []

    async def run_once(config, data_dir, command, data, report):
        asked.append((config, data_dir, command, data))
        report("loading", 1, 1)
        return {"accepted": True}

    seen = []
    answer = perform(Config(), based, "X", {"a": 1}, lambda *line: seen.append(line), run_once=run_once)
    assert (answer, asked, seen) == ({"accepted": True}, [(Config(), based, "X", {"a": 1})], [("loading", 1, 1)])


def test_of_a_wrong_folder_nothing_is_made(tmp_path):
    asked = []

    async def run_once(_config, _data_dir, command, *_):
        asked.append(command)
        return {}

    for command in ("SysGetUsers", "SysRotateKeys", "SysReplayDelivery"):
        with pytest.raises(CliError, match=r"bases/kyc\.db is missing; name the data folder with --data"):
            perform(Config(), tmp_path / "d", command, {}, quiet, run_once=run_once)
    assert asked == []
    assert perform(Config(), tmp_path / "d", "SysAddUser", {}, quiet, run_once=run_once) == {}


def test_with_a_daemon_the_base_is_left_alone(control, tmp_path):
    control([DONE])

    async def run_once(*_):
        raise AssertionError

    assert perform(Config(), tmp_path, "X", {}, quiet, run_once=run_once) == {"accepted": True}


def test_a_refusal_of_the_base_is_told_alike(based):
    async def run_once(*_):
        raise KycError(Code.INVALID_DATA, "jti: too long")

    with pytest.raises(CliError, match=r"jti: too long \(INVALID_DATA\)"):
        perform(Config(), based, "X", {}, quiet, run_once=run_once)


def test_a_daemon_that_is_just_starting_is_waited_for(control, based):
    tries = []

    async def run_once(*_):
        tries.append(1)
        if len(tries) == 2:
            control([DONE])
        raise StoreHeld("held by another process; stop it first")

    assert perform(Config(), based, "X", {}, quiet, run_once=run_once) == {"accepted": True}
    assert len(tries) == 2


def test_a_base_that_stays_held_is_an_error(based):
    async def run_once(*_):
        raise StoreHeld("held by another process; stop it first")

    started = time.monotonic()
    with pytest.raises(StoreHeld, match="stop it first"):
        perform(Config(), based, "X", {}, quiet, run_once=run_once, handover_seconds=0.25)
    assert 0.2 < time.monotonic() - started < 5
