"""The server as a whole: routes, further doors, bounds, TLS, and the end."""

import asyncio
import ssl
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from kycmanager.commands import TABLE
from kycmanager.transports.rest.answers import Answer
from kycmanager.transports.rest.routes import Route, Router, served_by


async def nothing(_request: web.BaseRequest, _parameter: str) -> web.StreamResponse:
    raise NotImplementedError


def test_every_route_of_the_table_is_found_by_its_own_path() -> None:
    routes = [Route(method, row.route.path, nothing) for row in TABLE if row.route for method in row.route.methods]
    router = Router(routes, {})
    for method, path, _ in routes:
        resource, parameter = router.find(path.replace("{id}", "17"))
        assert resource is not None
        assert method in resource.handlers
        assert parameter == ("17" if "{id}" in path else "")


@pytest.mark.parametrize("path", ["/a/{id}/b/c", "/{a}/{b}", "/{id}/a/{id}"])
def test_paths_that_cannot_be_routed(path: str) -> None:
    with pytest.raises(ValueError, match="one parameter at most"):
        Router([Route("GET", path, nothing)], {})


def test_a_method_is_routed_once() -> None:
    with pytest.raises(ValueError, match="GET is routed twice"):
        Router([Route("GET", "/a", nothing)] * 2, {})


async def test_further_doors(make) -> None:
    async def own(request: web.BaseRequest) -> web.StreamResponse:
        return Answer(200, request.rel_url.raw_path.encode(), kind=b"text/plain")

    async def page(request: web.Request) -> web.Response:
        if "fail" in request.query:
            raise web.HTTPSeeOther("/pages/other")
        return web.Response(text=f"page {request.match_info['name']}")

    app = web.Application()
    app.router.add_get("/pages/{name}", page)
    runner = web.AppRunner(app)
    await runner.setup()
    assert runner.server is not None
    rest = await make({"mounts": {"/own": own, "/pages": served_by(runner.server)}})
    assert (await rest.ask("GET", "/own"))[:2] == (200, b"/own")
    assert (await rest.ask("GET", "/own/a/b"))[:2] == (200, b"/own/a/b")
    assert (await rest.ask("GET", "/owner"))[0] == 404
    assert (await rest.ask("GET", "/pages/one"))[:2] == (200, b"page one")
    assert (await rest.ask("GET", "/pages/one?fail=1", allow_redirects=False))[0] == 303
    assert (await rest.ask("GET", "/pages/one/two"))[0] == 404
    await runner.cleanup()


async def test_connections_over_the_bound_are_closed(make) -> None:
    others = 0
    rest = await make({"others": lambda: others}, connections_max=3)
    async with rest.connected(), rest.connected():
        assert (await rest.talk(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", seconds=0.3)).endswith(b"}")
        others = 1
        assert await rest.talk(seconds=2) == b""
    others = 0
    await asyncio.sleep(0.05)
    assert (await rest.talk(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", seconds=0.3)).endswith(b"}")


async def test_start_drain_and_close_may_come_twice(make) -> None:
    rest = await make()
    place = rest.server.address
    await rest.server.start()
    assert rest.server.address == place
    for _ in range(2):
        await rest.server.drain(1)
    for _ in range(2):
        await rest.server.close()
    assert rest.server.connections == 0
    with pytest.raises(aiohttp.ClientConnectorError):
        await rest.ask("GET", "/healthz")


async def test_a_server_that_never_began(make) -> None:
    rest = await make()
    other = type(rest)(rest.core, rest.data)
    other.server = type(rest.server)(
        *rest.server.address,
        executor=rest.core.executor,
        storage=rest.core.files,
        settings=rest.server._settings,
        wrong_token=lambda *_: None,
        faults=rest.fault,
        ready=list,
        metrics=bytes,
        openapi=b"{}",
    )
    with pytest.raises(OSError):
        await other.server.start()
    await other.server.drain(1)
    await other.server.close()


async def test_draining_finishes_what_was_begun(rest) -> None:
    release = asyncio.Event()
    commit = rest.core.store.commit

    async def slow(batch: Any) -> None:
        await release.wait()
        await commit(batch)

    rest.core.store.commit = slow
    asyncio.get_running_loop().call_later(3, release.set)  # a test that fails must not wait for ever
    sent = {"customer_id": 31, "brand": "acme", "level": 1}
    async with rest.connected() as (idle, _):
        writing = asyncio.create_task(
            rest.ask("POST", "/manager/kyc/required-level", json=sent, headers=rest.manager())
        )
        await asyncio.sleep(0.1)
        await rest.server.drain(0.1)
        assert await asyncio.wait_for(idle.read(), 1) == b""
        assert not writing.done()
        draining = asyncio.create_task(rest.server.drain(5))
        await asyncio.sleep(0.05)
        assert not draining.done()
        release.set()
        await asyncio.wait_for(draining, 2)
    status, answer, headers = await writing
    assert (status, answer, headers["Connection"]) == (200, {"accepted": True}, "close")


async def test_draining_lets_an_upload_arrive(rest) -> None:
    go_on = asyncio.Event()

    async def pieces():
        yield b"some text\n"
        await go_on.wait()
        yield b"and its end\n"

    uploading = asyncio.create_task(rest.upload(pieces(), "a.txt"))
    await asyncio.sleep(0.1)
    draining = asyncio.create_task(rest.server.drain(5))
    await asyncio.sleep(0.05)
    go_on.set()
    status, answer = await uploading
    assert (status, answer["files"][0]["file_size"]) == (200, 22)
    await draining


async def test_closing_ends_what_was_begun_and_leaves_nothing(rest) -> None:
    async def pieces():
        yield b"x" * 2_000_000
        await asyncio.sleep(60)
        yield b""

    uploading = asyncio.create_task(rest.upload(pieces(), "a.txt"))
    for _ in range(100):
        if rest.stored():
            break
        await asyncio.sleep(0.02)
    assert rest.stored()
    await rest.server.drain(0.05)
    await rest.server.close()
    with pytest.raises(aiohttp.ClientError):
        await uploading
    await asyncio.sleep(0.1)
    assert rest.stored() == []


async def test_tls(make, tls: ssl.SSLContext) -> None:
    rest = await make({"ssl_context": tls})
    kyc_id, _ = await make_seed(make)
    url = rest.url.replace("http:", "https:")
    async with aiohttp.ClientSession(url) as session:
        asked = f"/manager/kyc/profiles/{kyc_id}"
        async with session.get(asked, headers=rest.manager(), ssl=False) as answer:
            assert (answer.status, (await answer.json())["profile"]["id"]) == (200, kyc_id)
    await asyncio.sleep(0.05)


async def make_seed(make: Any) -> tuple[int, int]:
    plain = await make()
    return await plain.seed()
