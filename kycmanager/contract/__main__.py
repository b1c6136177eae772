"""`python -m kycmanager.contract [--check]`: write the generated files, or tell which are stale."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from kycmanager.commands import TABLE
from kycmanager.commands.model import Command
from kycmanager.contract import files

_TREE = Path(__file__).resolve().parents[2]


def main(arguments: Sequence[str] | None = None, table: tuple[Command, ...] = TABLE) -> int:
    """Return 0, or 1 when a file is stale (--check) or the root is no source tree."""
    parser = argparse.ArgumentParser(prog="python -m kycmanager.contract", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 naming the stale files")
    parser.add_argument("--root", type=Path, default=_TREE, help="the source tree to write to")
    options = parser.parse_args(arguments)
    if not (options.root / "kycmanager").is_dir() or not (options.root / "pyproject.toml").is_file():
        sys.stderr.write(f"{options.root} is no source tree; name one with --root\n")
        return 1
    return _check(table, options.root) if options.check else _write(table, options.root)


def _check(table: tuple[Command, ...], root: Path) -> int:
    found = files.stale(table, root)
    for path in found:
        sys.stderr.write(f"stale: {path}\n")
    if found:
        sys.stderr.write("run python -m kycmanager.contract\n")
        return 1
    sys.stdout.write(f"all {len(files.FILES)} generated files are fresh\n")
    return 0


def _write(table: tuple[Command, ...], root: Path) -> int:
    written = files.write(table, root)
    for path in written:
        sys.stdout.write(f"wrote {path}\n")
    sys.stdout.write(f"{len(files.FILES) - len(written)} files were fresh\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
