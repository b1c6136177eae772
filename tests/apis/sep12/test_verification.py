"""Codes that confirm a field: made, told to whoever delivers, tried a few times."""

import pytest
from anchors import NAMES

from kycmanager.commands.views import code_view

pytestmark = pytest.mark.parametrize(
    "settings",
    [{"sep12": {"types": {"default": {"templates": ["sep12.default"], "verify": ["email_address"]}}}}],
    indirect=True,
)


@pytest.fixture
async def sent(anchor):
    anchor.listen()
    wallet = await anchor.wallet()
    made = await wallet.put(**NAMES)
    return wallet, made


def code_of(anchor):
    return code_view(anchor.records, anchor.events("verification.code")[-1].record)


async def test_a_field_waits_for_its_code(anchor, sent):
    wallet, made = sent
    body = await wallet.get()
    assert body["status"] == "NEEDS_INFO"
    assert body["provided_fields"]["email_address"]["status"] == "VERIFICATION_REQUIRED"
    assert list(body["fields"]) == ["email_address_verification"]
    code = code_of(anchor)
    assert (len(code.code), code.code.isdecimal(), code.to) == (6, True, NAMES["email_address"])
    assert isinstance(anchor.events("verification.code")[0].record.content, bytes)
    assert code.code.encode() not in (anchor.folder / "bases" / "kyc.db-wal").read_bytes()
    assert await wallet.put(id=made, email_address_verification=code.code) == made
    assert (await wallet.get())["status"] == "PROCESSING"
    await anchor.decide(int(made))
    assert (await wallet.get())["status"] == "ACCEPTED"


async def test_the_older_endpoint(anchor, sent):
    wallet, made = sent
    for body in ({"email_address_verification": "1"}, {"id": made}, {"id": made, "first_name": "Ann"}):
        assert (await wallet.error("PUT", "/verification", json=body))[0] == 400
    reply = await wallet.ask(
        "PUT", "/verification", json={"id": made, "email_address_verification": code_of(anchor).code}
    )
    assert (reply.status, reply.body["status"], reply.body["id"]) == (200, "PROCESSING", made)
    again = {"id": made, "email_address_verification": code_of(anchor).code}
    assert (await wallet.error("PUT", "/verification", json=again))[0] == 400


async def test_a_code_is_tried_five_times(anchor, sent):
    wallet, made = sent
    right = code_of(anchor).code
    wrong = "000000" if right != "000000" else "000001"
    for _ in range(5):
        status, reason = await wallet.error("PUT", json={"email_address_verification": wrong})
        assert (status, reason) == (400, "email_address_verification: is not the code that was sent")
    assert (await wallet.error("PUT", json={"email_address_verification": right}))[0] == 429
    assert (await wallet.get())["status"] == "NEEDS_INFO"
    anchor.ahead = 61
    await wallet.put(email_address="other@example.com")
    assert code_of(anchor).to == "other@example.com"
    await wallet.put(email_address_verification=code_of(anchor).code)
    assert (await wallet.get(id=made))["status"] == "PROCESSING"


async def test_a_code_runs_out_and_comes_no_sooner_than_it_may(anchor, sent):
    wallet, _ = sent
    first = code_of(anchor)
    await wallet.put(email_address="a@example.com")
    assert len(anchor.events("verification.code")) == 1
    anchor.ahead = 601
    assert (await wallet.error("PUT", json={"email_address_verification": first.code}))[0] == 400
    for n in range(7):
        anchor.ahead += 61
        await wallet.put(email_address=f"b{n}@example.com")
    assert len(anchor.events("verification.code")) == 5
    anchor.ahead += 86_400
    await wallet.sign_in()
    await wallet.put(email_address="c@example.com")
    assert len(anchor.events("verification.code")) == 6


async def test_another_address_is_confirmed_anew(anchor, sent):
    wallet, made = sent
    await wallet.put(email_address_verification=code_of(anchor).code)
    assert (await wallet.error("PUT", json={"email_address": "new@example.com"}))[0] == 400
    await anchor.decide(int(made), "Reject", reason="mismatch")
    anchor.ahead = 61
    await wallet.put(email_address="new@example.com")
    assert (await wallet.get())["status"] == "NEEDS_INFO"
    await wallet.put(email_address_verification=code_of(anchor).code)
    assert (await wallet.get())["status"] in {"PROCESSING", "NEEDS_INFO"}
