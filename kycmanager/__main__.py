"""The command line: argument parsing only; the work is done by the modules of kycmanager.cli."""

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from kycmanager.cli import check, serve, token
from kycmanager.cli.faults import CliError, UsageError
from kycmanager.cli.output import complain
from kycmanager.config import ConfigError
from kycmanager.key_files import KeyFileError
from kycmanager.ports import StoreRefused

Run = Callable[[argparse.Namespace], int]

VERIFY_COSTS = (
    "For a million profiles with four steps each it takes about a minute of one processor and 4 GB of memory, then the"
    " time to read all files; a running daemon goes on beside it."
)

_EXPECTED = (CliError, ConfigError, KeyFileError, StoreRefused)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one sub-command: 0 done, 1 failed, 2 called wrongly. A fault is one line on stderr."""
    args = parser().parse_args(arguments)
    os.umask(0o077)  # bases, files, keys and sockets are for the user of the daemon alone
    run: Run = args.run
    try:
        return run(args)
    except _EXPECTED as fault:
        complain(str(fault))
        return 2 if isinstance(fault, UsageError) else 1
    except KeyboardInterrupt:
        complain("interrupted; start it again when you like")
        return 1


def parser() -> argparse.ArgumentParser:
    """Build the parser of all sub-commands."""
    root = argparse.ArgumentParser(prog="kycmanager", description="Ask, review, decide, and prove it years later.")
    root.add_argument("--version", action="version", version=f"kycmanager {_version()}")
    commands = root.add_subparsers(required=True, metavar="COMMAND")
    _add_serve(commands)
    _add_token(commands)
    _add_sep12(commands)
    _add_demo(commands)
    _settings(_command(commands, "check", "check the settings, the keys and the bases", check.main))
    verify = "check the pages of the bases, every record, the audit and every stored file"
    _settings(_command(commands, "verify", verify, _late("verify"), VERIFY_COSTS))
    _add_audit(commands)
    _add_backup(commands)
    _add_keys(commands)
    _add_user(commands)
    _add_webhooks(commands)
    return root


def _add_serve(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = _command(commands, "serve", "run the daemon until SIGTERM or SIGINT", serve.main)
    _settings(command)
    command.add_argument("--tcp", metavar="HOST:PORT", help="TCP door; port 0 takes any free one")
    command.add_argument("--http", metavar="HOST:PORT", help="HTTP door; port 0 takes any free one")
    command.add_argument("--ready-file", type=Path, metavar="FILE", help="written as JSON when it serves")


def _add_token(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    group = commands.add_parser("token", help="issue and revoke session tokens", description="Session tokens.")
    actions = group.add_subparsers(required=True, metavar="ACTION")
    sessions = ", ".join(token.SESSION_NAMES)
    issue = _command(actions, "issue", "print a new token", token.issue)
    _settings(issue)
    issue.add_argument("--session", required=True, metavar="NAME", help=f"one of {sessions}")
    issue.add_argument("--id", required=True, type=int, metavar="N", help="id of the manager or customer")
    issue.add_argument("--brand", action="append", metavar="B", help="a brand of its scope; repeat it; none = all")
    issue.add_argument("--ttl", metavar="TIME", help="life of the token: 30m, 8h, 7d (default: tokens.ttl)")
    revoke = _command(actions, "revoke", "refuse tokens before their time", token.revoke)
    _settings(revoke)
    revoke.add_argument("--jti", metavar="ID", help="the token with this jti")
    revoke.add_argument("--token", metavar="TOKEN", help="this token; - reads it from stdin")
    revoke.add_argument("--session", metavar="NAME", help="with --id: all tokens of a subject issued before now")
    revoke.add_argument("--id", type=int, metavar="N", help="with --session")


def _add_audit(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    group = commands.add_parser("audit", help="prove that the audit is whole", description="The chain of the audit.")
    actions = group.add_subparsers(required=True, metavar="ACTION")
    prove = _command(actions, "verify", "prove that the audit, or that of a copy, is whole", _late("audit", "verify"))
    _settings(prove)
    prove.add_argument("--base", type=Path, metavar="FILE", help="a base or a copy (default: that of the folder)")
    prove.add_argument("--heads", type=Path, metavar="FILE", help="its heads (default: audit/heads.log of its folder)")
    accept = _command(actions, "accept", "tell that an older base was put back on purpose", _late("audit", "accept"))
    _settings(accept)
    accept.add_argument("--reason", required=True, metavar="TEXT", help="why, for whoever verifies the audit later")


def _add_backup(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    backup = _command(commands, "backup", "write a backup, also while the daemon runs", _late("backup", "back_up"))
    _settings(backup)
    backup.add_argument("--to", required=True, type=Path, metavar="DIR", help="a new folder for the backup")
    backup.add_argument("--since", type=Path, metavar="DIR", help="an earlier backup: files it has are linked to")
    backup.add_argument("--keys", type=Path, metavar="FILE", help="replace FILE by a copy of bases/keys.db")
    restore = _command(commands, "restore", "check a backup and make a data folder of it", _late("backup", "restore"))
    restore.add_argument("--from", required=True, dest="source", type=Path, metavar="DIR", help="the backup")
    restore.add_argument("--data", required=True, type=Path, metavar="DIR", help="the data folder, missing or empty")
    restore.add_argument("--keys", type=Path, metavar="FILE", help="the copy of bases/keys.db to put there")
    restore.add_argument(
        "--despite-faults", action="store_true", help="restore without the files that were damaged before the backup"
    )


def _add_keys(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    group = commands.add_parser("keys", help="list and rotate the keys of encryption", description="Encryption keys.")
    actions = group.add_subparsers(required=True, metavar="ACTION")
    for name, summary, function in (
        ("list", "show which key seals how much, never a key", "list_keys"),
        ("rotate", "seal every key by a new master key, also while the daemon runs", "rotate"),
        ("seal", "encrypt what was written in clear, also while the daemon runs", "seal"),
    ):
        _settings(_command(actions, name, summary, _late("keys", function)))


def _add_user(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    group = commands.add_parser("user", help="say who may sign in to the pages", description="Users of /backoffice.")
    actions = group.add_subparsers(required=True, metavar="ACTION")
    add = _command(actions, "add", "add a user; the password is asked for, or read from stdin", _late("user", "add"))
    add.add_argument("--role", required=True, metavar="ROLE", help="manager, admin, crm_manager or crm_admin")
    add.add_argument("--brand", action="append", metavar="B", help="a brand to work for; repeat it; none = all")
    add.add_argument("--id", type=int, metavar="N", help="the id the audit names, as in the CRM (default: the next)")
    off = _command(actions, "totp", "ask a user for one-time codes, and show the secret once", _late("user", "totp"))
    off.add_argument("--off", action="store_true", help="ask for none any more")
    others = [
        _command(actions, "password", "give a user another password", _late("user", "password")),
        _command(actions, "disable", "let a user sign in no more, from this moment", _late("user", "disable")),
        _command(actions, "enable", "let a disabled user sign in again", _late("user", "enable")),
        _command(actions, "remove", "remove a user", _late("user", "remove")),
    ]
    for command in (add, off, *others):
        command.add_argument("name", metavar="NAME", help="the name of the user; capitals do not matter")
        _settings(command)
    _settings(_command(actions, "list", "list the users", _late("user", "show")))


def _add_webhooks(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    about = "What is told to others by webhooks and callbacks."
    group = commands.add_parser("webhooks", help="what is told to others: list, replay, test", description=about)
    actions = group.add_subparsers(required=True, metavar="ACTION")
    shown = _command(actions, "list", "list deliveries, the newest first", _late("webhooks", "show"))
    states = ("waiting", "delivered", "dead", "dropped")
    shown.add_argument("--state", choices=states, help="only these; dead: given up")
    shown.add_argument("--channel", metavar="NAME", help="only this channel: webhooks.<name of the endpoint>, sep12")
    shown.add_argument("--customer", type=int, metavar="N", default=0, help="only of this customer")
    shown.add_argument("--limit", type=int, metavar="N", default=50, help="at most so many (default: 50)")
    again = _command(actions, "replay", "try deliveries again", _late("webhooks", "replay"))
    again.add_argument("--id", type=int, metavar="N", help="this delivery")
    again.add_argument("--channel", metavar="NAME", help="all that this channel has given up")
    again.add_argument("--from-seq", type=int, metavar="N", help="with --channel: all its events from this number on")
    tried = _command(actions, "test", "call an endpoint with an event that tells nothing", _late("webhooks", "test"))
    tried.add_argument("name", metavar="NAME", help="the name of the endpoint in the settings")
    for command in (shown, again, tried):
        _settings(command)


def _add_sep12(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    group = commands.add_parser("sep12", help="serve Stellar wallets: a working example, and a wallet that plays it")
    actions = group.add_subparsers(required=True, metavar="ACTION")
    init = _command(actions, "init", "write settings, templates and keys of a working example", _late("sep12", "init"))
    init.add_argument(
        "--url", required=True, metavar="URL", help="public address of the daemon: https://kyc.example.com"
    )
    init.add_argument("--brand", required=True, metavar="B", help="the brand of the customers of wallets")
    init.add_argument("--network", choices=("testnet", "public"), default="testnet", help="(default: testnet)")
    init.add_argument("--horizon", metavar="URL", help="address of Horizon (default: that of the network's foundation)")
    _settings(init)
    demo = _command(actions, "demo", "start a daemon and play the life of a wallet's customer", _late("sep12", "demo"))
    demo.add_argument("--verbose", action="store_true", help="show every request and reply")


def _add_demo(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = _command(commands, "demo", "start a daemon and play the life of one customer on it", _late("demo"))
    command.add_argument(
        "--data", type=Path, metavar="DIR", help="data folder, new or empty; it stays (default: a temporary one)"
    )
    command.add_argument(
        "--keep", action="store_true", help="leave the daemon running and its data in place at the end"
    )
    command.add_argument("--verbose", action="store_true", help="show every request and reply")


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    summary: str,
    run: Run,
    more: str = "",
) -> argparse.ArgumentParser:
    description = f"{summary[0].upper()}{summary[1:]}. {more}".strip()
    command = commands.add_parser(name, help=summary, description=description)
    command.set_defaults(run=run)
    return command


def _settings(command: argparse.ArgumentParser) -> None:
    command.add_argument("--config", type=Path, metavar="FILE", help="settings (default: ./config.toml if there)")
    command.add_argument("--data", type=Path, metavar="DIR", help="data folder (default: server.data)")


def _late(module: str, function: str = "main") -> Run:
    """Return a sub-command whose module is loaded when it runs: others need not pay for it."""

    def run(args: argparse.Namespace) -> int:
        found: Run = getattr(importlib.import_module(f"kycmanager.cli.{module}"), function)
        return found(args)

    return run


def _version() -> str:
    try:
        return version("kycmanager")
    except PackageNotFoundError:
        return "unreleased"


if __name__ == "__main__":
    sys.exit(main())
