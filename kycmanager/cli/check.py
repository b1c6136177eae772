"""`kycmanager check`: tell whether settings, keys, certificate and bases are fit to serve."""

import argparse
import os
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kycmanager.cli import control
from kycmanager.cli.faults import CliError
from kycmanager.cli.output import say
from kycmanager.cli.progress import show_progress
from kycmanager.cli.settings import load_settings
from kycmanager.config import Config
from kycmanager.tokens.keys import load_keys
from kycmanager.vault.masters import load_masters

Perform = Callable[[str, dict[str, Any]], dict[str, Any]]
"""`perform(command, data)`: run a local command on the bases and return its reply."""


def main(args: argparse.Namespace) -> int:
    """Check everything, one line each; the first fault ends it."""
    config, data_dir = load_settings(args, os.environ)

    def perform(command: str, data: dict[str, Any]) -> dict[str, Any]:
        with show_progress() as report:
            return control.perform(config, data_dir, command, data, report)

    return check(config, data_dir, perform)


def check(config: Config, data_dir: Path, perform: Perform) -> int:
    """Check without making anything: what a first start would make is not missed."""
    say("settings: ok")
    say(f"keys: {_keys(config, data_dir)}")
    if config.encryption.master_key:
        load_masters(config.encryption, data_dir, wraps=0)  # refuses what a first start would refuse
    say(f"certificate: {_certificate(config, data_dir)}")
    if not any((data_dir / "bases").glob("*.db")):
        say("bases: none yet, the first start makes them")
        return 0
    counts = perform("SysCheck", {})
    say(f"bases: ok, {', '.join(f'{name} {count}' for name, count in counts.items()) or 'empty'}")
    if config.backoffice.search_fields:
        _check_fields(perform("SysCheckFields", {"fields": list(config.backoffice.search_fields)})["unknown"])
    return 0


def _check_fields(unknown: dict[str, str]) -> None:
    for name, near in unknown.items():
        advice = f"did you mean {near!r}?" if near else "correct it, or add the field to a template first"
        raise CliError(f"backoffice.search_fields: no form has a field {name!r}; {advice}")
    say("search fields: ok")


def _keys(config: Config, data_dir: Path) -> str:
    own = config.tokens.secret or (data_dir / config.tokens.key_file).exists()
    if not own and not config.tokens.public_keys:
        return "none yet, the first start makes one"
    return f"ok, {len(load_keys(config.tokens, data_dir).verifying)}"


def _certificate(config: Config, data_dir: Path) -> str:
    server = config.server
    if not server.tls_cert:
        return "none, the doors speak without TLS"
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
            data_dir / server.tls_cert,
            data_dir / server.tls_key,
        )
    except (OSError, ValueError) as fault:
        raise CliError(
            f"server.tls_cert and server.tls_key cannot be used together ({fault.args[-1]});"
            " name a PEM chain and its unencrypted key",
        ) from None
    return "ok"
