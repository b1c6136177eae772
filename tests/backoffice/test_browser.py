"""The pages in a real browser: signed in by hand, worked by keyboard, live; nothing complains, nothing leaves the host."""

from at_work import beside, sign_in
from chromium import Browser, browser  # noqa: F401 - a fixture


def customers(page: Browser) -> list[str]:
    return [link.text for link in page.find_all("tr[data-row] a")]


def see_the_queue_and_the_keys(page: Browser) -> None:
    assert customers(page) == ["2", "1"]
    assert not page.find_all("dialog[open]")
    page.press("?")
    assert "claim the next case that nobody holds" in page.words("dialog")
    page.press("escape")
    page.until(lambda _: not page.find_all("dialog[open]"))
    page.press("j", "j", "k")
    assert page.find("tr[aria-current] a").text == "2"
    assert page.driver.switch_to.active_element.get_attribute("data-row") == "case-2"


def see_a_new_case_come(page: Browser) -> None:
    page.until(lambda _: "3" in customers(page))
    assert page.words("#count") == "3"
    assert page.find("tr[aria-current] a").text == "2"


def open_and_claim(page: Browser) -> None:
    page.press("enter")
    page.until(lambda _: page.place.endswith("/cases/2"))
    page.press("c")
    assert "You hold this case now." in page.words("#notices .notice")
    page.press("n")
    page.until(lambda _: page.place.endswith("/cases/1"))
    assert "You hold this case" in page.words(".claim")


def search_from_anywhere(page: Browser) -> None:
    page.press("/", "2", "enter")
    page.until(lambda _: page.place.endswith("/search?q=2"))
    assert customers(page) == ["2"]
    page.press("j", "enter")
    page.until(lambda _: page.place.endswith("/cases/2"))


def sign_out(page: Browser) -> None:
    page.find(".who form button").click()
    page.find("input[name=password]")


async def test_a_reviewer_signs_in_works_by_keyboard_and_signs_out(office, browser):  # noqa: F811
    await office.user()
    await office.case(1)
    await office.case(2, risk=3)
    await beside(sign_in, browser, office.url)
    await beside(see_the_queue_and_the_keys, browser)
    await office.case(3)
    await beside(see_a_new_case_come, browser)
    await beside(open_and_claim, browser)
    await beside(search_from_anywhere, browser)
    await beside(sign_out, browser)
    complaints, asked = await beside(browser.look_back)
    assert complaints == []
    assert len(asked) > 10
    assert [url for url in asked if not url.startswith(f"{office.url}/backoffice/")] == []


def work_by_a_filter(page: Browser, url: str) -> None:
    page.open(f"{url}/backoffice/queue?risk_level=0")
    page.press("n")
    page.until(lambda _: page.place.endswith("/cases/1"))
    assert page.find("h1 a").text == "Queue, filtered"
    page.press("n")
    page.until(lambda _: page.place.endswith("/queue?risk_level=0"))
    assert "No other case is free that fits these filters." in page.words("#notices")
    page.open(f"{url}/backoffice/queue")
    page.press("n")
    page.until(lambda _: page.place.endswith("/cases/2"))
    assert page.find("h1 a").text == "Queue"
    page.press("n")
    page.until(lambda _: page.place.endswith("/cases/1"))


async def test_the_next_case_fits_the_filters_of_the_queue(office, browser):  # noqa: F811
    await office.user()
    for customer, risk in ((1, 0), (2, 3)):
        await office.case(customer, risk=risk)
    await beside(sign_in, browser, office.url)
    await beside(work_by_a_filter, browser, office.url)
    assert (await beside(browser.look_back))[0] == []


async def test_a_page_that_is_open_learns_that_its_sign_in_has_ended(office, browser):  # noqa: F811
    await office.user()
    await beside(sign_in, browser, office.url)
    await office.local("SysSetUser", {"name": "ann", "enabled": False})

    def see() -> None:
        browser.until(lambda page: "Your sign-in has ended." in page.words("#notices"))
        browser.find("#notices a").click()
        browser.find("input[name=password]")

    await beside(see)
    complaints, _ = await beside(browser.look_back)
    assert complaints == []


async def test_more_rows_stay_when_the_queue_changes(office, browser):  # noqa: F811
    await office.user()
    await office.template()
    for number in range(53):
        await office.case(number + 1)
    await beside(sign_in, browser, office.url)

    def show_more() -> None:
        assert len(customers(browser)) == 50
        browser.press("m")
        browser.until(lambda page: len(customers(page)) == 53)

    await beside(show_more)
    await office.case(54)

    def see() -> None:
        assert "The queue has changed." in browser.words("#changed")
        assert len(customers(browser)) == 53
        assert browser.find("#count").text == "53"

    await beside(see)
    complaints, _ = await beside(browser.look_back)
    assert complaints == []
