"""Identities, callbacks, used challenges and verifications come back as they were; what was removed does not."""

from msgspec.structs import replace

from kycmanager.domain.verification import SentCode, Verification
from kycmanager.domain.wallets import Callback, Identity, UsedChallenge
from kycmanager.wallet_ports import WalletChange

ACCOUNT = "G" + "A" * 55


def identity(make, **change):
    base = Identity(2**40, "alpha", 2**40, ACCOUNT, "text", make.ODD, make.NOW, make.NOW, 1)
    return replace(base, **change)


def callback(make, **change):
    base = Callback(
        2**40, "alpha", 42, "https://x.example", ACCOUNT, "", "", "sender", "en", make.NOW, make.NOW, make.BIG
    )
    return replace(base, **change)


def verification(make, **change):
    base = Verification(1, 1, "email_address", b"\xff" * 32, b"", b"\x00", 1, 2, make.NOW, make.NOW, make.BIG, 0)
    return replace(base, **change)


def batch(make, *, new=(), **lists):
    return replace(make.batch(new=new), wallets=WalletChange(**lists))


async def test_they_come_back(store, make, reopened):
    used = UsedChallenge(b"\x01" * 32, make.NOW)
    written = batch(
        make,
        new=(make.profile(),),
        identities=[identity(make), identity(make, id=2**40 + 1, memo="")],
        callbacks=[callback(make)],
        challenges=[used],
        verifications=[verification(make)],
    )
    await store.commit(written)
    state = (await make.load(await reopened())).wallets
    assert list(state.identities) == written.wallets.identities
    assert list(state.callbacks) == [callback(make)]
    assert list(state.challenges) == [used]
    assert list(state.verifications) == [verification(make)]


async def test_the_last_value_counts_and_what_was_removed_is_gone(store, make):
    await store.commit(
        batch(
            make,
            new=(make.profile(),),
            identities=[identity(make), identity(make, id=2**40 + 1, memo="")],
            callbacks=[callback(make)],
            challenges=[UsedChallenge(b"\x01" * 32, make.NOW), UsedChallenge(b"\x02" * 32, make.NOW)],
            verifications=[verification(make)],
        )
    )
    again = identity(make, id=2**40 + 2)
    await store.commit(
        batch(
            make,
            identities=[again, identity(make, id=2**40 + 1, memo="", customer_id=42, version=2)],
            removed_identities=[2**40],
            removed_callbacks=[2**40],
            forgotten_challenges=[b"\x01" * 32],
            removed_verifications=[(1, "email_address")],
        )
    )
    state = (await make.load(store)).wallets
    assert [(each.id, each.customer_id) for each in state.identities] == [(2**40 + 1, 42), (2**40 + 2, 2**40)]
    assert (list(state.callbacks), list(state.verifications)) == ([], [])
    assert [each.digest for each in state.challenges] == [b"\x02" * 32]


async def test_the_feed_tells_of_identities_and_codes(store, make):
    sent = SentCode(1, 1, 42, "alpha", "email_address", make.NOW, make.BIG, {"code": "123456", "to": make.ODD})
    events = [
        make.event(seq=1, kind="identity.created", record=identity(make)),
        make.event(seq=2, kind="verification.code", record=sent),
    ]
    await store.commit(make.batch(new=(make.profile(), *events)))
    assert list(await store.events_after(0, 10)) == events
