"""Files, functions and words of the sources stay within what a reader can hold."""

import ast
import re

import pytest
from house_tree import PACKAGES, ROOT, parsed, place, sources

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
PRAGMAS_MAX = 10

# spelt apart, so that this file does not hold them
NOTES = re.compile(rf"\b({'TO' + 'DO'}|{'FIX' + 'ME'}|{'X' * 3}|{'HA' + 'CK'})\b")
PRAGMA = re.compile(r"#\s*pragma:\s*no cover(.*)")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def test_files_are_short():
    long = [place(path) for path in sources(*PACKAGES) if len(path.read_text("utf-8").splitlines()) > FILE_LINES_MAX]
    assert long == []


def test_functions_are_short():
    long = [
        f"{place(path, node.lineno)} {node.name}"
        for path in sources(*PACKAGES)
        for node in ast.walk(parsed(path))
        if isinstance(node, FUNCTIONS) and node.end_lineno - node.lineno + 1 > FUNCTION_LINES_MAX
    ]
    assert long == []


def test_every_module_says_what_lives_there():
    silent = [
        place(path)
        for path in sources(*PACKAGES)
        if (said := ast.get_docstring(parsed(path))) is None or not said.splitlines()[0].endswith((".", "?"))
    ]
    assert silent == []


def test_no_notes_of_unfinished_work(tracked):
    found = [
        place(path, number)
        for path in tracked
        if path.suffix in {".py", ".md", ".sql", ".toml", ".c", ".js", ".html"} or path.name == "Makefile"
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if NOTES.search(line)
    ]
    assert found == []


def test_what_is_not_covered_is_little_and_has_a_reason():
    found = [
        (place(path, number), match[1].strip(" -:"))
        for path in sources(*PACKAGES)
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if (match := PRAGMA.search(line))
    ]
    assert len(found) <= PRAGMAS_MAX, found
    assert [where for where, reason in found if len(reason) < 10] == []


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "LICENSE", "config.toml", ".ci/run"])
def test_there_is(name):
    assert (ROOT / name).stat().st_size > 500


def test_the_changelog_tells_of_this_version():
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    version = re.search(r'^version = "([^"]+)"', project, re.MULTILINE)[1]
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert "## [Unreleased]" in changes
    assert f"## [{version}]" in changes
    assert "Keep a Changelog" in changes
