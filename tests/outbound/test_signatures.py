import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kycmanager.client import verify_webhook
from kycmanager.outbound.signatures import callback_signature, webhook_signature

SEED = "SCY4F6VEIIPXPLTNQSFT5427H64YK3H3LB27H7WAOVDQSV2UACRWTPGM"
BODY = b'{"id":"d1ce2f48-3ff1-495d-9240-7a50d806cfed","status":"ACCEPTED"}'
NOW = 1_700_000_000
SECRET = "s" * 40


def test_the_vector_of_a_callback():
    key = Ed25519PrivateKey.from_private_bytes(base64.b32decode(SEED)[1:33])
    assert callback_signature(key, "wallet.example.com", BODY, NOW) == (
        "t=1700000000, s=AlOX7mtZIglPcR0tWsz18O6dkgTh7UfgsPURTwRSpP++SnTL/ssquCPtYy8jImv6+FEEEC6YgvrwhGrNp36CCg=="
    )
    assert callback_signature(key, "wallet.example.com:8443", BODY, NOW) != callback_signature(
        key, "wallet.example.com", BODY, NOW
    )


def test_a_genuine_webhook():
    signature = webhook_signature([SECRET], BODY, NOW)
    assert verify_webhook(signature, BODY, SECRET, now=NOW)
    assert verify_webhook(signature, BODY, ["other", SECRET], now=NOW + 300)
    assert verify_webhook(signature, BODY, SECRET, now=NOW - 300)
    assert verify_webhook(webhook_signature(["new", SECRET], BODY, NOW), BODY, SECRET, now=NOW)


@pytest.mark.parametrize(
    ("change", "more"),
    [
        ({"body": BODY + b" "}, {}),
        ({"secrets": "other"}, {}),
        ({"secrets": []}, {}),
        ({}, {"now": NOW + 301}),
        ({}, {"now": NOW - 301}),
        ({}, {"now": NOW + 31, "tolerance_seconds": 30}),
        ({}, {"now": None}),
        ({"signature": ""}, {}),
        ({"signature": f"t={NOW}"}, {}),
        ({"signature": f"t={NOW},v1="}, {}),
        ({"signature": webhook_signature([SECRET], BODY, NOW).replace("v1=", "v2=")}, {}),
        ({"signature": webhook_signature([SECRET], BODY, NOW).replace(str(NOW), str(NOW + 1))}, {}),
        ({"signature": webhook_signature([SECRET], BODY, NOW).replace(str(NOW), "\u0661")}, {}),
        ({"signature": f"t={NOW}" + ",v1=" + "0" * 64}, {}),
    ],
)
def test_one_that_is_not(change, more):
    given = {"signature": webhook_signature([SECRET], BODY, NOW), "body": BODY, "secrets": SECRET, **change}
    assert not verify_webhook(given["signature"], given["body"], given["secrets"], **{"now": NOW, **more})
