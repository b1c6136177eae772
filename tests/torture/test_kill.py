"""The kill harness, shortly: the daemon stands it, and builds that are wrong on purpose do not."""

import subprocess
import sys
from pathlib import Path

import pytest

HARNESS = Path(__file__).parent / "kill.py"


def killed(*options):
    """Run the harness; return its exit code and its figures."""
    line = [sys.executable, str(HARNESS), "--quiet", *options]
    done = subprocess.run(line, check=False, capture_output=True, text=True, timeout=110)
    assert done.stdout, done.stderr
    figures = dict(each.split("=") for each in done.stdout.splitlines()[-1].split())
    return done.returncode, {name: float(value) for name, value in figures.items()}, done.stdout


def test_nothing_is_lost_and_nothing_is_half_done():
    code, figures, told = killed("--kills", "8", "--seed", "7")
    assert code == 0, told
    assert figures["kills"] == 8
    assert figures["acknowledged"] > 300
    assert figures["uploads"] > 30
    zeros = list(figures.values())[list(figures).index("lost") :]
    assert zeros == [0.0] * 11


@pytest.mark.parametrize(
    ("build", "noticed"),
    [
        ("answer-before-commit", {"lost", "doubled"}),
        ("two-transactions", {"half_effects"}),
        ("row-before-file", {"rows_without_file", "errors_logged"}),
        ("forget-the-audit", {"audit_gaps"}),
    ],
)
def test_a_wrong_build_is_noticed(build, noticed):
    code, figures, told = killed("--kills", "12", "--seed", "3", "--wrong", build, "--stop-at-fault")
    assert code == 1, told
    assert any(figures[name] for name in noticed), told
