"""A browser as small as a phone, worked with a thumb."""

import tempfile
from collections.abc import Iterator

import pytest
from axe import PHONE, look
from chromium import Browser


@pytest.fixture
def phone() -> Iterator[Browser]:
    with tempfile.TemporaryDirectory(prefix="chromium", ignore_cleanup_errors=True) as folder:
        made = Browser(folder, PHONE)
        look(made, PHONE)
        made.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
        yield made
        made.close()


def press(page: Browser, css: str) -> None:
    """Bring an element to the middle of the window, as a thumb does, and press it."""
    element = page.find(css)
    page.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    element.click()
