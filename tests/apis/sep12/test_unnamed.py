"""Files without a name, or with one that tells no type, as wallet libraries and browsers send them."""

import pytest
from anchors import png

WANTED = {"name": "photo_id_front", "type": "file_reference", "required": True}
HEAD = b'--b\r\nContent-Disposition: form-data; name="photo_id_front"'
OPENINGS = (
    b"\xff\xd8\xff",
    b"%PDF-1.7",
    b"GIF89a",
    b"II*\0",
    b"MM\0*",
    b"RIFF\0\0\0\0WEBP",
    b"\0\0\0\x18ftypheic",
)


@pytest.fixture
async def papers(anchor):
    await anchor.template("papers", WANTED, step_type=2)
    return anchor


@pytest.fixture
def settings():
    return {"sep12": {"types": {"id": {"templates": ["papers"]}}}}


def form(kind, content, name=b""):
    """Return one part as a library writes it that is given bare bytes."""
    given = b'; filename="%s"' % name if name else b""
    body = HEAD + given + b"\r\nContent-Type: " + kind + b"\r\n\r\n" + content + b"\r\n--b--\r\n"
    return {"data": body, "params": {"type": "id"}, "headers": {"Content-Type": "multipart/form-data; boundary=b"}}


@pytest.mark.parametrize(
    ("kind", "name"),
    [(b"application/octet-stream", b""), (b"image/png", b""), (b"Image/PNG", b"blob"), (b"text/plain", b"blob")],
)
async def test_the_first_bytes_tell_the_type(papers, kind, name):
    wallet = await papers.wallet()
    reply = await wallet.ask("PUT", **form(kind, png(50), name))
    assert reply.status == 202
    (document,) = (await papers.profile(int(reply.body["id"])))["documents"]
    assert document["file_name"] == f"{name.decode() or 'photo_id_front'}.png"
    assert (document["content_type"], document["file_size"]) == ("image/png", len(png(50)))


@pytest.mark.parametrize("content", [b"", b"\x89PNG", b"no picture at all"])
async def test_what_tells_no_type_is_refused(papers, content):
    wallet = await papers.wallet()
    status, error = await wallet.error("PUT", **form(b"application/octet-stream", content))
    assert (status, error.partition(";")[0]) == (400, "photo_id_front: is no known type of file")
    assert (await papers.app.core.storage.stats()).files == 0


@pytest.mark.parametrize("opening", OPENINGS)
async def test_the_storage_judges_what_only_begins_well(papers, opening):
    wallet = await papers.wallet()
    status, error = await wallet.error("PUT", **form(b"application/octet-stream", opening + b" and then nothing"))
    assert status == 400
    assert error.startswith("photo_id_front: ")
    assert "no known type" not in error
    assert (await papers.app.core.storage.stats()).files == 0


async def test_a_text_of_any_other_type_stays_a_text(anchor):
    wallet = await anchor.wallet()
    body = b'--b\r\nContent-Disposition: form-data; name="first_name"\r\nContent-Type: %s\r\n\r\nAnn\r\n--b--\r\n'
    for kind in (b"text/plain; charset=utf-8", b"multipart/form-data", b"application/json"):
        reply = await wallet.ask("PUT", data=body % kind, headers={"Content-Type": "multipart/form-data; boundary=b"})
        assert reply.status == 202, kind
    assert "first_name" in (await wallet.get())["provided_fields"]
