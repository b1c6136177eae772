"""Master keys: made once, never silently replaced, and refused in words that say what to do."""

import os

import pytest

from kycmanager.config import Encryption, from_table
from kycmanager.key_files import KeyFileError
from kycmanager.vault.masters import KEYS_MAX, Masters, add_master, check_known
from kycmanager.vault.sealing import Key


def test_a_key_is_made_once_for_its_owner_only(load, tmp_path):
    file = tmp_path / "keys" / "master.key"
    first = load()
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(first) == 1
    assert load(wraps=5).ids == first.ids


def test_a_lost_key_is_not_replaced(load, tmp_path):
    load()
    (tmp_path / "keys" / "master.key").unlink()
    with pytest.raises(
        KeyFileError, match=r"master.key is missing, and bases/keys.db holds 5 keys .* put the file back"
    ):
        load(wraps=5)
    with pytest.raises(KeyFileError, match="missing"):
        load(wraps=5, enabled=False)
    assert not (tmp_path / "keys" / "master.key").exists()


def test_who_does_not_encrypt_needs_no_key(load, tmp_path):
    none = load(enabled=False)
    assert not none.ids
    assert not (tmp_path / "keys" / "master.key").exists()
    with pytest.raises(KeyFileError, match=r"set encryption\.enabled"):
        _ = none.current


def test_a_new_key_goes_before_the_old_one(load, tmp_path):
    (old,) = load().ids
    add_master(Encryption(), tmp_path)
    new, kept = load(wraps=1).ids
    assert (kept, load().current.id) == (old, new)
    assert (tmp_path / "keys" / "master.key").stat().st_mode & 0o777 == 0o600


def test_the_environment_goes_before_the_file(load, spelt, tmp_path):
    text = f"{spelt(b'n' * 32)},{spelt(b'o' * 32)}"
    config = from_table({}, {"KYCMANAGER_MASTER_KEY": text})
    assert text not in repr(config)
    assert load(master_key=config.encryption.master_key).ids == (Key(b"n" * 32).id, Key(b"o" * 32).id)
    assert not (tmp_path / "keys").exists()
    with pytest.raises(KeyFileError, match=r"KYCMANAGER_MASTER_KEY .* restart the daemon"):
        add_master(config.encryption, tmp_path)


def test_both_alphabets_of_base64_comments_and_empty_lines_are_taken(load, spelt, tmp_path):
    material = b"\xfb\xef" * 16
    file = tmp_path / "keys" / "master.key"
    file.parent.mkdir()
    file.write_text(f"# kept in the safe\n\n{spelt(material)}\r\n{spelt(b'o' * 32).replace('+', '-')}\n")
    file.chmod(0o600)
    assert load().ids == (Key(material).id, Key(b"o" * 32).id)


@pytest.mark.parametrize("text", ["", "#\n", "short", "A" * 43, "ł" * 44, "\x00", "QUJD"])
def test_a_damaged_file_is_refused(load, tmp_path, text):
    file = tmp_path / "keys" / "master.key"
    file.parent.mkdir()
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(KeyFileError, match=r"master\.key holds (0 master keys|a line that is no master key)"):
        load()
    assert file.read_text() == text


def test_too_many_keys_and_a_file_that_others_read_are_refused(load, spelt, tmp_path):
    with pytest.raises(KeyFileError, match=f"holds {KEYS_MAX + 1} master keys"):
        load(master_key=",".join(spelt(os.urandom(32)) for _ in range(KEYS_MAX + 1)))
    load()
    (tmp_path / "keys" / "master.key").chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod 600"):
        load()


def test_a_folder_that_cannot_be_made_is_named(load, tmp_path):
    (tmp_path / "keys").write_text("")
    with pytest.raises(KeyFileError, match=r"encryption\.key_file"):
        load()


def test_a_key_that_is_still_needed_is_named():
    masters = Masters([Key(b"n" * 32)], "keys/master.key")
    old = Key(b"o" * 32).id
    check_known(masters, {masters.current.id: 3, old: 0})
    with pytest.raises(KeyFileError, match=rf"{old.hex()}: put it back as one more line.* 2 keys"):
        check_known(masters, {old: 2})
