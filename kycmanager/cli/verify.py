"""`kycmanager verify`: check every record, the audit and every stored file, and name what is not as it was written."""

import argparse
import os
from pathlib import Path
from typing import Any

from kycmanager.backup.manifest import KEYS
from kycmanager.cli import control
from kycmanager.cli.audit import BASE
from kycmanager.cli.output import say
from kycmanager.cli.progress import Report, show_progress
from kycmanager.cli.settings import load_settings
from kycmanager.config import Config
from kycmanager.ports import StoreRefused
from kycmanager.store.sqlite.heads import HEADS
from kycmanager.store.sqlite.offline import prove_audit
from kycmanager.store.sqlite.prove import Fault
from kycmanager.store.sqlite.survey import survey, survey_pages


def main(args: argparse.Namespace) -> int:
    """Verify, with progress: all faults, then the sums; 1 when anything is damaged or missing."""
    config, data_dir = load_settings(args, os.environ)
    if not (data_dir / BASE).exists():
        raise StoreRefused(f"{data_dir / BASE} is missing; name the data folder with --data")
    with show_progress() as report:
        rows, faults = _records(data_dir, report)
        faults += _keys(data_dir, report)
        audit_rows, audit_faults = _audit(data_dir, report)
        files, file_faults = _files(config, data_dir, report, told=bool(faults))
    faults = [*faults, *audit_faults, *file_faults]
    for what, fault in faults:
        say(f"{what}: {fault}")
    say(f"checked records {rows}, audit rows {audit_rows}, files {files}; faults {len(faults)}")
    if faults:
        say("restore what is named above from a backup, then run this again")
    return 1 if faults else 0


def _records(data_dir: Path, report: Report) -> tuple[int, list[Fault]]:
    """Check the records in this process: a daemon that runs goes on undisturbed."""
    try:
        found = survey(data_dir / BASE, report)
    except StoreRefused as refused:
        return 0, [("kyc.db", str(refused))]
    return sum(found.counts.get(table, 0) for table in ("template", "profile", "step", "document")), found.faults


def _keys(data_dir: Path, report: Report) -> list[Fault]:
    """Check the base of keys, which a folder without encryption does not have."""
    try:
        return survey_pages(data_dir / KEYS, report) if (data_dir / KEYS).exists() else []
    except StoreRefused as refused:
        return [(KEYS.name, str(refused))]


def _audit(data_dir: Path, report: Report) -> tuple[int, list[Fault]]:
    try:
        proof = prove_audit(data_dir / BASE, data_dir / HEADS, report)
    except StoreRefused as refused:
        return 0, [("audit", str(refused))]
    return proof.rows, proof.faults


def _files(config: Config, data_dir: Path, report: Report, *, told: bool) -> tuple[int, list[Fault]]:
    """Have every stored file read again, by the daemon when one runs: only it knows what comes and goes just now."""
    try:
        result: dict[str, Any] = control.perform(config, data_dir, "SysVerify", {}, report)
    except StoreRefused as refused:
        if told:
            return 0, [("files", "were not checked: the base does not open with the faults above")]
        return 0, [("bases", str(refused))]
    return result["checked"], [(each["object"], each["fault"]) for each in result["faults"]]
