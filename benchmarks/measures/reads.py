"""What the measurements of reads share: how many profiles are read in turn, and the bytes that the limits serve."""

import json
import urllib.request
from contextlib import suppress

from benchmarks import product, samples
from benchmarks.model import NotMeasuredError
from benchmarks.session import Session

WORKING_SET = 1000


def body(session: Session) -> bytes:
    """The product's own reply to a profile read; the same shape from the samples where the product cannot run."""
    return session.shared("body", lambda: _body(session))


def _body(session: Session) -> bytes:
    with suppress(NotMeasuredError, OSError):
        base = product.base(session, WORKING_SET)
        with product.serving(session, base.copy(session)) as daemon:
            request = urllib.request.Request(
                f"http://127.0.0.1:{daemon.http}/manager/kyc/profiles/{base.seed.profiles[0]}",
                headers={"Authorization": daemon.token()},
            )
            with urllib.request.urlopen(request, timeout=10) as reply:
                return bytes(reply.read())
    return json.dumps(samples.reply(1), separators=(",", ":")).encode()
