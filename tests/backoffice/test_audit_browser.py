"""The audit and the search worked by keyboard in a real browser."""

import asyncio

from chromium import Browser, browser  # noqa: F401 - a fixture
from office import PASSWORD


def work(page: Browser, url: str) -> None:
    page.open(f"{url}/backoffice/audit")
    page.find("input[name=name]").send_keys("ann")
    page.find("input[name=password]").send_keys(PASSWORD)
    page.press("enter")
    page.until(lambda _: page.place.endswith("/audit"))
    assert len(page.find_all("tr[data-row]")) == 50
    page.press("m")
    page.until(lambda _: len(page.find_all("tr[data-row]")) > 50)
    page.press("f")
    assert page.driver.switch_to.active_element.get_attribute("name") == "customer"
    page.press("1", "2", "enter")
    page.until(lambda _: "customer=12" in page.place)
    assert page.find("input[name=customer]").get_attribute("value") == "12"
    page.press("j", "enter")
    page.until(lambda _: "/cases/" in page.place)
    assert "Customer 12" in page.words("h1")
    page.press("/", "n", "o", "n", "e", "enter")
    page.until(lambda _: page.place.endswith("/search?q=none"))
    assert "Nobody was found." in page.words("#rows")


async def test_the_audit_is_read_and_left_by_keyboard(office, browser):  # noqa: F811
    await office.user()
    for number in range(20):
        await office.case(number + 1)
    await asyncio.to_thread(work, browser, office.url)
    complaints, asked = await asyncio.to_thread(browser.look_back)
    assert complaints == []
    assert [url for url in asked if not url.startswith(f"{office.url}/backoffice")] == []
