"""Commands over HTTP: routes, conversions, the order of refusals, writes that outlive their caller."""

import asyncio
import gc
import io
from typing import Any

import aiohttp
import msgspec
import pytest
from jwt import PyJWS

from kycmanager.commands import TABLE
from kycmanager.domain.enums import SessionType
from kycmanager.domain.errors import KycError

SECRET = "x" * 48
ROUTES = [(method, row) for row in TABLE if row.route for method in row.route.methods]


@pytest.mark.parametrize(("method", "row"), ROUTES, ids=lambda value: getattr(value, "name", value))
async def test_every_route_finds_its_command_and_asks_for_a_token(rest, method: str, row: Any) -> None:
    path = row.route.path.replace("{id}", "1")
    status, answer, headers = await rest.ask(method, path, data=b"{not json")
    assert (status, answer["error"]) == (401, "PERMISSION_DENIED")
    assert headers["Cache-Control"] == "no-store"
    assert rest.observed[-1][:2] == (row.name, 401)


@pytest.mark.parametrize(("method", "row"), ROUTES, ids=lambda value: getattr(value, "name", value))
async def test_access_comes_before_what_is_wrong_with_the_body(rest, method: str, row: Any) -> None:
    if row.access.sessions == frozenset(SessionType):
        outsider = {"Authorization": rest.token()}
        expected = 400
    else:
        outsider = {"Authorization": rest.token(SessionType.FIX)}
        expected = 403
    path = row.route.path.replace("{id}", "1")
    for data in (b"{not json", io.BytesIO(b"x" * (2 << 20))):
        status, answer, _ = await rest.ask(method, path, data=data, headers=outsider)
        assert status == (413 if expected == 400 and isinstance(data, io.BytesIO) else expected), answer


async def test_a_read_and_its_headers(rest) -> None:
    kyc_id, step_id = await rest.seed()
    status, answer, headers = await rest.ask("GET", f"/manager/kyc/profiles/{kyc_id}", headers=rest.manager())
    assert status == 200
    assert [answer["profile"]["id"], answer["steps"][0]["id"]] == [kyc_id, step_id]
    assert headers["Content-Type"] == "application/json"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Server"] == "kycmanager"
    assert "X-Request-ID" not in headers


async def test_both_ways_to_give_a_token(rest) -> None:
    for scheme in ("", "Bearer ", "bearer "):
        status, _, _ = await rest.ask("GET", "/ping", headers={"Authorization": scheme + rest.token()})
        assert status == 200


async def test_query_values_become_the_declared_types(rest) -> None:
    await rest.seed()
    asked = "/manager/kyc/profiles?brand=acme&customer_id=7&limit=5"
    status, answer, _ = await rest.ask("GET", asked, headers=rest.manager())
    assert (status, answer["count"], answer["rows"][0]["customer_id"]) == (200, 1, 7)


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("limit=x", "limit"),
        ("limit=1&limit=2", "limit"),
        ("brand=%00", "query"),
        ("limit=", "limit"),
        ("brand=a%20b", "brand"),
        ("status=99", "status"),
    ],
)
async def test_query_values_that_cannot(rest, query: str, named: str) -> None:
    status, answer, _ = await rest.ask("GET", f"/manager/kyc/profiles?{query}", headers=rest.manager())
    assert (status, answer["error"]) == (400, "INVALID_DATA")
    assert answer["message"].startswith(named)


@pytest.mark.parametrize("text", ["abc", "1e3", "+1", "0", "1.0", "%31", "9" * 19, "9" * 30, "-1", "01"])
async def test_a_path_id_is_plain_digits(rest, text: str) -> None:
    status, answer, _ = await rest.ask("GET", f"/manager/kyc/steps/{text}?x=1", headers=rest.manager())
    if text == "%31":
        assert status == 404  # the client itself writes it 1 before it sends it
        return
    assert (status, answer["error"], answer["message"]) == (400, "INVALID_DATA", "Invalid step id")


async def test_path_beats_body_beats_query(rest) -> None:
    _, step_id = await rest.seed()
    status, answer, _ = await rest.ask(
        "POST",
        f"/manager/kyc/steps/{step_id}/reject?reason=query",
        json={"id": 999, "reason": "body"},
        headers=rest.manager(),
    )
    assert (status, answer["error"]) == (409, "INVALID_STATE")
    path = f"/customer/kyc/steps/{step_id}/submit"
    status, answer, _ = await rest.ask("POST", path, json={"id": 999, "answers": {}}, headers=rest.customer())
    assert (status, answer["step"]["id"], answer["step"]["status"]) == (200, step_id, 1)
    path = f"/manager/kyc/steps/{step_id}/reject?reason=query"
    status, _, _ = await rest.ask("POST", path, json={"id": 999, "reason": "body"}, headers=rest.manager())
    assert status == 200
    assert rest.core.cache.step(step_id).reason == "body"


async def test_an_empty_body_is_an_empty_object(rest) -> None:
    _, step_id = await rest.seed()
    await rest.ask("POST", f"/customer/kyc/steps/{step_id}/submit", json={"answers": {}}, headers=rest.customer())
    status, answer, _ = await rest.ask("POST", f"/manager/kyc/steps/{step_id}/approve", headers=rest.manager())
    assert (status, answer) == (200, {"accepted": True})


async def test_a_body_without_a_query_is_not_converted(rest) -> None:
    sent = {"customer_id": "7", "brand": "acme", "level": 1}
    status, answer, _ = await rest.ask("POST", "/manager/kyc/required-level", json=sent, headers=rest.manager())
    assert (status, answer["error"]) == (400, "INVALID_DATA")
    assert answer["data"]["errors"][0]["field"] == "customer_id"


@pytest.mark.parametrize(
    "data", [b"[]", b"1", b"{", b'{"a":1,"a":2}', b"\xff", b'{"a":NaN}', b"\xef\xbb\xbf{}", b'{"a":"\\ud800"}', b"null"]
)
async def test_bad_bodies(rest, data: bytes) -> None:
    status, answer, _ = await rest.ask("POST", "/manager/kyc/required-level", data=data, headers=rest.manager())
    assert (status, answer["error"]) == (400, "INVALID_DATA")
    assert answer["message"].startswith("body: ")


async def test_a_body_in_chunks_and_one_that_is_too_large(make) -> None:
    rest = await make(body_bytes_max=1024)

    async def pieces(count: int):
        for _ in range(count):
            yield b" " * 512
        yield b'{"customer_id":7,"brand":"acme","level":1}'

    path, headers = "/manager/kyc/required-level", rest.manager()
    status, answer, _ = await rest.ask("POST", path, data=pieces(1), headers=headers)
    assert (status, answer) == (200, {"accepted": True})
    status, answer, _ = await rest.ask("POST", path, data=pieces(9), headers=headers)
    assert (status, answer["error"]) == (413, "LINE_TOO_LONG")
    status, answer, _ = await rest.ask("POST", path, data=b" " * 1025, headers=headers)
    assert (status, answer["error"]) == (413, "LINE_TOO_LONG")


async def test_codings_and_expectations(rest) -> None:
    path, headers = "/manager/kyc/required-level", rest.manager()
    status, answer, _ = await rest.ask("POST", path, data=b"x", headers={**headers, "Content-Encoding": "gzip"})
    assert (status, answer["message"][:22]) == (400, "body: Content-Encoding")
    sent = {"customer_id": 7, "brand": "acme", "level": 1}
    status, _, _ = await rest.ask("POST", path, json=sent, headers=headers, expect100=True)
    assert status == 200
    status, answer, _ = await rest.ask("POST", path, json=sent, headers={**headers, "Expect": "magic"})
    assert (status, answer["message"]) == (400, "Expect: only 100-continue is understood")


async def test_unknown_paths_and_wrong_methods(rest) -> None:
    for path in ("/nothing", "/manager/kyc/steps/", "/manager/kyc/steps//approve", "/manager/kyc/steps/1/nothing"):
        status, answer, _ = await rest.ask("GET", path)
        assert (status, answer["error"]) == (404, "RET_NOT_FOUND"), path
    status, answer, headers = await rest.ask("DELETE", "/manager/kyc/templates")
    assert (status, answer["error"], headers["Allow"]) == (405, "RET_INVALID_METHOD", "GET, HEAD, POST")
    status, _, headers = await rest.ask("OPTIONS", "/upload")
    assert (status, headers["Allow"]) == (405, "POST")


async def test_head_is_get_without_the_body(rest) -> None:
    _, _, wanted = await rest.ask("GET", "/healthz")
    status, body, headers = await rest.ask("HEAD", "/healthz")
    assert (status, body, headers["Content-Length"]) == (200, b"", wanted["Content-Length"])


async def test_only_failed_tokens_are_limited(rest) -> None:
    wrong = {"Authorization": rest.token()[:-3] + "AAA"}
    found = [(await rest.ask("GET", "/ping", headers=wrong))[:2] for _ in range(7)]
    assert [status for status, _ in found] == [401] * 5 + [429] * 2
    assert found[-1][1]["error"] == "RET_TOO_FREQUENT"
    assert (await rest.ask("GET", "/ping", headers=rest.manager()))[0] == 200
    assert [(await rest.ask("GET", "/ping"))[0] for _ in range(9)] == [401] * 9


async def test_a_customers_token_names_one_brand(rest) -> None:
    claims = {"sub": "7", "session": 9, "brands": ["a", "b"], "iat": 1, "exp": 4_000_000_000}
    token = PyJWS().encode(msgspec.json.encode(claims), SECRET.encode(), algorithm="HS256")
    found = [(await rest.ask("GET", "/customer/kyc", headers={"Authorization": token}))[:2] for _ in range(9)]
    assert {(status, answer["error"]) for status, answer in found} == {(400, "INVALID_CUSTOMER")}


async def test_idempotency_by_header(rest) -> None:
    sent = {"brand": "acme", "code": "id", "level": 1, "name": "A", "step_type": 1}
    headers = {**rest.manager(), "Idempotency-Key": "k1"}
    first = await rest.ask("POST", "/manager/kyc/templates", json=sent, headers=headers)
    again = await rest.ask("POST", "/manager/kyc/templates", json=sent, headers=headers)
    assert first[0] == again[0] == 200
    assert first[1] == again[1]
    status, answer, _ = await rest.ask("POST", "/manager/kyc/templates", json={**sent, "level": 2}, headers=headers)
    assert (status, answer["error"]) == (409, "IDEMPOTENCY_CONFLICT")
    headers["Idempotency-Key"] = "k" * 129
    assert (await rest.ask("POST", "/manager/kyc/templates", json=sent, headers=headers))[0] == 400
    headers["Idempotency-Key"] = "clé"
    status, answer, _ = await rest.ask("POST", "/manager/kyc/templates", json=sent, headers=headers)
    assert (status, answer["message"]) == (400, "Idempotency-Key: expected printable ASCII")


async def test_queries_and_prepared_writes_answer_too(rest) -> None:
    kyc_id, _ = await rest.seed()
    _, stored = await rest.upload()
    sent = {"kyc_id": kyc_id, "file_id": stored["file_id"], "type": "passport"}
    status, answer, _ = await rest.ask("POST", "/manager/kyc/documents", json=sent, headers=rest.manager())
    assert (status, answer["document"]["file_name"]) == (200, "a.png")
    status, answer, _ = await rest.ask("GET", "/manager/kyc/audit?customer_id=7", headers=rest.manager())
    assert status == 200
    assert answer["rows"][0]["action"] == "document.added"
    assert {row["source"] for row in answer["rows"]} == {"rest"}


async def test_a_command_that_fails_here_is_told_by_its_id_alone(rest, monkeypatch) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("secret of Mrs Smith")

    monkeypatch.setattr(rest.core.cache, "list_profiles", fail)
    status, answer, headers = await rest.ask("GET", "/manager/kyc/profiles?brand=acme", headers=rest.manager())
    assert (status, answer["error"]) == (500, "RET_ERROR")
    assert headers["X-Request-ID"] == answer["data"]["correlation_id"]
    assert "Smith" not in str(answer)


async def test_a_door_that_fails_is_told_by_its_id_alone(make) -> None:
    def fail() -> bytes:
        raise RuntimeError("secret")

    rest = await make()
    rest.metrics.render = fail
    await rest.server.close()
    await rest.http.close()
    await rest.start(rest.server._settings)
    status, answer, headers = await rest.ask("GET", "/metrics")
    assert (status, answer["data"]) == (500, {"correlation_id": "fault-1"})
    assert headers["X-Request-ID"] == "fault-1"
    assert repr(rest.faults[0][1]) == "RuntimeError('secret')"


async def test_a_write_outlives_its_caller(rest) -> None:
    sent = {"customer_id": 31, "brand": "acme", "level": 1}
    release = asyncio.Event()
    commit = rest.core.store.commit

    async def slow(batch: Any) -> None:
        await release.wait()
        await commit(batch)

    rest.core.store.commit = slow
    with pytest.raises(TimeoutError):
        await rest.ask(
            "POST",
            "/manager/kyc/required-level",
            json=sent,
            headers=rest.manager(),
            timeout=aiohttp.ClientTimeout(total=0.1),
        )
    release.set()
    for _ in range(100):
        if rest.core.cache.profile_of(31, "acme"):
            break
        await asyncio.sleep(0.01)
    assert rest.core.cache.profile_of(31, "acme") is not None


async def test_answers_that_take_too_long(make) -> None:
    rest = await make(request_seconds=0.05)
    commit, audit = rest.core.store.commit, rest.core.store.audit
    release = asyncio.Event()

    async def slow(*_: Any) -> Any:
        await release.wait()
        return await commit(*_)

    async def slow_audit(*_: Any) -> Any:
        await release.wait()
        return await audit(*_)

    rest.core.store.commit, rest.core.store.audit = slow, slow_audit
    sent = {"customer_id": 31, "brand": "acme", "level": 1}
    status, answer, headers = await rest.ask("POST", "/manager/kyc/required-level", json=sent, headers=rest.manager())
    assert (status, answer["error"]) == (503, "OUTCOME_UNKNOWN")
    assert headers["X-Request-ID"]
    status, answer, _ = await rest.ask("GET", "/manager/kyc/audit", headers=rest.manager())
    assert (status, answer["error"]) == (503, "OVERLOADED")
    release.set()


async def test_many_at_once(rest) -> None:
    await rest.seed()

    async def one(customer: int) -> tuple[int, int]:
        sent = {"customer_id": customer, "brand": "acme", "level": 1}
        wrote, _, _ = await rest.ask("POST", "/manager/kyc/required-level", json=sent, headers=rest.manager())
        path = f"/manager/kyc/profiles?customer_id={customer}"
        _, answer, _ = await rest.ask("GET", path, headers=rest.manager())
        return wrote, answer["count"]

    assert await asyncio.gather(*(one(customer) for customer in range(100, 200))) == [(200, 1)] * 100


async def test_a_refused_write_leaves_nothing_in_memory(rest) -> None:
    """An exception holds its frames, and they hold the call: such a ring must come apart."""

    def refusals() -> int:
        gc.collect()
        return sum(type(each) is KycError for each in gc.get_objects())

    before = refusals()
    for number in range(20):
        path = f"/manager/kyc/templates/{number + 1000}"
        assert (await rest.ask("DELETE", path, headers=rest.manager()))[0] == 404
    assert refusals() <= before + 2
