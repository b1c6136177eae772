"""What customers and reviewers write stays text: hostile in every field that is kept, then every page in a browser."""

import asyncio

from attacked import CUSTOMER, HOSTILE, SHORT, Brand, ids_of, placed, routes
from chromium import Browser, browser  # noqa: F401 - a fixture
from office import PASSWORD

UNEXPECTED = (
    "return [window.canary, document.querySelectorAll('.canary, [onerror], script:not([src]), img[src=x]').length]"
)
STREAM = "/events"


async def shown(office, ann, acme):
    """Return the addresses that are answered with a page or a part of one."""
    found = []
    for method, address in routes(office):
        if method != "GET" or address == STREAM:
            continue
        path = placed(address, [acme] * len(ids_of(address)))
        answer = await ann.get(path)
        if answer.status == 200 and answer.headers["Content-Type"].startswith("text/html"):
            found.append(path)
    found += [f"/search?file_name={SHORT}.txt".replace("#", "%23"), f"/search?q={SHORT}", f"/audit?action={SHORT}"]
    return [
        *found,
        f"/audit?customer={CUSTOMER}",
        f"/queue?step_code={SHORT}",
        f"/templates/new?from={acme.template_id}",
    ]


def see_each(page: Browser, url: str, paths: list[str]) -> list[str]:
    """Open every page; return those that hold the text, as text."""
    page.open(f"{url}/backoffice/sign-in")
    page.find("input[name=name]").send_keys("ann")
    page.find("input[name=password]").send_keys(PASSWORD)
    page.press("enter")
    page.find("#rows")
    told = []
    for path in paths:
        page.open(f"{url}/backoffice{path}")
        assert page.driver.execute_script(UNEXPECTED) == [None, 0], path
        source = page.driver.execute_script(
            "return document.documentElement.textContent + document.documentElement.innerHTML"
        )
        told += [path] if "onerror=window.canary" in source else []
    return told


async def test_what_is_kept_is_only_ever_text(office, visitors, browser):  # noqa: F811
    await office.user()
    acme = await Brand("acme", CUSTOMER, HOSTILE, SHORT).fill(office)
    ann = visitors(office, **{"User-Agent": SHORT})
    await ann.sign_in()
    await ann.get("/queue")
    await ann.post("/queue/filters", {"name": SHORT, "risk_level": "3"})
    await ann.get(f"/cases/{acme.kyc_id}")
    await ann.post(f"/cases/{acme.kyc_id}/claim")
    await ann.get("/search", params={"file_name": f"{SHORT}.txt"})
    document = office.app.core.cache.document(acme.document_id)
    assert (document.file_name, document.type) == (f"{SHORT}.txt", SHORT)
    refused = {"id": acme.document_id, "reason": SHORT, "comment": HOSTILE}
    await office.rest(f"/manager/kyc/documents/{acme.document_id}/reject", office.token(1, 77, ("acme",)), refused)
    paths = await shown(office, ann, acme)
    hostile = await asyncio.to_thread(see_each, browser, office.url, paths)
    assert {path.partition("?")[0] for path in hostile} >= {
        f"/cases/{acme.kyc_id}", "/queue", "/search", "/audit", "/account", "/templates", f"/templates/{acme.template_id}",
    }  # fmt: skip
    complaints, asked = await asyncio.to_thread(browser.look_back)
    icon = f"{office.url}/favicon.ico"  # a part of a page, opened as one, names no icon
    assert [text for text in complaints if "400 (Bad Request)" not in text and not text.startswith(icon)] == []
    assert [url for url in asked if not url.startswith(f"{office.url}/backoffice/") and url != icon] == []
