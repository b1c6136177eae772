"""`kycmanager sep12`: a working example of the door of Stellar wallets, and a wallet that plays against it."""

import argparse
import os
import re
import sys
import tomllib
from pathlib import Path

from rich.console import Console

from kycmanager.cli import control
from kycmanager.cli.faults import CliError, UsageError
from kycmanager.cli.output import say
from kycmanager.cli.settings import load_settings, make_data_folder
from kycmanager.config import ConfigError, from_table
from kycmanager.demo.story import WIDTH
from kycmanager.domain.wallet_example import settings_text

_SECTION = re.compile(r"^\[sep12\]\n.*?(?=^\[|\Z)", re.MULTILINE | re.DOTALL)
_NETWORKS = {
    "testnet": ("Test SDF Network ; September 2015", "https://horizon-testnet.stellar.org"),
    "public": ("Public Global Stellar Network ; September 2015", "https://horizon.stellar.org"),
}


def init(args: argparse.Namespace) -> int:
    """Write the section [sep12] into the settings, make the keys, add the templates."""
    path: Path = args.config or Path("config.toml")
    passphrase, horizon = _NETWORKS[args.network]
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    fresh = with_section(text, settings_text(args.brand, args.url, passphrase, args.horizon or horizon), path)
    args.config = path if path.is_file() else None
    config, data_dir = load_settings(args, os.environ)
    keys = _keys(data_dir, fresh)
    done = control.perform(config, data_dir, "SysAddSepTemplates", {"brand": args.brand}, lambda *_: None)
    path.write_text(fresh, encoding="utf-8")
    say(f"wrote [sep12] to {path}; change its types and their templates as you need them")
    say(f"templates of {args.brand}: {len(done['added'])} added, {len(done['kept'])} were there")
    say(f"SIGNING_KEY {keys}; its seed lies in the folder of keys: keep a copy, and never beside the backups")
    say(f"restart the daemon, then look at {args.url}/.well-known/stellar.toml")
    return 0


def with_section(text: str, fresh: str, path: Path) -> str:
    """Return the settings with the section in the place of one that is switched off; raises UsageError, ConfigError."""
    try:
        held = tomllib.loads(text).get("sep12", {})
    except ValueError as fault:
        raise ConfigError(f"{path} is not TOML: {fault}; correct that line") from None
    if held.get("enabled"):
        raise UsageError(f"{path} has a section [sep12] that is on; change it by hand, or set its enabled to false")
    rest = _SECTION.sub("", text) if held else text
    found = f"{rest.rstrip()}\n\n{fresh}".lstrip()
    try:
        from_table(tomllib.loads(found), {})
    except ValueError as fault:
        raise ConfigError(f"{path}: the section [sep12] cannot be put in by itself ({fault}); do it by hand") from None
    return found


def _keys(data_dir: Path, text: str) -> str:
    """Make the keys where they are missing; return the public one."""
    try:
        from kycmanager.apis.sep12.keys import load_seed, load_token_key  # noqa: PLC0415 - an extra
    except ImportError:
        raise CliError("this needs the extra: pip install 'kycmanager[stellar]'") from None
    settings = from_table(tomllib.loads(text), {}).sep12
    make_data_folder(data_dir)
    load_token_key(data_dir / settings.token_key_file)
    return load_seed(data_dir / settings.key_file).public_key


def demo(args: argparse.Namespace) -> int:
    """Start a daemon and a stand-in for Horizon, and play the life of a wallet's customer; 0 when all was as told."""
    try:
        from kycmanager.demo.wallet import Performance  # noqa: PLC0415 - an extra
    except ImportError:
        raise CliError("this needs the extra: pip install 'kycmanager[stellar]'") from None
    console = Console(highlight=False, soft_wrap=False, width=None if sys.stdout.isatty() else WIDTH)
    fault = Performance((sys.executable, "-m", "kycmanager"), console, verbose=args.verbose).run()
    if fault:
        raise CliError(fault)
    return 0
