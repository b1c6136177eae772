"""The REST client against a real HTTP server: where fields go, what comes back, files."""

import asyncio
import json

import pytest
from aiohttp import web

from kycmanager.client import BadReply, ConnectionLost, NoRoute, RemoteError, ReplyTimeout, RestClient
from kycmanager.client.routes import request_of
from kycmanager.client.transfer import Rendition, disposition
from kycmanager.commands import TABLE
from kycmanager.commands.model import Accepted
from kycmanager.contract.examples import request_example
from kycmanager.domain.enums import TemplateStatus

ID = "0b8f9c62-6a3c-4f6e-9d4e-0f6c2d5a1b3c"
UPLOADED = {"file_id": ID, "file_name": f"{ID}.pdf", "files": [], "uploaded": []}


class Door:
    """Remembers requests and answers all of them alike."""

    def __init__(self, body=None, status=200, raw=None, headers=None):
        self.content = raw if raw is not None else json.dumps({"accepted": True} if body is None else body).encode()
        self.status = status
        self.headers = headers or {}
        self.seen = []

    async def __call__(self, request):
        kind = request.content_type
        parts = {}
        if kind == "multipart/form-data":
            async for part in await request.multipart():
                parts[part.name] = (part.filename, bytes(await part.read()))
        body = b"" if parts else await request.read()
        self.seen.append((request, body, parts))
        headers = {"Content-Type": "application/json", **self.headers}
        return web.Response(status=self.status, body=self.content, headers=headers)


async def test_a_body_and_the_headers(http):
    door = Door()
    async with http(door) as url, RestClient(url + "/", token="t") as client:
        reply = await client.mng_approve_kyc_step(id=7, comment="ok", version=2, idempotency_key="k")
        client.token = "u"
        await client.mng_set_kyc_required_level(customer_id=1, brand="acme", level=2)
    assert reply == Accepted()
    (first, body, _), (second, _, _) = door.seen
    assert (first.method, first.path) == ("POST", "/manager/kyc/steps/7/approve")
    assert json.loads(body) == {"comment": "ok", "version": 2}
    assert first.headers["Authorization"] == "t"
    assert first.headers["Idempotency-Key"] == "k"
    assert first.content_type == "application/json"
    assert second.headers["Authorization"] == "u"
    assert "Idempotency-Key" not in second.headers


async def test_a_query(http):
    door = Door({"rows": [], "count": 0, "next": None})
    async with http(door) as url, RestClient(url, token="t") as client:
        page = await client.mng_get_kyc_step_templates(brand="a.b-c", status=TemplateStatus.DISABLED, limit=5)
    assert page.rows == []
    request, body, _ = door.seen[0]
    assert dict(request.query) == {"brand": "a.b-c", "status": "1", "limit": "5"}
    assert body == b""
    assert "Content-Type" not in request.headers


async def test_a_delete_has_its_fields_in_the_query(http):
    door = Door()
    async with http(door) as url, RestClient(url, token="t") as client:
        await client.mng_delete_kyc_document(id=3, reason="a & b", version=4, idempotency_key="k")
    request, body, _ = door.seen[0]
    assert (request.method, request.path, body) == ("DELETE", "/manager/kyc/documents/3", b"")
    assert dict(request.query) == {"reason": "a & b", "version": "4"}
    assert request.headers["Idempotency-Key"] == "k"


async def test_a_profile_by_customer_and_brand(http):
    profile = {
        "id": 5, "customer_id": 42, "brand": "acme", "status": 2, "current_level": 0, "required_level": 1,
        "risk_level": 0, "created_time": 1, "updated_time": 1, "version": 1,
    }  # fmt: skip
    door = Door({"profile": profile, "steps": [], "documents": []})
    async with http(door) as url, RestClient(url, token="t") as client:
        found = await client.mng_get_kyc_profile(customer_id=42, brand="acme")
    assert found.profile.customer_id == 42
    request = door.seen[0][0]
    assert (request.path, dict(request.query)) == (
        "/manager/kyc/profiles/0",
        {"customer_id": "42", "brand": "acme"},
    )


@pytest.mark.parametrize("command", [each for each in TABLE if each.route], ids=lambda command: command.name)
def test_every_routed_row_becomes_a_request(command):
    request = request_of(command.name, request_example(command.request), None)
    assert request.method == command.route.methods[0]
    assert "{" not in request.path


def test_values_of_a_query_are_written_as_the_daemon_reads_them():
    request = request_of("MngGetKycGate", {"a": True, "b": None, "c": [1], "d": "x y", "e": 1.5}, None)
    assert request.query == {"a": "true", "b": "null", "c": "[1]", "d": "x y", "e": "1.5"}


async def test_commands_without_a_route():
    async with RestClient("http://127.0.0.1:1", token="t") as client:
        with pytest.raises(NoRoute, match="Subscribe has no route over REST; call it over TCP"):
            await client.subscribe(chanels=["kyc"])
        with pytest.raises(NoRoute, match="Nonsense"):
            await client.call("Nonsense", {}, Accepted)
        with pytest.raises(NoRoute, match="MngGetKycStep needs id"):
            await client.call("MngGetKycStep", {}, Accepted)


async def test_a_refusal(http):
    door = Door({"error": "RET_NOT_FOUND", "message": "Step was not found"}, status=404)
    async with http(door) as url, RestClient(url, token="t") as client:
        with pytest.raises(RemoteError) as caught:
            await client.mng_get_kyc_step(id=1)
        assert (caught.value.status, caught.value.error, caught.value.data) == (404, "RET_NOT_FOUND", {})
        door.content = b'{"error":"INVALID_DATA","message":"m","data":{"errors":[]}}'
        with pytest.raises(RemoteError) as caught:
            await client.upload(b"x", filename="a.pdf")
        assert caught.value.data == {"errors": []}


async def test_answers_that_are_none(http):
    async with http(Door(raw=b"<html>", status=502)) as url, RestClient(url, token="t") as client:
        with pytest.raises(BadReply, match=r"status 502 .*<html>"):
            await client.ping()
    async with http(Door(raw=b"<html>")) as url, RestClient(url, token="t") as client:
        with pytest.raises(BadReply, match="not what was expected"):
            await client.ping()


async def test_a_redirect_is_not_followed(http):
    async def handler(_request):
        raise web.HTTPFound("http://127.0.0.1:1/elsewhere")

    async with http(handler) as url, RestClient(url, token="t") as client:
        with pytest.raises(BadReply, match="status 302"):
            await client.ping()


async def test_time_and_ends(http):
    async def handler(request):
        if request.path == "/ping":
            await asyncio.sleep(5)
        request.transport.close()
        return web.Response()

    async with http(handler) as url, RestClient(url, token="t", timeout_seconds=0.2) as client:
        with pytest.raises(ReplyTimeout, match=r"GET /ping was not answered within 0\.2 s"):
            await client.ping()
        with pytest.raises(ConnectionLost, match="/manager/kyc/server"):
            await client.server_info()


async def test_nobody_listens_and_not_open():
    client = RestClient("http://127.0.0.1:1", token="t")
    with pytest.raises(ConnectionLost, match="not open"):
        await client.ping()
    await client.open()
    await client.open()
    with pytest.raises(ConnectionLost):
        await client.ping()
    await client.close()
    await client.close()


@pytest.mark.parametrize("size", [3, 3 << 20])
async def test_upload_as_a_form(http, size):
    door, content = Door(UPLOADED), b"x" * size
    async with http(door) as url, RestClient(url, token="t") as client:
        reply = await client.upload(content, filename='a "b" ü\r\n.pdf', purpose="kyc", brand="acme", scope=0)
    assert reply.file_id == ID
    request, _, parts = door.seen[0]
    assert (request.method, request.path, request.headers["Authorization"]) == ("POST", "/upload", "t")
    assert list(parts) == ["purpose", "brand", "scope", "file"]
    assert parts["purpose"] == (None, b"kyc")
    assert parts["file"] == ('a "b" ü__.pdf', content)


@pytest.mark.parametrize("size", [3, 3 << 20])
async def test_upload_as_the_body(http, tmp_path, size):
    door, content = Door(UPLOADED), b"y" * size
    path = tmp_path / "scan.pdf"
    path.write_bytes(content)
    async with http(door) as url, RestClient(url, token="t") as client:
        await client.upload(path, raw=True, brand="acme")
        await client.upload(content, filename="größe.pdf", raw=True)
        await client.upload(path)
    (first, body, _), (second, same, _), (_, _, parts) = door.seen
    assert body == same == content
    assert dict(first.query) == {"brand": "acme"}
    assert first.headers["Content-Disposition"] == 'attachment; filename="scan.pdf"'
    assert second.headers["Content-Disposition"] == "attachment; filename*=UTF-8''gr%C3%B6%C3%9Fe.pdf"
    assert parts["file"] == ("scan.pdf", content)


def test_names_in_a_header():
    assert disposition("a b.pdf") == 'attachment; filename="a b.pdf"'
    assert disposition('a";\r\nX: y') == "attachment; filename*=UTF-8''a%22%3B%0D%0AX%3A%20y"


async def test_what_cannot_be_uploaded(http, tmp_path):
    async with http(Door(UPLOADED)) as url, RestClient(url, token="t") as client:
        with pytest.raises(ValueError, match="filename"):
            await client.upload(b"x")
        with pytest.raises(FileNotFoundError):
            await client.upload(tmp_path / "missing")


async def test_rendition(http):
    door = Door(raw=b"picture", headers={"X-Page-Count": "3", "Content-Type": "image/jpeg"})
    async with http(door) as url, RestClient(url, token="t") as client:
        assert await client.rendition(ID, page=2) == Rendition(b"picture", "image/jpeg", 3)
        assert await client.rendition(ID, kind="thumb")
        door.headers = {}
        with pytest.raises(BadReply):
            await client.rendition(ID)
    assert [str(request.rel_url) for request, _, _ in door.seen][:2] == [
        f"/storage/{ID}/rendition?kind=view&page=2",
        f"/storage/{ID}/rendition?kind=thumb&page=1",
    ]


async def test_download(http, tmp_path):
    content = bytes(range(256)) * 4096
    door = Door(raw=content)
    async with http(door) as url, RestClient(url, token="t") as client:
        assert await client.download(ID) == content
        target = tmp_path / "copy"
        assert await client.download_to(f"{ID}.pdf", target) == len(content)
        await client.download("a/../b")
    assert target.read_bytes() == content
    assert [request.rel_url.raw_path for request, _, _ in door.seen] == [
        f"/storage/{ID}",
        f"/storage/{ID}.pdf",
        "/storage/a%2F..%2Fb",
    ]
