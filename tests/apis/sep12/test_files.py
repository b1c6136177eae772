"""Files: sent with the fields or before them, decided by reviewers one by one, and erased with the customer."""

import aiohttp
import pytest
from anchors import BRAND, NAMES, png

TYPES = {
    "id": {"templates": ["papers"]},
    "plain": {"templates": ["passport"]},
}
settings_of = [{"sep12": {"types": TYPES}, "storage": {"file_bytes_max": 4096}}]
pytestmark = pytest.mark.parametrize("settings", settings_of, indirect=True)

PICTURE = {"type": "file_reference", "required": True}


@pytest.fixture
async def papers(anchor):
    await anchor.template(
        "papers", "first_name", {"name": "photo_id_front", **PICTURE}, {"name": "photo_id_back", **PICTURE}, step_type=2
    )
    await anchor.template("passport", step_type=0)
    return anchor


def form(**parts):
    data = aiohttp.FormData()
    for name, value in parts.items():
        if isinstance(value, bytes):
            data.add_field(name, value, filename=f"{name}.png", content_type="image/png")
        else:
            data.add_field(name, value)
    return data


async def stored(anchor):
    return (await anchor.app.core.storage.stats()).files


async def test_files_with_the_fields(papers):
    wallet = await papers.wallet()
    asked = (await wallet.get(type="id"))["fields"]
    assert asked["photo_id_front"]["type"] == "binary"
    reply = await wallet.ask("PUT", data=form(type="id", first_name="Ann", photo_id_front=png(1), photo_id_back=png(2)))
    assert reply.status == 202
    body = await wallet.get(type="id")
    assert (body["status"], set(body["provided_fields"])) == (
        "PROCESSING", {"first_name", "photo_id_front", "photo_id_back"},
    )  # fmt: skip
    documents = (await papers.profile(int(reply.body["id"])))["documents"]
    assert [each["type"] for each in documents] == ["photo_id_front", "photo_id_back"]
    assert {each["customer_id"] for each in documents} == {int(reply.body["id"])}


async def test_files_before_the_fields(papers):
    wallet = await papers.wallet()
    front, back = (await wallet.upload(png(1))), (await wallet.upload(png(2)))
    assert set(front.body) == {"file_id", "content_type", "size", "expires_at", "customer_id"}
    assert (front.body["content_type"], front.body["size"]) == ("image/png", len(png(1)))
    assert front.body["customer_id"] == back.body["customer_id"]
    sent = {"photo_id_front_file_id": front.body["file_id"], "photo_id_back_file_id": back.body["file_id"]}
    made = await wallet.put(type="id", first_name="Ann", **sent)
    assert made == front.body["customer_id"]
    assert (await wallet.get(type="id"))["status"] == "PROCESSING"
    assert await wallet.put(type="id", **sent) == made
    listed = (await wallet.ask("GET", "/files", params={"customer_id": made})).body["files"]
    assert {each["file_id"] for each in listed} == {front.body["file_id"], back.body["file_id"]}
    one = (await wallet.ask("GET", "/files", params={"file_id": front.body["file_id"]})).body["files"]
    assert [each["file_id"] for each in one] == [front.body["file_id"]]
    assert "expires_at" not in one[0]


async def test_a_step_of_documents_alone_asks_a_file_by_its_code(papers):
    wallet = await papers.wallet()
    assert list((await wallet.get(type="plain"))["fields"]) == ["passport"]
    made = (await wallet.ask("PUT", data=form(type="plain", passport=png()))).body["id"]
    assert (await wallet.get(type="plain"))["status"] == "PROCESSING"
    await papers.decide(int(made))
    assert (await wallet.get(type="plain"))["status"] == "ACCEPTED"


async def test_one_rejected_file_is_asked_again(papers):
    wallet = await papers.wallet()
    made = (
        await wallet.ask("PUT", data=form(type="id", first_name="Ann", photo_id_front=png(1), photo_id_back=png(2)))
    ).body["id"]
    document = (await papers.profile(int(made)))["documents"][0]
    await papers.boss("MngRejectKycDocument", id=document["id"], reason="unreadable")
    await papers.decide(int(made), "Reject", reason="unreadable")
    body = await wallet.get(type="id")
    assert (body["status"], list(body["fields"])) == ("NEEDS_INFO", ["photo_id_front"])
    assert body["provided_fields"]["photo_id_front"]["status"] == "REJECTED"
    assert body["provided_fields"]["first_name"]["status"] == "PROCESSING"
    await wallet.put(type="id", first_name="Anna")
    assert (await wallet.get(type="id"))["status"] == "NEEDS_INFO"
    assert (await wallet.ask("PUT", data=form(type="id", photo_id_front=png(3)))).status == 202
    assert (await wallet.get(type="id"))["status"] == "PROCESSING"
    await papers.decide(int(made))
    assert (await wallet.get(type="id"))["status"] == "ACCEPTED"


async def test_a_new_file_for_what_was_approved(papers):
    wallet = await papers.wallet()
    made = (
        await wallet.ask("PUT", data=form(type="id", first_name="Ann", photo_id_front=png(1), photo_id_back=png(2)))
    ).body["id"]
    await papers.decide(int(made))
    assert (await wallet.ask("PUT", data=form(type="id", photo_id_front=png(3)))).status == 202
    assert (await wallet.get(type="id"))["status"] == "PROCESSING"
    await papers.decide(int(made))
    assert (await wallet.get(type="id"))["status"] == "ACCEPTED"
    assert (await papers.app.core.storage.reconcile_pins(papers.records.attached_files())).pinned == 0


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ({"photo_id_front": b"no picture"}, 400),
        ({"photo_id_front": png(5000)}, 413),
        ({"photo_id_front": b""}, 400),
        ({"first_name": b"a file"}, 400),
        ({"whatever": png()}, 400),
    ],
)
async def test_files_that_are_refused(papers, parts, status):
    wallet = await papers.wallet()
    reply = await wallet.ask("PUT", data=form(type="id", **parts))
    assert (reply.status, list(reply.body)) == (status, ["error"])


async def test_uploads_that_are_refused(papers):
    wallet = await papers.wallet()
    cases = [
        ({"data": form(file="text")}, 400), ({"data": form(other=png())}, 400), ({"json": {}}, 400),
        ({"data": form(file=png(), second=png())}, 400), ({"data": form(file=png(5000))}, 413),
        ({"data": form(file=b"x")}, 400),
    ]  # fmt: skip
    for body, status in cases:
        reply = await wallet.ask("POST", "/files", **body)
        assert (reply.status, list(reply.body)) == (status, ["error"]), body
    assert await stored(papers) == 0


async def test_files_go_with_their_customer(papers):
    wallet = await papers.wallet()
    made = (
        await wallet.ask("PUT", data=form(type="id", first_name="Ann", photo_id_front=png(1), photo_id_back=png(2)))
    ).body["id"]
    await wallet.upload(png(3))
    await papers.boss("MngAddKycNote", kyc_id=(await papers.profile(int(made)))["profile"]["id"], text="secret word")
    assert await stored(papers) == 3
    assert (await wallet.ask("DELETE", f"/{wallet.account}")).status == 200
    assert await stored(papers) == 0
    held = await papers.profile(int(made))
    assert all(step["answers"] == {} for step in held["steps"])
    assert {(each["file_id"], each["file_name"], each["checksum"]) for each in held["documents"]} == {("", "", "")}
    assert (await papers.boss("MngGetKycNotes", kyc_id=held["profile"]["id"]))["rows"] == []
    rows = (await papers.boss("MngGetKycAudit", brand=BRAND, action="profile.erased"))["rows"]
    assert rows[0]["details"] == {"steps": 1, "documents": 2, "files": 3}
    assert (await papers.local("SysVerify"))["faults"] == []
    assert await papers.app.core.store.events_after(0, 1000)
    assert NAMES["first_name"] not in str([each.record for each in await papers.app.core.store.events_after(0, 1000)])
