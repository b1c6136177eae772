"""Files that are two things at once: each is refused, or it is served so that nothing in it can run."""

import asyncio
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "storagemanager" / "support"))

from polyglots import polyglots

AT_ONCE = 8
REFUSED_PLACES = {
    "prepended",
    "critical-chunk",
    "damaged-chunk",
    "between-segments",
    "no-block",
    "no-chunk",
    "box-first",
    "active",
}
"""Where nothing may hide, whatever it is."""


async def test_every_polyglot_is_refused_or_never_run(rest):
    """What is refused leaves nothing; what is taken comes back as it was, as an attachment, sealed off from browsers."""
    told: Counter[str] = Counter()
    wrong: list[str] = []

    async def sent(polyglot) -> None:
        status, answer = await rest.upload(polyglot.content, f"{polyglot.name}.{polyglot.extension}")
        if status == 400:
            told["refused"] += 1
            if answer["error"] != "RET_INVALID_DATA" or not answer["data"]["errors"][0]["message"]:
                wrong.append(f"{polyglot.name}: {answer}")
            return
        told["taken"] += 1
        if status != 200 or (polyglot.place in REFUSED_PLACES and (polyglot.carrier, polyglot.place) != PREPENDED_PDF):
            wrong.append(f"{polyglot.name}: {status}")
            return
        path = f"/storage/{answer['file_id']}"
        got, content, headers = await rest.ask("GET", path, headers=rest.manager())
        safe = (
            got == 200
            and content == polyglot.content
            and headers["Content-Disposition"].startswith("attachment;")
            and headers["X-Content-Type-Options"] == "nosniff"
            and headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
            and "html" not in headers["Content-Type"]
            and "svg" not in headers["Content-Type"]
        )
        if not safe:
            wrong.append(f"{polyglot.name}: {got} {dict(headers)}")

    turns = asyncio.Semaphore(AT_ONCE)

    async def in_turn(polyglot) -> None:
        async with turns:
            await sent(polyglot)

    await asyncio.gather(*(in_turn(each) for each in polyglots()))
    assert wrong == []
    assert told["refused"] >= 600
    assert told["refused"] + told["taken"] >= 1200
    assert len(rest.stored()) == told["taken"]


PREPENDED_PDF = ("pdf", "prepended")
"""A PDF before a PDF is one PDF with a saved change: what the last one says counts, and it is the one that is judged."""
