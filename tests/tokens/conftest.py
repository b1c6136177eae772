"""A clock that stands still, one key folder per run, and tokens made by hand."""

import base64
import json

import pytest

from kycmanager.config import Tokens
from kycmanager.tokens.keys import load_keys
from kycmanager.tokens.revocations import Revocations
from kycmanager.tokens.verify import Verifier

NOW = 1_800_000_000


class StillClock:
    """Says what it is set to."""

    def __init__(self, now=NOW):
        self.now = now

    def __call__(self):
        return self.now


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unsigned(header, claims):
    """The first two segments of a token, from JSON values or raw bytes."""
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, claims)]
    return ".".join(map(b64, parts))


@pytest.fixture
def clock():
    return StillClock()


@pytest.fixture(scope="session")
def key_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="session")
def keys(key_folder):
    return load_keys(Tokens(), key_folder)


@pytest.fixture
def revocations():
    return Revocations()


@pytest.fixture
def verifier(keys, revocations, clock):
    return Verifier(keys, Tokens(), revocations, clock)


@pytest.fixture
def sign(keys):
    """Sign any claims with the manager's own key: whoever has the key can sign nonsense too."""

    def make(claims, header=None):
        import hashlib
        import hmac

        text = unsigned(header or {"alg": "HS256", "typ": "JWT"}, claims)
        return f"{text}.{b64(hmac.new(keys.signing.material, text.encode(), hashlib.sha256).digest())}"

    return make


@pytest.fixture
def good():
    """The claims of a good manager's token."""
    return {"sub": "7", "session": 1, "brands": ["acme"], "iat": NOW - 10, "exp": NOW + 3600, "jti": "j1"}


@pytest.fixture
def hand_made():
    """The tools for tokens that no library would make."""
    return unsigned, b64
