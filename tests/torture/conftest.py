"""The harness as a process: what it tells at the end."""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e" / "support")]

import torture_disk  # noqa: E402 - found by the line above
import torture_kills  # noqa: E402

TIMEOUT_SECONDS = 240
"""A wrong build is tried until it is noticed: nearly always within a few rounds, rarely within many."""
HARNESS = HERE / "torture.py"


class Told:
    """How a run of the harness ended: its code, its figures, all its lines."""

    def __init__(self, code, text):
        self.code = code
        self.text = text
        self.figures = dict(each.split("=") for each in text.splitlines()[-1].split())

    def __getitem__(self, name):
        return float(self.figures.get(name, 0))

    @property
    def faults(self):
        """Return what must be none and is not."""
        names = list(self.figures)
        return {name for name in names[names.index("lost") :] if self[name]}


@pytest.fixture
def tortured():
    """Run the harness."""

    def run(*options):
        line = [sys.executable, str(HARNESS), "--quiet", "--jobs", "1", *options]
        done = subprocess.run(line, check=False, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
        assert done.stdout, done.stderr
        return Told(done.returncode, done.stdout)

    return run


def need(missing):
    """Leave a test out, by the name of what this machine lacks."""
    if missing:
        pytest.skip(missing)


@pytest.fixture
def disks():
    """A machine on which disks can be made and lose power."""
    need(torture_disk.missing())


@pytest.fixture
def machine():
    """Tell what a machine lacks, "" for nothing."""
    return need


@pytest.fixture
def strace():
    """A machine on which system calls can be watched."""
    need(torture_kills.missing())
