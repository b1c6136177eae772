"""The dashboard: figures and tables that need no script, numbers as CSV, and plots in a real browser."""

import asyncio
import csv
import io

import pytest
from axe import DESK, faults_of_every_look, look
from chromium import Browser, browser  # noqa: F401 - a fixture
from office import PASSWORD

from kycmanager.backoffice.dashboard import bands, length

HOUR, DAY = 3600, 86_400


async def work(office, days=3):
    """Have cases of acme decided over some days, and one of beta; return when all of it is counted."""
    for number in range(1, 2 * days + 1):
        kyc_id = await office.case(number)
        (step,) = office.app.core.cache.steps_of(kyc_id)
        office.now += HOUR * number
        boss = office.token(3, 99, None)
        if number % 2:
            await office.rest(f"/manager/kyc/steps/{step.id}/approve", boss, {"reason": "=HYPERLINK(1)"})
        else:
            await office.rest("/manager/kyc/queue/claim", boss, {"kyc_id": kyc_id})
            office.now += HOUR
            await office.rest(f"/manager/kyc/steps/{step.id}/reject", boss, {"reason": "unreadable"})
            office.now += DAY // 2
    await office.case(70)
    office.now += 2 * HOUR
    await office.case(80, "beta")
    await office.app.core.counting._count()


@pytest.fixture
async def reader(office, visitors):
    """A manager of acme who has signed in after some days of work."""
    await work(office)
    await office.user()
    visitor = visitors(office)
    assert (await visitor.sign_in()).status == 303
    return visitor


async def test_figures_are_there_without_a_script(reader):
    page = await reader.get("/dashboard")
    assert page.status == 200
    for words in ("Cases 1 Oldest 2 h 0 min", "Handed in 7 Approved 3 Rejected 3 Skipped 0 Taken back 0"):
        assert words in page.words
    assert "rejected unreadable 3" in page.words
    assert "approved =HYPERLINK(1) 3" in page.words
    assert "1 h to 4 h 1" in page.words
    assert page.text.count("data-day=") == 30
    assert "beta" not in page.words
    assert "script" not in page.headers["Content-Security-Policy"].replace("script-src 'self'", "")


async def test_filters(office, reader, visitors):
    assert (await reader.get("/dashboard?period=7")).text.count("data-day=") == 7
    assert (await reader.get("/dashboard?period=365")).text.count("data-day=") == 365
    page = await reader.get("/dashboard?since=2027-01-01&until=2027-01-05")
    assert page.text.count("data-day=") == 5
    assert "Nothing was decided in this time." in page.words
    page = await reader.get("/dashboard?brand=beta")
    assert "Cases 0 Oldest –" in page.words
    for wrong in (
        "period=8",
        "since=yesterday",
        "until=2027-13-01",
        "since=2027-02-01&until=2027-01-01",
        "brand=%20x%20y",
    ):
        page = await reader.get(f"/dashboard?{wrong}")
        assert page.status == 200
        assert "Correct the filter" in page.words
        assert "data-day=" not in page.text
    await office.user("all", brands=None)
    boss = visitors(office)
    await boss.sign_in("all")
    assert "Cases 2 Oldest" in (await boss.get("/dashboard")).words


def cells(page):
    return list(csv.reader(io.StringIO(page.text)))


async def test_the_numbers_as_csv_are_guarded_and_in_the_audit(office, reader):
    page = await reader.get("/dashboard/numbers?table=reasons&period=7")
    assert page.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert page.headers["Content-Disposition"].startswith('attachment; filename="reasons-20')
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert cells(page) == [
        ["decision", "reason", "count"],
        ["approved", "'=HYPERLINK(1)", "3"],
        ["rejected", "unreadable", "3"],
    ]
    days = cells(await reader.get("/dashboard/numbers?table=days&period=7"))
    assert len(days) == 8
    assert {len(row) for row in days} == {12}
    assert sum(int(row[1]) for row in days[1:]) == 7
    assert cells(await reader.get("/dashboard/numbers?table=levels")) == [["level", "approved"], ["1", "3"]]
    queue = cells(await reader.get("/dashboard/numbers?table=queue"))
    assert queue[1:3] == [["0", "3600", "0"], ["3600", "14400", "1"]]
    assert queue[-1] == ["604800", "", "0"]
    noted = [row.details for row in await office.audit() if row.action == "access.export"]
    assert noted[0] == {"statistics": "reasons", "filter": {"period": "7"}}
    assert [each["statistics"] for each in noted] == ["reasons", "days", "levels", "queue"]


@pytest.mark.parametrize("query", ["", "?table=secrets", "?table=days&period=8"])
async def test_what_cannot_be_exported_leaves_no_trace(office, ann, query):
    assert (await ann.get(f"/dashboard/numbers{query}")).status == 400
    assert "access.export" not in {row.action for row in await office.audit()}


async def test_who_is_not_signed_in_sees_nothing(office, visitors):
    for path in ("/dashboard", "/dashboard/numbers?table=days"):
        assert (await visitors(office).get(path)).place.startswith("/backoffice/sign-in")


async def test_figures_that_are_not_whole_say_so(office, ann, monkeypatch):
    monkeypatch.setattr(office.app.core.cache.statistics, "newest", lambda: 5_000_000)
    office.app.core.counting._count_at = float("inf")
    assert "events are still being counted" in (await ann.get("/dashboard")).words


def test_lengths_and_bands_have_names():
    assert [length(seconds) for seconds in (0, 59, 60, 7200, 90_000)] == [
        "0 s",
        "59 s",
        "1 min",
        "2 h 0 min",
        "1 d 1 h",
    ]
    told = bands([{"seconds_max": HOUR, "cases": 1}, {"seconds_max": 3 * DAY, "cases": 2}, {"seconds_max": 0, "cases": 3}])  # fmt: skip
    assert [each["name"] for each in told] == ["up to 1 h", "1 h to 3 d", "over 3 d"]


INKED = """
return [...document.querySelectorAll('[data-plot] canvas')].map((each) => {
  const copy = Object.assign(document.createElement('canvas'), {width: each.width, height: each.height});
  const context = copy.getContext('2d', {willReadFrequently: true});
  context.drawImage(each, 0, 0);
  const data = context.getImageData(0, 0, each.width, each.height).data;
  const inks = new Set();
  for (let place = 0; place < data.length; place += 4) {
    if (data[place + 3] > 200) inks.add(`${data[place]},${data[place + 1]},${data[place + 2]}`);
  }
  return inks.size;
});
"""


def see(page: Browser, url: str) -> list[str]:
    page.open(f"{url}/backoffice/dashboard")
    page.find("input[name=name]").send_keys("ann")
    page.find("input[name=password]").send_keys(PASSWORD)
    page.press("enter")
    page.until(lambda _: len(page.find_all("[data-plot] canvas")) == 3)
    look(page, DESK)
    light = page.driver.execute_script(INKED)
    look(page, DESK, dark=True)
    page.until(lambda _: page.driver.execute_script(INKED) != light)
    for inks in (light, page.driver.execute_script(INKED)):
        assert len(inks) == 3
        assert min(inks) >= 3
    told = faults_of_every_look(page)
    page.find("summary").click()
    told += faults_of_every_look(page)
    assert page.driver.execute_script("return document.querySelectorAll('[data-plot][hidden]').length") == 0
    return told


async def test_the_plots_are_drawn_in_light_and_dark_and_nothing_complains(office, browser):  # noqa: F811
    await office.user()
    await work(office)
    told = await asyncio.to_thread(see, browser, office.url)
    assert not told, "\n".join(told)
    complaints, asked = await asyncio.to_thread(browser.look_back)
    assert complaints == []
    assert [url for url in asked if not url.startswith(f"{office.url}/backoffice/")] == []
