"""`kycmanager verify`: read every stored file again and compare it with what was recorded."""

import argparse
import os
from collections.abc import Callable
from typing import Any

from kycmanager.cli import control
from kycmanager.cli.output import say
from kycmanager.cli.progress import show_progress
from kycmanager.cli.settings import load_settings

Perform = Callable[[], dict[str, Any]]
"""Verify everything and return `{"checked": n, "faults": [{"object", "fault"}]}`."""


def main(args: argparse.Namespace) -> int:
    """Verify, with progress; 1 when anything is damaged or missing."""
    config, data_dir = load_settings(args, os.environ)

    def perform() -> dict[str, Any]:
        with show_progress() as report:
            return control.perform(config, data_dir, "SysVerify", {}, report)

    return verify(perform)


def verify(perform: Perform) -> int:
    """Print each fault, then the sum."""
    result = perform()
    faults = result["faults"]
    for fault in faults:
        say(f"{fault['object']}: {fault['fault']}")
    say(f"checked {result['checked']}, faults {len(faults)}")
    if faults:
        say("restore what is named above from a backup, then run this again")
    return 1 if faults else 0
