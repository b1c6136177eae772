"""Answers as they are kept."""

import pytest

from kycmanager.domain.records import FileFacts
from kycmanager.vault.sealing import SealError
from kycmanager.vault.vault import Vault

ANSWERS = {"name": "Zażółć 𝕏", "born": "1990-01-31", "nested": [1, 2.5, None, True]}
FILES = ["0d5f0f5e-9b4e-4c39-8c2c-3f9d1f1f7a10", "6b8e2f57-15a1-4c5e-8df4-9a1c6a2f0b33"]


@pytest.fixture
def seal(keyring):
    return Vault(keyring, sealing=True)


def test_answers_come_back_and_are_not_in_clear(seal):
    kept = seal.seal(7, 1, ANSWERS, FILES)
    assert b"1990" not in kept
    assert b"name" not in kept
    assert seal.open(7, 1, kept) == ANSWERS
    assert seal.files(kept) == FILES
    assert seal.files(seal.seal(7, 1, ANSWERS, [])) == []


def test_a_new_key_is_told_until_it_is_saved(seal):
    seal.seal(7, 1, ANSWERS, FILES)
    (made,) = seal.unsaved()
    seal.saved([made])
    assert seal.unsaved() == []


def test_a_file_is_held_by_its_profile(seal, keyring):
    brand_key = keyring.new_brand_key("acme", 1)
    keyring.put_brand_key(brand_key)
    facts = FileFacts(
        file_id=FILES[0], file_name="", content_type="", file_size=1, checksum="", owner_kind="customer", owner_id=1,
        brand="acme", data_key=keyring.wrap_for_brand(brand_key, FILES[0], b"d" * 32),
    )  # fmt: skip
    assert keyring.open_for_profile(seal.hold(facts, 7)) == b"d" * 32


def test_answers_cannot_be_moved_or_changed(seal):
    kept = seal.seal(7, 1, ANSWERS, FILES)
    seal.seal(8, 1, ANSWERS, FILES)
    for kyc_id, step_id in ((8, 1), (7, 2)):
        with pytest.raises(SealError):
            seal.open(kyc_id, step_id, kept)
    for place in range(len(kept)):
        changed = bytearray(kept)
        changed[place] ^= 1
        with pytest.raises(SealError):
            seal.open(7, 1, bytes(changed))
    with pytest.raises(SealError, match="a form this program does not know"):
        seal.open(7, 1, b"\x02" + kept[1:])


def test_a_profile_whose_key_is_missing_is_no_empty_answer(seal, keyring):
    kept = seal.seal(7, 1, ANSWERS, [])
    keyring._profiles.clear()
    keyring._open_profiles._keys.clear()
    with pytest.raises(SealError, match="profile 7 has no key"):
        seal.open(7, 1, kept)
