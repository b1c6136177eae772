"""One daemon for the tests of a file: they attack it one after another, and in the end its log tells of no fault."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE / "support"), str(HERE.parent / "e2e" / "support")]

from talk import Talk  # noqa: E402 - found by the line above
from target import Target  # noqa: E402


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    with Target(tmp_path_factory.mktemp("hostile"), '[logging]\nlevel = "debug"\n') as target:
        yield target
        assert target.alive
        target.stop()
        assert target.faults() == []
        assert target.left_over() == []


@pytest.fixture
def line(target):
    """A connection over TCP, and the proof that it lived to the end."""
    with Talk(target.tcp) as talk:
        yield talk


@pytest.fixture
def http(target):
    with Talk(target.http) as talk:
        yield talk
