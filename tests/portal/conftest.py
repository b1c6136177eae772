"""What tests of the portal need."""

import sys
from pathlib import Path

for folder in ("portal", "backoffice"):
    sys.path.insert(0, str(Path(__file__).parents[1] / folder / "support"))
sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
