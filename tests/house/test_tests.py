"""The tests themselves: each asserts something, none is put off."""

import ast
import re

from house_tree import ROOT, parsed, place

PUT_OFF = re.compile(r"pytest\s*\.\s*(?:mark\s*\.\s*)?(?:sk" + r"ip|skip" + r"if|xfa" + r"il|importor" + r"skip)\b")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
ASSERTING = re.compile(
    r"^_?(?:assert|check|expect|verify|refuse|demand|must|ensure|validate$|convert$)|raises|warns|assert_"
)
"""Calls that raise when something is not as it should be."""

NEEDS_A_PROGRAM = {
    "tests/support/chromium.py",
    "tests/support/clamd_process.py",
    "tests/support/node.py",
    "tests/torture/conftest.py",
}
"""Where a test may say which program it lacks; .ci/run installs them all, and is red on any such test."""

NOT_RAISING = {"test_close_may_be_called_twice"}
"""Tests whose whole point is that a call does not raise."""


def files():
    return sorted((ROOT / "tests").rglob("*.py"))


def test_no_test_is_put_off():
    found = [
        place(path, number)
        for path in files()
        if place(path) not in NEEDS_A_PROGRAM
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if PUT_OFF.search(line)
    ]
    assert found == []


def asserting_names():
    """Names of functions of the tests in which an assertion stands, directly or by another such function."""
    bodies = {}
    for path in files():
        for node in ast.walk(parsed(path)):
            if isinstance(node, FUNCTIONS):
                bodies.setdefault(node.name, []).append(node)
    names = {name for name, nodes in bodies.items() if any(asserts(node, frozenset()) for node in nodes)}
    while True:
        more = {
            name
            for name, nodes in bodies.items()
            if name not in names and any(asserts(node, frozenset(names)) for node in nodes)
        }
        if not more:
            return names
        names |= more


def asserts(function, known):
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            called = node.func
            name = (
                called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
            )
            if name in known or ASSERTING.search(name):
                return True
    return False


def test_every_test_asserts_something():
    known = asserting_names()
    found = [
        f"{place(path, node.lineno)} {node.name}"
        for path in files()
        if path.name.startswith("test_")
        for node in ast.walk(parsed(path))
        if isinstance(node, FUNCTIONS)
        and node.name.startswith("test_")
        and not asserts(node, known - {node.name})
        and node.name not in NOT_RAISING
    ]
    assert found == []
