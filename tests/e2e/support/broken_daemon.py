"""The command line of a daemon in which one handler is broken: `broken_daemon.py COMMAND HOW serve ...`."""

import sys

import msgspec

import kycmanager.core
from kycmanager.__main__ import main
from kycmanager.commands import TABLE
from kycmanager.commands.model import ACCEPTED
from kycmanager.commands.profiles import GateReply
from kycmanager.domain.enums import ProfileStatus

OPEN = GateReply(
    kyc_required=False,
    kyc_required_level=0,
    kyc_status=ProfileStatus.NONE,
    kyc_current_level=0,
    kyc_profile_id=0,
    allowed=True,
    missing=[],
)
BROKEN = {"fails": lambda *_: 1 / 0, "does-nothing": lambda *_: ACCEPTED, "opens": lambda *_: OPEN}

name, how = sys.argv[1:3]
kycmanager.core.TABLE = tuple(
    msgspec.structs.replace(command, handler=BROKEN[how]) if command.name == name else command for command in TABLE
)
sys.exit(main(sys.argv[3:]))
