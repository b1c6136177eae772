"""How what is sent is signed: each receiver can tell that it is ours, unchanged and fresh."""

import base64
import hashlib
import hmac
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def webhook_signature(secrets: Sequence[str], body: bytes, now: int) -> str:
    """Return X-Kyc-Signature: `t=<Unix seconds>,v1=<hex>[,v1=<hex>...]`, one for each secret, the newest first.

    Each is the HMAC-SHA-256 of `<t>.<raw body>` by a secret: while secrets change, receivers know one of two.
    """
    signed = b"%d.%b" % (now, body)
    found = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={now}", *[f"v1={each}" for each in found]])


def callback_signature(key: Ed25519PrivateKey, host: str, body: bytes, now: int) -> str:
    """Return the Signature of a SEP-12 callback: `t=<Unix seconds>, s=<base64 of ed25519 over <t>.<host>.<body>>`.

    `host` is `host:port` where the URL names a port.
    """
    signature = key.sign(b"%d.%b.%b" % (now, host.encode(), body))
    return f"t={now}, s={base64.b64encode(signature).decode()}"
