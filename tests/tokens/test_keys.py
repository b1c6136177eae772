"""Keys: made once, for their owner only, and refused when they are not what the settings say."""

import subprocess
import sys

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from kycmanager.config import PublicKey, Tokens
from kycmanager.domain.enums import SessionType
from kycmanager.key_files import KeyFileError
from kycmanager.tokens.issue import IssueError, issue_token
from kycmanager.tokens.keys import derived, load_keys
from kycmanager.tokens.revocations import Revocations
from kycmanager.tokens.verify import Verifier

NOW = 1_800_000_000


def pem_of(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def public_pem_of(key):
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def private_file(path, content):
    path.write_bytes(content)
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("algorithm", ["hs256", "rs256", "eddsa"])
def test_a_key_is_made_once_for_its_owner_only(tmp_path, algorithm):
    tokens = Tokens(algorithm=algorithm)
    data = tmp_path / "not" / "there"
    keys = load_keys(tokens, data)
    file = data / "keys" / "token.key"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert [each.name for each in file.parent.iterdir()] == ["token.key"]
    token = issue_token(keys.signing, session=SessionType.ADMIN, sub=1, brands=None, now=NOW, ttl_seconds=60)
    again = load_keys(tokens, data)
    assert Verifier(again, tokens, Revocations(), lambda: NOW).verify(token).type is SessionType.ADMIN


def test_two_first_starts_make_one_key(tmp_path):
    code = (
        "import sys, pathlib; from kycmanager.config import Tokens; from kycmanager.tokens.keys import load_keys;"
        "print(load_keys(Tokens(), pathlib.Path(sys.argv[1])).signing.material.decode())"
    )
    started = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE) for _ in range(3)]
    assert len({process.communicate()[0] for process in started}) == 1
    assert all(process.returncode == 0 for process in started)


def test_what_a_crash_left_is_written_over(tmp_path):
    folder = tmp_path / "keys"
    folder.mkdir()
    (folder / "token.key.tmp").write_bytes(b"half")
    load_keys(Tokens(), tmp_path)
    assert [each.name for each in folder.iterdir()] == ["token.key"]


def test_a_secret_of_the_settings_needs_no_file(tmp_path):
    keys = load_keys(Tokens(secret="s" * 32), tmp_path)
    assert keys.signing.material == b"s" * 32
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("algorithm", ["hs256", "rs256", "eddsa"])
def test_secrets_for_other_purposes_follow_from_the_key_file(tmp_path, algorithm):
    first, again, other = (
        load_keys(Tokens(algorithm=algorithm), folder).signing for folder in (tmp_path, tmp_path, tmp_path / "other")
    )
    assert derived(first, "a") == derived(again, "a")
    assert len({derived(first, "a"), derived(first, "b"), derived(other, "a")}) == 3
    assert len(derived(first, "a")) == 32


def test_secrets_do_not_show(tmp_path):
    keys = load_keys(Tokens(secret="s" * 32), tmp_path)
    assert "sss" not in f"{keys!r} {keys.signing!r} {Tokens(secret='s' * 32)!r}"


@pytest.mark.parametrize(
    ("algorithm", "content"),
    [
        ("hs256", b"short"),
        ("hs256", b""),
        ("hs256", pem_of(Ed25519PrivateKey.generate())),
        ("rs256", b"x" * 64),
        ("rs256", pem_of(Ed25519PrivateKey.generate())),
        ("rs256", pem_of(generate_private_key(65_537, 1024))),
        ("rs256", public_pem_of(Ed25519PrivateKey.generate())),
        ("eddsa", pem_of(ec.generate_private_key(ec.SECP256R1()))),
        ("eddsa", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
    ],
)
def test_an_own_key_of_another_kind_is_refused(tmp_path, algorithm, content):
    private_file(tmp_path / "own", content)
    with pytest.raises(KeyFileError, match=r"own holds no .* move the file away"):
        load_keys(Tokens(algorithm=algorithm, key_file="own"), tmp_path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o622])
def test_a_key_that_others_can_touch_is_refused(tmp_path, mode):
    (tmp_path / "own").write_bytes(b"x" * 64)
    (tmp_path / "own").chmod(mode)
    with pytest.raises(KeyFileError, match="chmod 600"):
        load_keys(Tokens(key_file="own"), tmp_path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "keys").write_text("a file")
    with pytest.raises(KeyFileError, match=r"keys.*set tokens\.key_file"):
        load_keys(Tokens(), tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x" * 64,
        pem_of(Ed25519PrivateKey.generate()),
        public_pem_of(ec.generate_private_key(ec.SECP256R1())),
        public_pem_of(generate_private_key(65_537, 1024)),
    ],
)
def test_an_issuer_key_of_another_kind_is_refused(tmp_path, content):
    (tmp_path / "crm.pem").write_bytes(content)
    with pytest.raises(KeyFileError, match=r"crm\.pem holds no public"):
        load_keys(Tokens(secret="s" * 32, public_keys=(PublicKey(file="crm.pem"),)), tmp_path)


def test_a_missing_issuer_key_is_named(tmp_path):
    with pytest.raises(KeyFileError, match=r"crm\.pem.*public key"):
        load_keys(Tokens(secret="s" * 32, public_keys=(PublicKey(file="crm.pem"),)), tmp_path)


@pytest.mark.parametrize(
    ("session", "sub", "brands", "words"),
    [
        (SessionType.ADMIN, 0, None, "the id 0"),
        (SessionType.ADMIN, 2**53, None, "the id"),
        (SessionType.CUSTOMER, 1, None, "exactly one brand"),
        (SessionType.CUSTOMER, 1, ["a", "b"], "exactly one brand"),
        (SessionType.ADMIN, 1, ["a b"], "'a b' is no brand"),
    ],
)
def test_what_would_be_refused_is_not_issued(keys, session, sub, brands, words):
    with pytest.raises(IssueError, match=words):
        issue_token(keys.signing, session=session, sub=sub, brands=brands, now=NOW, ttl_seconds=1)


def test_every_session_can_be_issued_and_verified(keys, verifier):
    for session in SessionType:
        token = issue_token(keys.signing, session=session, sub=5, brands=["b"], now=NOW, ttl_seconds=9)
        found = verifier.verify(token)
        assert (found.type, found.sub, found.brands, found.expires) == (session, 5, frozenset({"b"}), NOW + 9)
        assert len(found.jti) == 16
