"""Files of a case: drawn for the viewer, downloaded as attachments, each look in the audit; others' do not exist."""

import io

import pytest
from papers import an_active_pdf
from pictures import jpeg, pdf, png
from PIL import Image

FORM = {"sections": [{"fields": [{"name": "proof", "type": "file_reference", "label": "Proof"}]}]}
NO_FILE = "0b8f9c62-6a3c-4f6e-9d4e-0f6c2d5a1b3c"


@pytest.fixture
async def held(office, ann):
    """Case 1 of acme holds a picture and a PDF; case 2 is of zeta; case 3 another of acme."""
    for customer, brand in ((7, "acme"), (8, "zeta"), (9, "acme")):
        await office.case(customer, brand)
    files = {
        "front": (await office.document(jpeg(), "front.jpg", "passport", code="identity"))["file_id"],
        "back": (await office.document(png(), "back.png", "passport", code="identity"))["file_id"],
        "bill": (await office.document(pdf(2), "bill.pdf", "bill"))["file_id"],
        "text": (await office.document(b"a <b>bold</b> claim\n", "claim.txt", "", code="identity"))["file_id"],
        "zeta": (await office.document(jpeg("Zeta"), "z.jpg", "passport", 8, "zeta"))["file_id"],
        "other": (await office.document(jpeg("Other"), "o.jpg", "passport", 9))["file_id"],
    }
    await ann.get("/cases/1")
    return files


async def looks(office, since=0):
    rows = (await office.audit())[since:]
    return [(row.action, row.kyc_id, row.document_id, row.details) for row in rows if row.action.startswith("access.")]


async def body(visitor, path):
    async with visitor.opening("GET", f"/backoffice{path}") as answer:
        return answer.status, await answer.read(), answer.headers


async def test_a_picture_is_drawn_and_the_look_is_in_the_audit(office, ann, held):
    rows = len(await office.audit())
    path = f"/cases/1/files/{held['front']}/rendition"
    status, content, headers = await body(ann, path)
    assert (status, Image.open(io.BytesIO(content)).size) == (200, (900, 560))
    assert headers["Content-Type"] == "image/jpeg"
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert (headers["Cache-Control"], headers["X-Content-Type-Options"]) == ("no-store", "nosniff")
    assert headers["Content-Disposition"] == "inline"
    status, content, headers = await body(ann, f"/cases/1/files/{held['bill']}/rendition?kind=full&page=2")
    assert (status, headers["X-Page-Count"]) == (200, "2")
    assert await looks(office, rows) == [
        ("access.view", 1, 1, {"page": 1, "file_id": held["front"]}),
        ("access.view", 1, 3, {"page": 2, "file_id": held["bill"]}),
    ]


async def test_small_pictures_belong_to_the_look_at_the_case(office, ann, held, visitors):
    rows = len(await office.audit())
    path = f"/cases/1/files/{held['front']}/rendition?kind=thumb"
    status, content, _ = await body(ann, path)
    assert (status, max(Image.open(io.BytesIO(content)).size)) == (200, 256)
    assert await looks(office, rows) == []
    elsewhere = visitors(office)  # has not been shown the case
    await elsewhere.sign_in()
    assert (await body(elsewhere, path))[0] == 200
    assert [look[:3] for look in await looks(office, rows)] == [("access.view", 1, 1)]


async def test_what_is_remembered_of_looks_is_bounded(office, ann, held, monkeypatch):
    from kycmanager.backoffice import case_files

    monkeypatch.setattr(case_files, "SHOWN_MAX", 1)
    await ann.get("/cases/3")
    rows = len(await office.audit())
    await body(ann, f"/cases/1/files/{held['front']}/rendition?kind=thumb")
    assert len(await looks(office, rows)) == 1


async def test_an_original_is_an_attachment_and_the_download_is_in_the_audit(office, ann, held):
    rows = len(await office.audit())
    status, content, headers = await body(ann, f"/cases/1/files/{held['back']}/download")
    assert (status, content) == (200, png())
    assert headers["Content-Disposition"].startswith("attachment")
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert await looks(office, rows) == [("access.download", 1, 2, {"file_id": held["back"]})]


async def test_the_viewer_shows_pages_and_two_sides(ann, held):
    one = await ann.get(f"/cases/1/files/{held['front']}")
    assert (one.text.count("<figure"), "front.jpg" in one.words, "page 1 of" in one.words) == (1, True, False)
    two = await ann.get(f"/cases/1/files/{held['front']}?beside=1")
    assert [name in two.words for name in ("front.jpg", "back.png")] == [True, True]
    bill = await ann.get(f"/cases/1/files/{held['bill']}?page=2")
    assert "page 2 of 2" in bill.words
    pages = await ann.get(f"/cases/1/files/{held['bill']}?beside=1")
    assert pages.text.count("<figure") == 2
    whole = await ann.get(f"/cases/1?file={held['bill']}")
    assert "page 1 of 2" in whole.words
    assert "<html" in whole.text


async def test_a_text_is_shown_as_text(office, ann, held):
    rows = len(await office.audit())
    shown = await ann.get(f"/cases/1/files/{held['text']}")
    assert '<pre class="frame" tabindex="0">a &lt;b&gt;bold&lt;/b&gt; claim' in shown.text
    assert await looks(office, rows) == [("access.view", 1, 4, {"page": 1, "file_id": held["text"]})]


async def test_a_file_that_cannot_be_drawn_says_so(office, ann, held):
    shown = await ann.get(f"/cases/1/files/{held['bill']}?page=9")
    assert (shown.status, "This file cannot be drawn." in shown.words) == (200, True)
    status, _, _ = await body(ann, f"/cases/1/files/{held['text']}/rendition?kind=thumb")
    assert status == 404


async def test_a_file_that_is_gone_says_so(office, ann, held):
    for path in office.folder.glob(f"storage/**/{held['bill']}*"):
        path.unlink()
    shown = await ann.get(f"/cases/1/files/{held['bill']}")
    assert (shown.status, "This file cannot be drawn." in shown.words) == (200, True)
    assert (await ann.get("/cases/1")).status == 200


async def test_a_file_that_is_held_back_is_for_those_who_decide_of_it(open_office, visitors):
    office = await open_office(inspection={"active_content": "quarantine"})
    await office.user()
    await office.user("bob", role="admin")
    await office.case()
    file_id = (await office.document(an_active_pdf("x"), "form.pdf", "form"))["file_id"]
    for name, status in (("ann", 409), ("bob", 200)):
        visitor = visitors(office)
        await visitor.sign_in(name)
        assert (await visitor.get(f"/cases/1/files/{file_id}/download")).status == status
        shown = await visitor.get(f"/cases/1/files/{file_id}")
        assert "This file is held back : something in it may do harm." in shown.words
        assert "javascript" in shown.words
        assert ("/release" in shown.text, "/refuse" in shown.text, "/download" in shown.text) == (name == "bob",) * 3
        assert (await visitor.get(f"/cases/1/files/{file_id}/rendition")).status in {404, 409}


async def test_a_file_that_is_held_back_is_released_or_refused(open_office, visitors):
    office = await open_office(inspection={"active_content": "quarantine"})
    await office.user("ann", role="manager")
    await office.user("bob", role="crm_admin")
    await office.case()
    first, second = [(await office.document(an_active_pdf(name), f"{name}.pdf", "form"))["file_id"] for name in "xy"]
    ann, bob = visitors(office), visitors(office)
    await ann.sign_in("ann")
    await bob.sign_in("bob")
    for visitor in (ann, bob):
        await visitor.get("/cases/1")
    assert (await ann.post(f"/cases/1/files/{first}/release")).status == 403
    assert (await bob.post(f"/cases/1/files/{second}/refuse")).status == 400
    page = await bob.follow(await bob.post(f"/cases/1/files/{first}/release"))
    assert "The file is released." in page.words
    assert "held back" not in page.words
    page = await bob.follow(await bob.post(f"/cases/1/files/{second}/refuse", {"reason": "runs by itself"}))
    assert "The file is refused." in page.words
    page = await bob.follow(await bob.post(f"/cases/1/files/{second}/release"))
    assert "File has state refused; it cannot become released." in page.words
    rows = [(row.action, row.reason, row.kyc_id, row.source) for row in await office.audit()]
    assert ("file.released", "", 1, "backoffice") in rows
    assert ("file.refused", "runs by itself", 1, "backoffice") in rows
    assert (await bob.post("/cases/1/files/nothing/release")).status == 404


@pytest.mark.parametrize("query", ["kind=huge", "page=0", "page=x", "page=9999999"])
async def test_what_cannot_be_asked_is_refused(ann, held, query):
    assert (await body(ann, f"/cases/1/files/{held['front']}/rendition?{query}"))[0] == 400
    if "page" in query:
        assert (await ann.get(f"/cases/1/files/{held['front']}?{query}")).status == 400


async def test_files_of_answers_are_shown_too(office, ann):
    await office.template(code="income", form_schema=FORM)
    await office.rest(
        "/manager/kyc/required-level", office.token(3, 99, None), {"customer_id": 7, "brand": "acme", "level": 1}
    )
    file_id = await office.file(jpeg("Salary"), "salary.jpg")
    await office.submit(7, "acme", {"proof": file_id}, "income")
    page = await ann.get("/cases/1")
    assert f'href="/backoffice/cases/1?file={file_id}"' in page.text
    rows = len(await office.audit())
    assert (await body(ann, f"/cases/1/files/{file_id}/rendition"))[0] == 200
    assert "file of the answers" in (await ann.get(f"/cases/1/files/{file_id}")).words
    assert await looks(office, rows) == [("access.view", 1, 0, {"page": 1, "file_id": file_id})]


async def test_files_of_other_cases_and_brands_are_not_found(office, ann, held):
    rows = len(await office.audit())
    missing = await ann.get(f"/cases/1/files/{NO_FILE}/rendition")
    for kyc_id, file_id in (
        (1, held["zeta"]), (2, held["zeta"]), (2, held["front"]), (3, held["front"]), (99, held["front"]),
        (1, held["other"]), (1, "x"), (1, f"{held['front']}.jpg"), (1, held["front"].upper()),
    ):  # fmt: skip
        for tail in ("", "/rendition", "/rendition?kind=thumb", "/download"):
            answer = await ann.get(f"/cases/{kyc_id}/files/{file_id}{tail}")
            assert (answer.status, len(answer.text) > 0) == (404, True), (kyc_id, file_id, tail)
        assert (await ann.get(f"/cases/{kyc_id}?file={file_id}")).status == 404
    assert missing.status == 404
    assert [row for row in await looks(office, rows) if row[0] == "access.download" or row[2]] == []


async def test_who_is_not_signed_in_sees_no_file(office, held, visitors):
    stranger = visitors(office)
    for tail in ("", "/rendition", "/download"):
        answer = await stranger.get(f"/cases/1/files/{held['front']}{tail}")
        assert (answer.status, answer.place.startswith("/backoffice/sign-in")) == (303, True)


async def test_names_stand_for_themselves_whatever_direction_they_turn_to(office, ann):
    kyc_id = await office.case(7)
    document = await office.document(png(), "bill.png", "", code="identity")
    shown = "<bdi>bill.png</bdi>"
    page = await ann.get(f"/cases/{kyc_id}")
    assert f"{shown}, " in page.text
    assert f"attached {shown}" in page.text
    viewer = await ann.get(f"/cases/{kyc_id}/files/{document['file_id']}")
    assert f"<figcaption><span>{shown}" in viewer.text
