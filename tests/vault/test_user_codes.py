"""The secrets of one-time codes: sealed like answers, by a key of their own, and sealed later where they were not."""

import pytest

from kycmanager.key_ports import NO_PROFILE

SECRET = bytes(range(0x60, 0x74))
HASH = "$argon2id$v=19$m=47104,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g"
USER = {"name": "ann", "role": "manager", "brands": ["acme"], "password_hash": HASH}


def holding(folder):
    spellings = (SECRET, SECRET.hex().encode())
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(path.name for path in files if any(text in path.read_bytes() for text in spellings))


def opened(daemon):
    users = daemon.core.cache.users
    return users.totp_of(users.user_named("ann"))


async def asked_for_codes(daemon):
    await daemon.local("SysAddUser", USER)
    await daemon.local("SysSetUser", {"name": "ann", "totp": SECRET.hex()})


async def test_nothing_of_a_secret_is_on_the_disk_in_clear(daemon):
    await asked_for_codes(daemon)
    assert holding(daemon.folder) == []
    assert opened(daemon) == SECRET
    await daemon.restart()
    assert holding(daemon.folder) == []
    assert opened(daemon) == SECRET
    await daemon.local("SysSetUser", {"name": "ann", "totp": ""})
    assert opened(daemon) == b""


async def test_a_user_without_codes_makes_no_key(daemon):
    await daemon.local("SysAddUser", USER)
    assert not daemon.core.safe.vault.keyring.has_key(NO_PROFILE)
    await daemon.local("SysSetUser", {"name": "ann", "totp": SECRET.hex()})
    assert daemon.core.safe.vault.keyring.has_key(NO_PROFILE)


async def test_a_rotation_seals_their_key_anew_too(daemon):
    await asked_for_codes(daemon)
    done = await daemon.local("SysRotateKeys", {})
    assert done["keys"] == 1
    assert {master.hex() for _, master, _ in await daemon.core.store.keys.counts()} == {done["current"]}
    await daemon.restart()
    assert opened(daemon) == SECRET


@pytest.mark.parametrize("whole", [False, True])
async def test_old_secrets_work_and_are_sealed_when_asked(open_daemon, whole):
    daemon = await open_daemon(encryption={"enabled": False})
    await asked_for_codes(daemon)
    daemon._settings = {}
    await daemon.restart()
    assert holding(daemon.folder) == ["kyc.db"]
    assert opened(daemon) == SECRET
    daemon.core.safe.alone = whole
    assert (await daemon.local("SysSealOld", {}))["users"] == 1
    assert holding(daemon.folder) == []
    assert opened(daemon) == SECRET
    assert (await daemon.local("SysSealOld", {}))["users"] == 0
    assert [row.details for row in await daemon.audit(action="keys.sealed")] == [{"users": 1}]
    await daemon.restart()
    assert opened(daemon) == SECRET
    daemon._settings = {"encryption": {"enabled": False}}
    await daemon.restart()
    assert opened(daemon) == SECRET
