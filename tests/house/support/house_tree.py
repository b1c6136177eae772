"""The tree as it is handed out, and its Python files as syntax trees."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("kycmanager", "storagemanager")


def sources(*folders):
    """The Python files of some folders, without what is generated."""
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    assert found, folders
    return [path for path in found if "generated" not in path.parts]


def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def place(path, line=None):
    """Where something stands, for a message."""
    name = path.relative_to(ROOT).as_posix()
    return name if line is None else f"{name}:{line}"
