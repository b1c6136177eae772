"""Small good files."""

from itertools import count

from kycmanager.demo.samples import jpeg, pdf

_NUMBERS = count(1)


def a_jpeg(seed: int = 0) -> bytes:
    """Make a picture."""
    return jpeg([[(seed * 31 + 40 * x + 25 * y) % 256 for x in range(4)] for y in range(4)])


def an_active_pdf(text: str = "") -> bytes:
    """Make a document with a script that runs when it is opened."""
    return a_pdf(text).replace(b"/Type /Catalog", b"/Type /Catalog /OpenAction << /S /JavaScript /JS (1) >>")


def a_pdf(text: str = "") -> bytes:
    """Make a document of its own."""
    return pdf([text or f"page {next(_NUMBERS)}"])
