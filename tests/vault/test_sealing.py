"""What is sealed opens as the same thing only, with the same key, unchanged to the last bit."""

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kycmanager.vault.sealing import Key, SealError, new_key

MATERIAL = bytes(range(32))


def test_a_vector():
    """The form is fixed: what was sealed by an earlier program opens."""
    key = Key(MATERIAL)
    assert key.id.hex() == "55cf491e42a212ad"
    bound = b"\x93\xa7answers\x93\x07\x01\xc4\x02\x01\x00\xc4\x08" + key.id
    nonce = b"\x0b" * 12
    sealed = nonce + AESGCM(MATERIAL).encrypt(nonce, b'{"country":"DE"}', bound)
    assert sealed.hex() == ("0b0b0b0b0b0b0b0b0b0b0b0bd3ac71cefa02f9dba2eb219de10df7e53421eaaef53ea4e0c62e8c54b0eaa444")
    assert key.open(sealed, "answers", 7, 1, b"\x01\x00") == b'{"country":"DE"}'


def test_no_two_seals_are_equal_and_all_open():
    key = new_key()
    seals = {key.seal(b"plain", "kind", 1) for _ in range(100)}
    assert len(seals) == 100
    assert {key.open(sealed, "kind", 1) for sealed in seals} == {b"plain"}
    assert all(b"plain" not in sealed for sealed in seals)


def test_every_flipped_bit_is_noticed():
    key = Key(MATERIAL)
    sealed = key.seal(b"some answers", "answers", 1)
    for place in range(len(sealed) * 8):
        flipped = bytearray(sealed)
        flipped[place // 8] ^= 1 << place % 8
        with pytest.raises(SealError):
            key.open(bytes(flipped), "answers", 1)


@pytest.mark.parametrize("cut", [0, 1, 11, 12, 27, 28])
def test_what_is_cut_is_noticed(cut):
    key = Key(MATERIAL)
    with pytest.raises(SealError):
        key.open(key.seal(b"x", "kind", 1)[:cut], "kind", 1)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("answers", (1, 3)),
        ("answers", (2, 2)),
        ("answers", (12,)),
        ("answers", (1,)),
        ("answers", ("1", 2)),
        ("answers", (1, 2, b"")),
        ("file key", (1, 2)),
    ],
)
def test_it_opens_as_what_it_is_only(kind, names):
    key = Key(MATERIAL)
    sealed = key.seal(b"x", "answers", 1, 2)
    with pytest.raises(SealError, match="does not open with the key 55cf491e42a212ad"):
        key.open(sealed, kind, *names)
    with pytest.raises(SealError):
        new_key().open(sealed, "answers", 1, 2)


def test_a_key_seals_another_and_shows_neither():
    outer, inner = new_key(), new_key()
    wrapped = outer.wrap(inner, "profile key", 1)
    assert outer.unwrap(wrapped, "profile key", 1).id == inner.id
    assert inner.material not in wrapped
    with pytest.raises(SealError):
        outer.unwrap(wrapped, "profile key", 2)
    assert repr(inner) == f"Key({inner.id.hex()})"
    assert inner.id not in inner.material
