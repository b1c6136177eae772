"""Tokens that must be refused: none may be accepted, and each gets the same words."""

import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from jwt import PyJWS

from kycmanager.config import PublicKey, Tokens
from kycmanager.domain.errors import Code, KycError
from kycmanager.domain.records import Revocation
from kycmanager.tokens.keys import load_keys
from kycmanager.tokens.revocations import Revocations
from kycmanager.tokens.verify import REFUSAL, Verifier

NOW = 1_800_000_000
GONE = object()

CLAIMS = [
    # what is wrong, the claims that differ from those of a good token
    ("exp missing", {"exp": GONE}),
    ("exp past", {"exp": NOW - 1}),
    ("exp now", {"exp": NOW}),
    ("exp a text", {"exp": str(NOW + 100)}),
    ("exp null", {"exp": None}),
    ("exp true", {"exp": True}),
    ("exp negative", {"exp": -5}),
    ("exp beyond all time", {"exp": 2**60}),
    ("iat in the future", {"iat": NOW + 31}),
    ("iat far in the future", {"iat": NOW + 3000}),
    ("iat a text", {"iat": "yesterday"}),
    ("iat null", {"iat": None}),
    ("nbf in the future", {"nbf": NOW + 60}),
    ("nbf a list", {"nbf": [NOW]}),
    ("session missing", {"session": GONE}),
    ("session unknown", {"session": 6}),
    ("session negative", {"session": -1}),
    ("session true", {"session": True}),
    ("session a float", {"session": 1.0}),
    ("session a name", {"session": "admin"}),
    ("session a list", {"session": [1]}),
    ("role unknown", {"session": GONE, "role": 99}),
    ("sub missing", {"sub": GONE}),
    ("sub null", {"sub": None}),
    ("sub zero", {"sub": 0}),
    ("sub zero as text", {"sub": "0"}),
    ("sub negative", {"sub": -7}),
    ("sub negative as text", {"sub": "-7"}),
    ("sub true", {"sub": True}),
    ("sub a float", {"sub": 7.0}),
    ("sub a float as text", {"sub": "7.0"}),
    ("sub over 2^53-1", {"sub": 2**53}),
    ("sub over 2^53-1 as text", {"sub": str(2**53)}),
    ("sub with a space", {"sub": " 7"}),
    ("sub with a line feed", {"sub": "7\n"}),
    ("sub with a leading zero", {"sub": "07"}),
    ("sub in other digits", {"sub": "\u0667"}),
    ("sub an object", {"sub": {"id": 7}}),
    ("brands a text", {"brands": "acme"}),
    ("brands null", {"brands": None}),
    ("brands a number", {"brands": 1}),
    ("brands an object", {"brands": {"acme": 1}}),
    ("brands true", {"brands": True}),
    ("brands with a number", {"brands": ["acme", 1]}),
    ("brands with the star in a list", {"brands": ["*"]}),
    ("brands with an empty name", {"brands": [""]}),
    ("brands with a path", {"brands": ["../acme"]}),
    ("brands with a line feed", {"brands": ["acme\n"]}),
    ("brands with a long name", {"brands": ["a" * 65]}),
    ("jti a number", {"jti": 5}),
    ("jti endless", {"jti": "j" * 129}),
    ("audience of somebody else", {"aud": "billing"}),
    ("audiences of somebody else", {"aud": ["billing", "mail"]}),
]


def assert_refused(verifier, token, code=Code.UNAUTHENTICATED):
    for _ in range(2):  # a refusal is not remembered as anything better
        with pytest.raises(KycError) as caught:
            verifier.verify(token)
        assert caught.value.code is code
    if code is Code.UNAUTHENTICATED:
        assert caught.value.message == REFUSAL
        assert caught.value.data is None


@pytest.mark.parametrize(("difference"), [row[1] for row in CLAIMS], ids=[row[0] for row in CLAIMS])
def test_signed_but_wrong_claims(verifier, sign, good, difference):
    claims = {name: value for name, value in {**good, **difference}.items() if value is not GONE}
    assert_refused(verifier, sign(claims))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"7"',
        b"[" * 3000,
        b'{"sub":"7","session":1,"exp":NaN}',
        b'{"sub":"7","session":1,"exp":Infinity}',
        b'{"sub":"7","session":1,"exp":1e999}',
        b'{"sub":"\xff","session":1,"exp":1900000000}',
        b'{"sub":"7","session":1,"exp":1900000000,"brands":["\\ud800"]}',
    ],
)
def test_signed_but_not_claims(verifier, sign, payload):
    assert_refused(verifier, sign(payload))


@pytest.mark.parametrize("brands", [[], "*", ["a", "b"], GONE])
def test_a_customer_of_no_or_many_brands_is_no_customer(verifier, sign, good, brands):
    claims = {name: value for name, value in {**good, "session": 9, "brands": brands}.items() if value is not GONE}
    assert_refused(verifier, sign(claims), Code.INVALID_CUSTOMER)


HEADERS = [
    ("alg none", {"alg": "none"}),
    ("alg None", {"alg": "None"}),
    ("alg empty", {"alg": ""}),
    ("alg missing", {"typ": "JWT"}),
    ("alg null", {"alg": None}),
    ("alg a list", {"alg": ["HS256"]}),
    ("alg of another strength", {"alg": "HS512"}),
    ("alg in small letters", {"alg": "hs256"}),
    ("alg RS256 for our secret", {"alg": "RS256"}),
    ("critical extension", {"alg": "HS256", "crit": ["exp"], "exp": 1}),
    ("critical empty", {"alg": "HS256", "crit": []}),
    ("detached payload", {"alg": "HS256", "b64": False, "crit": ["b64"]}),
    ("kid a number", {"alg": "HS256", "kid": 1}),
    ("kid an object", {"alg": "HS256", "kid": {"file": "/etc/passwd"}}),
    ("header a list", ["HS256"]),
    ("header not JSON", b"HS256"),
    ("header without end", b"[" * 3000),
    ("header not UTF-8", b'{"alg":"\xff"}'),
]


@pytest.mark.parametrize("header", [row[1] for row in HEADERS], ids=[row[0] for row in HEADERS])
def test_wrong_headers(verifier, sign, good, header):
    assert_refused(verifier, sign(good, header))


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "HS256"])
def test_no_signature(verifier, good, hand_made, algorithm):
    unsigned, _ = hand_made
    text = unsigned({"alg": algorithm, "typ": "JWT"}, good)
    for token in (text, f"{text}.", f"{text}.."):
        assert_refused(verifier, token)


def test_broken_texts(verifier, sign, good):
    token = sign(good)
    header, payload, signature = token.split(".")
    broken = [
        "",
        ".",
        "..",
        "...",
        "null",
        "Bearer",
        f"Bearer {token}",
        f" {token}",
        f"{token} ",
        f"{token}\n",
        f"{token}=",
        f"{token}.{signature}",
        token[:-1],
        token[:-5],
        token[: len(token) // 2],
        f"{header}.{payload}",
        f"{payload}.{header}.{signature}",
        f"{header}.{payload[:-4]}.{signature}",
        f"{header}..{signature}",
        f"{header}.{payload}.{'A' * 43}",
        f"{header}.{payload}.{'A' * 5000}",
        f"{header[:5]}.{payload}.{signature}",
        token.replace(".", "/"),
        token.replace(".", "\u3002"),
        f"{header}.{payload}.{signature[:-1]}\u00e9",
        f"{header}.{payload}.\ud800",
        "\x00" * 40,
        "a" * 10_000_000,
        f"{header}.{payload}.{signature * 1000}",
    ]
    for text in broken:
        assert_refused(verifier, text)
    assert verifier.verify(token).sub == 7


def test_every_changed_letter_is_noticed(verifier, sign, good):
    token = sign(good)
    for place, letter in enumerate(token[:-1]):  # the last letter of 43 carries two bits that are no signature
        changed = token[:place] + ("A" if letter != "A" else "B") + token[place + 1 :]
        with pytest.raises(KycError):
            verifier.verify(changed)


def test_other_keys(verifier, good, hand_made, key_folder):
    unsigned, b64 = hand_made
    text = unsigned({"alg": "HS256"}, good)
    file = key_folder / "keys" / "token.key"
    guesses = [b"", b"secret", b"0" * 64, file.read_bytes(), str(file).encode(), file.read_bytes().strip()[:-1]]
    for secret in guesses:
        assert_refused(verifier, f"{text}.{b64(hmac.digest(secret, text.encode(), hashlib.sha256))}")


@pytest.fixture(scope="module")
def issuers(tmp_path_factory):
    """A manager that takes the tokens of two CRMs, and the private keys of both."""
    folder = tmp_path_factory.mktemp("issuers")
    private = {"rs": generate_private_key(65_537, 2048), "ed": Ed25519PrivateKey.generate()}
    for name, key in private.items():
        pem = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        (folder / f"{name}.pem").write_bytes(pem)
    tokens = Tokens(
        public_keys=(
            PublicKey(file="rs.pem", issuer="crm", kid="k1", audience="kyc"),
            PublicKey(file="ed.pem"),
        ),
    )
    return folder, private, Verifier(load_keys(tokens, folder), tokens, Revocations(), lambda: NOW)


def issued(key, algorithm, claims, **header):
    return PyJWS().encode(json.dumps(claims).encode(), key, algorithm=algorithm, headers=header)


def test_other_issuers_are_taken_by_their_keys(issuers, good):
    _, private, verifier = issuers
    rs = issued(private["rs"], "RS256", {**good, "iss": "crm", "aud": "kyc"}, kid="k1")
    many = issued(private["rs"], "RS256", {**good, "iss": "crm", "aud": ["x", "kyc"]}, kid="k1")
    ed = issued(private["ed"], "EdDSA", {**good, "iss": "anyone"}, kid="anything")
    assert [verifier.verify(token).sub for token in (rs, many, ed)] == [7, 7, 7]


def test_public_keys_are_no_secrets(issuers, good, hand_made):
    folder, _, verifier = issuers
    unsigned, b64 = hand_made
    for name in ("rs.pem", "ed.pem"):
        pem = (folder / name).read_bytes()
        loaded = serialization.load_pem_public_key(pem)
        der = loaded.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        for secret in (pem, pem.strip(), der):
            for kid in ("k1", ""):
                for algorithm in ("HS256", "RS256", "EdDSA"):
                    text = unsigned({"alg": algorithm, "kid": kid}, {**good, "iss": "crm", "aud": "kyc"})
                    assert_refused(verifier, f"{text}.{b64(hmac.digest(secret, text.encode(), hashlib.sha256))}")


def test_other_issuers_need_their_kid_name_and_audience(issuers, good):
    _, private, verifier = issuers
    claims = {**good, "iss": "crm", "aud": "kyc"}
    rows = [
        (claims, {}),
        (claims, {"kid": ""}),
        (claims, {"kid": "k2"}),
        (claims, {"kid": "../../keys/token.key"}),
        (claims, {"kid": "/dev/null"}),
        (claims, {"kid": "k1' OR '1'='1"}),
        (claims, {"kid": "k1\x00"}),
        ({**claims, "iss": "other"}, {"kid": "k1"}),
        ({**claims, "iss": ["crm"]}, {"kid": "k1"}),
        ({**good, "aud": "kyc"}, {"kid": "k1"}),
        ({**claims, "aud": "other"}, {"kid": "k1"}),
        ({**good, "iss": "crm"}, {"kid": "k1"}),
    ]
    for claimed, header in rows:
        assert_refused(verifier, issued(private["rs"], "RS256", claimed, **header))


def test_keys_that_come_with_the_token_are_not_used(issuers, good):
    _, _, verifier = issuers
    stranger = Ed25519PrivateKey.generate()
    public = stranger.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    key = {"kty": "OKP", "crv": "Ed25519", "x": public.hex()}
    for header in ({"jwk": key}, {"jku": "http://127.0.0.1/keys"}, {"x5u": "file:///etc/passwd"}, {"x5c": ["MII"]}):
        assert_refused(verifier, issued(stranger, "EdDSA", good, **header))


def test_revoked(verifier, revocations, sign, good):
    token = sign(good)
    assert verifier.verify(token).sub == 7
    revocations.add(Revocation(jti="j1", session=0, sub=0, not_before=0, expires=good["exp"]))
    assert_refused(verifier, token)
    assert verifier.verify(sign({**good, "jti": "j2"})).jti == "j2"


def test_revoked_by_subject(verifier, revocations, sign, good):
    revocations.add(Revocation(jti="", session=1, sub=7, not_before=NOW, expires=0))
    undated = {name: value for name, value in good.items() if name != "iat"}
    assert_refused(verifier, sign(good))
    assert_refused(verifier, sign(undated))
    assert verifier.verify(sign({**good, "iat": NOW})).sub == 7
    assert verifier.verify(sign({**good, "session": 3})).sub == 7
    assert verifier.verify(sign({**undated, "sub": 8})).issued == 0
