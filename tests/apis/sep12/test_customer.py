"""One customer from the first look to ACCEPTED, in three forms of bodies, by every kind of identity."""

import pytest
from anchors import NAMES, Keypair, muxed


async def test_a_customer_from_the_first_look_to_accepted(anchor):
    wallet = await anchor.wallet()
    unknown = await wallet.get()
    assert unknown["status"] == "NEEDS_INFO"
    assert "id" not in unknown
    assert set(unknown["fields"]) == set(NAMES)
    assert all({"type", "description"} <= set(field) for field in unknown["fields"].values())
    first = await wallet.put(first_name="Ann")
    half = await wallet.get(id=first)
    assert (half["id"], half["status"], set(half["fields"])) == (first, "NEEDS_INFO", {"last_name", "email_address"})
    assert half["provided_fields"]["first_name"]["status"] == "PROCESSING"
    assert await wallet.put(**NAMES) == first
    waiting = await wallet.get()
    assert (waiting["status"], "fields" in waiting) == ("PROCESSING", False)
    await anchor.decide(int(first))
    done = await wallet.get(id=first)
    assert done["status"] == "ACCEPTED"
    assert {field["status"] for field in done["provided_fields"].values()} == {"ACCEPTED"}
    assert int(first) >= 2**40


@pytest.mark.parametrize("form", ["json", "data", "multipart"])
async def test_every_form_of_body(anchor, form):
    import aiohttp

    wallet = await anchor.wallet()
    if form == "json":
        body = {"json": NAMES}
    elif form == "data":
        body = {"data": NAMES}
    else:
        data = aiohttp.FormData(default_to_multipart=True)
        for name, value in NAMES.items():
            data.add_field(name, value)
        body = {"data": data}
    reply = await wallet.ask("PUT", **body)
    assert reply.status == 202
    assert (await wallet.get())["status"] == "PROCESSING"


async def test_muxed_users_of_one_account_never_see_each_other(anchor):
    key = Keypair.random()
    one, two = await anchor.wallet(1, key=key), await anchor.wallet(2, key=key)
    first, second = await one.put(**NAMES), await two.put(first_name="Bob")
    assert first != second
    assert "id" not in await (await anchor.wallet(3, key=key)).get()
    for mine, other in ((one, second), (two, first)):
        assert await mine.error("GET", params={"id": other}) == (404, "Customer was not found")
    assert (await one.get(account=muxed(key, 1)))["id"] == first
