"""The command line of a daemon whose handlers fail over what holds BROKEN, with all of it in their exceptions."""

import sys

import msgspec

import kycmanager.core
from kycmanager.__main__ import main
from kycmanager.commands import TABLE

BROKEN = "broken"


def told(handler):
    """Wrap a handler: it fails as badly as code can."""

    def run(context, request, *more):
        if BROKEN in repr(request):
            try:
                raise KeyError(request)
            except KeyError as cause:
                raise RuntimeError(f"could not handle {request!r} of {context.session!r}") from cause
        return handler(context, request, *more)

    return run


kycmanager.core.TABLE = tuple(
    msgspec.structs.replace(command, handler=told(command.handler))
    if command.name in {"MngSetKycRisk", "MngGetKycProfiles"}
    else command
    for command in TABLE
)
if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
