"""Forged and spoilt tokens through every door: none is accepted, whatever way it is handed in."""

import base64
import hashlib
import hmac
import json
import time

import pytest
from talk import Talk

from kycmanager.domain.enums import SessionType


def part(value):
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def forged(header, claims, secret=b""):
    """Sign claims with HMAC under any header."""
    text = f"{part(header)}.{part(claims)}"
    return f"{text}.{part(hmac.digest(secret, text.encode(), hashlib.sha256)) if secret else ''}"


HS256 = {"alg": "HS256", "typ": "JWT"}


@pytest.fixture(scope="module")
def spoilt(target):
    """Tokens by what is wrong with them, each otherwise a manager's of all brands."""
    now = int(time.time())
    good = {"sub": "1", "session": 1, "brands": "*", "iat": now, "exp": now + 3600, "jti": "j"}
    true = (target.folder / "keys" / "token.key").read_bytes().strip()
    own = target.token()
    with Talk(target.tcp) as talk:
        assert talk.ask("Ping", token=forged(HS256, good, true))["status"] == 200

    def signed(**changes):
        claims = {name: value for name, value in (good | changes).items() if value is not None}
        return forged(HS256, claims, true)

    gone = signed(jti="gone", sub="2")
    done = target.process.run("token", "revoke", more=("--token", gone))
    assert done.returncode == 0, done.stderr
    header, payload, signature = own.split(".")
    return {
        "alg none": forged({"alg": "none"}, good),
        "alg None": forged({"alg": "None"}, good),
        "alg none with a signature": forged({"alg": "none"}, good, true),
        "alg HS512": forged({"alg": "HS512"}, good, true),
        "alg RS256 over our secret": forged({"alg": "RS256"}, good, true),
        "alg missing": forged({"typ": "JWT"}, good, true),
        "alg a list": forged({"alg": ["HS256"]}, good, true),
        "an empty key": forged(HS256, good, b"\0"),
        "a guessed key": forged(HS256, good, b"secret"),
        "another key": forged(HS256, good, b"x" * 48),
        "a key of its own": forged(HS256 | {"jwk": {"kty": "oct", "k": part(b"x" * 48)}}, good, b"x" * 48),
        "a key from a file": forged(HS256 | {"kid": "../../../../dev/null"}, good, b"\0"),
        "a critical extension": forged(HS256 | {"crit": ["b64"], "b64": False}, good, true),
        "exp missing": signed(exp=None),
        "exp past": signed(exp=now - 1),
        "exp a text": signed(exp="2999999999"),
        "iat in the future": signed(iat=now + 3000),
        "nbf in the future": signed(nbf=now + 3000),
        "session missing": signed(session=None),
        "session unknown": signed(session=6),
        "session of nobody": signed(session=8),
        "sub negative": signed(sub="-1"),
        "sub with a line feed": signed(sub="1\n"),
        "brands a path": signed(brands=["../acme"]),
        "revoked": gone,
        "no signature": f"{header}.{payload}.",
        "another's signature": f"{header}.{part(good)}.{signature}",
        "cut off": own[:-2],
        "a letter changed": payload.join((f"{header}.", f".{'B' if signature[0] == 'A' else 'A'}{signature[1:]}")),
        "nothing but dots": "..",
        "endless": "a" * 8000,
    }


def test_none_is_accepted_over_tcp(target, spoilt):
    for wrong, token in spoilt.items():
        for packed in (False, True):
            with Talk(target.tcp) as talk:
                for command, data in (("Ping", {}), ("MngGetKycProfiles", {}), ("MngGetKycProfile", {"id": 1})):
                    for spelling in (token, f"Bearer {token}"):
                        status = talk.ask(command, data, spelling, packed=packed)["status"]
                        assert status in {401, 429}, (wrong, command)


def test_none_is_accepted_over_http(target, spoilt):
    routes = [
        ("GET", "/manager/kyc/profiles", None),
        ("GET", "/manager/kyc/profiles/1", None),
        ("POST", "/manager/kyc/required-level", b'{"customer_id":1,"brand":"acme","level":1}'),
        ("GET", "/customer/kyc", None),
        ("POST", "/upload", b"a text\n"),
        ("GET", "/storage/00000000-0000-4000-8000-000000000000", None),
    ]
    for wrong, token in spoilt.items():
        for method, path, body in routes:
            with Talk(target.http) as talk:
                headers = {"Content-Disposition": 'attachment; filename="a.txt"'}
                answer = talk.request(method, path, token.replace("\n", ""), body, headers)
                assert answer.status in {401, 429}, (wrong, path)
                assert answer.data["error"] in {"PERMISSION_DENIED", "RET_TOO_FREQUENT"}


def test_others_are_not_locked_out(target, spoilt):
    """From the same address, after all of that."""
    with Talk(target.tcp) as talk:
        assert talk.ask("Ping", token=target.token())["status"] == 200
    with Talk(target.http) as talk:
        assert talk.request("GET", "/manager/kyc/profiles", target.token()).status == 200


def test_a_good_token_of_another_brand_sees_nothing(target, line):
    line.good("MngSetKycRequiredLevel", {"customer_id": 5, "brand": "acme", "level": 1}, target.token())
    other = target.token(brands=("other",))
    unknown = line.ask("MngGetKycProfile", {"customer_id": 5, "brand": "nowhere"}, other)
    assert line.ask("MngGetKycProfile", {"customer_id": 5, "brand": "acme"}, other) == unknown
    assert line.ask("MngGetKycProfile", {"id": 1}, other)["status"] == 404
    assert line.good("MngGetKycProfiles", {}, other)["rows"] == []
    assert line.ask("MngGetKycProfile", {"id": 1}, target.token(SessionType.CUSTOMER, 5))["status"] == 403
