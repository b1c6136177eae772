"""`kycmanager token`: issue a session token, or have tokens refused before their time."""

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kycmanager.cli import control
from kycmanager.cli.faults import CliError, UsageError
from kycmanager.cli.output import complain, say
from kycmanager.cli.settings import load_settings
from kycmanager.config import Config, duration_seconds
from kycmanager.domain.enums import SessionType
from kycmanager.tokens.claims import ID_MAX, ClaimError, session_of
from kycmanager.tokens.issue import IssueError, issue_token
from kycmanager.tokens.keys import SigningKey, load_keys
from kycmanager.tokens.verify import signed_claims, wall_clock

Perform = Callable[[str, dict[str, Any]], Any]
"""`perform(command, data)`: run a local command on the daemon or on the base."""

SESSION_NAMES = {kind.name.lower(): kind for kind in SessionType}


def issue(args: argparse.Namespace) -> int:
    """Print a token and nothing else."""
    config, data_dir = load_settings(args, os.environ)
    session = session_type(args.session)
    ttl_seconds = _ttl_seconds(args.ttl) if args.ttl else config.tokens.ttl_seconds
    try:
        token = issue_token(
            _signing_key(config, data_dir),
            session=session,
            sub=args.id,
            brands=args.brand or None,
            now=wall_clock(),
            ttl_seconds=ttl_seconds,
        )
    except IssueError as fault:
        raise UsageError(str(fault)) from None
    say(token)
    return 0


def _signing_key(config: Config, data_dir: Path) -> SigningKey:
    """Read the key; say so when it had to be made: a daemon that keeps its data elsewhere does not know it."""
    file = data_dir / config.tokens.key_file
    new = not config.tokens.secret and not file.exists()
    key = load_keys(config.tokens, data_dir).signing
    if new:
        complain(f"made a new key, {file}; a daemon with its data elsewhere refuses this token, see --data")
    return key


def revoke(args: argparse.Namespace) -> int:
    """Have one token, or all tokens of a subject issued before now, refused from now on."""
    config, data_dir = load_settings(args, os.environ)

    def perform(command: str, data: dict[str, Any]) -> None:
        control.perform(config, data_dir, command, data, lambda *_: None)

    return revoke_with(args, config, data_dir, perform)


def revoke_with(args: argparse.Namespace, config: Config, data_dir: Path, perform: Perform) -> int:
    """Find out what is meant, check it, and let `perform` do it."""
    by_subject = args.session is not None or args.id is not None
    if sum((args.jti is not None, args.token is not None, by_subject)) != 1:
        raise UsageError("say what to revoke in one way: --jti ID, or --token TOKEN, or --session NAME --id N")
    if args.jti is not None:
        return _revoke_token(perform, args.jti, 0)
    if args.token is not None:
        text = sys.stdin.readline() if args.token == "-" else args.token  # noqa: S105 - a dash is no secret
        return _revoke_given(perform, config, data_dir, text.strip())
    if args.session is None or args.id is None:
        raise UsageError("a subject is named by both --session NAME and --id N")
    return _revoke_subject(perform, session_type(args.session), args.id)


def session_type(name: str) -> SessionType:
    """Find a session type by its name in any case. Raises UsageError."""
    found = SESSION_NAMES.get(name.lower().replace("-", "_"))
    if found is None:
        raise UsageError(f"there is no session {name!r}; use one of {', '.join(SESSION_NAMES)}")
    return found


def _ttl_seconds(text: str) -> int:
    try:
        return duration_seconds(text)
    except ValueError as fault:
        raise UsageError(f"--ttl: {fault}") from None


def _revoke_token(perform: Perform, jti: str, expires: int) -> int:
    if not jti:
        raise UsageError("an empty --jti names no token; take it from the token, or use --token")
    perform("SysRevokeToken", {"jti": jti, "expires": expires})
    say(f"revoked the token {jti}")
    return 0


def _revoke_given(perform: Perform, config: Config, data_dir: Path, token: str) -> int:
    """Revoke a token by its text: only one that our keys signed can be revoked, by its own jti and exp."""
    try:
        claims = signed_claims(load_keys(config.tokens, data_dir).verifying, token)
        session = session_of(claims, 0, ID_MAX)
    except ClaimError:
        raise CliError("no key of this manager signed that token, so it is refused anyway; check --data") from None
    if session.expires <= wall_clock():
        say("the token has expired by itself; there is nothing to revoke")
        return 0
    if not session.jti:
        name = session.type.name.lower()
        raise CliError(f"the token has no jti; revoke its subject: --session {name} --id {session.sub}")
    return _revoke_token(perform, session.jti, session.expires)


def _revoke_subject(perform: Perform, session: SessionType, sub: int) -> int:
    """Revoke what was issued up to this second, and return in the next: what is issued after us is good again."""
    if not 1 <= sub <= ID_MAX:
        raise UsageError(f"the id {sub} is not in 1..{ID_MAX}; give the id of the manager or customer")
    not_before = wall_clock() + 1
    perform("SysRevokeSubject", {"session": int(session), "sub": sub, "not_before": not_before})
    time.sleep(max(0.0, not_before - time.time()))
    say(f"revoked all tokens of {session.name.lower()} {sub} issued before now")
    return 0
