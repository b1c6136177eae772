"""One day as its people live it, in real browsers against the really started daemon: a review, a correction, a race."""

import asyncio
import threading

import aiohttp
import pytest
from at_work import beside, choose_reason, click, drawn, put, quiet, second_browser, sign_in, stop_listening
from axe import DESK, PHONE, faults, look
from chromium import Browser, browser  # noqa: F401 - a fixture
from office import PASSWORD
from phone import phone, press  # noqa: F401 - a fixture
from pictures import jpeg, pdf
from running import Process

FIRST, SECOND = 1001, 1002
TEXT = "We could not read it. Please send a clear picture."
FORM = {
    "sections": [
        {
            "title": "You",
            "fields": [
                {"name": "full_name", "type": "text", "label": "Full name", "required": True},
                {"name": "country", "type": "country", "label": "Country", "required": True},
            ],
        }
    ]
}
PAPERS = {"documents": [{"type": "passport"}, {"type": "bill"}]}


class World:
    """The process, and the CRM that speaks to it over REST."""

    def __init__(self, daemon: Process) -> None:
        self.daemon = daemon
        self.url = f"http://{daemon.http[0]}:{daemon.http[1]}"
        self.crm = daemon.issue("admin", 99)

    async def ask(self, path: str, data: object = None, token: str = "", method: str = "POST") -> dict:
        headers = {"Authorization": token or self.crm}
        async with aiohttp.ClientSession(self.url) as http:
            body = {"data": data} if isinstance(data, aiohttp.FormData) else {"json": data}
            async with http.request(method, path, headers=headers, **(body if data else {})) as answer:
                assert answer.status == 200, await answer.text()
                return await answer.json()

    async def customer(self, number: int, files: dict[str, tuple[str, bytes]]) -> None:
        """Have somebody asked for level 1, who sends files and hands the step in."""
        who = {"customer_id": number, "brand": "acme"}
        await self.ask("/manager/kyc/required-level", {**who, "level": 1})
        own = self.daemon.issue("customer", number, "acme")
        status = await self.ask("/customer/kyc", token=own, method="GET")
        step = status["steps"][0]["id"]
        for kind, (name, content) in files.items():
            form = aiohttp.FormData({"purpose": "kyc"})
            form.add_field("file", content, filename=name)
            sent = await self.ask("/upload", form, own)
            about = {"kyc_id": status["profile"]["id"], "step_id": step, "type": kind, "file_id": sent["file_id"]}
            await self.ask("/customer/kyc/documents", about, own)
        answers = {"full_name": "Maria <i>Example</i>", "country": "PT"}
        await self.ask(f"/customer/kyc/steps/{step}/submit", {"answers": answers}, own)

    async def profile(self, number: int) -> dict:
        path = f"/manager/kyc/profiles/0?customer_id={number}&brand=acme"
        return await self.ask(path, method="GET")


@pytest.fixture
async def world(tmp_path):
    """The daemon, two users of the command line, one template, and a customer who has handed everything in."""
    with Process(tmp_path / "data") as daemon:
        for name in ("ann", "bob"):
            more = (name, "--role", "manager", "--brand", "acme")
            done = await asyncio.to_thread(daemon.run, "user", "add", more=more, stdin=f"{PASSWORD}\n")
            assert (done.returncode, done.stderr) == (0, ""), done
        made = World(daemon)
        template = {"brand": "acme", "code": "identity", "name": "Identity", "level": 1, "step_type": 0}
        await made.ask("/manager/kyc/templates", {**template, "form_schema": FORM, "requirements": PAPERS})
        files = {"passport": ("passport.jpg", jpeg("Maria")), "bill": ("bill.pdf", pdf(2))}
        await made.customer(FIRST, files)
        yield made
        code, _ = await asyncio.to_thread(daemon.stop)
        assert (code, b"Traceback" in daemon.log.read_bytes()) == (0, False), daemon.log.read_text()


@pytest.fixture
def second():
    yield from second_browser()


def sound(page: Browser) -> None:
    """See that everybody can use what is shown."""
    told = faults(page)
    assert not told, (page.place, "\n".join(told))


def review_and_reject(page: Browser) -> None:
    sound(page)
    page.press("n")
    page.find("#case")
    assert "You hold this case" in page.words(".claim")
    assert "Maria <i>Example</i>" in page.words(".answers")
    page.until(lambda _: drawn(page, "page=1"))
    assert page.find(".sheet figcaption span").text == "passport.jpg"
    page.press("j", "d")
    quiet(page)
    page.press("d")
    page.until(lambda _: "page 1 of 2" in page.words("#viewer") and drawn(page, "page=1"))
    page.press("arrow_right")
    page.until(lambda _: "page 2 of 2" in page.words("#viewer") and drawn(page, "page=2"))
    sound(page)
    page.find("[data-row=step-1] h2").click()
    page.press("r")
    page.find("dialog[open] select")
    choose_reason(page, "unreadable")
    sound(page)
    page.find("#reject textarea").send_keys("the lower edge is cut")
    page.find("#reject [type=submit]").click()
    page.until(lambda _: "Rejected: Identity." in page.words("#standing"))
    stop_listening(page)
    quiet(page)
    page.press("n")
    page.until(lambda _: "No other case is free now." in page.words("#notices"))


def correct_on_the_phone(page: Browser, url: str) -> None:
    page.open(url)
    press(page, "button.main")
    page.until(lambda _: page.place.endswith("/portal/"))
    assert TEXT in page.words(".rejected .reason")
    assert "the lower edge is cut" not in page.words()
    sound(page)
    press(page, ".steps a")
    assert TEXT in page.words(".notice.fault")
    page.find("#field-0").clear()
    page.find("#field-0").send_keys("Maria Example")
    sound(page)
    press(page, "button[value=submit]")
    page.until(lambda _: page.place.endswith("/portal/?said=submitted"))
    assert "It is our turn now" in page.words(".coming")
    sound(page)


def find_the_link_used(page: Browser, url: str) -> None:
    page.open(url)
    assert "This link cannot be used" in page.words("h1")
    sound(page)


def approve_all(page: Browser) -> None:
    page.until(lambda _: page.find_all("tr[data-row] a[href$='/cases/1']"))
    page.press("n")
    page.until(lambda _: "handed in again since the last decision" in page.words("#case"))
    assert "Maria Example" in page.words(".answers")
    for number, kind in ((1, "passport"), (2, "bill")):
        page.find(f"#document-{number}").click()
        page.press("a")
        page.until(lambda _, kind=kind: f"Approved: {kind}." in page.words("#standing"))
    page.find("[data-row=step-1] h2").click()
    page.press("a")
    page.until(lambda _: "Nothing of this case waits any more." in page.words("#standing"))
    sound(page)


def race(barrier: threading.Barrier, page: Browser) -> bool:
    """Press n when all do; tell whether it gave a case."""
    barrier.wait(30)
    page.press("n")
    page.until(lambda _: page.find_all("#case") or page.find_all("#notices .notice"))
    assert page.find_all("#case") or "No case is free" in page.words("#notices")
    return bool(page.find_all("#case"))


def wait_for_a_case(page: Browser, url: str) -> None:
    page.open(f"{url}/backoffice/queue")
    page.until(lambda _: [link.text for link in page.find_all("tr[data-row] a")] == [str(SECOND)])


def open_a_held_case(page: Browser, url: str, path: str, holder: str) -> None:
    page.open(f"{url}{path}")
    assert f"{holder} holds this case" in page.words(".claim")
    assert not page.find_all(".claim button")
    stop_listening(page)


def set_the_risk(page: Browser) -> None:
    page.find(".risk-form option[value='3']").click()
    page.find(".risk-form button").click()
    page.until(lambda _: "The risk is set." in page.words("#standing"))


def be_refused_and_look_again(page: Browser, other: str) -> None:
    page.press("j", "a")
    page.until(lambda _: "Nothing was decided." in page.words("#standing"))
    assert f"{other} set the risk to" in page.words("#standing")
    sound(page)
    page.press("a")
    page.until(lambda _: "Approved: Identity." in page.words("#standing"))


def edit_the_template(page: Browser, url: str) -> None:
    label = "#sections-0-fields-0-label"
    page.open(f"{url}/backoffice/templates/1")
    assert "Full name" in page.words(".portal")
    put(page, label, "Name as in your passport")
    page.until(lambda _: "Name as in your passport" in page.words(".portal"))
    click(page, "#try button[value=hand-in]")
    page.until(lambda _: page.find_all("#field-0-fault"))
    sound(page)
    click(page, ".views .main")
    page.until(lambda _: "Save “Identity” as version 2?" in page.words("#editor"))
    assert "2 profiles" in page.words("#editor")
    page.press("s")
    page.until(lambda _: "is saved as version 2." in page.words("#notices"))


@pytest.mark.timeout(300)
async def test_a_day_of_two_reviewers_and_a_customer(world, browser, second, phone):  # noqa: F811
    for page in (browser, second):
        look(page, DESK)
    look(phone, PHONE)
    await beside(sign_in, browser, world.url, "ann")
    await beside(review_and_reject, browser)
    made = await world.ask("/manager/kyc/portal-link", {"customer_id": FIRST, "brand": "acme"})
    await beside(correct_on_the_phone, phone, f"{world.url}{made['url']}")
    await beside(find_the_link_used, phone, f"{world.url}{made['url']}")
    await beside(approve_all, browser)
    found = await world.profile(FIRST)
    assert [found["profile"]["status"], found["profile"]["current_level"]] == [3, 1]

    await world.customer(SECOND, {"passport": ("passport.jpg", jpeg("Jonas"))})
    await beside(sign_in, second, world.url, "bob")
    for page in (browser, second):
        await beside(wait_for_a_case, page, world.url)
    barrier = threading.Barrier(2)
    won = await asyncio.gather(*(beside(race, barrier, page) for page in (browser, second)))
    assert sorted(won) == [False, True]
    (winner, name), (loser, other) = ((browser, "ann"), (second, "bob"))[:: 1 if won[0] else -1]
    await beside(open_a_held_case, loser, world.url, "/backoffice/cases/2", name)
    await beside(set_the_risk, winner)
    await beside(be_refused_and_look_again, loser, name)
    await beside(edit_the_template, winner, world.url)

    for page in (browser, second, phone):
        complaints, asked = await beside(page.look_back)
        assert [text for text in complaints if " 409 " not in text and " 410 " not in text] == []
        assert len(asked) > 5
        assert [url for url in asked if not url.startswith(f"{world.url}/")] == []
    assert other != name
    trail = await world.ask("/manager/kyc/audit?customer_id=1001&limit=100", method="GET")
    assert {
        "portal.link_made",
        "portal.link_used",
        "case.claimed",
        "step.rejected",
        "step.approved",
        "access.view",
    } <= {row["action"] for row in trail["rows"]}
