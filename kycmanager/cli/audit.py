"""`kycmanager audit`: prove that the audit is what was written, or tell that an older base was put back on purpose."""

import argparse
import os
import time
from pathlib import Path

from kycmanager.cli.faults import CliError, UsageError
from kycmanager.cli.output import say
from kycmanager.cli.progress import show_progress
from kycmanager.cli.settings import load_settings
from kycmanager.store.sqlite.heads import HEADS, LINE_BYTES_MAX
from kycmanager.store.sqlite.offline import accept_head, prove_audit
from kycmanager.store.sqlite.prove import Proof

BASE = Path("bases") / "kyc.db"
REASON_CHARACTERS_MAX = LINE_BYTES_MAX // 16
"""So that a reason fits into a line of the file of heads, however it is escaped."""


def verify(args: argparse.Namespace) -> int:
    """Prove the audit of a data folder, or of a copy of its base; 0 only when it is whole."""
    _, data_dir = load_settings(args, os.environ)
    base = args.base or data_dir / BASE
    heads = args.heads or _beside(base)
    with show_progress() as report:
        proof = prove_audit(base, heads, report)
    if heads is None:
        say("no heads are held against it: an audit rewritten as a whole would not be noticed; name them with --heads")
    return tell(proof)


def tell(proof: Proof) -> int:
    """Print what was found; 1 when something does not fit."""
    for note in proof.notes:
        say(note)
    for what, fault in proof.faults:
        say(f"{what}: {fault}")
    if proof.faults:
        say(f"the audit is not whole, faults {len(proof.faults)}; compare it with a backup, look who could write to it")
        return 1
    if not proof.rows:
        say("the audit is whole: it has no rows yet")
        return 0
    last = proof.head
    say(
        f"the audit is whole: rows {proof.first_id} to {last.audit_id}, links {proof.links}, heads {proof.heads};"
        f" head of link {last.link}: {last.hash.hex()}",
    )
    return 0


def accept(args: argparse.Namespace) -> int:
    """Write down that the base ends where it ends on purpose."""
    _, data_dir = load_settings(args, os.environ)
    reason = args.reason.strip()
    if not 1 <= len(reason) <= REASON_CHARACTERS_MAX:
        raise UsageError(f"--reason: say in 1 to {REASON_CHARACTERS_MAX} characters why the base was put back")
    try:
        line = accept_head(data_dir / BASE, data_dir / HEADS, int(time.time()), reason)
    except OSError as fault:
        raise CliError(
            f"{data_dir / HEADS} cannot be written ({fault.strerror}); check the disk and the owner"
        ) from None
    say(f"the audit goes on after row {line.audit}; {data_dir / HEADS} tells why")
    return 0


def _beside(base: Path) -> Path | None:
    """Return the heads of the data folder a base lies in, None where there are none."""
    heads = base.absolute().parent.parent / HEADS
    return heads if heads.exists() else None
