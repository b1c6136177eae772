"""The settings a sub-command works with: config.toml, then the environment, then its own options."""

import argparse
from collections.abc import Mapping
from pathlib import Path

import msgspec

from kycmanager.cli.faults import CliError, UsageError
from kycmanager.config import Config, load, split_address


def load_settings(args: argparse.Namespace, environ: Mapping[str, str]) -> tuple[Config, Path]:
    """Return the settings and the data folder; options that were given go before the file.

    Reads args.config, args.data and, where the sub-command has them, args.tcp and args.http.
    Raises ConfigError, UsageError.
    """
    config = load(args.config, environ)
    server = config.server
    for option in ("tcp", "http"):
        if address := getattr(args, option, None):
            server = msgspec.structs.replace(server, **{option: _address(option, address)})
    data_dir = args.data if args.data is not None else Path(server.data)
    server = msgspec.structs.replace(server, data=str(data_dir))
    return msgspec.structs.replace(config, server=server), data_dir


def make_data_folder(data_dir: Path) -> None:
    """Make the data folder, for its owner only, when it is missing. Raises CliError."""
    try:
        data_dir.parent.mkdir(parents=True, exist_ok=True)
        data_dir.mkdir(mode=0o700, exist_ok=True)
    except OSError as fault:
        raise CliError(f"{data_dir} cannot be made ({fault.strerror}); name another folder with --data") from None


def _address(option: str, text: str) -> str:
    try:
        split_address(text)
    except ValueError as fault:
        raise UsageError(f"--{option}: {fault}") from None
    return text
