"""Kills, shortly: the daemon stands them, and builds that are wrong on purpose do not."""

import pytest

pytestmark = pytest.mark.timeout(260)


def test_nothing_is_lost_and_nothing_is_half_done(tortured):
    told = tortured("--only", "kills", "--kills", "4", "--seed", "7")
    assert (told.code, told.faults) == (0, set()), told.text
    assert told["kills"] == 4
    assert told["acknowledged"] > 100
    assert told["uploads"] > 3


def test_it_dies_right_before_its_calls(tortured, strace):
    told = tortured("--only", "kills", "--kills", "6", "--seed", "5")
    assert (told.code, told.faults) == (0, set()), told.text
    assert told["kills_at_start"] + told["kills_at_calls"] > 0


@pytest.mark.parametrize(
    ("build", "noticed"),
    [
        ("answer-before-commit", {"lost", "doubled"}),
        ("two-transactions", {"half_effects", "audit_gaps", "not_started"}),
        ("forget-the-audit", {"audit_gaps", "not_started"}),
    ],
)
def test_a_wrong_build_is_noticed(tortured, build, noticed):
    told = tortured("--only", "kills", "--kills", "60", "--seed", "4", "--wrong", build, "--stop-at-fault")
    assert told.code == 1, told.text
    assert told.faults & noticed, told.text
