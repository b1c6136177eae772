import json

import pytest
from cryptography.exceptions import InvalidSignature
from msgspec.structs import replace
from sender import DAY
from wallets import ACCOUNT, Wallets, signed_by

from kycmanager.domain.outbound import PAUSE_SECONDS_MAX


@pytest.fixture
async def wallets(tmp_path):
    async with Wallets(tmp_path / "data") as wallets:
        yield wallets
        await wallets.app.outbound.close()


def statuses(receiver):
    return [json.loads(call.body)["status"] for call in receiver.calls]


async def test_each_change_of_the_status_is_told_signed_until_it_is_final(wallets, receiver):
    customer = await wallets.known(receiver.url)
    step = await wallets.asked(customer)
    await wallets.quiet()
    assert receiver.calls == []  # it was NEEDS_INFO before, and is
    await wallets.handed_in(customer, step)
    await wallets.quiet()
    await wallets.run("MngRejectKycStep", {"id": step, "reason": "blurred"})
    await wallets.quiet()
    await wallets.handed_in(customer, step)
    await wallets.quiet()
    await wallets.run("MngSetKycRisk", {"customer_id": customer, "brand": "acme", "risk_level": 1})
    await wallets.quiet()
    await wallets.run("MngApproveKycStep", {"id": step})
    await wallets.quiet()
    assert statuses(receiver) == ["PROCESSING", "NEEDS_INFO", "PROCESSING", "ACCEPTED"]
    for call in receiver.calls:
        assert signed_by(call, f"127.0.0.1:{receiver.port}") == wallets.now
        with pytest.raises(InvalidSignature):
            signed_by(call, "127.0.0.1")
        assert call.headers["Content-Type"] == "application/json"
        assert "User-Agent" in call.headers
    last = json.loads(receiver.calls[-1].body)
    assert last["id"] == str(customer)
    assert last["provided_fields"]["first_name"]["status"] == "ACCEPTED"
    assert "Ann" not in receiver.calls[-1].body.decode()
    # Final: whatever happens now, the wallet is told no more, until it names a URL anew.
    again = await wallets.asked(customer, "more")
    await wallets.handed_in(customer, again)
    await wallets.quiet()
    assert len(receiver.calls) == 4
    await wallets.known(receiver.url)
    await wallets.run("MngApproveKycStep", {"id": again})
    await wallets.quiet()
    assert statuses(receiver)[4:] == ["ACCEPTED"]
    assert set(await wallets.states(channel="sep12")) == {"delivered"}
    assert wallets.app.core.cache.outbound.deliveries == {}


async def test_a_wallet_that_was_away_is_told_each_change_in_order_at_the_url_of_now(wallets, receiver):
    customer = await wallets.known(receiver.url)
    step = await wallets.asked(customer)
    await receiver.down()
    for _ in range(2):
        await wallets.handed_in(customer, step)
        await wallets.run("MngRejectKycStep", {"id": step})
    await wallets.handed_in(customer, step)
    await wallets.run("MngApproveKycStep", {"id": step})
    await wallets.quiet()
    await wallets.later(PAUSE_SECONDS_MAX)
    assert len(await wallets.states(state="waiting")) == 6
    assert all(each.body for each in wallets.app.core.cache.outbound.deliveries.values())
    await receiver.up()
    await wallets.known(f"http://localhost:{receiver.port}/elsewhere")
    await wallets.later(PAUSE_SECONDS_MAX)
    assert statuses(receiver) == ["PROCESSING", "NEEDS_INFO"] * 2 + ["PROCESSING", "ACCEPTED"]
    assert {call.path for call in receiver.calls} == {"/elsewhere"}
    for call in receiver.calls:
        assert signed_by(call, f"localhost:{receiver.port}") == wallets.now
    found = wallets.rows("SELECT DISTINCT body FROM outbound")
    assert found == [("",)]  # what has arrived is not kept


async def test_each_wallet_of_a_customer_is_told_by_itself(wallets, receiver):
    first = await wallets.known(f"{receiver.url}/1")
    second = await wallets.known(f"{receiver.url}/2", "G" + "B" * 55)
    third = await wallets.known(f"{receiver.url}/3", ACCOUNT, memo_type="id", memo="7")
    await wallets.local("SysOpenSepIdentity", {"brand": "acme", "account": "G" + "C" * 55})  # it names no URL
    for identity in (first, second):
        await wallets.run("MngLinkKycIdentity", {"id": identity, "customer_id": 5})
    step = await wallets.asked(5)
    await wallets.handed_in(5, step)
    await wallets.quiet()
    assert sorted((call.path, json.loads(call.body)["id"]) for call in receiver.calls) == [
        ("/hook/1", str(first)),
        ("/hook/2", str(second)),
    ]
    step = await wallets.asked(third)
    await wallets.handed_in(third, step)
    await wallets.quiet()
    assert receiver.calls[-1].path == "/hook/3"
    rows = await wallets.deliveries(channel="sep12", customer_id=5)
    assert [(row["customer_id"], row["kind"]) for row in rows] == [(5, "step.submitted")] * 2


async def test_nobody_is_called_whose_url_is_gone_or_private(wallets, receiver):
    customer = await wallets.known(receiver.url)
    step = await wallets.asked(customer)
    await receiver.down()
    await wallets.handed_in(customer, step)
    await wallets.quiet()
    await wallets.run("MngRejectKycStep", {"id": step})
    await wallets.quiet()
    await wallets.known("ftp://127.0.0.1/")
    await wallets.later(DAY)
    dead, waiting = (await wallets.deliveries(channel="sep12"))[::-1]
    assert (dead["state"], dead["outcome"]) == ("dead", "address")
    assert waiting["state"] in {"waiting", "dead"}
    held = wallets.app.core.cache.wallets
    held.remove_callback(customer)  # as its erasure does
    await wallets.run("MngReplayKycDelivery", {"channel": "sep12"})
    await wallets.later(PAUSE_SECONDS_MAX)
    assert set(await wallets.states(channel="sep12")) == {"dropped"}
    assert receiver.calls == []


async def test_a_type_the_settings_name_no_more_has_no_status_to_tell(wallets, receiver):
    customer = await wallets.known(receiver.url)
    held = wallets.app.core.cache.wallets
    held.put_callback(replace(held.callback(customer), type="gone"))
    await wallets.handed_in(customer, await wallets.asked(customer))
    await wallets.quiet()
    assert await wallets.deliveries() == []
