"""What is sent: types, languages, names of SEP-9, values of every kind, changes while and after somebody decides."""

import io

import aiohttp
import pytest
from anchors import BRAND, NAMES, Keypair, png

from kycmanager.domain import sep9

TYPES = {
    "sender": {"templates": ["person"]},
    "receiver": {"templates": ["person", "bank"]},
    "leveled": {"level": 2},
    "lost": {"templates": ["nowhere"]},
}
KINDS = [{"sep12": {"types": TYPES}}]
WITH_TYPES = pytest.mark.parametrize("settings", KINDS, indirect=True)


@pytest.fixture
async def typed(anchor):
    await anchor.template("person", "first_name", "last_name")
    await anchor.template(
        "bank",
        {"name": "bank_account_type", "type": "select", "required": True, "options": ["checking", "savings"]},
        {"name": "occupation", "type": "number"},
        {"name": "birth_date", "type": "date", "label": {"en": "Day of birth", "de": "Geburtstag"}},
        {"name": "address_country_code", "type": "country"},
        {"name": "favourite_colour", "type": "text", "description": "A name of our own"},
        {"name": "resident", "type": "boolean"},
    )
    return anchor


@WITH_TYPES
async def test_the_status_is_that_of_the_type(typed):
    wallet = await typed.wallet()
    made = await wallet.put(type="sender", first_name="Ann", last_name="Example")
    await typed.decide(int(made))
    assert (await wallet.get(type="sender"))["status"] == "ACCEPTED"
    more = await wallet.get(type="receiver")
    assert (more["status"], "first_name" in more["fields"], more["fields"]["bank_account_type"]["choices"]) == (
        "NEEDS_INFO", False, ["checking", "savings"],
    )  # fmt: skip
    assert more["fields"]["occupation"]["optional"] is True
    assert {name: field["type"] for name, field in more["fields"].items()} == {
        "bank_account_type": "string", "occupation": "number", "birth_date": "date", "address_country_code": "string",
        "favourite_colour": "string", "resident": "string",
    }  # fmt: skip
    await wallet.put(type="receiver", bank_account_type="savings")
    assert (await wallet.get(type="receiver"))["status"] == "PROCESSING"
    assert (await wallet.get(type="sender"))["status"] == "ACCEPTED"


@WITH_TYPES
async def test_values_become_answers_of_the_form(typed):
    wallet = await typed.wallet()
    made = await wallet.put(
        type="receiver", first_name="Ann", last_name="Example", bank_account_type="checking", occupation="1120",
        birth_date="1990-12-31", address_country_code="DEU", favourite_colour="blue", resident="true",
    )  # fmt: skip
    answers = {}
    for step in (await typed.profile(int(made)))["steps"]:
        answers |= step["answers"]
    assert answers == {
        "first_name": "Ann", "last_name": "Example", "bank_account_type": "checking", "occupation": 1120,
        "birth_date": "1990-12-31", "address_country_code": "DE", "favourite_colour": "blue", "resident": True,
    }  # fmt: skip


@WITH_TYPES
@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"birth_date": "31.12.1990"}, "birth_date"),
        ({"birth_date": 5}, "birth_date"),
        ({"occupation": "many"}, "occupation"),
        ({"address_country_code": "XYZ"}, "address_country_code"),
        ({"bank_account_type": "secret"}, "bank_account_type"),
        ({"resident": "perhaps"}, "resident"),
        ({"first_name": 5}, "first_name"),
        ({"first_name": {"a": 1}}, "first_name"),
        ({"first_name": "a\x00"}, "body"),
        ({"no_such_field": "x"}, "no_such_field"),
        ({"email_address": "nobody"}, ""),
        ({"card.number": "4111111111111111"}, "card.number"),
        ({"card.cvc": "123"}, "card.cvc"),
        ({"photo_id_front": "base64"}, "photo_id_front"),
        ({"photo_id_front_file_id": "x"}, "photo_id_front_file_id"),
        ({"first_name_file_id": "00000000-0000-4000-8000-000000000000"}, "first_name"),
        ({"first_name_verification": "123456"}, "first_name_verification"),
        ({"memo": "x"}, "memo"),
        ({"memo": "1", "memo_type": "number"}, "memo_type"),
        ({"memo": "short", "memo_type": "hash"}, "memo"),
        ({"memo": "x" * 29, "memo_type": "text"}, "memo"),
        ({"lang": "!"}, "lang"),
        ({"type": "nobody"}, "type"),
        ({"type": "lost"}, "type"),
        ({"type": ["x"]}, "type"),
        ({"transaction_id": "1", "type": ""}, "type"),
    ],
)
async def test_what_is_wrong_is_named(typed, fields, named):
    wallet = await typed.wallet()
    reply = await wallet.ask("PUT", json={"type": "receiver", **fields})
    if not named:
        assert reply.status == 202  # a field of SEP-9 that is not asked is let pass
        return
    assert (reply.status, reply.body["error"].partition(":")[0]) == (400, named)
    assert not (await typed.boss("MngGetKycIdentities", brand=BRAND))["rows"]


async def test_a_transaction_needs_a_type(anchor):
    wallet = await anchor.wallet()
    assert (await wallet.error("GET", params={"transaction_id": "5"}))[1] == "type: is required with transaction_id"
    assert (await wallet.get(transaction_id="5", type="default"))["status"] == "NEEDS_INFO"


async def test_every_name_of_sep_9_is_taken(anchor):
    wallet = await anchor.wallet()
    sample = {"date": "2000-12-31", "number": "1", "string": "x"}
    special = {"sex": "female", "email": "a@b.example", "type": "checking", "language": "en", "country": "DEU"}
    for name, (kind, _) in sep9.FIELDS.items():
        if kind == "binary" or name in sep9.NEVER_STORED:
            continue
        value = next((text for part, text in special.items() if part in name and name != "id_type"), sample[kind])
        reply = await wallet.ask("PUT", json={name: value})
        assert reply.status == 202, (name, reply)
    form = aiohttp.FormData()
    for name in [name for name, (kind, _) in sep9.FIELDS.items() if kind == "binary"]:
        form.add_field(name, png(), filename="a.png", content_type="image/png")
    assert (await wallet.ask("PUT", data=form)).status == 202


async def test_two_names_of_one_field(anchor):
    wallet = await anchor.wallet()
    await wallet.put(given_name="Ann", family_name="Example", email_address="ann@example.com")
    assert (await wallet.get())["status"] == "PROCESSING"


@WITH_TYPES
async def test_languages(typed):
    wallet = await typed.wallet()
    told = {lang: (await wallet.get(type="receiver", lang=lang))["fields"]["birth_date"]["description"]
            for lang in ("en", "de", "de-AT", "fr")}  # fmt: skip
    assert told == {"en": "Day of birth", "de": "Geburtstag", "de-AT": "Geburtstag", "fr": "Day of birth"}
    assert (await wallet.get(type="receiver"))["fields"]["favourite_colour"]["description"] == "A name of our own"


async def test_the_same_again_changes_nothing(anchor):
    wallet = await anchor.wallet()
    made = await wallet.put(**NAMES)
    before = await anchor.profile(int(made))
    assert await wallet.put(**NAMES) == made
    assert await wallet.put(id=made) == made
    assert await anchor.profile(int(made)) == before
    await anchor.decide(int(made))
    before = await anchor.profile(int(made))
    assert await wallet.put(**NAMES) == made
    assert await anchor.profile(int(made)) == before


async def test_a_change_while_it_waits(anchor):
    wallet = await anchor.wallet()
    made = await wallet.put(**NAMES)
    (before,) = (await anchor.profile(int(made)))["steps"]
    await wallet.put(email_address="new@example.com")
    (after,) = (await anchor.profile(int(made)))["steps"]
    assert (after["status"], after["answers"]["email_address"]) == (1, "new@example.com")
    assert await anchor.refused("MngApproveKycStep", id=before["id"], version=before["version"]) == 409
    assert (await wallet.error("PUT", json={"first_name": ""}))[0] == 400


async def test_a_change_after_it_was_approved(anchor):
    """What was approved runs out, and the changed answers are decided anew."""
    wallet = await anchor.wallet()
    made = await wallet.put(**NAMES)
    await anchor.decide(int(made))
    await wallet.put(last_name="Married")
    assert (await wallet.get())["status"] == "PROCESSING"
    old, new = (await anchor.profile(int(made)))["steps"]
    assert (old["status"], new["status"], new["answers"]["last_name"]) == (4, 1, "Married")
    await anchor.decide(int(made))
    assert (await wallet.get())["status"] == "ACCEPTED"


async def test_a_rejection_that_can_be_mended(anchor):
    wallet = await anchor.wallet()
    made = await wallet.put(**NAMES)
    await anchor.decide(int(made), "Reject", reason="mismatch", comment="internal")
    body = await wallet.get()
    assert body["status"] == "NEEDS_INFO"
    assert set(body["fields"]) == set(NAMES)
    assert body["provided_fields"]["first_name"]["status"] == "REJECTED"
    assert "correct your answers" in body["provided_fields"]["first_name"]["error"]
    assert "internal" not in str(body)
    await wallet.put(first_name="Anna")
    assert (await wallet.get())["status"] == "PROCESSING"


async def test_a_rejection_for_good(anchor):
    wallet = await anchor.wallet()
    made = await wallet.put(**NAMES)
    await anchor.decide(int(made), "Reject", reason="forged")
    body = await wallet.get()
    assert (body["status"], "cannot accept" in body["message"]) == ("REJECTED", True)
    assert (await wallet.error("PUT", json={"first_name": "Eve"}))[0] == 400


async def test_a_risk_nobody_takes_is_told_as_waiting(anchor):
    wallet = await anchor.wallet()
    made = await wallet.put(**NAMES)
    await anchor.decide(int(made))
    await anchor.boss("MngSetKycRisk", customer_id=int(made), brand=BRAND, risk_level=4)
    assert (await wallet.get())["status"] == "PROCESSING"


@WITH_TYPES
async def test_a_type_by_level(typed):
    wallet = await typed.wallet()
    assert (await wallet.get(type="leveled"))["status"] == "PROCESSING"  # the brand asks nothing yet
    await typed.template("one", "first_name", required=1)
    await typed.template("two", "city", required=1, level=2)
    await typed.template("three", "tax_id", required=1, level=3)
    assert set((await wallet.get(type="leveled"))["fields"]) == {"first_name", "city"}
    made = await wallet.put(type="leveled", first_name="Ann", city="Bonn")
    await typed.decide(int(made))
    assert (await wallet.get(type="leveled"))["status"] == "ACCEPTED"
    profile = (await typed.profile(int(made)))["profile"]
    assert (profile["status"], profile["current_level"]) == (3, 2)


async def test_what_a_reviewer_asks_besides_is_asked_of_the_wallet(anchor):
    wallet = await anchor.wallet()
    made = await wallet.put(**NAMES)
    await anchor.decide(int(made))
    await anchor.template("extra", "tax_id")
    await anchor.boss("MngRequireKycStep", customer_id=int(made), brand=BRAND, step_code="extra")
    body = await wallet.get()
    assert (body["status"], set(body["fields"])) == ("NEEDS_INFO", {"tax_id"})
    await wallet.put(tax_id="123")
    await anchor.decide(int(made))
    assert (await wallet.get())["status"] == "ACCEPTED"


async def test_users_of_a_sender_by_every_kind_of_memo(anchor):
    key = Keypair.random()
    sender = await anchor.wallet(key=key)
    digest = "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k="
    memos = [("id", "7"), ("text", "7"), ("hash", digest), ("", "")]
    ids = {await sender.put(memo=memo, memo_type=kind, **NAMES) for kind, memo in memos}
    assert len(ids) == 4
    by_hex = await sender.get(memo="abcdef0123456789" * 4, memo_type="hash")
    assert by_hex["id"] in ids
    as_number = await sender.ask("GET", params={"memo": "7"})
    assert as_number.body["id"] == (await sender.get(memo="7", memo_type="id"))["id"]
    muxed_too = await anchor.wallet(7, key=key)
    assert (await muxed_too.get())["id"] == as_number.body["id"]


async def test_two_wallets_of_one_customer_of_the_crm(anchor):
    one, two = await anchor.wallet(), await anchor.wallet()
    first, second = await one.put(**NAMES), await two.put(first_name="Ann")
    for made in (first, second):
        await anchor.boss("MngLinkKycIdentity", id=int(made), customer_id=77)
    assert await anchor.refused("MngLinkKycIdentity", id=int(first), customer_id=78) == 409
    third = await (await anchor.wallet()).put(first_name="Eve")
    assert await anchor.refused("MngLinkKycIdentity", id=int(third), customer_id=int(first)) == 400
    assert (await one.get(id=first))["status"] == "NEEDS_INFO"
    assert await one.put(**NAMES) == first
    assert (await two.get())["status"] == "PROCESSING"
    assert (await two.get())["id"] == second
    await anchor.decide(77)
    assert (await one.get())["status"] == (await two.get())["status"] == "ACCEPTED"
    rows = (await anchor.boss("MngGetKycIdentities", customer_id=77))["rows"]
    assert [row["id"] for row in rows] == [int(first), int(second)]


async def test_odd_input_is_never_a_fault_of_ours(anchor):
    wallet = await anchor.wallet()
    bodies = [
        {"json": []}, {"json": 5}, {"json": {"": ""}}, {"json": {"_verification": "1"}}, {"json": {"_file_id": "1"}},
        {"data": b"{", "headers": {"Content-Type": "application/json"}},
        {"data": b"%ff=%00", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        {"data": b"a=1&a=2", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        {"data": b"xx", "headers": {"Content-Type": "multipart/form-data"}},
        {"data": b"--b\r\n\r\n", "headers": {"Content-Type": "multipart/form-data; boundary=b"}},
        {"data": b"hello", "headers": {"Content-Type": "text/plain"}},
        {"data": b"hello", "headers": {"Content-Type": ""}},
        {"json": {"x" * 500: "y"}}, {"json": {f"f{n}": "x" for n in range(300)}}, {"json": {"first_name": "x" * 20_000}},
        {"data": io.BytesIO(b"x" * 2_000_000), "headers": {"Content-Type": "application/json"}},
    ]  # fmt: skip
    for body in bodies:
        reply = await wallet.ask("PUT", **body)
        assert 400 <= reply.status < 500, (body, reply)
        assert list(reply.body) == ["error"]
    for query in ("id=1&id=2", "memo=%00", "lang=xx-%20", "type=%F0%9F%98%80"):
        assert (await anchor.ask("GET", f"/sep12/customer?{query}", wallet.token)).status in {400, 404}
