"""The log: every line is whole, and no canary comes through."""

import asyncio
import io
import json
import logging
import sqlite3
import sys
from pathlib import Path

import pytest
import structlog

from kycmanager import log
from kycmanager.config import Logging

CANARY = "Zephyrine-Quux-1987"


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def restored():
    """The logging of the test run, given back afterwards."""
    root = logging.getLogger()
    kept, level, own = root.handlers[:], root.level, logging.getLogger("kycmanager").level
    log.correlation.set("")
    yield
    root.handlers[:] = kept
    root.setLevel(level)
    logging.getLogger("kycmanager").setLevel(own)
    structlog.reset_defaults()
    log.correlation.set("")


@pytest.fixture
def output(restored):
    stream = io.StringIO()
    log.configure(Logging(level="debug"), stream)
    return stream


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_command_is_told_by_ids(output):
    correlation = log.new_correlation()
    log.log_command("MngGetKycStep", 404, 0.0012344, remote="10.0.0.1", step_id=5)
    (line,) = lines(output)
    line.pop("timestamp")
    assert line == {
        "logger_name": "command", "event": "command", "level": "info", "command": "MngGetKycStep", "status": 404,
        "ms": 1.234, "remote": "10.0.0.1", "step_id": 5, "correlation": correlation,
    }  # fmt: skip
    log.log_command("Ping", 200, 0.0)
    log.log_command("Ping", 500, 0.0)
    assert [each["level"] for each in lines(output)] == ["info", "debug", "error"]


def test_correlation_ids_are_unique_and_of_their_context(output):
    ids = {log.new_correlation() for _ in range(1000)}
    assert len(ids) == 1000

    async def one(name):
        mine = log.new_correlation()
        await asyncio.sleep(0)
        log.get_logger("t").info(name)
        return name, mine

    async def all_of_them():
        return await asyncio.gather(*(one(str(number)) for number in range(10)))

    expected = dict(asyncio.run(all_of_them()))
    assert {line["event"]: line["correlation"] for line in lines(output)} == expected


def test_without_a_request_there_is_no_correlation(output):
    log.get_logger("t").info("started")
    assert "correlation" not in lines(output)[0]


def test_levels_hold_for_everybody(restored):
    stream = io.StringIO()
    log.configure(Logging(level="warning"), stream)
    log.get_logger("t").info("no")
    logging.getLogger("aiohttp").info("no")
    log.log_command("Ping", 404, 0.0)
    log.get_logger("t").warning("yes")
    logging.getLogger("aiohttp").warning("yes")
    assert [line["event"] for line in lines(stream)] == ["yes", "yes"]


@pytest.mark.parametrize(
    "fields",
    [
        {"answers": {"first": CANARY}},
        {"answers": CANARY},
        {"comment": CANARY, "reason": CANARY, "file_name": CANARY, "original_name": CANARY},
        {"token": CANARY, "authorization": CANARY, "secret": CANARY},
        {"step": {"deep": [{"comment": CANARY}]}},
        {"a": {"b": {"c": {"d": {"e": {"f": CANARY}}}}}},
        {"things": {CANARY.encode()}},
        {"thing": Exception(CANARY)},
        {"text": "x" * 300 + CANARY},
    ],
)
def test_private_fields_are_blanked(output, fields):
    log.get_logger("t").info("stored", **fields)
    assert CANARY not in output.getvalue()
    assert lines(output)[0]["event"] == "stored"


def test_tokens_are_found_wherever_they_stand(output):
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0xx.a3ddLr3dZGolyLfFtneV2KgGQncB1zQgUns8uOp9q98"
    log.get_logger("t").info(f"got {token}", what=token, many=[token])
    assert "eyJ" not in output.getvalue()
    log.get_logger("t").info("fine", what="127.0.0.1:7400", when="2026-01-01", ok=True, none=None, part=0.5)
    assert "127.0.0.1:7400" in output.getvalue()


def test_exceptions_are_told_without_their_texts(output):
    try:
        try:
            raise KeyError(CANARY)
        except KeyError as fault:
            Path(f"/nowhere/{CANARY}").read_bytes()
            raise AssertionError from fault
    except OSError:
        log.get_logger("t").exception("failed")
        logging.getLogger("aiohttp.server").exception("Error handling request from %s", CANARY)
    assert CANARY not in output.getvalue()
    for line in lines(output):
        assert "FileNotFoundError: No such file or directory" in line["exception"]
        assert "KeyError\nwhile handling" in line["exception"]
        assert "test_log.py:" in line["exception"]


def test_causes_and_hidden_contexts():
    def raised(cause):
        try:
            try:
                raise KeyError(CANARY)
            except KeyError:
                raise ValueError(CANARY) from cause
        except ValueError as fault:
            return log.describe_exception(fault)

    assert "KeyError" not in raised(None)
    assert "ZeroDivisionError\nwhile handling" in raised(ZeroDivisionError(CANARY))


def test_a_fault_that_is_its_own_cause_is_told_once():
    fault = KeyError("Zephyrine")
    fault.__cause__ = fault
    assert log.describe_exception(fault) == "KeyError"
    first, second = ValueError(), TypeError()
    first.__cause__, second.__cause__ = second, first
    assert log.describe_exception(first) == "TypeError\nwhile handling\nValueError"


def test_sqlite_says_which_rule_was_broken():
    base = sqlite3.connect(":memory:")
    base.execute("CREATE TABLE t (a UNIQUE)")
    base.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(sqlite3.IntegrityError) as caught:
        base.execute("INSERT INTO t VALUES (1)")
    base.close()
    assert log.describe_exception(caught.value).endswith("IntegrityError: SQLITE_CONSTRAINT_UNIQUE")


def test_exc_info_in_all_its_forms(output):
    logger = log.get_logger("t")
    fault = ValueError(CANARY)
    logger.error("one", exc_info=fault)
    logger.error("two", exc_info=(ValueError, fault, None))
    logger.error("three", exc_info=True)  # noqa: LOG014 - there is none, and that is no fault
    logger.error("four", exc_info=False)
    logger.error("five", exc_info=(None, None, None))
    assert [line.get("exception") for line in lines(output)] == ["ValueError", "ValueError", None, None, None]


def test_what_the_loop_catches_is_told_without_values(output):
    class Loud:
        def __init__(self, text):
            self.text = text

        def __repr__(self):
            return self.text

        def __call__(self, _text):
            raise ValueError(self.text)

    async def work():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(log.tell_loop_fault)
        loop.call_soon(Loud(CANARY), CANARY)
        await asyncio.sleep(0)
        loop.call_exception_handler({"message": f"odd '{CANARY}'"})
        loop.call_exception_handler({"exception": "no exception"})

    asyncio.run(work())
    assert CANARY not in output.getvalue()
    assert [(line["event"].split()[0], line.get("exception", "")[-10:]) for line in lines(output)] == [
        ("Exception", "ValueError"), ("odd", ""), ("fault", ""),
    ]  # fmt: skip


def test_what_nobody_caught_is_told_without_values(output):
    try:
        raise RuntimeError(CANARY)
    except RuntimeError as fault:
        log.tell_uncaught(type(fault), fault, fault.__traceback__)
    (line,) = lines(output)
    assert (line["level"], line["exception"].endswith("RuntimeError")) == ("critical", True)
    assert CANARY not in output.getvalue()


def test_the_form_follows_the_terminal(restored, monkeypatch):
    forms = {}
    for name, settings, stream in (
        ("auto, pipe", "auto", io.StringIO()),
        ("auto, terminal", "auto", Terminal()),
        ("json, terminal", "json", Terminal()),
        ("console, pipe", "console", io.StringIO()),
    ):
        log.configure(Logging(format=settings), stream)
        log.get_logger("t").info("hello", step_id=3)
        logging.getLogger("x").info("hello")
        first, second = stream.getvalue().splitlines()
        assert (first[0] == "{") is (second[0] == "{")
        forms[name] = "json" if first.startswith("{") else "colours" if "\x1b" in first else "plain"
    assert forms == {
        "auto, pipe": "json", "auto, terminal": "colours", "json, terminal": "json", "console, pipe": "plain",
    }  # fmt: skip
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    log.configure(Logging())
    log.get_logger("t").info("to stderr")
    assert "to stderr" in sys.stderr.getvalue()
