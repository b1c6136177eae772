"""Faults, each once: nothing is falsely acknowledged, reads go on, and writes come back by themselves."""

import pytest
import torture_faults
from torture_faults import KINDS

TIMED = {"late_refusals"}
"""Judged where the machine is not shared with other tests: by `make torture`."""


@pytest.mark.parametrize("name", KINDS)
def test_a_fault_is_survived(tortured, machine, name):
    machine(torture_faults.missing(name))
    told = tortured("--only", "faults", "--faults", "1", "--first", str(KINDS.index(name)), "--seed", "4")
    assert told.faults <= TIMED, told.text
    assert told["faults"] == told["faults_felt"] == 1, told.text
    assert told["acknowledged"] > 100
