"""The pages for everybody: axe-core finds nothing grave on any of them, in light and dark, on a phone and on a desk."""

import asyncio

from axe import faults, faults_of_every_look
from chromium import Browser, browser  # noqa: F401 - a fixture
from office import PASSWORD

PAGES = (
    "/queue",
    "/queue?brand=acme&level=x",
    "/cases/1",
    "/account",
    "/dashboard",
    "/dashboard?period=8",
    "/audit",
    "/audit?customer=99",
    "/search",
    "/search?q=1",
    "/search?q=none",
    "/nothing",
)


def see_each(page: Browser, url: str) -> list[str]:
    told: list[str] = []

    def see(name: str) -> None:
        told.extend(f"{name}: {fault}" for fault in faults_of_every_look(page))

    page.open(f"{url}/backoffice/sign-in")
    page.find("summary").click()
    see("sign-in")
    page.find("input[name=name]").send_keys("ann")
    page.find("input[name=password]").send_keys("wrong")
    page.press("enter")
    page.find("[role=alert]")
    see("refused")
    page.find("input[name=password]").send_keys(PASSWORD)
    page.press("enter")
    page.find("#rows")
    for path in PAGES:
        page.open(f"{url}/backoffice{path}")
        see(path)
    page.open(f"{url}/backoffice/queue")
    page.press("j", "?")
    page.find("dialog[open]")
    see("keys")
    return told


async def test_axe_finds_nothing_grave_on_any_page(office, browser):  # noqa: F811
    await office.user()
    await office.case(1, risk=3)
    await office.case(2, risk=4)
    await office.case(3, risk=1)
    told = await asyncio.to_thread(see_each, browser, office.url)
    assert not told, "\n".join(told)
    complaints, asked = await asyncio.to_thread(browser.look_back)
    assert [text for text in complaints if "401" not in text and "404" not in text] == []
    assert [url for url in asked if not url.startswith(f"{office.url}/backoffice/")] == []


async def test_axe_sees_what_is_wrong(browser):  # noqa: F811
    page = "<body style='width:3000px'><p style='color:%23eee;background:%23fff'>pale<img src='data:,'><input>"

    def see() -> list[str]:
        browser.open(f"data:text/html,{page}")
        return faults(browser)

    told = await asyncio.to_thread(see)
    assert {fault.partition(":")[0] for fault in told} >= {"color-contrast", "image-alt", "label", "reflow"}
