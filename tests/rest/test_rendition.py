"""Renditions over HTTP: for whoever may read the file, inline, and never a byte of it."""

import asyncio
import io

import pytest
from PIL import Image

from kycmanager.domain.enums import SessionType
from storagemanager import Renderer


def jpeg() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (500, 250), (9, 9, 200)).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture
async def picture(rest) -> str:
    status, answer = await rest.upload(jpeg(), "a.jpg", headers=rest.customer())
    assert status == 200
    return answer["file_id"]


async def test_a_rendition_is_shown_inline_and_cannot_act(rest, picture) -> None:
    status, content, headers = await rest.ask(
        "GET", f"/storage/{picture}.jpg/rendition?kind=thumb", headers=rest.manager()
    )
    assert status == 200
    assert Image.open(io.BytesIO(content)).size == (256, 128)
    assert {name: headers[name] for name in headers if name not in {"Date", "Content-Length"}} == {
        "Content-Type": "image/jpeg",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Server": "kycmanager",
        "Content-Disposition": "inline",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Page-Count": "1",
    }
    status, nothing, again = await rest.ask(
        "HEAD", f"/storage/{picture}/rendition?kind=thumb&page=1", headers=rest.customer()
    )
    assert (status, nothing, again["Content-Length"]) == (200, b"", str(len(content)))
    assert rest.core.renderer.made == 1


async def test_the_view_is_what_comes_when_nothing_is_said(rest, picture) -> None:
    _, content, _ = await rest.ask("GET", f"/storage/{picture}/rendition", headers=rest.manager())
    assert Image.open(io.BytesIO(content)).size == (500, 250)


async def test_a_text_is_plain_and_escaped(rest) -> None:
    _, answer = await rest.upload(b"a <b>bold</b> claim", "a.txt")
    status, content, headers = await rest.ask("GET", f"/storage/{answer['file_id']}/rendition", headers=rest.manager())
    assert (status, content) == (200, b"a &lt;b&gt;bold&lt;/b&gt; claim")
    assert headers["Content-Type"] == "text/plain; charset=utf-8"


async def test_who_may_not_read_the_file_is_shown_nothing(rest, picture) -> None:
    path = f"/storage/{picture}/rendition"
    missing = "/storage/0b8f9c62-6a3c-4f6e-9d4e-0f6c2d5a1b3c/rendition"
    expected = [
        (path, rest.customer(), 200),
        (path, rest.customer(8), 403),
        (path, rest.customer(7, "other"), 403),
        (path, rest.manager("other"), 404),
        (path, {"Authorization": rest.token(SessionType.USER)}, 403),
        (path, {}, 401),
        (missing, rest.manager(), 404),
        (missing, rest.customer(), 404),
        (f"/storage/{picture}.png/rendition", rest.manager(), 404),
        ("/storage/x/rendition", rest.manager(), 404),
    ]
    for where, headers, status in expected:
        assert (await rest.ask("GET", where, headers=headers))[0] == status, (where, headers)
    assert (await rest.ask("POST", path, headers=rest.manager()))[0] == 405


async def test_a_public_file_is_shown_to_strangers_where_that_is_allowed(make, rest) -> None:
    public = await make(public_scope=True)
    _, answer = await public.upload(jpeg(), "a.jpg", query="?scope=3")
    assert (await public.ask("GET", f"/storage/{answer['file_id']}/rendition"))[0] == 200
    assert (await rest.ask("GET", f"/storage/{answer['file_id']}/rendition"))[0] == 401


@pytest.mark.parametrize(
    ("query", "status", "error", "message"),
    [
        ("kind=huge", 400, "INVALID_DATA", "kind: expected thumb, view, full"),
        ("page=0", 400, "INVALID_DATA", "page: expected a number from 1 to 999999"),
        ("page=x", 400, "INVALID_DATA", "page: expected a number from 1 to 999999"),
        ("page=1&page=2", 400, "INVALID_DATA", "page: comes twice in the query"),
        ("page=2", 404, "RET_NOT_FOUND", "Page 2 was not found; the file has 1"),
    ],
)
async def test_what_cannot_be_asked(rest, picture, query, status, error, message) -> None:
    found, answer, _ = await rest.ask("GET", f"/storage/{picture}/rendition?{query}", headers=rest.manager())
    assert (found, answer["error"], answer["message"]) == (status, error, message)


async def test_what_has_none_says_why(rest) -> None:
    _, answer = await rest.upload(b"text", "a.txt")
    status, told, _ = await rest.ask(
        "GET", f"/storage/{answer['file_id']}/rendition?kind=thumb", headers=rest.manager()
    )
    assert (status, told["error"], told["message"]) == (
        404,
        "RET_NOT_FOUND",
        "A text has no thumbnail; ask for kind=view",
    )


async def test_what_cannot_be_drawn_is_told_and_the_daemon_lives(rest, picture) -> None:
    settings = rest.core.renderer._settings
    rest.core.renderer._settings = type(settings)(pixels_max=1000)
    status, answer, _ = await rest.ask("GET", f"/storage/{picture}/rendition", headers=rest.manager())
    assert (status, answer["error"]) == (400, "RET_INVALID_DATA")
    assert answer["message"] == "file: the picture has more than 0.001 megapixels"
    assert (await rest.ask("GET", "/healthz"))[0] == 200


async def test_a_rendition_that_takes_too_long_is_not_waited_for(make, monkeypatch) -> None:
    rest = await make(request_seconds=0.05)
    _, answer = await rest.upload(jpeg(), "a.jpg")

    async def never(*_given: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Renderer, "get", never)
    status, told, _ = await rest.ask("GET", f"/storage/{answer['file_id']}/rendition", headers=rest.manager())
    assert (status, told["error"]) == (503, "OVERLOADED")
    assert told["message"] == "The rendition is still being made; ask again in a moment"


async def test_a_file_that_is_held_back_is_not_shown(rest, picture) -> None:
    path = f"/storage/{picture}/rendition"
    assert (await rest.ask("GET", path, headers=rest.manager()))[0] == 200
    rest.core.storage.verdicts._held[picture] = object()
    for headers in (rest.manager(), rest.customer()):
        refused = await rest.ask("GET", path, headers=headers)
        assert refused[0] != 200
        assert (await rest.ask("GET", f"/storage/{picture}", headers=headers))[:2] == refused[:2]
    admin = {"Authorization": rest.token(SessionType.ADMIN)}
    status, answer, _ = await rest.ask("GET", path, headers=admin)
    assert (status, answer["message"]) == (404, "A file that is held back has no rendition")
