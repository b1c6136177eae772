"""Programs for Node.js with pinned packages, in a folder of their own that is gone when the tests end."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

INSTALL_SECONDS = 240


@contextmanager
def installed(program: Path) -> Iterator[Path]:
    """Copy a folder with a package-lock.json to where nothing else is, and install exactly what that names."""
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)} not installed; apt-get install nodejs npm")
    with tempfile.TemporaryDirectory(prefix="node-") as place:
        folder = Path(place) / program.name
        shutil.copytree(program, folder)
        # No script of a package runs: what is needed is written in JavaScript alone.
        arguments = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
        done = subprocess.run(
            arguments, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
        )
        assert done.returncode == 0, done.stderr
        yield folder


def environment() -> dict[str, str]:
    """Return what a program needs of this environment: no proxy and no option of Node.js changes what it does."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
