"""Somebody who works with the pages in a real browser."""

import asyncio
from typing import Any

from chromium import Browser
from office import PASSWORD


async def beside(work: Any, *arguments: Any) -> Any:
    """Work the browser in a thread: the daemon lives in this one."""
    return await asyncio.to_thread(work, *arguments)


def sign_in(page: Browser, url: str, name: str = "ann") -> None:
    page.open(f"{url}/backoffice/queue")
    page.find("input[name=name]").send_keys(name)
    page.find("input[name=password]").send_keys(PASSWORD)
    page.press("enter")
    page.find("#rows")
