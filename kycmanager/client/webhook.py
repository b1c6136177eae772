"""What receives a webhook calls this first: whether it was sent by the daemon, unchanged and just now."""

import hashlib
import hmac
import re
import time
from collections.abc import Iterable

TOLERANCE_SECONDS = 300

_SIGNATURE = re.compile(r"t=([0-9]{1,12})((?:,v1=[0-9a-f]{64}){1,16})", re.ASCII)


def verify_webhook(
    signature: str,
    body: bytes,
    secrets: str | Iterable[str],
    *,
    tolerance_seconds: int = TOLERANCE_SECONDS,
    now: float | None = None,
) -> bool:
    """Tell whether a webhook is genuine: `signature` is the header X-Kyc-Signature, `body` the bytes as they came.

    Any of `secrets` may have signed it. A time further off than `tolerance_seconds` is refused, so that an old call
    cannot be sent once more; `now` is for tests. All comparisons take the same time, wherever they differ.
    """
    found = _SIGNATURE.fullmatch(signature)
    if found is None:
        return False
    signed_time = int(found[1])
    known = [secrets] if isinstance(secrets, str) else list(secrets)
    fresh = abs((time.time() if now is None else now) - signed_time) <= tolerance_seconds
    genuine = False
    for secret in known:
        expected = hmac.new(secret.encode(), b"%d.%b" % (signed_time, body), hashlib.sha256).hexdigest()
        for given in found[2].removeprefix(",v1=").split(",v1="):
            genuine |= hmac.compare_digest(expected, given)
    return genuine and fresh
