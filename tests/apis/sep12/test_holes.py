"""What public suites miss: another account's customer by every path, and answers that tell nothing."""

import pytest
from anchors import BRAND, NAMES, Keypair, png

UNKNOWN = (404, "Customer was not found")
URL = "https://wallet.example.com/kyc"


@pytest.fixture
async def two(anchor):
    """Two wallets, each with a customer."""
    one, other = await anchor.wallet(), await anchor.wallet()
    return one, await one.put(**NAMES), other, await other.put(**NAMES)


PATHS = [
    ("GET", "", "params", {}),
    ("PUT", "", "json", {"first_name": "Eve"}),
    ("PUT", "/verification", "json", {"email_address_verification": "123456"}),
    ("PUT", "/callback", "json", {"url": URL}),
]


@pytest.mark.parametrize(("method", "path", "place", "more"), PATHS, ids=[f"{p[0]}{p[1]}" for p in PATHS])
async def test_another_accounts_customer_is_like_one_that_is_not_there(anchor, two, method, path, place, more):
    one, _, _, second = two
    answers = set()
    for id_ in (second, "999", "0", "-1", "x", str(2**80), f"0{second}", f" {second}", "é"):
        answers.add((await one.ask(method, path, **{place: {**more, "id": id_}})).raw)
    assert len(answers) == 1
    assert await one.error(method, path, **{place: {**more, "id": second}}) == UNKNOWN
    profile = await anchor.profile(int(second))
    assert profile["steps"][0]["answers"]["first_name"] == "Ann"
    assert anchor.records.wallets.callback(int(second)) is None


async def test_delete_takes_no_id(two):
    one, first, other, second = two
    body = {"json": {"id": second}}
    assert (await one.ask("DELETE", f"/{one.account}", **body)).status == 404
    assert (await other.get())["id"] == second
    assert (await one.get())["id"] == first
    status, _ = await one.error("DELETE", f"/{other.account}")
    assert status == 403
    assert (await other.get())["id"] == second


async def test_a_delete_deletes(anchor, two):
    one, first, _, _ = two
    assert (await one.ask("DELETE", f"/{one.account}")).status == 200
    assert await one.error("GET", params={"id": first}) == UNKNOWN
    assert "id" not in await one.get()
    assert await one.error("DELETE", f"/{one.account}") == UNKNOWN
    again = await one.put(first_name="Ann")
    assert again != first
    assert (await anchor.profile(int(first)))["steps"][0]["answers"] == {}


@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_another_account(two, method):
    one, _, other, _ = two
    place = "params" if method == "GET" else "json"
    assert (await one.error(method, **{place: {"account": other.account}}))[0] == 403
    assert (await one.ask(method, **{place: {"account": one.account}})).status in {200, 202}


async def test_another_memo(anchor):
    key = Keypair.random()
    mine = await anchor.wallet(memo="1", key=key)
    for memo, kind in (("2", "id"), ("1", "text"), ("abc", "text")):
        sent = {"memo": memo, "memo_type": kind}
        assert (await mine.error("GET", params=sent))[0] == 403
        assert (await mine.error("PUT", json={**sent, **NAMES}))[0] == 403
        assert (await mine.error("PUT", "/callback", json={**sent, "url": URL}))[0] == 403
        assert (await mine.error("DELETE", f"/{mine.account}", json=sent))[0] == 403
        assert (await mine.error("GET", "/files", params={**sent, "customer_id": "1"}))[0] == 403
    made = await mine.put(memo="1", **NAMES)
    assert (await mine.get(memo="01"))["id"] == made
    neighbour = await anchor.wallet(memo="2", key=key)
    assert await neighbour.error("GET", params={"id": made}) == UNKNOWN
    assert await neighbour.error("DELETE", f"/{key.public_key}") == UNKNOWN
    assert "id" not in await neighbour.get()
    whole = await anchor.wallet(key=key)
    assert (await whole.get(id=made))["id"] == made
    assert (await whole.get(memo="1"))["id"] == made
    assert "id" not in await whole.get()


async def test_files_of_another_are_not_there(anchor, two):
    one, first, other, _ = two
    mine = (await one.upload()).body
    assert await other.error("GET", "/files") == (400, "file_id: give file_id or customer_id")
    for query in ({"file_id": mine["file_id"]}, {"customer_id": first}, {"file_id": "x"}, {"customer_id": "x"}):
        reply = await other.ask("GET", "/files", params=query)
        assert (reply.status, reply.body) == (200, {"files": []})
    listed = (await one.ask("GET", "/files", params={"customer_id": first})).body["files"]
    assert [file["file_id"] for file in listed] == [mine["file_id"]]
    await anchor.template("id", {"name": "photo_id_front", "type": "file_reference", "required": True})
    status, reason = await other.error("PUT", json={"type": "with-id", "photo_id_front_file_id": mine["file_id"]})
    assert (status, reason.partition(":")[0]) == (400, "type")


@pytest.mark.parametrize("settings", [{"sep12": {"types": {"id": {"templates": ["id"]}}}}], indirect=True)
async def test_a_file_of_another_is_no_answer(anchor):
    await anchor.template("id", {"name": "photo_id_front", "type": "file_reference", "required": True})
    one, other = await anchor.wallet(), await anchor.wallet()
    mine = (await one.upload(png())).body["file_id"]
    unknown = "00000000-0000-4000-8000-000000000000"
    answers = {
        (await other.error("PUT", json={"type": "id", "photo_id_front_file_id": each})) for each in (mine, unknown)
    }
    assert answers == {(400, "photo_id_front_file_id: is no stored file of this customer")}
    made = await one.put(type="id", photo_id_front_file_id=mine)
    assert (await one.get(id=made, type="id"))["status"] == "PROCESSING"
    assert (await other.ask("GET", "/files", params={"file_id": mine})).body == {"files": []}


CORS_PATHS = [
    ("GET", "/sep12/customer", 401), ("PUT", "/sep12/customer", 401), ("DELETE", "/sep12/customer/G", 401),
    ("POST", "/sep12/customer/files", 401), ("GET", "/sep12/auth", 400), ("POST", "/sep12/auth", 400),
    ("GET", "/sep12/nothing", 404), ("PATCH", "/sep12/customer", 405), ("POST", "/.well-known/stellar.toml", 405),
    ("GET", "/.well-known/stellar.toml", 200), ("OPTIONS", "/sep12/customer", 204), ("OPTIONS", "/sep12/auth", 204),
    ("OPTIONS", "/sep12/customer/files", 204), ("OPTIONS", "/sep12/customer/verification", 204),
    ("HEAD", "/.well-known/stellar.toml", 200),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "status"), CORS_PATHS)
async def test_every_answer_may_be_read_by_pages(anchor, method, path, status):
    reply = await anchor.ask(method, path, headers={"Origin": "https://wallet.example.com"})
    assert (reply.status, reply.headers["Access-Control-Allow-Origin"]) == (status, "*")
    assert "Authorization" in reply.headers["Access-Control-Allow-Headers"]
    assert "DELETE" in reply.headers["Access-Control-Allow-Methods"]


async def test_the_manager_sees_brands_of_its_own_only(anchor, two):
    _, first, _, _ = two
    listed = await anchor.boss("MngGetKycIdentities", brand=BRAND)
    assert listed["rows"][0]["id"] == int(first)
    assert (await anchor.boss("MngGetKycIdentities", brand="other"))["rows"] == []
