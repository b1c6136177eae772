"""What the doors tell is counted, and logged as the level asks for: nothing of success, failures in bounds."""

import io
import json
import logging

import pytest
import structlog

from kycmanager import log
from kycmanager.app import observer
from kycmanager.commands import TABLE
from kycmanager.config import Logging
from kycmanager.metrics import Metrics

CANARY = "Zephyrine-Quux-1987"


@pytest.fixture
def logging_at():
    """`stream = logging_at("info")`: log there; what was before comes back."""
    root, own = logging.getLogger(), logging.getLogger("kycmanager")
    kept = root.handlers[:], root.level, own.level

    def configure(level):
        stream = io.StringIO()
        log.configure(Logging(level=level), stream)
        return stream

    yield configure
    root.handlers[:] = kept[0]
    root.setLevel(kept[1])
    own.setLevel(kept[2])
    structlog.reset_defaults()


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.fixture
def metrics():
    return Metrics(command.name for command in TABLE)


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_every_level_counts_and_tells_failures(logging_at, metrics, level):
    stream = logging_at(level)
    observe = observer(metrics, level, lambda: True)
    observe("Ping", 200, 0.001)
    observe("MngGetKycProfile", 200, 0.001, 3)
    observe("Ping", 404, 0.001)
    observe("Ping", 500, 0.25)
    text = metrics.render().decode()
    assert 'kycmanager_command_seconds_count{command="MngGetKycProfile"} 3.0' in text
    assert 'kycmanager_command_seconds_count{command="Ping"} 3.0' in text
    told = [(line["level"], line["command"], line["status"], line.get("count", 1)) for line in lines(stream)]
    failure = ("error", "Ping", 500, 1)
    assert told == (
        [("debug", "Ping", 200, 1), ("debug", "MngGetKycProfile", 200, 3), ("info", "Ping", 404, 1), failure]
        if level == "debug"
        else [failure]
    )
    assert lines(stream)[-1]["ms"] == 250.0


@pytest.mark.parametrize("level", ["debug", "info"])
def test_a_name_the_caller_made_up_is_not_logged(logging_at, metrics, level):
    stream = logging_at(level)
    observer(metrics, level, lambda: True)(CANARY, 503, 0.0)
    assert [line["command"] for line in lines(stream)] == ["other"]


def test_refusals_of_a_daemon_that_stops_are_counted_but_no_failures(logging_at):
    stream, metrics = logging_at("info"), Metrics(command.name for command in TABLE)
    observer(metrics, "info", lambda: False)("Ping", 503, 0.0)
    assert lines(stream) == []
    assert 'kycmanager_command_seconds_count{command="Ping"} 1.0' in metrics.render().decode()


def test_many_failures_are_told_in_bounds_and_none_is_forgotten(logging_at):
    stream = logging_at("error")
    now = 100.0
    failed = log.Failures(lambda: now)
    for _ in range(log.FAILURES_PER_SECOND + 7):
        failed("Ping", 503, 0.0)
    assert len(lines(stream)) == log.FAILURES_PER_SECOND
    now = 101.0
    failed("Ping", 503, 0.0)
    failed("Ping", 503, 0.0)
    assert [line.get("left_out", 0) for line in lines(stream)[-2:]] == [7, 0]
