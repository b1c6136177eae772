"""What can be set, called and started stands in the documents."""

import argparse
import re
import tomllib

import pytest
from house_tree import PACKAGES, ROOT

from kycmanager import __version__
from kycmanager.__main__ import parser
from kycmanager.commands import TABLE
from kycmanager.config import markdown_table


def test_the_table_of_settings_is_that_of_config_toml(readme):
    assert markdown_table((ROOT / "config.toml").read_text("utf-8")) in readme


@pytest.mark.parametrize("command", TABLE, ids=lambda command: command.name)
def test_every_command_stands_in_the_reference(command):
    reference = (ROOT / "docs/generated/commands.md").read_text("utf-8")
    assert f"\n## {command.name}\n" in reference
    assert f"[{command.name}](#" in reference
    assert command.name in (ROOT / "docs/generated/access.md").read_text("utf-8")


def subcommands(command, name):
    """Yield every command line that does something, with the parser of its options."""
    groups = [action for action in command._actions if isinstance(action, argparse._SubParsersAction)]
    if not groups:
        yield name, command
    for group in groups:
        for word, inner in group.choices.items():
            yield from subcommands(inner, f"{name} {word}")


COMMAND_LINES = dict(subcommands(parser(), "kycmanager"))


@pytest.mark.parametrize("line", COMMAND_LINES)
def test_every_command_line_stands_in_the_readme(line, readme):
    assert f"| `{line}` |" in readme


def test_the_readme_names_no_command_line_or_option_that_is_not_there(readme):
    rows = re.findall(r"^\| `(kycmanager [a-z0-9 ]+)` \| (.*) \|$", readme, re.MULTILINE)
    assert {line for line, _ in rows} == set(COMMAND_LINES)
    for line, text in rows:
        known = {option for action in COMMAND_LINES[line]._actions for option in action.option_strings}
        assert set(re.findall(r"--[a-z-]+", text)) <= known, line


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"])
def test_links_and_names_of_files_lead_somewhere(name):
    text = (ROOT / name).read_text("utf-8")
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    named = [
        each.rstrip("/")
        for each in re.findall(r"`((?:kycmanager|storagemanager|tests|docs|benchmarks)/[\w./-]+)`", text)
        if not each.endswith("RESULTS.md")
    ]
    assert [each for each in (*links, *named) if not (ROOT / each).exists()] == []


def test_every_make_target_of_the_documents_is_there(readme):
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE))
    assert {"run", "test", "install", "bench", "torture", "demo", "check", "generate", "lock", "clean"} <= targets
    architecture = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    assert set(re.findall(r"`make ([a-z]+)", readme + architecture)) <= targets


def test_every_package_has_its_row_in_the_rooms():
    rooms = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    names = [
        path.name if path.is_dir() else path.stem
        for path in (ROOT / PACKAGES[0]).iterdir()
        if path.suffix == ".py" or (path / "__init__.py").is_file()
    ]
    assert [name for name in names if name != "__init__" and f"`{name}`" not in rooms] == []


def test_the_contracts_of_imports_are_counted_right():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    count = len(project["tool"]["importlinter"]["contracts"])
    assert f"import-linter, {count} contracts" in (ROOT / "ARCHITECTURE.md").read_text("utf-8")


def test_there_is_one_version():
    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text("utf-8")
