"""What axe-core finds on a page of the browser: in light and in dark, as narrow as a phone and as wide as a desk.

The script goes in through the driver, beside the page: the strict Content-Security-Policy stays as it is.
"""

from pathlib import Path
from typing import Any

from chromium import Browser

PHONE, DESK = (360, 740), (1280, 800)
GRAVE = ("serious", "critical")
"""The impacts that are faults; what is less is advice."""

_SCRIPT = (Path(__file__).parent / "vendor" / "axe.min.js").read_text("utf-8")
_RUN = """
const done = arguments[arguments.length - 1];
const options = {preload: false, resultTypes: ["violations"], rules: {"target-size": {enabled: true}}};
axe.run(document, options).then((found) => done(found.violations), (error) => done(String(error)));
"""
_STILL = """
document.getAnimations().forEach((each) => each.finish());
"""
_WIDER = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"


def look(page: Browser, size: tuple[int, int] = DESK, *, dark: bool = False) -> None:
    """Show the page in another size and colour scheme, without loading it again."""
    width, height = size
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [
        {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
        {"name": "prefers-reduced-motion", "value": "reduce"},
    ]
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def faults(page: Browser) -> list[str]:
    """Return the grave findings on what is shown now, and whether the page is wider than the window."""
    page.driver.execute_script(f"if (!window.axe) {{ {_SCRIPT} }} {_STILL}")
    found: Any = page.driver.execute_async_script(_RUN)
    assert isinstance(found, list), found
    told = [
        f"{each['id']}: {node['failureSummary']} {node['html'][:200]}"
        for each in found
        if each["impact"] in GRAVE
        for node in each["nodes"]
    ]
    wider = page.driver.execute_script(_WIDER)
    return told + ([f"reflow: {wider} pixels wider than the window"] if wider > 0 else [])


def faults_of_every_look(page: Browser, sizes: tuple[tuple[int, int], ...] = (PHONE, DESK)) -> list[str]:
    """Return the findings in light and dark at each size; leaves the page light at the last one."""
    told = []
    for dark in (True, False):
        for size in sizes:
            look(page, size, dark=dark)
            told += [f"{'dark' if dark else 'light'} {size[0]}: {fault}" for fault in faults(page)]
    return told
