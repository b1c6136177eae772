"""The pages on a phone, in a real browser: from the link to the corrected step; nothing complains or leaves the host."""

import asyncio
import os
from base64 import b64encode

from axe import PHONE, faults_of_every_look, look
from chromium import Browser
from hall import FORM, PAPERS
from papers import a_jpeg
from phone import phone, press  # noqa: F401 - a fixture
from selenium.webdriver.support.select import Select

TARGET_PIXELS = 44
FORM_FAULTS = "#faults li"

SMALL = """
return [...document.querySelectorAll("a, button, input, select, textarea, summary")].filter((each) => {
  const area = (each.closest("label.choice, label.pick") || each).getBoundingClientRect();
  const shown = each.type !== "hidden" && area.width && area.height && !each.closest(".skip, .summary");
  return shown && area.height < arguments[0];
}).map((each) => each.outerHTML.slice(0, 120));
"""


async def beside(work, *arguments):
    """Work the browser in a thread: the daemon lives in this one."""
    return await asyncio.to_thread(work, *arguments)


def see(page: Browser, name: str) -> None:
    """See that a thumb hits everything, that nothing scrolls sideways, and that axe finds nothing."""
    if folder := os.environ.get("SCREENSHOTS"):
        for size in (PHONE, (1280, 800)):
            for dark in (False, True):
                look(page, size, dark=dark)
                page.driver.save_screenshot(f"{folder}/{name}-{size[0]}{'-dark' if dark else ''}.png")
    told = faults_of_every_look(page)
    look(page, PHONE)
    told += [f"small: {each}" for each in page.driver.execute_script(SMALL, TARGET_PIXELS)]
    assert not told, (name, "\n".join(told))


def come_in(page: Browser, url: str) -> None:
    page.open(url)
    assert "Welcome" in page.words("h1")
    see(page, "link")
    press(page, "button.main")
    page.until(lambda _: page.place.endswith("/portal/"))
    assert "Please complete the open steps" in page.words(".coming")
    see(page, "home")


def hand_in_with_a_fault(page: Browser) -> None:
    press(page, ".steps a")
    page.find("#answers")
    see(page, "step")
    assert not page.find_all("[data-shown-if]")[0].is_displayed()
    press(page, "#field-3-0 + span")
    page.until(lambda _: page.find_all("[data-shown-if]")[0].is_displayed())
    press(page, "#field-3-1 + span")
    page.until(lambda _: not page.find_all("[data-shown-if]")[0].is_displayed())
    page.find("#field-0").send_keys("<b>Maria</b> Example")
    press(page, "button[value=submit]")
    page.until(lambda _: len(page.find_all(FORM_FAULTS)) == 2)
    see(page, "faults")
    assert page.find("#field-0").get_attribute("value") == "<b>Maria</b> Example"
    assert page.find("#field-2").get_attribute("aria-invalid") == "true"
    page.find("#faults a[href='#field-2']").click()
    assert page.driver.switch_to.active_element.get_attribute("id") == "field-2"


def correct_and_save(page: Browser) -> None:
    page.driver.execute_script("arguments[0].value = '1990-12-31'", page.find("#field-1"))
    Select(page.find("#field-2")).select_by_value("PT")
    press(page, "button[value=save]")
    assert "saved" in page.words("#notices .notice")


def upload(page: Browser, good: str, bad: str) -> None:
    first = "#documents .slot:nth-of-type(1)"
    page.find("#field-0").clear()
    page.find("#field-0").send_keys("typed meanwhile")
    chooser = f"{first} .pick:not(.camera) input"
    page.driver.execute_script("window.seen = []; new MutationObserver(() => window.seen.push("
        "document.querySelector('.percent').textContent)).observe(document, {subtree: true, childList: true})")  # fmt: skip
    page.find_all(chooser)[0].send_keys(bad)
    page.until(lambda _: page.find_all(f"{first} .wrong")[0].is_displayed())
    assert "Files of this type are not taken" in page.find(f"{first} .wrong").text
    see(page, "refused-file")
    page.find_all(chooser)[0].send_keys(good)
    page.until(lambda _: page.find_all(f"{first} .files img"))
    assert any(text.endswith("%") for text in page.driver.execute_script("return window.seen"))
    page.until(lambda _: page.driver.execute_script("return document.querySelector('.files img').naturalWidth") > 0)
    assert page.find("#field-0").get_attribute("value") == "typed meanwhile"
    assert page.find_all(f"{first} .camera")[0].is_displayed()
    see(page, "uploaded")


def remove_and_drop(page: Browser) -> None:
    first = "#documents .slot:nth-of-type(1)"
    press(page, f"{first} .files button")
    page.until(lambda _: not page.find_all(f"{first} .files"))
    page.driver.execute_script(
        """
        const bytes = Uint8Array.from(atob(arguments[0]), (each) => each.charCodeAt(0));
        const carried = new DataTransfer();
        carried.items.add(new File([bytes], "dropped.jpg", {type: "image/jpeg"}));
        document.querySelector(".drop").dispatchEvent(new DragEvent("drop", {bubbles: true, dataTransfer: carried}));
        """,
        b64encode(a_jpeg()).decode(),
    )
    page.until(lambda _: "dropped.jpg" in page.find_all(first)[0].text)


def answer_by_file(page: Browser, good: str) -> None:
    page.find_all("#field-5")[0].send_keys(good)
    page.until(lambda _: "card.jpg" in page.words(".upload .chosen"))


def hand_in(page: Browser) -> None:
    press(page, "button[value=submit]")
    page.until(lambda _: page.place.endswith("/portal/?said=submitted"))
    assert "It is our turn now" in page.words(".coming")
    see(page, "handed-in")
    press(page, ".steps a")
    assert "typed meanwhile" in page.words(".answered")
    see(page, "read")


def see_why_and_send_again(page: Browser, url: str) -> None:
    page.open(f"{url}/portal/")
    assert "Please send it again" in page.words(".rejected .reason")
    see(page, "rejected")
    press(page, ".languages a")
    page.until(lambda _: page.driver.execute_script("return document.documentElement.lang") == "es")
    assert "Envíelo otra vez" in page.words(".rejected .reason")
    see(page, "spanish")
    press(page, ".steps a")
    assert "Nombre" in page.words("#answers")
    see(page, "rejected-step")
    press(page, "button[value=submit]")
    page.until(lambda _: "said=submitted" in page.place)
    page.find(".coming.pending")
    press(page, "footer button")
    page.until(lambda _: "said=left" in page.place)
    assert "Ha cerrado la sesión" in page.words("#notices .notice")
    see(page, "left")


def come_in_by_the_fragment(page: Browser, url: str, token: str) -> None:
    page.open(f"{url}/portal/#token={token}")
    page.until(lambda _: page.find_all(".coming"))
    assert token not in page.place


def come_in_over_another(page: Browser, url: str, token: str) -> None:
    for place in ("/portal/", "/portal/sign-in"):  # the first is open already: only its fragment changes
        page.open(f"{url}{place}#token={token}")
        page.until(lambda _: page.find_all(".coming.nothing") and page.place == f"{url}/portal/")


async def test_from_the_link_to_the_corrected_step(open_hall, phone, tmp_path):  # noqa: F811
    reason = {"code": "blurred", "kind": "retry", "label": "B", "customer_text": {"en": "Please send it again", "es": "Envíelo otra vez"}}  # fmt: skip
    hall = await open_hall(backoffice={"reasons": [reason]})
    step = await hall.ask(step_type=2, form_schema=FORM, requirements=PAPERS)
    good, bad = tmp_path / "card.jpg", tmp_path / "page.html"
    good.write_bytes(a_jpeg())
    bad.write_text("<script>alert(1)</script>")
    link = f"{hall.url}/portal{await hall.link()}"
    await beside(come_in, phone, link)
    await beside(hand_in_with_a_fault, phone)
    await beside(correct_and_save, phone)
    await beside(upload, phone, str(good), str(bad))
    await beside(remove_and_drop, phone)
    await beside(answer_by_file, phone, str(good))
    await beside(hand_in, phone)
    assert [row.status for row in hall.documents()] == [5, 1]
    await hall.rest(f"/manager/kyc/steps/{step}/reject", hall.boss, {"reason": "blurred"})
    await beside(see_why_and_send_again, phone, hall.url)
    assert [each.status for each in hall.steps()] == [1]
    own, other = hall.own(), hall.own(8)
    await beside(come_in_by_the_fragment, phone, hall.url, own)
    await beside(come_in_over_another, phone, hall.url, other)
    complaints, asked = await beside(phone.look_back)
    assert [text for text in complaints if " 400 " not in text] == []
    assert [url for url in asked if not url.startswith(f"{hall.url}/portal")] == []
    assert [url for url in asked if own in url or other in url] == []
