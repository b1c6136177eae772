"""`kycmanager audit` and `kycmanager verify` on bases that somebody has had a hand in."""

import asyncio
import hashlib
import json
import shutil
import sqlite3

import msgspec
import pytest

from kycmanager.config import from_table
from kycmanager.core import Core
from kycmanager.store.sqlite import sums
from kycmanager.store.sqlite.chain import GENESIS, link_hash
from kycmanager.store.sqlite.columns import COLUMNS, SELECT
from kycmanager.transports.control import run_local

SETTINGS = {"tokens": {"secret": "s" * 40}}


async def _fill(folder):
    """Make a data folder with three links of several rows, a head after each."""
    core = Core(from_table(SETTINGS, {}), folder, lambda *_: None)
    await core.open()
    for _ in range(3):
        calls = [run_local(core.executor, "SysRevokeToken", {"jti": f"t{n}", "expires": 1 << 40}) for n in range(3)]
        await asyncio.gather(*calls)
        await core.tell_head()
    await core.close()


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("filled") / "data"
    asyncio.run(_fill(folder))
    return folder


@pytest.fixture
def data(filled, tmp_path):
    folder = tmp_path / "data"
    shutil.copytree(filled, folder, ignore=shutil.ignore_patterns("control.sock"))
    return folder


def harm(folder, *statements):
    db = sqlite3.connect(folder / "bases" / "kyc.db")
    db.create_function("resealed", -1, lambda *row: next(sums.sealed([row]))[-1])
    for statement in statements:
        db.execute(statement)
    db.commit()
    db.close()


RESEAL = f"UPDATE audit SET sum = resealed({COLUMNS['audit']})"


def forge_links(folder):
    """Make the chain anew over the rows as they are."""
    db = sqlite3.connect(folder / "bases" / "kyc.db")
    db.create_function("resealed", -1, lambda *row: next(sums.sealed([row]))[-1])
    db.execute(RESEAL)
    before = GENESIS
    for link, first, last in db.execute("SELECT id, first_id, last_id FROM audit_link ORDER BY id").fetchall():
        rows = db.execute(SELECT["audit"] + "WHERE id BETWEEN ? AND ? ORDER BY id", (first, last)).fetchall()
        before = link_hash(before, rows)
        db.execute("UPDATE audit_link SET hash = ? WHERE id = ?", (before, link))
    db.commit()
    db.close()


def proven(run, folder, *more):
    code, out, err = run("audit", "verify", "--data", folder, *more)
    assert "Traceback" not in err
    return code, out


def test_a_whole_audit_is_proven_and_its_head_printed(run, data):
    code, out = proven(run, data)
    last = json.loads((data / "audit" / "heads.log").read_text().splitlines()[-1])
    assert code == 0
    assert out == f"the audit is whole: rows 1 to 9, links 3, heads 3; head of link 3: {last['hash']}\n"


TEXTS = {"brand", "action", "source", "reason", "comment", "details"}
COLUMN_CHANGES = [
    (column, f"UPDATE audit SET {column} = {value} WHERE id = 5")
    for column in (name.strip() for name in COLUMNS["audit"].split(","))
    if column != "id"
    for value in (f"{column} || 'x'" if column in TEXTS else f"{column} + 1",)
]
SWAP = (
    "UPDATE audit SET id = -4 WHERE id = 4", "UPDATE audit SET id = 4 WHERE id = 5",
    "UPDATE audit SET id = 5 WHERE id = -4",
)  # fmt: skip
INSERT = "INSERT INTO audit SELECT {id}, " + COLUMNS["audit"].partition(",")[2] + ", sum FROM audit WHERE id = 9"
TAMPERING = [
    *[(f"change {column}", (statement,), "audit row 5: was changed") for column, statement in COLUMN_CHANGES],
    *[
        (f"change and reseal {column}", (statement, RESEAL), "audit rows 4 to 6: do not fit the hash of link 2")
        for column, statement in COLUMN_CHANGES
    ],
    ("change a sum", ("UPDATE audit SET sum = x'00000000' WHERE id = 2",), "audit row 2: was changed"),
    ("change an id", ("UPDATE audit SET id = 99 WHERE id = 5",), "audit row 5: is missing from link 2"),
    ("delete the first", ("DELETE FROM audit WHERE id = 1",), "audit row 1: is missing from link 1"),
    ("delete a middle one", ("DELETE FROM audit WHERE id = 5",), "audit row 5: is missing from link 2"),
    ("delete the last", ("DELETE FROM audit WHERE id = 9",), "audit row 9: is missing from link 3"),
    ("delete all", ("DELETE FROM audit",), "audit row 1: is missing from link 1"),
    ("insert at the end", (INSERT.format(id=10),), "audit row 10: stands in no link"),
    ("insert far away", (INSERT.format(id=5000), RESEAL), "audit row 5000: stands in no link"),
    ("insert before the first", (INSERT.format(id=-1), RESEAL), "audit row -1: stands in no link"),
    ("swap", (*SWAP, RESEAL), "audit rows 4 to 6: do not fit"),
    ("cut the tail", ("DELETE FROM audit WHERE id > 6",), "audit row 7: is missing from link 3"),
    (
        "cut the tail and its link",
        ("DELETE FROM audit WHERE id > 6", "DELETE FROM audit_link WHERE id = 3"),
        "audit row 9: is gone",
    ),
    ("cut the links only", ("DELETE FROM audit_link WHERE id = 3",), "audit row 7: stands in no link"),
    ("delete a middle link", ("DELETE FROM audit_link WHERE id = 2",), "audit link 2: is missing"),
    ("delete the first link", ("DELETE FROM audit_link WHERE id = 1",), "audit link 1: is missing"),
    (
        "delete a middle link and its rows",
        ("DELETE FROM audit WHERE id BETWEEN 4 AND 6", "DELETE FROM audit_link WHERE id = 2"),
        "audit link 2: is missing",
    ),
    ("empty everything", ("DELETE FROM audit", "DELETE FROM audit_link"), "audit row 3: is gone"),
    ("change a link", ("UPDATE audit_link SET hash = zeroblob(32) WHERE id = 2",), "hash of link 2"),
    ("shorten a link", ("UPDATE audit_link SET last_id = 5 WHERE id = 2",), "audit link 3: begins at row 7, not at row 6"),
    ("lengthen a link", ("UPDATE audit_link SET last_id = 7 WHERE id = 2",), "audit link 3: begins at row 7"),
    ("begin a link later", ("UPDATE audit_link SET first_id = 5 WHERE id = 2",), "audit row 4: stands in no link"),
    ("make a text no text", ("UPDATE audit SET brand = CAST(x'c3' AS TEXT) WHERE id = 5",), "audit row 5: was changed"),
]  # fmt: skip


@pytest.mark.parametrize(("statements", "told"), [case[1:] for case in TAMPERING], ids=[case[0] for case in TAMPERING])
def test_tampering_is_found_and_named(run, data, statements, told):
    harm(data, *statements)
    code, out = proven(run, data)
    assert (code, told in out, "the audit is not whole" in out) == (1, True, True), out


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor_id = 99 WHERE id = 2", "UPDATE audit SET time = 1"])
def test_a_chain_rewritten_as_a_whole_is_found_by_its_heads(run, data, statement):
    harm(data, statement)
    forge_links(data)
    code, out = proven(run, data)
    assert (code, "audit rows 1 to 3: are not those whose head was written down" in out) == (1, True)
    copy = data.parent / "copy.db"
    shutil.copy(data / "bases" / "kyc.db", copy)
    code, out = proven(run, data, "--base", copy)
    assert (code, out.splitlines()[0]) == (
        0, "no heads are held against it: an audit rewritten as a whole would not be noticed; name them with --heads",
    )  # fmt: skip
    assert proven(run, data, "--base", copy, "--heads", data / "audit" / "heads.log")[0] == 1


def test_a_copy_in_a_folder_nobody_may_write_to_is_proven_and_left_as_it_is(run, data):
    digest = hashlib.sha256((data / "bases" / "kyc.db").read_bytes()).digest()
    assert proven(run, data)[0] == 0
    assert hashlib.sha256((data / "bases" / "kyc.db").read_bytes()).digest() == digest
    assert sorted(file.name for file in (data / "bases").glob("kyc.db*")) == ["kyc.db"]


def test_two_heads_that_disagree_are_named(run, data):
    heads = data / "audit" / "heads.log"
    line = msgspec.json.decode(heads.read_bytes().splitlines()[1])
    with heads.open("ab") as file:
        file.write(msgspec.json.encode({**line, "time": 5, "hash": "0" * 64}) + b"\n")
    code, out = proven(run, data)
    assert (code, "head of 5: differs from that of" in out) == (1, True)


def test_an_older_base_put_back_on_purpose_is_accepted_and_told_for_ever(run, data):
    harm(data, "DELETE FROM audit WHERE id > 6", "DELETE FROM audit_link WHERE id = 3")
    code, _, err = run("check", "--data", data)
    assert (code, "ends before audit row 9" in err, err.count("\n")) == (1, True, 1)
    code, out, _ = run("audit", "accept", "--data", data, "--reason", "the disk died; backup of Monday")
    assert (code, "the audit goes on after row 6" in out) == (0, True)
    assert run("check", "--data", data)[0] == 0
    code, out = proven(run, data)
    assert code == 0
    assert "the chain was taken up again after audit row 6: the disk died; backup of Monday" in out
    assert "rows 1 to 6, links 2" in out
    code, _, err = run("audit", "accept", "--data", data, "--reason", "  ")
    assert (code, "--reason: say in 1 to" in err) == (2, True)


def test_what_cannot_be_proven_says_what_to_do(run, data, tmp_path):
    def err(*more):
        code, _, text = run("audit", "verify", "--data", data, *more)
        assert (code, text.count("\n")) == (1, 1)
        return text

    assert "is missing. Name the base" in err("--base", tmp_path / "none.db")
    assert "cannot be read" in err("--heads", tmp_path / "none.log")
    (tmp_path / "text.db").write_text("no base at all, but a text")
    assert "is damaged" in err("--base", tmp_path / "text.db")
    harm(data, "PRAGMA user_version = 99")
    assert "newer program" in err()
    harm(data, "PRAGMA user_version = 2")
    assert "older program" in err()
    heads = data / "audit" / "heads.log"
    heads.unlink()
    heads.mkdir()
    code, _, text = run("audit", "accept", "--data", data, "--reason", "because")
    assert (code, text.count("\n")) == (1, 1)


def test_an_audit_without_rows_is_whole(run, tmp_path):
    async def make():
        core = Core(from_table(SETTINGS, {}), tmp_path / "new", lambda *_: None)
        await core.open()
        await core.close()

    asyncio.run(make())
    assert proven(run, tmp_path / "new") == (0, "the audit is whole: it has no rows yet\n")
