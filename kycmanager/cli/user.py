"""`kycmanager user`: who may sign in to the pages. Passwords are asked for or read from stdin, never an argument."""

import argparse
import getpass
import os
import secrets
import sys
from collections.abc import Callable
from typing import Any

from kycmanager.backoffice.passwords import hash_of
from kycmanager.cli import control
from kycmanager.cli.faults import UsageError
from kycmanager.cli.output import say
from kycmanager.cli.settings import load_settings
from kycmanager.domain.totp import SECRET_BYTES, secret_text, uri
from kycmanager.domain.users import ROLES, password_fault, spelled

Perform = Callable[[str, dict[str, Any]], dict[str, Any]]
"""`perform(command, data)`: run a local command on the daemon or on the base, return the data of its reply."""


def add(args: argparse.Namespace) -> int:
    """Add a user, and tell the id that the audit will name."""
    perform, name = _perform(args), spelled(args.name)
    if args.role not in ROLES:
        raise UsageError(f"there is no role {args.role!r}; use one of {', '.join(ROLES)}")
    data = {"name": name, "role": args.role, "brands": args.brand, "password_hash": _password(name)}
    user = perform("SysAddUser", data | ({"id": args.id} if args.id is not None else {}))["user"]
    say(f"added {_described(user)}; `kycmanager user totp {name}` has it asked for one-time codes too")
    return 0


def show(args: argparse.Namespace) -> int:
    """Print a line for each user."""
    users = _perform(args)("SysGetUsers", {})["users"]
    for user in users:
        state = "may sign in" if user["enabled"] else "disabled"
        codes = "with codes" if user["totp"] else "without codes"
        say(f"{_described(user)}: {state}, {codes}, signed in from {user['logins']} browsers")
    if not users:
        say("no users yet; `kycmanager user add NAME --role ROLE --brand BRAND` adds one")
    return 0


def disable(args: argparse.Namespace) -> int:
    """Let a user sign in no more, and end the sign-ins there are."""
    user = _set(args, enabled=False)
    say(f"disabled {_described(user)} and ended its sign-ins; `kycmanager user enable {user['name']}` takes it back")
    return 0


def enable(args: argparse.Namespace) -> int:
    """Let a disabled user sign in again."""
    say(f"enabled {_described(_set(args, enabled=True))}")
    return 0


def password(args: argparse.Namespace) -> int:
    """Give a user another password, and end the sign-ins there are."""
    user = _set(args, password_hash=_password(spelled(args.name)))
    say(f"changed the password of {_described(user)} and ended its sign-ins")
    return 0


def totp(args: argparse.Namespace) -> int:
    """Ask a user for one-time codes from now on; the secret is shown this once. With --off, ask for none any more."""
    if args.off:
        say(f"{_described(_set(args, totp=''))} is asked for no codes any more")
        return 0
    secret = secrets.token_bytes(SECRET_BYTES)
    user = _set(args, totp=secret.hex())
    say(f"{_described(user)} is asked for a code from now on; this is shown once, for an authenticator app:")
    say(uri(secret, user["name"]))
    say(secret_text(secret))
    return 0


def remove(args: argparse.Namespace) -> int:
    """Remove a user; the audit goes on naming it by its id, which nobody gets again."""
    user = _perform(args)("SysRemoveUser", {"name": spelled(args.name)})["user"]
    say(f"removed {_described(user)} and ended its sign-ins")
    return 0


def _perform(args: argparse.Namespace) -> Perform:
    config, data_dir = load_settings(args, os.environ)

    def perform(command: str, data: dict[str, Any]) -> dict[str, Any]:
        return control.perform(config, data_dir, command, data, lambda *_: None)

    return perform


def _set(args: argparse.Namespace, **change: Any) -> dict[str, Any]:
    user: dict[str, Any] = _perform(args)("SysSetUser", {"name": spelled(args.name), **change})["user"]
    return user


def _password(name: str) -> str:
    """Ask for a password, twice on a terminal, and return its hash. Raises UsageError."""
    if sys.stdin.isatty():
        given = getpass.getpass(f"Password for {name}: ")
        if getpass.getpass("The same again: ") != given:
            raise UsageError("the two passwords differ; try again")
    else:
        given = sys.stdin.readline().rstrip("\r\n")
    if fault := password_fault(given, name):
        raise UsageError(f"the password is {fault}; choose another")
    return hash_of(given)


def _described(user: dict[str, Any]) -> str:
    brands = "all brands" if user["brands"] is None else ", ".join(user["brands"])
    return f"{user['name']} ({user['role']} {user['id']}, {brands})"
