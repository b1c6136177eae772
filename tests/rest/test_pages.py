"""The page of the API and what operators ask for."""

import re


async def test_the_page_is_whole_without_any_other_address(rest) -> None:
    status, page, headers = await rest.ask("GET", "/docs")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "http" not in policy
    assert not re.search(rb"<script[^>]*>[^<]", page)
    assert b"://" not in page
    found = re.findall(rb'(?:src|href)="([^"]+)"', page)
    assert len(found) == 5
    for path in found:
        status, content, headers = await rest.ask("GET", path.decode())
        assert (status, headers["X-Content-Type-Options"]) == (200, "nosniff")
        assert content


async def test_the_files_of_the_page(rest) -> None:
    status, content, headers = await rest.ask("GET", "/docs/static/swagger-ui-bundle.js")
    assert (status, headers["Content-Type"], len(content) > 100_000) == (200, "text/javascript; charset=utf-8", True)
    for name in ("nothing.js", "..%2fserver.py", "index.html", "swagger-ui-bundle.js.map"):
        assert (await rest.ask("GET", f"/docs/static/{name}"))[0] == 404
    _, script, _ = await rest.ask("GET", "/docs/static/docs.js")
    assert b"validatorUrl: null" in script
    assert b"://" not in script


async def test_the_document(rest) -> None:
    status, document, headers = await rest.ask("GET", "/openapi.json")
    assert (status, document["openapi"], headers["Cache-Control"]) == (200, "3.1.0", "no-store")


async def test_the_page_can_be_switched_off(make) -> None:
    rest = await make(docs=False)
    for path in ("/docs", "/openapi.json", "/docs/static/docs.js"):
        assert (await rest.ask("GET", path))[0] == 404
    assert (await rest.ask("GET", "/"))[1] == {"name": "kycmanager"}


async def test_greeting_and_health(rest) -> None:
    assert (await rest.ask("GET", "/"))[1]["docs"] == "/docs"
    assert (await rest.ask("GET", "/healthz"))[:2] == (200, {"alive": True})


async def test_readiness(rest) -> None:
    assert (await rest.ask("GET", "/readyz"))[:2] == (200, {"ready": True, "reasons": []})
    rest.reasons.append("the base does not answer")
    assert (await rest.ask("GET", "/readyz"))[:2] == (503, {"ready": False, "reasons": ["the base does not answer"]})
    assert (await rest.ask("GET", "/healthz"))[0] == 200


async def test_metrics(rest) -> None:
    await rest.ask("GET", "/ping", headers=rest.manager())
    status, content, headers = await rest.ask("GET", "/metrics")
    assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert b'kycmanager_command_seconds_count{command="Ping"} 1.0' in content
