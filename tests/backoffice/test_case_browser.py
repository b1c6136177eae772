"""The page of a case in a real browser: a review by keyboard with real files, and pages that are out of date."""

import pytest
from at_work import beside, choose_reason, drawn, quiet, second_browser, sign_in, stop_listening
from axe import faults, faults_of_every_look
from chromium import Browser, browser  # noqa: F401 - a fixture
from pictures import jpeg, pdf, png
from selenium.webdriver.common.keys import Keys

FORM = {
    "sections": [
        {
            "title": "You",
            "fields": [
                {"name": "full_name", "type": "text", "label": "Full name", "required": True},
                {"name": "country", "type": "country", "label": "Country"},
            ],
        }
    ]
}


@pytest.fixture
def second():
    yield from second_browser()


@pytest.fixture
async def held(office):
    """A case with a questionnaire, a card with two sides, and a bill of three pages."""
    await office.user()
    await office.user("bob", role="admin")
    await office.template(code="about", name="About you", form_schema=FORM)
    await office.template(code="identity", name="Identity", step_type=0)
    boss = office.token(3, 99, None)
    await office.rest("/manager/kyc/required-level", boss, {"customer_id": 7, "brand": "acme", "level": 1})
    await office.document(jpeg(), "front.jpg", "front", code="identity")
    await office.document(png(), "back.png", "back", code="identity")
    await office.document(pdf(3), "bill.pdf", "bill", code="identity")
    await office.submit(7, "acme", {"full_name": "<b>Ann</b>", "country": "DE"}, "about")
    await office.submit(7, "acme", {}, "identity")
    return office


def style(page, name):
    return page.driver.execute_script(f"return document.querySelector('[data-picture]').style.{name}")


def focused(page):
    return page.driver.execute_script("return document.activeElement.id || document.activeElement.dataset.row || ''")


def open_case(page, office):
    page.open(f"{office.url}/backoffice/cases/1")
    page.find("#case")
    page.until(lambda _: drawn(page, "page=1"))


def see_the_files(page):
    page.press("j")
    assert page.find("[data-row][aria-current] h2").text.startswith("About you")
    page.press("d")
    page.until(lambda _: page.find(".sheet figcaption span").text == "front.jpg" and drawn(page, "page=1"))
    assert focused(page) == "document-1"
    quiet(page)
    fits = style(page, "width")
    page.press("+")
    page.until(lambda _: float(style(page, "width")[:-2]) > float(fits[:-2]))
    page.press("]")
    assert "rotate(90deg)" in style(page, "transform")
    page.press("[", "0", "s")
    page.until(lambda _: [each.text for each in page.find_all("figcaption span")] == ["front.jpg", "back.png"])
    assert style(page, "transform") == "rotate(0deg)"
    page.press("d")
    quiet(page)
    page.press("d")
    page.until(lambda _: "page 1 of 3" in page.words("#viewer"))
    page.press("arrow_right")
    page.until(lambda _: "page 2 of 3" in page.words("#viewer") and drawn(page, "page=2"))
    page.find("[data-turn=forward]").click()
    page.until(lambda _: "page 3 of 3" in page.words("#viewer"))
    assert page.driver.execute_script("return document.activeElement.className") == "frame"
    page.press("arrow_left")
    page.until(lambda _: "page 2 of 3" in page.words("#viewer"))


def decide_by_keys(page):
    page.find("#document-3").click()
    page.press("a")
    page.until(lambda _: "Approved: bill." in page.words("#standing"))
    page.until(lambda _: focused(page) == "document-3")
    page.press("k", "e")
    page.find("dialog[open] [name=expires]")
    assert page.driver.execute_script("return document.activeElement.name") == "expires"
    assert faults(page) == []
    page.find("#approve [data-closes]").click()
    page.press("r")
    page.find("dialog[open] select")
    page.press("a")  # a letter in the list of reasons, no decision
    choose_reason(page, "unreadable")
    assert "We could not read it. Please send a clear picture." in page.words("#reject")
    assert faults(page) == []
    page.find("#reject textarea").send_keys("edges are cut, a r u")
    page.find("#reject [type=submit]").click()
    page.until(lambda _: "Rejected: About you." in page.words("#standing"))
    assert not page.find_all("dialog[open]")
    page.until(lambda _: focused(page) == "step-1")
    assert "Internal comment: edges are cut, a r u" in page.words("[data-row=step-1]")
    assert "ann rejected About you" in page.words("#history")
    page.press("u")
    page.until(lambda _: "The rejection is taken back" in page.words("#standing"))
    page.press("a")
    page.until(lambda _: "Approved: About you." in page.words("#standing"))


def write_a_note(page):
    page.press("w")
    page.press(*"called, a r n")
    page.find(".note-form button").click()
    page.until(lambda _: "called, a r n" in page.words("#note-list"))
    assert page.find("#note-text").get_attribute("value") == ""


def make_a_link(page, url):
    page.press("l")
    page.until(lambda _: focused(page) == "link-url")
    link = page.find("#link-url").get_attribute("value")
    assert link.startswith(f"{url}/portal/link/")
    assert "ann made a link for the customer" in page.words("#history")
    page.find("[data-copies]").click()
    page.until(lambda _: page.words("[data-copied]") == "Copied.")
    assert faults(page) == []
    page.find("#note-text").clear()
    page.find("#note-text").send_keys(Keys.CONTROL, "v")
    assert page.find("#note-text").get_attribute("value") == link
    page.find("#note-text").clear()
    page.find("h1").click()


def finish(page):
    page.find("[data-row=step-2] h2").click()
    page.press("a")
    page.until(lambda _: "Nothing of this case waits any more." in page.words("#standing"))
    stop_listening(page)
    quiet(page)
    page.press("n")
    page.until(lambda _: "No other case is free" in page.words("#notices"))


async def test_a_case_is_reviewed_by_keyboard(held, browser):  # noqa: F811
    await beside(sign_in, browser, held.url)
    await beside(open_case, browser, held)
    await beside(see_the_files, browser)
    assert await beside(faults_of_every_look, browser) == []
    await beside(decide_by_keys, browser)
    await beside(write_a_note, browser)
    await beside(make_a_link, browser, held.url)
    await beside(finish, browser)
    complaints, asked = await beside(browser.look_back)
    assert complaints == []
    assert [url for url in asked if not url.startswith(f"{held.url}/backoffice/")] == []
    assert [step.status for step in held.app.core.cache.steps_of(1)] == [2, 2]


def press_what_is_not_marked(page):
    """The marks of the keys that come with the first press must not take the button from under the mouse."""
    for place in ("[data-row=step-1]", "#document-2"):
        for act in ("r", "e"):
            page.find("#document-1 .said").click()
            page.find(f"{place} [data-act={act}]").click()
            page.find("dialog[open] [data-closes]").click()


def approve_front(page):
    page.find("#document-1 [data-act=a]").click()
    page.until(lambda _: "Approved: front." in page.words("#standing"))


def approve_bill(page):
    page.find("#document-3 [data-act=a]").click()
    page.until(lambda _: "Approved: bill." in page.words("#standing"))


def reject_front(page):
    page.find("#document-1 [data-act=r]").click()
    choose_reason(page, "forged")
    page.find("#reject [type=submit]").click()
    page.until(lambda _: "Rejected: front." in page.words("#standing"))


def see_the_change(page):
    page.until(lambda _: "This case has changed." in page.words("#changed"))
    assert "bob approved front (pending → approved)" in page.words("#changed")
    assert page.find_all("[data-act]:not(:disabled)") == []
    assert faults(page) == []
    page.press("j", "a", "r")
    assert not page.find_all("dialog[open]")
    page.find("#changed a").click()
    page.until(lambda _: page.find_all("[data-act]:not(:disabled)"))
    assert not page.find_all("[data-stale]")


def be_refused(page):
    page.press("j", "a")
    page.until(lambda _: "Nothing was decided." in page.words("#standing"))
    assert "bob rejected front (approved → rejected)" in page.words("#standing")
    assert focused(page) == "step-1"
    page.press("a")
    page.until(lambda _: "Approved: About you." in page.words("#standing"))


async def test_two_reviewers_on_one_case(held, browser, second):  # noqa: F811
    await beside(sign_in, browser, held.url)
    await beside(open_case, browser, held)
    await beside(sign_in, second, held.url, "bob")
    await beside(open_case, second, held)
    await beside(approve_bill, browser)
    await beside(open_case, second, held)
    await beside(press_what_is_not_marked, second)
    await beside(approve_front, second)
    await beside(see_the_change, browser)
    await beside(stop_listening, browser)
    await beside(reject_front, second)
    await beside(be_refused, browser)
    complaints, _ = await beside(browser.look_back)
    assert [line for line in complaints if "409" not in line] == []
