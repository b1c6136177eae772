"""Deletion under the rule of retention, and where nothing is encrypted."""

import asyncio
import sqlite3

import pytest
from anchors import BRAND, NAMES

DAY = 86_400


@pytest.mark.parametrize("settings", [{"sep12": {"retention_days": 10}}], indirect=True)
async def test_a_customer_somebody_has_decided_on_is_kept(anchor):
    wallet = await anchor.wallet()
    made = await wallet.put(**NAMES)
    await anchor.decide(int(made))
    status, reason = await wallet.error("DELETE", f"/{wallet.account}")
    assert (status, "until 20" in reason) == (403, True)
    assert (await wallet.get())["status"] == "ACCEPTED"
    anchor.ahead = 10 * DAY + 1
    await wallet.sign_in()
    assert (await wallet.ask("DELETE", f"/{wallet.account}")).status == 200


@pytest.mark.parametrize("settings", [{"sep12": {"retention_days": 10}}], indirect=True)
async def test_nobody_keeps_what_nobody_has_decided_on(anchor):
    wallet = await anchor.wallet()
    await wallet.put(**NAMES)
    assert (await wallet.ask("DELETE", f"/{wallet.account}")).status == 200


async def test_a_delete_with_each_form_of_body(anchor):
    wallet = await anchor.wallet()
    for kind in ("json", "data", "params"):
        made = await wallet.put(memo="5", **NAMES)
        assert (
            await wallet.ask("DELETE", f"/{wallet.account}", **{kind: {"memo": "5", "memo_type": "id"}})
        ).status == 200
        assert (await wallet.error("GET", params={"id": made}))[0] == 404


async def test_deleting_by_a_muxed_account(anchor):
    wallet = await anchor.wallet(5)
    for account in (wallet.account, wallet.keypair.public_key):
        await wallet.put(**NAMES)
        assert (await wallet.ask("DELETE", f"/{account}")).status == 200


async def test_the_customer_of_the_crm_stays(anchor):
    """A linked wallet takes away what it was known by; the customer is the CRM's."""
    wallet = await anchor.wallet()
    made = await wallet.put(first_name="Ann")
    await anchor.boss("MngLinkKycIdentity", id=int(made), customer_id=77)
    await wallet.put(**NAMES)
    assert (await wallet.ask("DELETE", f"/{wallet.account}")).status == 200
    assert (await anchor.profile(77))["steps"][0]["answers"] == NAMES
    assert (await anchor.profile(int(made)))["steps"][0]["answers"] == {}
    assert (await anchor.boss("MngGetKycIdentities", brand=BRAND))["rows"] == []


@pytest.mark.parametrize("settings", [{"encryption": {"enabled": False}}], indirect=True)
async def test_nothing_is_left_in_clear(anchor):
    wallet = await anchor.wallet()
    made = await wallet.put(first_name="Quixotic", last_name="Example", email_address="quixotic@example.com")
    kyc_id = (await anchor.profile(int(made)))["profile"]["id"]
    await anchor.boss("MngAddKycNote", kyc_id=kyc_id, text="Quixotic indeed")
    assert (await wallet.ask("DELETE", f"/{wallet.account}")).status == 200
    await anchor.app.core.store.maintain()
    with sqlite3.connect(anchor.folder / "bases" / "kyc.db") as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"uixotic" not in (anchor.folder / "bases" / "kyc.db").read_bytes()


async def test_the_operator_erases_too(anchor):
    wallet = await anchor.wallet()
    made = await wallet.put(**NAMES)
    await anchor.local("SysEraseKycCustomer", customer_id=int(made), brand=BRAND, reason="asked by letter")
    assert (await anchor.profile(int(made)))["steps"][0]["answers"] == {}


@pytest.mark.parametrize("settings", [{"backoffice": {"search_fields": ["first_name"]}}], indirect=True)
async def test_corrections_and_deletions_are_followed_by_the_search_for_answers(anchor):
    async def found(name):
        return (await anchor.boss("MngSearchKyc", field="first_name", value=name))["count"]

    while anchor.app.core.cache.lookup.due:
        await asyncio.sleep(0)
    wallet = await anchor.wallet()
    made = await wallet.put(first_name="Draft")
    assert await found("draft") == 0
    for name, before in (("Ann", "Draft"), ("Bea", "Ann")):
        await wallet.put(**NAMES | {"first_name": name})
        assert (await found(name), await found(before)) == (1, 0)
    await anchor.decide(int(made))
    await wallet.put(first_name="Cleo")
    assert (await found("Cleo"), await found("Bea")) == (1, 0)
    assert (await wallet.ask("DELETE", f"/{wallet.account}")).status == 200
    with sqlite3.connect(anchor.folder / "bases" / "kyc.db") as db:
        assert db.execute("SELECT count(*) FROM lookup").fetchone() == (0,)
    assert await found("Cleo") == 0
