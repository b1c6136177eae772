"""The editor in a real browser: edited beside its preview, a fault at its field, saved, cloned and archived."""

import pytest
from at_work import beside, click, put, sign_in
from axe import DESK, PHONE, faults_of_every_look
from chromium import Browser, browser  # noqa: F401 - a fixture

SCHEMA = {
    "sections": [
        {
            "title": "You",
            "fields": [
                {"name": "full_name", "type": "text", "required": True},
                {"name": "job", "type": "select", "options": ["own", "paid"]},
                {"name": "firm", "type": "text", "shown_if": {"field": "job", "is": "own"}},
            ],
        }
    ]
}
NAME, LABEL = "#sections-0-fields-0-name", "#sections-0-fields-0-label"


def focused(page: Browser) -> str:
    return page.driver.switch_to.active_element.get_attribute("id")


def open_it_by_keyboard(page: Browser, url: str) -> None:
    page.open(f"{url}/backoffice/templates")
    page.find("#rows")
    page.press("j", "enter")
    page.until(lambda _: page.place.endswith("/templates/1"))


def see_the_preview_follow(page: Browser) -> None:
    assert "Full name" in page.words(".portal")
    put(page, LABEL, "Your name")
    page.until(lambda _: "Your name" in page.words(".portal"))
    assert focused(page) == LABEL[1:]
    assert page.find(LABEL).get_attribute("value") == "Your name"
    assert not page.find_all("#field-2")[0].is_displayed()
    click(page, "#field-1-0")
    page.until(lambda _: page.find_all("#field-2")[0].is_displayed())
    click(page, "#try button[value=hand-in]")
    page.until(lambda _: page.find_all("#field-0-fault"))
    page.find("#field-0").send_keys("Ann\t")
    page.until(lambda _: "These answers would be taken." in page.words("#preview"))


def see_a_fault_at_its_field(page: Browser) -> None:
    put(page, NAME, "job")
    page.until(lambda _: page.words("#sections-0-fields-1-name-wrong") == "is the name of an earlier field")
    assert page.find("#sections-0-fields-1-name").get_attribute("aria-invalid") == "true"
    assert page.find(NAME).get_attribute("value") == "job"
    click(page, ".views .main")
    page.until(lambda _: focused(page) == "sections-0-fields-1-name")
    click(page, "#told a")
    assert focused(page) == "sections-0-fields-1-name"
    put(page, NAME, "full_name")
    page.until(lambda _: not page.find_all("#told"))
    assert page.find("#sections-0-fields-1-name").get_attribute("aria-invalid") is None


def change_fields(page: Browser) -> None:
    click(page, "#sections-0-add-fields")
    page.until(lambda _: focused(page) == "sections-0-fields-3-label")
    put(page, "#sections-0-fields-3-label", "Since when")
    page.find("#sections-0-fields-3-type").find_element("css selector", "option[value=date]").click()
    page.until(lambda _: page.find_all("#field-3[type=date]"))
    assert page.find("#sections-0-fields-3-label").get_attribute("value") == "Since when"
    click(page, "#sections-0-fields-3-up")
    page.until(lambda _: focused(page) == "sections-0-fields-2-up")


def save_it(page: Browser) -> None:
    click(page, ".views .main")
    page.until(lambda _: "Save “Identity” as version 2?" in page.words("#editor"))
    assert "Field full_name: changed: label" in page.words(".changes")
    page.press("s")
    page.until(lambda _: "is saved as version 2." in page.words("#notices"))


def clone_and_archive_it(page: Browser) -> None:
    page.press("c")
    page.until(lambda _: page.place.endswith("/templates/new?from=1"))
    put(page, "#code", "another")
    click(page, ".views .main")
    page.until(lambda _: "Save the new template" in page.words("#editor"))
    page.press("s")
    page.until(lambda _: page.place.endswith("/templates/2"))
    click(page, "a[href$='to=archive']")
    page.until(lambda _: "removed for good" in page.words())
    page.press("s")
    page.until(lambda _: "The template “another” is removed." in page.words("#notices"))


@pytest.mark.timeout(240)
async def test_a_template_is_edited_saved_cloned_and_archived(office, browser):  # noqa: F811
    await office.user()
    await office.template(form_schema=SCHEMA)
    await beside(sign_in, browser, office.url, "ann", "/templates")
    await beside(open_it_by_keyboard, browser, office.url)
    for work in (see_the_preview_follow, see_a_fault_at_its_field, change_fields, save_it, clone_and_archive_it):
        await beside(work, browser)
    names = [field["name"] for field in office.app.core.cache.template(1).form_schema["sections"][0]["fields"]]
    assert names == ["full_name", "job", "field_4", "firm"]
    complaints, asked = await beside(browser.look_back)
    assert complaints == []
    assert [url for url in asked if not url.startswith(f"{office.url}/backoffice/")] == []


@pytest.mark.timeout(240)
async def test_the_pages_of_templates_are_for_everybody(office, browser):  # noqa: F811
    await office.user()
    await office.template(form_schema=SCHEMA)
    await beside(sign_in, browser, office.url, "ann", "/templates")
    for path in ("", "/1", "/1/status?to=disable"):
        await beside(browser.open, f"{office.url}/backoffice/templates{path}")
        assert await beside(faults_of_every_look, browser, (PHONE, DESK)) == [], path
    await beside(browser.open, f"{office.url}/backoffice/templates/1")
    await beside(put, browser, "#level", "0")
    await beside(put, browser, NAME, "job")
    await beside(browser.until, lambda page: len(page.find_all("#told li")) == 2)
    assert await beside(faults_of_every_look, browser, (DESK,)) == []
    await beside(browser.press, "escape", "v")
    await beside(browser.until, lambda page: page.find_all("textarea.code"))
    assert await beside(faults_of_every_look, browser, (DESK,)) == []
