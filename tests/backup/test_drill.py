"""The restore drill, shortly."""

import subprocess
import sys
from pathlib import Path


def test_what_is_restored_is_what_was_there_to_the_last_row_and_file():
    told = subprocess.run(
        [sys.executable, str(Path(__file__).parent / "drill.py"), "--seconds", "1"],
        check=False, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout + told.stderr
    figures = dict(pair.split("=") for pair in told.stdout.splitlines()[-1].split())
    assert figures["faults"] == "0"
    assert int(figures["records"]) > 50
    assert int(figures["files"]) > 5
