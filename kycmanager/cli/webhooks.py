"""`kycmanager webhooks`: what waits to be told to others, trying it again, and whether an endpoint answers."""

import argparse
import asyncio
import os
import secrets
import time
from datetime import UTC, datetime
from typing import Any

from kycmanager.cli import control
from kycmanager.cli.faults import CliError, UsageError
from kycmanager.cli.output import say
from kycmanager.cli.settings import load_settings
from kycmanager.config import WebhookEndpoint, Webhooks
from kycmanager.outbound.addresses import AddressRefused
from kycmanager.outbound.calls import Answer, Caller, CallFailed
from kycmanager.outbound.webhooks import trial_call

_SUCCESS = range(200, 300)


def show(args: argparse.Namespace) -> int:
    """Print a line for each delivery, the newest first."""
    data = {"state": args.state or "", "channel": args.channel or "", "customer_id": args.customer, "limit": args.limit}
    page = _perform(args, "MngGetKycDeliveries", data)
    for row in page["rows"]:
        say(_described(row))
    say(f"shown {len(page['rows'])} of {page['count']}{' or more' if page.get('count_capped') else ''}")
    return 0


def replay(args: argparse.Namespace) -> int:
    """Try one delivery again, or all that a channel has given up; or tell a channel anew from an event on."""
    if (args.id is None) == (args.channel is None) or (args.from_seq is not None and args.channel is None):
        raise UsageError("say --id N, or --channel NAME, or --channel NAME --from-seq N")
    data = {"id": args.id or 0, "channel": args.channel or "", "from_seq": args.from_seq or 0}
    replayed = _perform(args, "SysReplayDelivery", data)["replayed"]
    if args.from_seq:
        say(f"{args.channel} is told anew from event {args.from_seq} on")
    else:
        say(f"tried again: {replayed}")
    return 0


def test(args: argparse.Namespace) -> int:
    """Call an endpoint of the settings with an event that tells nothing; 0 when it takes it."""
    config, _ = load_settings(args, os.environ)
    settings = config.webhooks
    endpoint = next((each for each in settings.endpoints if each.name == args.name), None)
    if endpoint is None:
        names = ", ".join(each.name for each in settings.endpoints) or "none"
        raise UsageError(f"there is no endpoint {args.name!r} in webhooks.endpoints; there are: {names}")
    began = time.monotonic()
    try:
        answer = asyncio.run(_call(settings, endpoint))
    except AddressRefused as fault:
        raise CliError(f"{args.name}: {fault}; see webhooks.allow_private") from None
    except CallFailed as fault:
        raise CliError(
            f"{args.name}: the call failed ({fault}); look at its url, its certificate and its log"
        ) from None
    say(f"{args.name} answered {answer.status} within {time.monotonic() - began:.2f} seconds")
    return 0 if answer.status in _SUCCESS else 1


async def _call(settings: Webhooks, endpoint: WebhookEndpoint) -> Answer:
    outgoing = trial_call(endpoint, int(time.time()), lambda: secrets.token_hex(4))
    caller = Caller(allow_private=settings.allow_private, seconds=settings.timeout_seconds)
    try:
        return await caller.call("POST", outgoing.url, body=outgoing.body, headers=outgoing.headers)
    finally:
        await caller.close()


def _perform(args: argparse.Namespace, command: str, data: dict[str, Any]) -> dict[str, Any]:
    config, data_dir = load_settings(args, os.environ)
    return control.perform(config, data_dir, command, data, lambda *_: None)


def _described(row: dict[str, Any]) -> str:
    whom = f"customer {row['customer_id']} of {row['brand']}" if row["customer_id"] else row["brand"]
    told = f"{row['id']} {row['channel']}: event {row['seq']} {row['kind']}, {whom}: {row['state']}"
    if row["attempts"]:
        told += f", tried {row['attempts']} times, last {row['outcome']}"
    if row["next_time"]:
        told += f", next {datetime.fromtimestamp(row['next_time'], UTC):%Y-%m-%d %H:%M:%S} UTC"
    return told
