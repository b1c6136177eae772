"""A receiver of calls, and the real daemon that makes them, with a clock to turn."""

import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "support"))
sys.path.insert(0, str(Path(__file__).parents[1] / "e2e" / "support"))

from receiver import Receiver
from sender import SECRETS, Sending


@pytest.fixture
async def receiver():
    async with Receiver() as receiver:
        yield receiver


@pytest.fixture
async def open_sending(tmp_path):
    """Open daemons that tell `url` of events; settings of [webhooks] and of the endpoint can be named."""
    async with AsyncExitStack() as opened:

        async def make(url, *, folder="data", endpoint=None, **webhooks):
            one = {"name": "crm", "url": url, "secrets": SECRETS, **(endpoint or {})}
            settings = {"allow_private": True, "timeout_seconds": 5, "endpoints": [one], **webhooks}
            return await opened.enter_async_context(Sending(tmp_path / folder, webhooks=settings))

        yield make


@pytest.fixture
async def sending(open_sending, receiver):
    return await open_sending(receiver.url)
