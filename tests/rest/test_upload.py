"""Uploads: forms and raw bodies, owners, refusals that leave nothing behind."""

import asyncio
import errno
import hashlib
import io
import struct
import time
import tracemalloc
import zlib
from typing import Any

import aiohttp
import pytest

from kycmanager.domain.enums import SessionType
from storagemanager import StorageError, StorageErrorCode


def picture(filler: int = 0) -> bytes:
    """Make a small good picture; `filler` bytes go into a text chunk."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    text = chunk(b"tEXt", b"Comment\0" + b"x" * filler)
    pixels = chunk(b"IDAT", zlib.compress(b"\0\1\2\3"))
    return b"\x89PNG\r\n\x1a\n" + head + text + pixels + chunk(b"IEND", b"")


PNG = picture()


def form(*fields: tuple[str, Any], name: str = "a.png", content: Any = PNG) -> aiohttp.FormData:
    made = aiohttp.FormData()
    for field, value in fields:
        if field == "file":
            made.add_field("file", content, filename=name, content_type="image/png")
        else:
            made.add_field(field, value)
    return made


async def send(rest: Any, data: Any, headers: Any = None, query: str = "") -> tuple[int, Any]:
    status, answer, _ = await rest.ask("POST", f"/upload{query}", data=data, headers=headers or rest.manager())
    return status, answer


async def test_a_form_is_answered_in_both_documented_shapes(rest) -> None:
    status, answer = await send(rest, form(("purpose", "passport"), ("file", None)))
    assert status == 200
    uuid = answer["file_id"]
    assert answer == {
        "file_id": uuid,
        "file_name": f"{uuid}.png",
        "files": [
            {
                "uuid": uuid,
                "storage_name": f"{uuid}.png",
                "original_name": "a.png",
                "extension": "png",
                "signature": "image/png",
                "content_type": "image/png",
                "file_size": len(PNG),
                "checksum": hashlib.sha256(PNG).hexdigest(),
                "file_state": "accepted",
                "findings": [],
            }
        ],
        "uploaded": [
            {
                "uuid": uuid,
                "file_name": f"{uuid}.png",
                "original_name": "a.png",
                "content_type": "image/png",
                "file_size": len(PNG),
                "scope": 0,
                "purpose": "passport",
            }
        ],
    }
    assert rest.stored() == [f"{uuid}.png.sealed"]


async def test_a_raw_body_with_and_without_a_length(rest) -> None:
    status, answer = await rest.upload(query="?purpose=face")
    assert (status, answer["uploaded"][0]["purpose"]) == (200, "face")

    async def pieces():
        for start in range(0, len(PNG), 20):
            yield PNG[start : start + 20]

    status, answer = await rest.upload(pieces())
    assert (status, answer["files"][0]["file_size"]) == (200, len(PNG))
    headers = {**rest.manager(), "Content-Disposition": "attachment; filename*=UTF-8''p%C3%A4ss%20%22.png"}
    status, answer = await send(rest, PNG, headers)
    assert (status, answer["files"][0]["original_name"]) == (200, 'päss ".png')
    status, answer, _ = await rest.ask("POST", "/upload", data=PNG, headers=headers, expect100=True)
    assert status == 200


@pytest.mark.parametrize(
    ("session", "sub", "brands", "named", "owner"),
    [
        (SessionType.CUSTOMER, 7, ("acme",), "", ("customer", 7, "acme")),
        (SessionType.CUSTOMER, 7, ("acme",), "other", ("customer", 7, "acme")),
        (SessionType.MANAGER, 3, ("acme",), "", ("manager", 3, "acme")),
        (SessionType.CRM_ADMIN, 3, ("acme", "b"), "b", ("manager", 3, "b")),
        (SessionType.ADMIN, 3, None, "any", ("manager", 3, "any")),
        (SessionType.SYSTEM, 5, ("acme",), "", ("system", 5, "acme")),
        (SessionType.USER, 6, ("acme",), "acme", ("user", 6, "acme")),
    ],
)
async def test_whose_it_is(rest, session: Any, sub: int, brands: Any, named: str, owner: Any) -> None:
    headers = {"Authorization": rest.token(session, sub, brands)}
    for data, query in (
        (form(("brand", named), ("file", None)), ""),
        (form(("file", None)), f"?brand={named}"),
    ):
        status, answer = await send(rest, data, headers, query)
        assert status == 200, answer
        meta = await rest.core.storage.get(answer["file_id"])
        assert (meta.owner_kind, meta.owner_id, meta.brand) == owner


@pytest.mark.parametrize(
    ("brands", "named", "status", "error"),
    [
        (("a", "b"), "", 400, "INVALID_DATA"),
        (None, "", 400, "INVALID_DATA"),
        ((), "", 400, "INVALID_DATA"),
        (("a", "b"), "c", 404, "RET_NOT_FOUND"),
        ((), "c", 404, "RET_NOT_FOUND"),
        (None, "no brand", 400, "INVALID_DATA"),
        (("a",), "a\n", 400, "INVALID_DATA"),
    ],
)
async def test_brands_that_will_not_do(rest, brands: Any, named: str, status: int, error: str) -> None:
    headers = {"Authorization": rest.token(SessionType.MANAGER, 3, brands)}
    found, answer = await send(rest, form(("brand", named), ("file", None)), headers)
    assert (found, answer["error"]) == (status, error)
    assert status == 404 or answer["message"].startswith("brand:")
    assert rest.stored() == []


@pytest.mark.parametrize("place", range(4))
async def test_the_parts_of_a_form_come_in_any_order(rest, place: int) -> None:
    fields: list[tuple[str, Any]] = [("purpose", "id"), ("brand", "b"), ("scope", "2")]
    fields.insert(place, ("file", None))
    for brands in (("a", "b"), ("b",), None):
        headers = {"Authorization": rest.token(SessionType.MANAGER, 3, brands)}
        status, answer = await send(rest, form(*fields), headers)
        assert status == 200, answer
        meta = await rest.core.storage.get(answer["file_id"])
        assert (meta.owner_kind, meta.owner_id, meta.brand) == ("manager", 3, "b")
        assert (meta.purpose, meta.scope) == ("id", 2)
        assert (answer["uploaded"][0]["purpose"], answer["uploaded"][0]["scope"]) == ("id", 2)


async def test_a_part_stands_above_the_query_wherever_it_comes(rest) -> None:
    headers = rest.manager("a", "b")
    for fields in (
        [("purpose", "p"), ("brand", "b"), ("file", None)],
        [("file", None), ("brand", "b"), ("purpose", "p")],
    ):
        status, answer = await send(rest, form(*fields), headers, "?purpose=id&brand=a&scope=1")
        meta = await rest.core.storage.get(answer["file_id"])
        assert (status, meta.brand, meta.purpose, meta.scope) == (200, "b", "p", 1)


async def test_a_customers_file_is_the_customers_whatever_follows(rest) -> None:
    status, answer = await send(rest, form(("file", None), ("brand", "other"), ("purpose", "p")), rest.customer(7))
    meta = await rest.core.storage.get(answer["file_id"])
    assert (status, meta.owner_kind, meta.owner_id, meta.brand, meta.purpose) == (200, "customer", 7, "acme", "p")


LARGE = picture(3_000_000)
NEEDED = "brand: is required: this token does not have exactly one"


@pytest.mark.parametrize(
    ("brands", "late", "status", "said"),
    [
        (("a", "b"), [], 400, NEEDED),
        (("a", "b"), [("purpose", "p")], 400, NEEDED),
        (("a", "b"), [("brand", "")], 400, NEEDED),
        (None, [], 400, NEEDED),
        ((), [], 400, NEEDED),
        (("a", "b"), [("brand", "c")], 404, "Brand was not found"),
        (("a",), [("brand", "c")], 404, "Brand was not found"),
        ((), [("brand", "c")], 404, "Brand was not found"),
        (None, [("brand", "no brand")], 400, "brand: has a form that is not allowed"),
        (("a",), [("scope", "9")], 400, "scope: expected 0 to 3"),
        (("a",), [("scope", "3")], 400, "scope: public files are not allowed here"),
        (("a",), [("purpose", "x" * 65)], 400, "purpose: at most 64 characters, no control characters"),
        (("a",), [("purpose", "p"), ("purpose", "p")], 400, "purpose: comes twice"),
        (("a", "b"), [("brand", "a"), ("brand", "b")], 400, "brand: comes twice"),
        (("a",), [("brand", b"\xff")], 400, "brand: is not UTF-8"),
    ],
)
async def test_what_follows_a_file_and_will_not_do_leaves_nothing(
    rest, brands: Any, late: Any, status: int, said: str
) -> None:
    headers = {"Authorization": rest.token(SessionType.MANAGER, 3, brands)}
    late = [(name, io.BytesIO(value) if isinstance(value, bytes) else value) for name, value in late]
    found, answer = await send(rest, form(("file", None), *late, content=io.BytesIO(LARGE)), headers)
    assert (found, answer["message"]) == (status, said)
    assert rest.stored() == []
    assert (await rest.core.storage.stats()).files == 0
    assert (await rest.core.storage.stats()).uploads_active == 0


@pytest.mark.parametrize(
    ("query", "parts", "status"),
    [
        ("?brand=c", b"", b"404"),
        ("?brand=a+b", b"", b"400"),
        ("?brand=a&scope=3", b"", b"400"),
        ("?brand=a&purpose=" + "x" * 65, b"", b"400"),
        ("", b'--b\r\nContent-Disposition: form-data; name="brand"\r\n\r\nc\r\n', b"404"),
        ("", b'--b\r\nContent-Disposition: form-data; name="brand"\r\n\r\n\r\n', b"400"),
    ],
)
async def test_what_is_wrong_before_the_file_is_told_before_its_bytes(
    rest, query: str, parts: bytes, status: bytes
) -> None:
    head = (
        f"POST /upload{query} HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n"
        f"Authorization: {rest.token(brands=('a', 'b'))}\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n"
    )
    file = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    found = await rest.talk(head.encode() + parts + file, seconds=0.3)
    assert found.startswith(b"HTTP/1.1 " + status), found
    assert rest.stored() == []


@pytest.mark.parametrize(
    ("content", "name", "status", "error"),
    [
        (b"", "a.png", 400, "RET_INVALID_DATA"),
        (b"%PDF-1.4 no picture", "a.png", 400, "RET_INVALID_DATA"),
        (PNG, "a.exe", 400, "RET_INVALID_DATA"),
        (PNG, "a", 400, "RET_INVALID_DATA"),
        (PNG, "a.svg", 400, "RET_INVALID_DATA"),
        (PNG[:-9], "a.png", 400, "RET_INVALID_DATA"),
        (PNG + b"<script>alert(1)</script>", "a.png", 400, "RET_INVALID_DATA"),
    ],
)
async def test_refused_files_leave_nothing(rest, content: bytes, name: str, status: int, error: str) -> None:
    for found, answer in (
        await rest.upload(content, name),
        await send(rest, form(("file", None), name=name, content=content)),
    ):
        assert (found, answer["error"]) == (status, error)
        assert answer["data"]["errors"][0]["field"] in {"file", "file_name"}
    assert rest.stored() == []


@pytest.fixture
async def small(make, core) -> Any:
    """A server that takes files up to 100,000 bytes, as its storage does."""
    rest = await make(file_bytes_max=100_000)
    core.storage._validator._file_bytes_max = 100_000
    return rest


async def test_too_large_files(small) -> None:
    large = picture(120_000)

    async def pieces(content: bytes):
        for start in range(0, len(content), 10_000):
            yield content[start : start + 10_000]

    cases = [
        await small.upload(large),
        await small.upload(pieces(large)),
        await send(small, form(("file", None), content=large)),
        await send(small, form(("file", None), ("junk", io.BytesIO(b"x" * 1_300_000)), content=PNG)),
    ]
    assert [(status, answer["error"]) for status, answer in cases] == [(413, "FILE_TOO_LARGE")] * 4
    assert small.stored() == []
    boundary = b"--b\r\nContent-Disposition: form-data; name=x\r\n\r\n"

    async def endless():
        yield boundary
        for _ in range(200):
            yield b"x" * 10_000

    headers = {**small.manager(), "Content-Type": "multipart/form-data; boundary=b"}
    status, answer = await send(small, endless(), headers)
    assert (status, answer["error"]) == (413, "FILE_TOO_LARGE")


async def test_refusals_come_before_the_body_is_read(small) -> None:
    head = "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\nAuthorization: {}\r\n{}\r\n"
    name = 'Content-Disposition: attachment; filename="a.png"\r\n'
    token = small.token()
    for length, given, extra, status in (
        (90_000, "x", name, b"401"),
        (100_001, token, name, b"413"),
        (5_000_000, token, "Content-Type: multipart/form-data; boundary=b\r\n", b"413"),
        (90_000, token, "", b"400"),
        (90_000, token, name.replace("png", "exe"), b"400"),
    ):
        started = time.monotonic()
        found = await small.talk(head.format(length, given, extra).encode(), seconds=0.5)
        assert found.startswith(b"HTTP/1.1 " + status), found
        assert time.monotonic() - started < 1.5


async def test_the_rest_of_a_refused_body_is_thrown_away_for_a_while(make) -> None:
    rest = await make(discard_seconds=0.4)
    async with rest.connected() as (reader, writer):
        writer.write(b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
        started = time.monotonic()
        assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 401")
        while time.monotonic() - started < 0.3:
            writer.write(b"x" * 1000)
            await writer.drain()
            await asyncio.sleep(0.02)
        await asyncio.wait_for(reader.read(), 2)
        assert 0.3 < time.monotonic() - started < 1.5


async def test_a_client_that_goes_leaves_nothing(rest) -> None:
    head = (
        f"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\nAuthorization: {rest.token()}\r\n"
        'Content-Disposition: attachment; filename="a.png"\r\n\r\n'
    )
    async with rest.connected() as (_, writer):
        writer.write(head.encode() + PNG + b"x" * 3_000_000)
        await writer.drain()
        for _ in range(100):
            if rest.stored():
                break
            await asyncio.sleep(0.02)
        assert rest.stored()
    for _ in range(100):
        if not rest.stored():
            break
        await asyncio.sleep(0.02)
    assert rest.stored() == []
    assert rest.faults == []


async def test_a_client_that_is_too_slow(make) -> None:
    rest = await make(upload_grace_seconds=0.3, upload_rate_min=10_000)
    name = 'Content-Disposition: attachment; filename="a.png"\r\n'
    head = f"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\nAuthorization: {rest.token()}\r\n{name}\r\n"
    found = await rest.talk(head.encode(), *[b"x"] * 30, pause=0.02, seconds=2)
    assert found.startswith(b"HTTP/1.1 400")
    assert b"body: came too slowly" in found
    assert b"Connection: close" in found
    assert rest.stored() == []


@pytest.mark.parametrize(
    ("kind", "data", "said"),
    [
        ("multipart/form-data", b"", "multipart: the Content-Type names no boundary"),
        ("multipart/form-data; boundary=b", b"", "multipart: ends before its last boundary"),
        ("multipart/form-data; boundary=b", b"--c\r\n", "multipart: must begin with its boundary"),
        ("multipart/form-data; boundary=b", b"--b--", "file: is required"),
    ],
)
async def test_forms_that_are_none(rest, kind: str, data: bytes, said: str) -> None:
    status, answer = await send(rest, data, {**rest.manager(), "Content-Type": kind})
    assert (status, answer["error"]) == (400, "INVALID_DATA")
    assert answer["message"].endswith(said)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ([("file", None), ("file", None)], "file: comes twice"),
        ([("purpose", "a"), ("purpose", "a"), ("file", None)], "purpose: comes twice"),
        ([("purpose", "x" * 2000), ("file", None)], "purpose: longer than 1024 bytes"),
        ([("purpose", "x" * 100), ("file", None)], "purpose: at most 64 characters, no control characters"),
        ([("purpose", io.BytesIO(b"\xff")), ("file", None)], "purpose: is not UTF-8"),
        ([("scope", "4"), ("file", None)], "scope: expected 0 to 3"),
        ([("scope", "x"), ("file", None)], "scope: expected 0 to 3"),
        ([("scope", "3"), ("file", None)], "scope: public files are not allowed here"),
        ([(f"f{i}", "x") for i in range(8)] + [("file", None)], "body: multipart: too many parts"),
    ],
)
async def test_forms_with_the_wrong_parts(rest, fields: Any, said: str) -> None:
    status, answer = await send(rest, form(*fields))
    assert (status, answer["error"], answer["message"]) == (400, "INVALID_DATA", said)
    assert rest.stored() == []


async def test_a_file_without_a_name_and_parts_nobody_asked_for(rest) -> None:
    made = aiohttp.FormData(default_to_multipart=True)
    made.add_field("file", "content")
    status, answer = await send(rest, made)
    assert (status, answer["message"]) == (400, "file: needs a file name")
    status, _ = await send(rest, form(("other", "x" * 5000), ("file", None), ("more", "y")))
    assert status == 200


async def test_scopes(make) -> None:
    rest = await make(public_scope=True)
    for scope in "0123":
        status, answer = await send(rest, form(("scope", scope), ("file", None)))
        assert (status, answer["uploaded"][0]["scope"]) == (200, int(scope))
    status, answer = await send(rest, form(("scope", "3"), ("file", None)), rest.customer())
    assert (status, answer["message"]) == (400, "scope: public files are not allowed here")


@pytest.mark.parametrize("header", ["", "attachment", "attachment; filename=", "???", "attachment; filename*=x"])
async def test_raw_bodies_need_a_name(rest, header: str) -> None:
    headers = {**rest.manager(), "Content-Disposition": header}
    status, answer = await send(rest, PNG, headers)
    assert (status, answer["error"], answer["message"][:5]) == (400, "INVALID_DATA", "file:")


@pytest.mark.parametrize(
    ("code", "status", "error", "logged"),
    [
        (StorageErrorCode.BUSY, 503, "OVERLOADED", False),
        (StorageErrorCode.CLOSED, 503, "RET_ERR_SHUTDOWN", False),
        (StorageErrorCode.OUTCOME_UNKNOWN, 503, "OUTCOME_UNKNOWN", False),
        (StorageErrorCode.UNAVAILABLE, 503, "OVERLOADED", True),
        (StorageErrorCode.BROKEN, 500, "RET_ERROR", True),
        (StorageErrorCode.NOT_FOUND, 404, "RET_NOT_FOUND", False),
    ],
)
async def test_what_the_storage_says(rest, monkeypatch, code: Any, status: int, error: str, logged: bool) -> None:
    def receive(**_: Any) -> None:
        raise StorageError(code, "storage", "/the/path/is/secret")

    monkeypatch.setattr(rest.core.storage, "receive", receive)
    found, answer = await rest.upload()
    assert (found, answer["error"], "secret" in str(answer)) == (status, error, False)
    assert bool(rest.faults) == logged


async def test_a_full_disk(rest, monkeypatch) -> None:
    def begin(_uuid: str) -> None:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(rest.core.storage._backend, "begin", begin)
    status, answer = await rest.upload()
    assert (status, answer["error"]) == (507, "STORAGE_FULL")
    monkeypatch.undo()
    assert (await rest.upload())[0] == 200


async def test_chunks_that_are_malformed(rest) -> None:
    head = (
        f"POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nAuthorization: {rest.token()}\r\n"
        'Content-Disposition: attachment; filename="a.png"\r\n\r\n'
    )
    found = await rest.talk(head.encode() + b"4\r\nabcd\r\n", b"zz\r\n", pause=0.05)
    assert found.startswith(b"HTTP/1.1 400")
    assert b"body: malformed or cut off" in found
    assert rest.stored() == []
    assert rest.faults == []


async def test_memory_stays_flat_and_uploads_run_side_by_side(rest) -> None:
    large = picture(12_000_000)

    async def pieces():
        for start in range(0, len(large), 100_000):
            yield large[start : start + 100_000]

    tracemalloc.start()
    try:
        found = await asyncio.gather(*(rest.upload(pieces()) for _ in range(4)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [status for status, _ in found] == [200] * 4
    assert peak < 40_000_000
