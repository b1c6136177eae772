import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "support"))

from running import Process


@pytest.fixture
def process(tmp_path):
    """The real process on a data folder of its own."""
    with Process(tmp_path / "data") as running:
        yield running
