import base64

import pytest

from kycmanager.config import Encryption
from kycmanager.vault.keyring import Keyring
from kycmanager.vault.masters import Masters, load_masters
from kycmanager.vault.sealing import Key


@pytest.fixture
def masters():
    """Two master keys, the first one current."""
    return Masters([Key(b"n" * 32), Key(b"o" * 32)], "keys/master.key")


@pytest.fixture
def keyring(masters):
    return Keyring(masters)


@pytest.fixture
def load(tmp_path):
    """Read the master keys of a data folder as the daemon does."""

    def run(*, wraps=0, enabled=True, master_key=""):
        return load_masters(Encryption(enabled=enabled, master_key=master_key), tmp_path, wraps=wraps)

    return run


@pytest.fixture
def spelt():
    """How a key stands in the file or the environment."""
    return lambda material: base64.b64encode(material).decode()
