import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent

sys.path.insert(0, str(HERE / "support"))


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    """Processes find the product wherever they are started, and no settings of the developer's."""
    path = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{path}" if path else str(ROOT))
    monkeypatch.delenv("KYCMANAGER_TOKEN_SECRET", raising=False)
