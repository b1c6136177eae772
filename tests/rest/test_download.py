"""Downloads: who may, which bytes, under which headers."""

import asyncio
from typing import Any

import pytest

from kycmanager.domain.enums import SessionType
from storagemanager import StorageError, StorageErrorCode

TEXT = bytes(range(97, 107))


async def store(rest: Any, headers: Any = None, name: str = "a.txt", query: str = "") -> str:
    status, answer = await rest.upload(TEXT, name, headers=headers, query=query)
    assert status == 200, answer
    return answer["file_id"]


async def test_a_file_and_its_headers(rest) -> None:
    uuid = await store(rest, name="päss.txt")
    for path in (f"/storage/{uuid}", f"/storage/{uuid}.txt"):
        status, content, headers = await rest.ask("GET", path, headers=rest.manager())
        assert (status, content) == (200, TEXT)
        assert headers["Content-Type"] == "text/plain"
        assert headers["Content-Length"] == "10"
        assert headers["Content-Disposition"].startswith('attachment; filename="')
        assert "filename*=UTF-8''p%C3%A4ss.txt" in headers["Content-Disposition"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"].startswith("sandbox")
        assert headers["Cache-Control"] == "no-store"
        assert headers["Accept-Ranges"] == "bytes"
        assert headers["ETag"].strip('"') == (await rest.core.storage.get(uuid)).checksum
        assert headers["Server"] == "kycmanager"


async def test_head_and_wrong_methods(rest) -> None:
    uuid = await store(rest)
    status, content, headers = await rest.ask("HEAD", f"/storage/{uuid}", headers=rest.manager())
    assert (status, content, headers["Content-Length"]) == (200, b"", "10")
    status, _, headers = await rest.ask("PUT", f"/storage/{uuid}", headers=rest.manager())
    assert (status, headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    ("asked", "status", "content", "told"),
    [
        ({"Range": "bytes=2-4"}, 206, b"cde", "bytes 2-4/10"),
        ({"Range": "bytes=-2"}, 206, b"ij", "bytes 8-9/10"),
        ({"Range": "bytes=0-99"}, 206, TEXT, "bytes 0-9/10"),
        ({"Range": "bytes=0-1,3-4"}, 200, TEXT, None),
        ({"Range": "bytes=10-"}, 416, b"", "bytes */10"),
        ({"Range": "bytes=2-4", "If-Range": '"other"'}, 200, TEXT, None),
        ({"Range": "bytes=2-4", "If-Range": "TAG"}, 206, b"cde", "bytes 2-4/10"),
        ({"Range": "bytes=2-4", "If-Range": "W/TAG"}, 200, TEXT, None),
        ({"If-None-Match": "TAG"}, 304, b"", None),
        ({"If-None-Match": 'W/"x", W/TAG'}, 304, b"", None),
        ({"If-None-Match": '"x"'}, 200, TEXT, None),
        ({"If-None-Match": "*", "Range": "bytes=2-4"}, 304, b"", None),
    ],
)
async def test_parts_and_conditions(rest, asked: Any, status: int, content: bytes, told: str | None) -> None:
    uuid = await store(rest)
    tag = f'"{(await rest.core.storage.get(uuid)).checksum}"'
    headers = {**rest.manager(), **{name: value.replace("TAG", tag) for name, value in asked.items()}}
    found = await rest.ask("GET", f"/storage/{uuid}", headers=headers)
    assert (found[0], found[1], found[2].get("Content-Range")) == (status, content, told)
    assert found[2]["ETag"] == tag
    if status == 304:
        assert "Content-Length" not in found[2]


async def test_who_may_read_what(rest) -> None:
    own = await store(rest, rest.customer(7))
    managers = await store(rest)
    elsewhere = await store(rest, rest.customer(7, "other"))
    missing = "0b8f9c62-6a3c-4f6e-9d4e-0f6c2d5a1b3c"
    expected = {
        (SessionType.MANAGER, 1, ("acme",)): (200, 200, 404, 404),
        (SessionType.CRM_ADMIN, 1, None): (200, 200, 200, 404),
        (SessionType.ADMIN, 1, ()): (404, 404, 404, 404),
        (SessionType.CUSTOMER, 7, ("acme",)): (200, 403, 403, 404),
        (SessionType.CUSTOMER, 7, ("other",)): (403, 403, 200, 404),
        (SessionType.CUSTOMER, 8, ("acme",)): (403, 403, 403, 404),
        (SessionType.USER, 1, ("acme",)): (403, 403, 403, 403),
        (SessionType.SYSTEM, 1, None): (403, 403, 403, 403),
    }
    for (session, sub, brands), statuses in expected.items():
        headers = {"Authorization": rest.token(session, sub, brands)}
        found = [
            await rest.ask("GET", f"/storage/{uuid}", headers=headers) for uuid in (own, managers, elsewhere, missing)
        ]
        assert tuple(status for status, _, _ in found) == statuses, (session, brands)
    status, answer, _ = await rest.ask("GET", f"/storage/{own}")
    assert (status, answer["error"]) == (401, "PERMISSION_DENIED")


@pytest.mark.parametrize("name", ["x", "{}.png", "{}.", "{}.txt.txt", "{}/", "{}%00", "..%2f..%2fetc%2fpasswd", "%7B"])
async def test_names_that_are_none(rest, name: str) -> None:
    uuid = await store(rest)
    found = await rest.talk(
        f"GET /storage/{name.format(uuid)} HTTP/1.1\r\nHost: a\r\nAuthorization: {rest.token()}\r\n"
        "Connection: close\r\n\r\n".encode()
    )
    assert found.startswith(b"HTTP/1.1 404")


async def test_public_files(make) -> None:
    rest = await make(public_scope=True)
    public = await store(rest, query="?scope=3")
    private = await store(rest)
    assert (await rest.ask("GET", f"/storage/{public}"))[:2] == (200, TEXT)
    for name in (private, "0b8f9c62-6a3c-4f6e-9d4e-0f6c2d5a1b3c", "x"):
        assert (await rest.ask("GET", f"/storage/{name}"))[0] == 401
    closed = await make()
    assert (await closed.ask("GET", f"/storage/{public}"))[0] == 401


async def test_a_damaged_file_is_never_sent(rest) -> None:
    uuid = await store(rest)
    path = rest.data / "storage" / f"{uuid}.txt.sealed"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    for method in ("GET", "HEAD"):
        status, answer, headers = await rest.ask(method, f"/storage/{uuid}", headers=rest.manager())
        assert status == 500
        assert headers["X-Request-ID"].startswith("fault-")
    assert len(rest.faults) == 2
    assert answer == b""


async def test_a_disk_that_fails_on_the_way_breaks_the_connection(rest, monkeypatch) -> None:
    uuid = await store(rest)
    open_read = rest.core.storage.open_read

    async def failing(*given: Any) -> Any:
        reading = await open_read(*given)

        async def fail(_self: Any) -> bytes:
            raise StorageError(StorageErrorCode.UNAVAILABLE, "file", "EIO")

        monkeypatch.setattr(type(reading), "__anext__", fail)
        return reading

    monkeypatch.setattr(rest.core.storage, "open_read", failing)
    found = await rest.talk(
        f"GET /storage/{uuid} HTTP/1.1\r\nHost: a\r\nAuthorization: {rest.token()}\r\n\r\n".encode()
    )
    assert found.startswith(b"HTTP/1.1 200")
    assert found.endswith(b"\r\n\r\n")
    assert len(rest.faults) == 1


async def test_a_large_file_in_parts_side_by_side(rest) -> None:
    large = b"line of text\n" * 400_000
    status, answer = await rest.upload(_pieces(large), "l.txt")
    assert status == 200
    path, headers = f"/storage/{answer['file_name']}", rest.manager()

    async def part(start: int) -> bytes:
        asked = {**headers, "Range": f"bytes={start}-{start + 999_999}"}
        return (await rest.ask("GET", path, headers=asked))[1]

    found = await asyncio.gather(*(part(start) for start in range(0, len(large), 1_000_000)))
    assert b"".join(found) == large
    assert (await rest.ask("GET", path, headers=headers))[1] == large


async def _pieces(content: bytes):
    for start in range(0, len(content), 100_000):
        yield content[start : start + 100_000]
