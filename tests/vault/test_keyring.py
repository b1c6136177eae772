"""The keys of brands and profiles: made late, bound to their owner, gone when destroyed."""

import msgspec
import pytest

from kycmanager.domain.errors import KycError
from kycmanager.vault import keyring as module
from kycmanager.vault.keyring import BRAND_KEY_SECONDS, Keyring
from kycmanager.vault.masters import Masters
from kycmanager.vault.sealing import Key, SealError
from kycmanager.vault.vault import Vault

NOW = 1_800_000_000
FILE, OTHER = "0d5f0f5e-9b4e-4c39-8c2c-3f9d1f1f7a10", "6b8e2f57-15a1-4c5e-8df4-9a1c6a2f0b33"
DATA_KEY = b"d" * 32


def again(keyring, masters=None):
    """A keyring over what another one would have stored."""
    made = Keyring(masters or keyring.masters)
    made.load(keyring._brands.values(), keyring.unsaved())
    return made


def test_a_profile_key_is_made_when_it_is_needed_and_stays(keyring):
    assert keyring.unsaved() == []
    key = keyring.sealing_key(7)
    assert [each.kyc_id for each in keyring.unsaved()] == [7]
    assert keyring.sealing_key(7).id == keyring.profile_key(7).id == key.id
    other = again(keyring)
    assert other.profile_key(7).id == key.id
    assert other.unsaved() == []
    keyring.saved(keyring.unsaved())
    assert keyring.unsaved() == []


def test_a_profile_without_a_key_opens_nothing(keyring):
    with pytest.raises(SealError, match="profile 7 has no key"):
        keyring.profile_key(7)
    assert not keyring.destroyed(7)


def test_keys_cannot_be_swapped(keyring):
    keyring.sealing_key(1), keyring.sealing_key(2)
    one, two = keyring.unsaved()
    swapped = Keyring(keyring.masters)
    swapped.load([], [msgspec.structs.replace(one, kyc_id=2), msgspec.structs.replace(two, kyc_id=1)])
    for kyc_id in (1, 2):
        with pytest.raises(SealError):
            swapped.profile_key(kyc_id)
    brand = keyring.new_brand_key("acme", NOW)
    keyring.put_brand_key(msgspec.structs.replace(brand, brand="other"))
    with pytest.raises(SealError):
        keyring.wrap_for_brand(brand, FILE, DATA_KEY)


def test_a_wrong_master_key_is_named(keyring):
    keyring.sealing_key(1)
    wrong = again(keyring, Masters([Key(b"w" * 32)], "keys/master.key"))
    with pytest.raises(Exception, match=keyring.masters.current.id.hex()):
        wrong.profile_key(1)


def test_the_memory_of_opened_keys_is_bounded(keyring, monkeypatch):
    monkeypatch.setattr(module, "OPENED_MAX", 3)
    ids = {kyc_id: keyring.sealing_key(kyc_id).id for kyc_id in range(10)}
    assert list(keyring._open_profiles._keys) == [7, 8, 9]
    assert {kyc_id: keyring.profile_key(kyc_id).id for kyc_id in ids} == ids


def test_file_keys_open_for_their_holder_and_file_only(keyring):
    brand_key = keyring.new_brand_key("acme", NOW)
    keyring.put_brand_key(brand_key)
    wrapped = keyring.wrap_for_brand(brand_key, FILE, DATA_KEY)
    assert keyring.open_for_brand(FILE, wrapped) == DATA_KEY
    assert DATA_KEY not in wrapped
    with pytest.raises(SealError):
        keyring.open_for_brand(OTHER, wrapped)
    held = keyring.wrap_for_profile(7, FILE, DATA_KEY)
    assert keyring.open_for_profile(held) == DATA_KEY
    keyring.sealing_key(8)
    for change in ({"file_id": OTHER}, {"kyc_id": 8}):
        with pytest.raises(SealError):
            keyring.open_for_profile(msgspec.structs.replace(held, **change))


def test_a_brand_gets_a_key_a_day_and_old_ones_go(keyring):
    assert keyring.brand_key("acme", NOW) is None
    first = keyring.new_brand_key("acme", NOW)
    keyring.put_brand_key(first)
    wrapped = keyring.wrap_for_brand(first, FILE, DATA_KEY)
    assert keyring.brand_key("acme", NOW + BRAND_KEY_SECONDS - 1) == first
    assert keyring.brand_key("acme", NOW + BRAND_KEY_SECONDS) is None
    second = keyring.new_brand_key("acme", NOW + BRAND_KEY_SECONDS)
    keyring.put_brand_key(second)
    keyring.put_brand_key(first)
    assert keyring.brand_key("acme", NOW + BRAND_KEY_SECONDS) == second
    assert keyring.open_for_brand(FILE, wrapped) == DATA_KEY
    assert keyring.old_brand_keys(NOW + 2 * BRAND_KEY_SECONDS - 1) == []
    assert keyring.old_brand_keys(NOW + 2 * BRAND_KEY_SECONDS) == [first.id]
    keyring.forget_brand_keys([first.id])
    with pytest.raises(SealError, match="there is no brand key"):
        keyring.open_for_brand(FILE, wrapped)
    keyring.forget_brand_keys([second.id])
    assert keyring.brand_key("acme", NOW + BRAND_KEY_SECONDS) is None


def test_a_destroyed_key_opens_and_seals_nothing_more(keyring):
    answers = Vault(keyring, sealing=True)
    kept = answers.seal(7, 1, {"name": "Maria"}, [])
    held = keyring.wrap_for_profile(7, FILE, DATA_KEY)
    gone = module.tombstone(7)
    keyring.destroy(gone)
    assert keyring.unsaved() == []
    other = Keyring(keyring.masters)
    other.load([], [gone])
    for ring in (keyring, other):
        assert ring.destroyed(7)
        assert Vault(ring, sealing=True).open(7, 1, kept) == {}
        with pytest.raises(SealError):
            ring.open_for_profile(held)
        with pytest.raises(KycError, match="erased"):
            ring.sealing_key(7)


def test_keys_are_sealed_anew(keyring):
    old = Keyring(Masters([Key(b"o" * 32)], ""))
    brand_key = old.new_brand_key("acme", NOW)
    key_id = old.sealing_key(7).id
    (profile_key,) = old.unsaved()
    keyring.load([brand_key], [profile_key])
    new_brand, new_profile = keyring.rewrapped_brand_key(brand_key), keyring.rewrapped_profile_key(profile_key)
    assert new_brand.master == new_profile.master == Key(b"n" * 32).id
    keyring.put_brand_key(new_brand)
    keyring.put_profile_key(new_profile)
    only_new = again(keyring, Masters([Key(b"n" * 32)], ""))
    only_new.load([], [new_profile])
    assert only_new.profile_key(7).id == key_id
    assert only_new.wrap_for_brand(new_brand, FILE, DATA_KEY)
    keyring.destroy(module.tombstone(7))
    keyring.put_profile_key(new_profile)
    assert keyring.destroyed(7)
