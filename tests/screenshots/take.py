"""Pictures of the pages: `take.py`, or `take.py --only queue,case --folder DIR`.

Starts a daemon on free ports with customers whose papers wait, opens each page in Chromium and writes docs/screenshots/NAME.png.
A page that this daemon does not have is told of and left out.
"""

import argparse
import asyncio
import io
import sys
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any, NamedTuple

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS / each) for each in ("screenshots", "support", "backoffice/support", "e2e/support", "..")]

from axe import DESK, PHONE, look  # noqa: E402 - found by the line above
from chromium import Browser  # noqa: E402
from office import PASSWORD, Office  # noqa: E402
from PIL import Image  # noqa: E402
from scene import BRAND, NEWCOMER, build  # noqa: E402

from kycmanager.cli.output import say  # noqa: E402

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
COLOURS = 256
"""Of each picture: so it is a third of the size, and nobody sees it."""

OFFICE, PORTAL = "/backoffice", "/portal"


class Picture(NamedTuple):
    """A page and how it is shown; `keys` are pressed when it is there."""

    name: str
    path: str
    size: tuple[int, int] = DESK
    keys: str = ""
    dark: bool = False


BEFORE = (Picture("sign-in", f"{OFFICE}/sign-in"),)
PICTURES = (
    Picture("queue", f"{OFFICE}/queue", keys="j"),
    Picture("queue-dark", f"{OFFICE}/queue", keys="jj", dark=True),
    Picture("case", f"{OFFICE}/cases/{{case}}"),
    Picture("search", f"{OFFICE}/search?document_type=passport", keys="j"),
    Picture("audit", f"{OFFICE}/audit"),
    Picture("templates", f"{OFFICE}/templates"),
    Picture("template", f"{OFFICE}/templates/{{template}}"),
    Picture("dashboard", f"{OFFICE}/dashboard"),
    Picture("account", f"{OFFICE}/account"),
    Picture("keys", f"{OFFICE}/queue", keys="?"),
)
ONCE = {"queue-dark", "keys"}
"""The pictures of a page that is shown already."""


def on_phone(pictures: tuple[Picture, ...]) -> tuple[Picture, ...]:
    """Return each page once more, as small as a phone."""
    phones = [each._replace(name=f"{each.name}-phone", size=PHONE, keys="") for each in pictures]
    return tuple(phone for each, phone in zip(pictures, phones, strict=True) if each.name not in ONCE)


PORTAL_BEFORE = (Picture("portal-sign-in", f"{PORTAL}/sign-in", PHONE),)
PORTAL_PICTURES = (
    Picture("portal-home", f"{PORTAL}/", PHONE),
    Picture("portal-step", f"{PORTAL}/steps/{{step}}", PHONE),
    Picture("portal-desk", f"{PORTAL}/", DESK),
)


class Photographer:
    """Opens pages and keeps pictures of them."""

    def __init__(self, page: Browser, url: str, ids: dict[str, int], folder: Path, only: Collection[str]) -> None:
        self._page = page
        self._url = url
        self._ids = ids
        self._folder = folder
        self._only = only

    def enter(self, path: str, fields: dict[str, str]) -> bool:
        """Sign in by the form of a page; False where there is no such page."""
        self._page.open(f"{self._url}{path}")
        if not self._page.find_all("form"):
            return False
        for name, value in fields.items():
            field = f"[name={name}]"
            self._page.driver.execute_script("document.querySelectorAll('details').forEach((each) => each.open = true)")
            self._page.find(field).send_keys(value)
        self._page.driver.execute_script(f"document.querySelector('[name={name}]').form.requestSubmit()")
        self._page.until(lambda page: not page.place.startswith(f"{self._url}{path}"))
        return True

    def take(self, pictures: Collection[Picture]) -> None:
        """Take those that are wanted."""
        for each in pictures:
            if self._only and each.name not in self._only:
                continue
            look(self._page, each.size, dark=each.dark)
            self._page.open(f"{self._url}{each.path.format(**self._ids)}")
            if self._status() != 200:
                say(f"{each.name}: this daemon has no such page, left out")
                continue
            self._page.until(lambda page: page.driver.execute_script(SETTLED))
            self._page.press(*each.keys)
            path = self._folder / f"{each.name}.png"
            with Image.open(io.BytesIO(self._page.driver.get_screenshot_as_png())) as shot:
                shot.quantize(COLOURS).save(path, optimize=True)
            say(f"{each.name}: {path.stat().st_size // 1000} KB")

    def _status(self) -> Any:
        return self._page.driver.execute_script("return performance.getEntriesByType('navigation')[0].responseStatus")


SETTLED = """
return document.readyState === "complete" && [...document.images].every((each) => each.complete)
  && !document.querySelector(".htmx-request, .htmx-settling");
"""


def photograph(url: str, ids: dict[str, int], token: str, folder: Path, only: Collection[str]) -> None:
    """Sign in on both sides and take all pictures."""
    with tempfile.TemporaryDirectory(prefix="chromium", ignore_cleanup_errors=True) as home:
        page = Browser(home)
        try:
            at = Photographer(page, url, ids, folder, only)
            at.take(BEFORE + on_phone(BEFORE))
            at.enter(f"{OFFICE}/sign-in", {"name": "ann", "password": PASSWORD})
            at.take(PICTURES + on_phone(PICTURES))
            at.take(PORTAL_BEFORE)
            if at.enter(f"{PORTAL}/sign-in", {"token": token}):
                at.take(PORTAL_PICTURES)
        finally:
            page.close()


async def main() -> None:
    """Read the arguments, play the scene, take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="names of pictures, with commas between them")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where they are written (docs/screenshots)")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    only = frozenset(name for name in args.only.split(",") if name)
    with tempfile.TemporaryDirectory(prefix="screenshots") as data:
        async with Office(Path(data) / "data", backoffice={"idle": "11h"}) as office:
            ids = await build(office)
            token = office.token(9, NEWCOMER, (BRAND,))
            await asyncio.to_thread(photograph, office.url, ids, token, args.folder, only)


if __name__ == "__main__":
    asyncio.run(main())
