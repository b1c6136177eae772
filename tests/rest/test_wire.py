"""The connection itself: what is no HTTP, who is too slow, what stands between two requests, and the hot path."""

import asyncio
import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kycmanager.domain.records import Revocation
from kycmanager.transports.rest.answers import Answer
from kycmanager.transports.rest.hot import LOST, HotReads, owed_after


async def read_all(reader: asyncio.StreamReader, seconds: float) -> bytes:
    found = b""
    try:
        while piece := await asyncio.wait_for(reader.read(1 << 20), seconds):
            found += piece
    except TimeoutError:
        pass
    return found


DATE = re.compile(rb"Date: [^\r]+\r\n")


async def test_heads_that_can_be_read_in_two_ways_are_refused(rest) -> None:
    post = f"POST /manager/kyc/required-level HTTP/1.1\r\nHost: a\r\nAuthorization: {rest.token()}\r\n"
    body = "2\r\n{}\r\n0\r\n\r\n"
    for lines, message in (
        ("Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: only chunked is understood"),
        ("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", "Not a well-formed HTTP request"),
        ("transfer-encoding: chunked\r\nauthorization: other\r\n", "Authorization: comes twice"),
    ):
        found = await rest.talk(f"{post}{lines}\r\n{body}GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n".encode(), seconds=4)
        assert found.startswith(b"HTTP/1.1 400"), found
        assert b'"INVALID_DATA"' in found
        assert b"Connection: close" in found
        assert b'"alive"' not in found
        assert f'"message":"{message}"'.encode() in found
    found = await rest.talk(f"{post}Transfer-Encoding: Chunked\r\n\r\n{body}".encode(), seconds=0.3)
    assert b"customer_id" in found
    assert rest.faults == []


async def test_a_malformed_body_is_told_to_who_may_write(rest) -> None:
    head = (
        f"POST /manager/kyc/templates HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nAuthorization: {rest.token()}"
        "\r\n\r\n"
    )
    found = await rest.talk(head.encode() + b"2\r\n{}\r\n", b"zz\r\n", pause=0.05)
    assert found.startswith(b"HTTP/1.1 400")
    assert b"body: malformed or cut off" in found
    assert b"Connection: close" in found


async def test_what_clients_do_wrong_is_counted_as_no_failure_of_the_daemon(make) -> None:
    rest = await make(body_seconds=0.2)
    head = f"POST /manager/kyc/required-level HTTP/1.1\r\nHost: a\r\nAuthorization: {rest.token()}\r\n"
    async with rest.connected() as (_, writer):
        writer.write(f"{head}Content-Length: 90\r\n\r\n{{".encode())
        async with asyncio.timeout(5):
            while not rest.server.connections:
                await asyncio.sleep(0.01)
    async with asyncio.timeout(5):
        while rest.server.connections:
            await asyncio.sleep(0.01)
    assert rest.observed == []
    chunked = f"{head}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n"
    for pieces in ((f"{head}Content-Length: 90\r\n\r\n", "{"), (chunked, "zz\r\n")):
        assert b" 400 " in await rest.talk(*(piece.encode() for piece in pieces), pause=0.05, seconds=3)
    assert [row[:2] for row in rest.observed] == [("MngSetKycRequiredLevel", 400)] * 2
    assert rest.faults == []


async def test_slow_bodies_and_slow_heads_are_closed(make) -> None:
    rest = await make(header_seconds=0.3, body_seconds=0.2, discard_seconds=1)
    path = "POST /manager/kyc/templates HTTP/1.1\r\n"
    head = f"{path}Host: a\r\nContent-Length: 90\r\nAuthorization: {rest.token()}\r\n\r\n"
    found = await rest.talk(head.encode(), *[b" "] * 12, pause=0.02, seconds=2)
    assert b"body: came too slowly" in found
    started = time.monotonic()
    assert await rest.talk(b"GET /ping HTTP/1.1\r\n", *[b"X: y\r\n"] * 20, pause=0.02, seconds=4) == b""
    assert time.monotonic() - started < 2


async def test_a_head_in_pieces_is_taken(make) -> None:
    rest = await make(header_seconds=5)
    data = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    found = await rest.talk(data[:9], data[9:20], data[20:], pause=0.03, seconds=0.3)
    assert found.endswith(b'{"alive":true}')


async def test_silent_connections_are_closed(make) -> None:
    rest = await make(keepalive_seconds=0.2)
    started = time.monotonic()
    assert await rest.talk(b"", seconds=4) == b""
    assert time.monotonic() - started < 2


async def test_who_never_reads_is_closed(make) -> None:
    rest = await make(stall_seconds=0.5)
    async with rest.connected() as (_, writer):
        writer.write(b"GET /docs/static/swagger-ui-bundle.js HTTP/1.1\r\nHost: a\r\n\r\n" * 20)
        started = time.monotonic()
        while rest.server.connections and time.monotonic() - started < 6:
            await asyncio.sleep(0.05)
        assert rest.server.connections == 0


async def test_who_reads_slowly_is_served(make) -> None:
    rest = await make(stall_seconds=0.6)
    async with rest.connected() as (reader, writer):
        writer.write(b"GET /docs/static/swagger-ui-bundle.js HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        size = 0
        while piece := await reader.read(100_000):
            size += len(piece)
            await asyncio.sleep(0.001)
        assert size > 1_000_000


async def test_who_pauses_between_two_answers_is_served(make) -> None:
    rest = await make(stall_seconds=5)
    asked = b"GET /docs/static/swagger-ui-bundle.js HTTP/1.1\r\nHost: a\r\n\r\n"
    async with rest.connected() as (reader, writer):
        writer.write(asked * 20)
        await asyncio.sleep(0.7)
        found = await read_all(reader, 0.5)
    assert found.count(b"HTTP/1.1 200 OK") == 20


async def test_an_answer_that_fails_closes_the_connection_and_is_logged(make) -> None:
    class Failing(Answer):
        async def prepare(self, _request: Any) -> Any:
            raise RuntimeError("no answer")

    async def fail(_request: Any) -> Any:
        return Failing(200, b"")

    rest = await make({"mounts": {"/fail": fail}})
    assert await rest.talk(b"GET /fail HTTP/1.1\r\nHost: a\r\n\r\n", seconds=2) == b""
    assert [repr(error) for _, error in rest.faults] == ["RuntimeError('no answer')"]


async def test_http_1_0_and_kept_connections(rest) -> None:
    found = await rest.talk(b"GET /healthz HTTP/1.0\r\n\r\n", seconds=2)
    assert b"Connection: close" in found
    found = await rest.talk(b"GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", seconds=0.3)
    assert b"Connection: keep-alive" in found
    found = await rest.talk(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", seconds=2)
    assert b"Connection: close" in found


async def test_names_cannot_make_headers(rest) -> None:
    path = b"/manager/kyc/steps/1%0d%0aSet-Cookie:%20a=b"
    found = await rest.talk(b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n\r\n", seconds=0.3)
    assert b"Set-Cookie" not in found
    status, answer = await rest.upload(b"some text\n", 'x%0d%0aSet-Cookie: a=b\\".txt')
    assert status == 200
    _, _, headers = await rest.ask("GET", f"/storage/{answer['file_id']}", headers=rest.manager())
    assert "Set-Cookie" not in headers
    name = "attachment; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20a%3Db.txt"
    status, answer, _ = await rest.ask(
        "POST", "/upload", data=b"some text\n", headers={**rest.manager(), "Content-Disposition": name}
    )
    assert status == 200
    _, _, headers = await rest.ask("GET", f"/storage/{answer['file_id']}", headers=rest.manager())
    assert "Set-Cookie" not in headers
    assert "\r" not in headers["Content-Disposition"]


# -- hot reads


def requests(rest: Any, kyc_id: int) -> dict[str, bytes]:
    token = rest.token()
    line = f"GET /manager/kyc/profiles/{kyc_id} HTTP/1.1\r\n"
    plain = f"{line}Host: localhost:80\r\nAuthorization: {token}\r\n"
    return {
        name: text.encode()
        for name, text in {
            "plain": f"{plain}\r\n",
            "bearer": plain.replace("Authorization: ", "authorization: Bearer ") + "\r\n",
            "browser": f"{plain}User-Agent: x y\r\nAccept: */*\r\nAccept-Encoding: gzip\r\nConnection: keep-alive\r\n\r\n",
            "unknown header": f"{plain}X-Forwarded-For: 1.2.3.4\r\n\r\n",
            "close": f"{plain}Connection: close\r\n\r\n",
            "twice": f"{plain}Authorization: other\r\n\r\n",
            "no host": plain.replace("Host: localhost:80\r\n", "") + "\r\n",
            "no token": f"{line}Host: a\r\n\r\n",
            "wrong token": f"{line}Host: a\r\nAuthorization: a.b.c\r\n\r\n",
            "empty token": f"{line}Host: a\r\nAuthorization: Bearer \r\n\r\n",
            "missing": plain.replace(f"profiles/{kyc_id}", "profiles/999999") + "\r\n",
            "no id": plain.replace(f"profiles/{kyc_id}", "profiles/0") + "\r\n",
            "long id": plain.replace(f"profiles/{kyc_id}", "profiles/" + "9" * 16) + "\r\n",
            "query": plain.replace(" HTTP", "?x=1 HTTP") + "\r\n",
            "step": plain.replace("profiles", "steps") + "\r\n",
            "other path": plain.replace("profiles", "nothing") + "\r\n",
            "old": plain.replace("HTTP/1.1", "HTTP/1.0") + "\r\n",
            "body": f"{plain}Content-Length: 2\r\n\r\n{{}}",
            "bad body": f"{plain}Content-Length: 1\r\n\r\n{{",
            "two": f"{plain}\r\n{plain}\r\n",
            "head": plain.replace("GET", "HEAD") + "\r\n",
            "bare lf": plain.replace("\r\n", "\n") + "\n",
            "folded": f"{plain}Accept: a\r\n b\r\n\r\n",
        }.items()
    }


async def test_hot_reads_are_answered_as_the_parser_would(make) -> None:
    hot, cold = await make(), await make(fast_path=False)
    kyc_id, _ = await hot.seed()
    for name, data in requests(hot, kyc_id).items():
        found = [DATE.sub(b"", await rest.talk(data, seconds=0.15)) for rest in (hot, cold)]
        assert found[0] == found[1], name
        assert found[0].startswith(b"HTTP/1.1 "), name
    assert [row[:2] for row in hot.observed if row[0] == "MngGetKycProfile"] == [
        row[:2] for row in cold.observed if row[0] == "MngGetKycProfile"
    ]


async def test_only_the_understood_are_hot(make, monkeypatch) -> None:
    rest = await make()
    kyc_id, _ = await rest.seed()
    found: list[bool] = []
    answer = HotReads.answer

    def count(self: Any, *given: Any) -> Any:
        answered = answer(self, *given)
        found.append(answered is not None)
        return answered

    monkeypatch.setattr(HotReads, "answer", count)
    for name, data in requests(rest, kyc_id).items():
        found.clear()
        await rest.talk(data, seconds=0.15)
        assert found == [name in {"plain", "bearer", "browser", "step"}], name


async def talk_twice(rest: Any, *pieces: bytes) -> bytes:
    """Send each piece after the answer to the one before."""
    found = b""
    async with rest.connected() as (reader, writer):
        for piece in pieces:
            writer.write(piece)
            try:
                found += await asyncio.wait_for(reader.read(1 << 20), 0.2)
            except TimeoutError:
                found += b"(nothing)"
            except ConnectionError:
                found += b"(closed)"
    return found


async def test_a_hot_read_in_the_middle_of_another_request_is_none(make) -> None:
    hot, cold = await make(), await make(fast_path=False)
    kyc_id, _ = await hot.seed()
    read = requests(hot, kyc_id)["plain"]
    beginning = b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: "
    whole = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    post = f"POST /manager/kyc/required-level HTTP/1.1\r\nHost: a\r\nAuthorization: {hot.token()}\r\n"
    sent = b'{"customer_id":0,"brand":"acme","level":1}'
    for pieces in (
        (beginning, read),
        (whole + beginning, read),
        (post.encode() + b"Content-Length: %d\r\n\r\n" % (len(read) + 1), read, b" "),
        (post.encode() + b"Content-Length: %d\r\n\r\n" % len(sent), sent, read),
        (post.encode() + b"Content-Length: %d\r\n\r\n%b" % (len(sent), sent), read, read),
        (post.encode() + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", read),
        (b"\r\n", read),
        (read, read, b"GET", read),
    ):
        found = [DATE.sub(b"", await talk_twice(rest, *pieces)) for rest in (hot, cold)]
        assert found[0] == found[1], pieces


async def test_a_token_of_another_connection_is_looked_at_again(rest) -> None:
    kyc_id, _ = await rest.seed()
    good = requests(rest, kyc_id)["plain"]
    stranger = re.sub(rb"Authorization: [^\r]+", b"Authorization: x", good)
    found = await talk_twice(rest, good, stranger, good)
    assert re.findall(rb"HTTP/1.1 (\d+)", found) == [b"200", b"401", b"200"]


async def test_revocation_reaches_kept_connections(rest) -> None:
    kyc_id, _ = await rest.seed()
    good = requests(rest, kyc_id)["plain"]
    found = []
    async with rest.connected() as (reader, writer):
        for round_ in range(4):
            writer.write(good)
            found.append((await reader.read(1 << 20)).split()[1])
            if round_ == 1:
                rest.core.revocations.add(
                    Revocation(jti="", session=1, sub=1, not_before=int(time.time()) + 1, expires=0),
                )
    assert found == [b"200", b"200", b"401", b"401"]


HEADS = st.sampled_from(
    [
        b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
        b"POST /a HTTP/1.1\r\nHost: a\r\ncontent-length: 0\r\n\r\n",
    ]
)


@given(st.lists(HEADS, min_size=1, max_size=5), st.lists(st.integers(1, 400), max_size=6))
def test_a_boundary_is_only_claimed_where_one_is(messages: list[bytes], cuts: list[int]) -> None:
    data = b"".join(messages)
    ends = {0}
    for message in messages:
        ends.add(max(ends) + len(message))
    owed = place = 0
    for stop in [*sorted({cut % len(data) for cut in cuts} - {0}), len(data)]:
        owed = owed_after(owed, data[place:stop])
        place = stop
        if owed == LOST:
            break
        assert (owed == 0) <= (place in ends)


@pytest.mark.parametrize(
    ("data", "owed"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 0),
        (b"GET / HTTP/1.1\r\n", LOST),
        (b"POST / HTTP/1.1\r\nContent-Length: 7\r\n\r\nabc", 4),
        (b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nabc", LOST),
        (b"POST / HTTP/1.1\r\nContent-Length:7\r\n\r\n", LOST),
        (b"POST / HTTP/1.1\r\nContent-Length: 7\r\nContent-Length: 7\r\n\r\n", LOST),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", LOST),
        (b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", LOST),
        (b"GET / HTTP/1.1\nHost: a\r\n\r\n", LOST),
        (b"GET / HTTP/1.1\r\nA: b\rc\r\n\r\n", LOST),
    ],
)
def test_what_is_still_to_come(data: bytes, owed: int) -> None:
    assert owed_after(0, data) == owed
