"""Somebody who works with the pages in a real browser."""

import asyncio
import tempfile
from collections.abc import Iterator
from typing import Any

from chromium import Browser
from office import PASSWORD


async def beside(work: Any, *arguments: Any) -> Any:
    """Work the browser in a thread: the daemon lives in this one."""
    return await asyncio.to_thread(work, *arguments)


def sign_in(page: Browser, url: str, name: str = "ann", place: str = "/queue") -> None:
    page.open(f"{url}/backoffice{place}")
    page.find("input[name=name]").send_keys(name)
    page.find("input[name=password]").send_keys(PASSWORD)
    page.press("enter")
    page.find("#rows")


def second_browser() -> Iterator[Browser]:
    """Make another browser, with cookies of its own."""
    with tempfile.TemporaryDirectory(prefix="chromium", ignore_cleanup_errors=True) as folder:
        made = Browser(folder)
        yield made
        made.close()


def drawn(page: Browser, picture: str) -> bool:
    """Tell whether the viewer shows a picture whose address has this in it, and it is there."""
    script = "return [...document.querySelectorAll('[data-picture]')].map((each) => [each.naturalWidth, each.src])"
    return any(width and picture in source for width, source in page.driver.execute_script(script))


def stop_listening(page: Browser) -> None:
    """Have the page hear of nothing any more, as if its connection were lost."""
    page.driver.execute_script("window.dispatchEvent(new Event('pagehide'))")


def quiet(page: Browser) -> None:
    """Wait until the page asks for nothing: what is given up for something newer is a complaint of the console."""
    page.until(lambda _: not page.find_all(".htmx-request"))


def choose_reason(page: Browser, code: str) -> None:
    """Choose a reason in the dialog that is open."""
    page.driver.execute_script(
        "const list = document.querySelector('#reject select'); list.value = arguments[0];"
        " list.dispatchEvent(new Event('change', {bubbles: true}))",
        code,
    )


def click(page: Browser, css: str) -> None:
    """Click what may just be drawn anew."""
    page.until(lambda _: page.find(css).click() is None)


def put(page: Browser, css: str, text: str) -> None:
    """Type a text in the place of another."""
    page.find(css).clear()
    page.find(css).send_keys(text)
