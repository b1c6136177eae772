"""The commands of this room, shortly: the product stands them, and a build with a fault does not."""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def run(name, *options):
    """Run a command; return its exit code, its figures and all it said."""
    line = [sys.executable, str(HERE / f"{name}.py"), *options]
    done = subprocess.run(line, check=False, capture_output=True, text=True, timeout=110)
    assert done.stdout, done.stderr
    figures = dict(each.split("=") for each in done.stdout.splitlines()[-1].split())
    return done.returncode, {name: float(value) for name, value in figures.items()}, done.stdout


@pytest.mark.parametrize(
    ("name", "options", "done"),
    [
        ("fuzz", ("--cases", "600", "--seed", "7"), {"lines": 600, "frames": 600, "http": 600}),
        ("api", ("--cases", "80", "--seed", "7"), {}),
        ("clients", ("--clients", "6", "--short"), {"clients": 30}),
        ("soak", ("--seconds", "1", "--settle", "1", "--fill", "1000"), {"seconds": 1}),
    ],
)
def test_the_product_stands_it(name, options, done):
    code, figures, told = run(name, *options)
    assert code == 0, told
    assert figures | done == figures


@pytest.mark.parametrize(
    ("name", "options"), [("fuzz", ("--cases", "300", "--seed", "7")), ("api", ("--cases", "160", "--seed", "7"))]
)
def test_a_fault_is_found(name, options):
    code, figures, told = run(name, *options, "--wrong")
    assert code == 1, told
    assert figures["failures"] > 0
    assert figures["faults_logged"] > 0
