"""A real browser without a window: the system's Chromium, driven by the system's chromedriver."""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

WAIT_SECONDS = 30
_OWN = ("chrome:", "chrome-untrusted:", "data:", "about:")
"""Where the browser's own pages come from: no address."""

_GONE = "does not belong to the document"
"""What the driver says of an element that was drawn anew between two of its steps."""


class Browser:
    """One browser; what it complained of and what it asked for is remembered. Its calls block: run them in a thread."""

    def __init__(self, folder: str, size: tuple[int, int] = (1280, 860)) -> None:
        programs = {name: shutil.which(name) for name in ("chromium", "chromedriver")}
        missing = [name for name, path in programs.items() if path is None]
        if missing:
            pytest.skip(f"{' and '.join(missing)} not installed; apt-get install chromium chromium-driver")
        options = webdriver.ChromeOptions()
        options.binary_location = str(programs["chromium"])
        for argument in (
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-crash-reporter",
            "--disable-breakpad", f"--user-data-dir={folder}",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # nothing but this machine can be asked
            f"--window-size={size[0]},{size[1]}",
        ):  # fmt: skip
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        service = webdriver.ChromeService(str(programs["chromedriver"]))
        self.driver = webdriver.Chrome(options=options, service=service)
        self.driver.set_page_load_timeout(WAIT_SECONDS)
        self.complaints: list[str] = []
        self.asked: list[str] = []

    def close(self) -> None:
        self.driver.quit()

    def open(self, url: str) -> None:
        self.driver.get(url)

    def find(self, css: str) -> WebElement:
        """Wait for an element that can be seen."""

        def look() -> WebElement | None:
            return next((each for each in self.find_all(css) if each.is_displayed()), None)

        found: WebElement = self._wait(look, css)
        return found

    def find_all(self, css: str) -> list[WebElement]:
        return list(self.driver.find_elements(By.CSS_SELECTOR, css))

    def until(self, holds: Any) -> None:
        """Wait until `holds(self)` is true."""
        self._wait(lambda: holds(self), "what is waited for")

    def _wait(self, look: Callable[[], Any], what: str) -> Any:
        """Wait until `look()` is true and return it; what goes from the page while it is looked at is no fault."""

        def seen(_driver: object) -> Any:
            try:
                return look()
            except WebDriverException as error:
                if isinstance(error, StaleElementReferenceException) or _GONE in str(error.msg):
                    return None
                raise

        return WebDriverWait(self.driver, WAIT_SECONDS).until(seen, f"{what} does not come at {self.place}")

    def words(self, css: str = "body") -> str:
        return self.find(css).text

    def press(self, *keys: str) -> None:
        """Press keys where the focus is."""
        for key in keys:
            self.driver.switch_to.active_element.send_keys(getattr(Keys, key.upper(), key))

    @property
    def place(self) -> str:
        return str(self.driver.current_url)

    def look_back(self) -> tuple[list[str], list[str]]:
        """Return (what the console complained of, the addresses that were asked for) since the beginning."""
        self.complaints += [
            entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in {"SEVERE", "WARNING"}
        ]
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                url = message["params"]["request"]["url"]
                if not url.startswith(_OWN):
                    self.asked.append(url)
        return self.complaints, self.asked


@pytest.fixture
def browser() -> Iterator[Browser]:
    with tempfile.TemporaryDirectory(prefix="chromium", ignore_cleanup_errors=True) as folder:
        made = Browser(folder)
        yield made
        made.close()
