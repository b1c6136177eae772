"""`kycmanager keys`: which key seals how much, a new master key, and sealing what was written in clear."""

import argparse
import os
from collections.abc import Callable
from typing import Any

from kycmanager.cli import control
from kycmanager.cli.output import say
from kycmanager.cli.progress import show_progress
from kycmanager.cli.settings import load_settings

Perform = Callable[[str], dict[str, Any]]
"""`perform(command)`: run a local command, with its progress, and return the data of its reply."""


def list_keys(args: argparse.Namespace) -> int:
    """Print the ids of the master keys and how many keys each seals; never a key."""
    return show(_perform(args))


def rotate(args: argparse.Namespace) -> int:
    """Seal every key by a new master key, while the daemon works or without it."""
    return rotate_with(_perform(args))


def seal(args: argparse.Namespace) -> int:
    """Seal what was written before encryption was switched on."""
    return seal_with(_perform(args))


def _perform(args: argparse.Namespace) -> Perform:
    config, data_dir = load_settings(args, os.environ)

    def perform(command: str) -> dict[str, Any]:
        with show_progress() as report:
            return control.perform(config, data_dir, command, {}, report)

    return perform


def show(perform: Perform) -> int:
    """Print a line for each master key, and what the keys below it seal."""
    found = perform("SysListKeys")
    say(f"encryption of what is new: {'on' if found['sealing'] else 'off'}; master keys come from {found['place']}")
    for key in found["masters"]:
        counts = f"{key['brand_keys']} keys of brands, {key['profile_keys']} of profiles"
        say(f"master key {key['id']} ({key['state']}): {counts}")
    brands, profiles = (sum(key[kind] for key in found["masters"]) for kind in ("brand_keys", "profile_keys"))
    say(f"{brands} keys of brands: {found['waiting']} files that wait to be attached")
    say(f"{profiles} keys of profiles: their answers, and {found['held']} attached files")
    say(f"{found['destroyed']} keys of profiles are destroyed")
    return 0


def rotate_with(perform: Perform) -> int:
    """Rotate, and tell which master keys are not needed any more."""
    done = perform("SysRotateKeys")
    say(f"{done['keys']} keys were sealed anew; all are sealed by the master key {done['current']}")
    if done["old"]:
        say(f"not needed any more, and may be removed from {done['place']}: {', '.join(done['old'])}")
        say("keep them as long as you keep copies of bases/keys.db that were made before")
    return 0


def seal_with(perform: Perform) -> int:
    """Seal, and name what could not be."""
    done = perform("SysSealOld")
    for fault in done["faults"]:
        say(f"{fault['object']}: {fault['fault']}")
    counts = ", ".join(f"{done[kind]} {kind}" for kind in ("steps", "notes", "users", "events", "files"))
    say(f"sealed {counts}; faults {len(done['faults'])}")
    if done["faults"]:
        say("see `kycmanager verify` for what is the matter with those files, then run this again")
    return 1 if done["faults"] else 0
