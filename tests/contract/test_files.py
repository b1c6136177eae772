"""The generated files are what the table says, and a changed row makes them stale."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

import kycmanager
from kycmanager.commands import TABLE
from kycmanager.contract import __main__ as program
from kycmanager.contract import files, openapi_bytes

ROOT = Path(kycmanager.__file__).resolve().parents[1]


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "kycmanager").mkdir()
    (tmp_path / "pyproject.toml").touch()
    return tmp_path


def test_the_files_in_the_tree_are_fresh():
    assert files.stale(TABLE, ROOT) == []


def test_the_packaged_document_is_the_generated_one():
    assert openapi_bytes() == files.FILES["kycmanager/contract/generated/openapi.json"](TABLE).encode()


def test_the_output_is_the_same_every_time():
    for make in files.FILES.values():
        assert make(TABLE) == make(TABLE)


def test_nothing_there_is_all_stale(tree, capsys):
    assert program.main(["--check", "--root", str(tree)]) == 1
    told = capsys.readouterr().err
    assert all(f"stale: {path}" in told for path in files.FILES)


def test_written_is_fresh(tree, capsys):
    assert program.main(["--root", str(tree)]) == 0
    assert f"wrote {next(iter(files.FILES))}" in capsys.readouterr().out
    assert program.main(["--root", str(tree), "--check"]) == 0
    assert capsys.readouterr().out == "all 4 generated files are fresh\n"
    assert program.main(["--root", str(tree)]) == 0
    assert capsys.readouterr().out == "4 files were fresh\n"


def test_a_changed_summary_is_stale(tree, capsys):
    program.main(["--root", str(tree)])
    capsys.readouterr()
    changed = (msgspec.structs.replace(TABLE[0], summary="Something else"), *TABLE[1:])
    assert program.main(["--root", str(tree), "--check"], changed) == 1
    told = capsys.readouterr().err
    assert "stale: docs/generated/commands.md" in told
    assert "stale: kycmanager/client/generated/methods.py" in told
    assert "stale: kycmanager/contract/generated/openapi.json" in told
    assert "access.md" not in told


def test_a_changed_access_is_stale(tree, capsys):
    program.main(["--root", str(tree)])
    ping = next(command for command in TABLE if command.name == "Ping")
    narrowed = msgspec.structs.replace(ping.access, sessions=frozenset(list(ping.access.sessions)[:2]))
    changed = tuple(msgspec.structs.replace(each, access=narrowed) if each is ping else each for each in TABLE)
    assert "docs/generated/access.md" in files.stale(changed, tree)


def test_only_a_source_tree_is_written_to(tmp_path, capsys):
    assert program.main(["--root", str(tmp_path)]) == 1
    assert "no source tree" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_from_the_command_line():
    ran = subprocess.run(
        [sys.executable, "-m", "kycmanager.contract", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "all 4 generated files are fresh\n", "")
