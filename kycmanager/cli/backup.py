"""`kycmanager backup` and `kycmanager restore`: a backup beside a running daemon, and a data folder made of one."""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from kycmanager.backup.make import Unfit, copy_keys
from kycmanager.backup.make import back_up as make_backup
from kycmanager.backup.manifest import KEYS, BackupError, Manifest
from kycmanager.backup.restore import Broken
from kycmanager.backup.restore import restore as make_folder
from kycmanager.cli.faults import CliError
from kycmanager.cli.output import complain, say
from kycmanager.cli.progress import show_progress
from kycmanager.cli.settings import load_settings
from kycmanager.config import Config

Result = TypeVar("Result")


def back_up(args: argparse.Namespace) -> int:
    """Write a backup; 1 when stored files were damaged or missing already."""
    config, data_dir = load_settings(args, os.environ)

    def make() -> Manifest:
        with show_progress() as report:
            return make_backup(data_dir, args.to, now=int(time.time()), progress=report, since=args.since)

    manifest = _told(make, args.to)
    for what, fault in manifest.faults:
        say(f"{what}: {fault}")
    say(f"backup: {args.to}, {_sums(manifest)}")
    if args.keys is not None:
        copied = _told(lambda: copy_keys(data_dir, args.keys), args.keys)
        say(f"keys: {args.keys}" if copied else f"keys: {data_dir / KEYS} is not there, nothing was copied")
    say(_no_keys(config, data_dir))
    if manifest.faults:
        complain("the backup is finished, but lacks what is named above: mend that, and make another")
    return 1 if manifest.faults else 0


def restore(args: argparse.Namespace) -> int:
    """Make a data folder of a backup that is whole."""

    def make() -> Manifest:
        with show_progress() as report:
            return make_folder(
                args.source,
                args.data,
                now=int(time.time()),
                progress=report,
                keys=args.keys,
                despite_faults=args.despite_faults,
            )

    manifest = _told(make, args.data)
    for what, fault in manifest.faults:
        say(f"{what}: {fault}")
    say(f"restored: {args.data}, {_sums(manifest)}")
    say(f"before the start: put keys/{'' if args.keys else f' and {KEYS}'} of the old data folder into {args.data}")
    return 0


def _told(work: Callable[[], Result], place: Path) -> Result:
    """Do the work; say all faults that end it."""
    try:
        return work()
    except (Unfit, Broken) as found:
        for what, fault in found.faults:
            say(f"{what}: {fault}")
        raise CliError(str(found)) from None
    except BackupError as fault:
        raise CliError(str(fault)) from None
    except OSError as fault:
        raise CliError(f"{fault.filename or place}: {fault.strerror}; nothing was written") from None


def _sums(manifest: Manifest) -> str:
    records = sum(manifest.counts[table] for table in ("template", "profile", "step", "document"))
    size = sum(entry.size for entry in manifest.files)
    return (
        f"records {records}, audit rows {manifest.counts['audit']}, files {manifest.counts['stored']}, bytes {size};"
        f" head of link {manifest.link}: {manifest.hash}"
    )


def _no_keys(config: Config, data_dir: Path) -> str:
    files = [config.tokens.key_file, config.encryption.key_file, str(KEYS)]
    there = [str(data_dir / name) for name in files if (data_dir / name).exists()]
    return f"no keys are in it: keep {', '.join(there) or 'them'} elsewhere, without them what is sealed stays sealed"
