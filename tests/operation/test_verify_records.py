"""`kycmanager verify` on records that are not what they were: every fault is named, none is served."""

import asyncio
import random
import shutil
import sqlite3

import pytest

from kycmanager.__main__ import main
from kycmanager.config import from_table
from kycmanager.core import Core
from kycmanager.ports import AuditQuery, StoreRefused
from kycmanager.store.sqlite import SqliteStore, schema, sums
from kycmanager.store.sqlite.columns import COLUMNS
from kycmanager.store.sqlite.faults import RowDamaged
from kycmanager.store.sqlite.survey import survey, survey_pages


@pytest.fixture
async def data(daemon):
    """A data folder, closed, with templates, two profiles, steps in several statuses, documents and a key."""
    first = await daemon.pending("identity", 7)
    await daemon.boss.call("MngApproveKycStep", {"id": first}, key="once")
    await daemon.step("address", 7, level=2)
    await daemon.step("address", 8)
    await daemon.document(7, step_id=2)
    await daemon.document(8)
    await daemon.local("SysRevokeToken", {"jti": "gone", "expires": 1 << 40})
    await daemon.core.close()
    return daemon.folder


def harm(folder, *statements):
    db = sqlite3.connect(folder / "bases" / "kyc.db")
    db.create_function("resealed", -1, lambda *row: next(sums.sealed([row]))[-1])
    for statement in statements:
        db.execute(statement)
    db.commit()
    db.close()


def reseal(table):
    return f"UPDATE {table} SET sum = resealed({COLUMNS[table]})"


def test_whole_records(data):
    found = survey(data / "bases" / "kyc.db", lambda *_: None)
    assert found.faults == []
    assert found.counts == {
        "template": 2, "template_text": 2, "profile": 2, "step": 3, "document": 2, "audit": 12, "feed": 9, "event": 14,
        "idempotency": 1, "revocation": 1, "user": 0, "login": 0, "claim": 0, "note": 0, "queue_filter": 0, "tally": 1, "tally_mark": 1, "identity": 0,
        "lookup": 0, "lookup_mark": 0,
        "callback": 0, "challenge": 0, "verification": 0,
        "outbound": 0, "outbound_cursor": 0, "outbound_mark": 0,
    }  # fmt: skip
    assert sorted(found.files.values()) == [1, 2]


CHANGES = [
    (table, column, {"TEXT": f"{column} || 'x'", "BLOB": "zeroblob(32)", "INT": f"{column} + 1"}[kind])
    for table, kinds in {
        "template": "brand TEXT, level INT, form_schema TEXT, version INT",
        "template_text": "version INT, requirements TEXT",
        "profile": "brand TEXT, status INT, risk_level INT, current_level INT, version INT",
        "step": "code TEXT, status INT, answers TEXT, expire_time INT, required INT, explicit INT, name TEXT",
        "document": "status INT, file_id TEXT, checksum TEXT, file_size INT, comment TEXT",
        "audit": "time INT, details TEXT",
        "feed": "events TEXT, first_seq INT",
        "idempotency": "digest BLOB, record_version INT",
        "revocation": "jti TEXT, not_before INT",
    }.items()
    for column, kind in (each.split() for each in kinds.split(", "))
]


@pytest.mark.parametrize(("table", "column", "value"), CHANGES, ids=[f"{c[0]}-{c[1]}" for c in CHANGES])
async def test_a_changed_value_is_named_and_never_served(data, table, column, value):
    row = f"rowid = (SELECT max(rowid) FROM {table})"
    if table == "template_text":
        row = "template_id = 2"
    harm(data, f"UPDATE {table} SET {column} = {value} WHERE {row}")
    base = data / "bases" / "kyc.db"
    found = survey(base, lambda *_: None)
    assert any(what.startswith(table) and fault == "is not as it was written" for what, fault in found.faults), found
    store = SqliteStore(base)
    await store.open()
    try:
        with pytest.raises((StoreRefused, RowDamaged), match=rf"row of {table}.* is not as it was written"):
            await store.load(lambda *_: None)
            await store.audit(AuditQuery(brands=None))
            await store.events_after(0, 1000)
    finally:
        await store.close()


@pytest.mark.parametrize(
    ("statements", "told"),
    [
        (("UPDATE step SET kyc_id = 99 WHERE id = 1", reseal("step")), ("step 1", "belongs to no profile: 99")),
        (("UPDATE document SET kyc_id = 99 WHERE id = 1", reseal("document")), ("document 1", "belongs to no profile")),
        (
            ("UPDATE document SET step_id = 3 WHERE id = 1", reseal("document")),
            ("document 1", "points to step 3, which"),
        ),
        (
            ("UPDATE step SET template_version = 7 WHERE id = 2", reseal("step")),
            ("step 2", "points to template 2, version 7: no text"),
        ),
        (
            ("UPDATE profile SET current_level = 5 WHERE id = 1", reseal("profile")),
            ("profile 1", "is pending at level 5; its steps make it"),
        ),
        (
            ("UPDATE step SET status = 77 WHERE id = 2", reseal("step")),
            ("step 2", "has a value that is none of its kind"),
        ),
        (("UPDATE profile SET status = 77 WHERE id = 2", reseal("profile")), ("profile 2", "has a value that is none")),
        (
            ("UPDATE profile SET created_time = x'00' WHERE id = 2", reseal("profile")),
            None,
        ),
        (("UPDATE step SET brand = 'other' WHERE id = 3",), ("step 3", "has another customer or brand")),
        (("UPDATE document SET customer_id = 1 WHERE id = 2",), ("document 2", "has another customer or brand")),
        (("DELETE FROM feed WHERE last_seq = 3",), ("event 4", "follows event")),
        (("DELETE FROM template_text WHERE template_id = 1",), ("step 1", "no text")),
        (("UPDATE profile SET brand = CAST(x'c3' AS TEXT) WHERE id = 1",), ("profile 1", "is not as it was written")),
    ],
    ids=lambda value: value[0][:40] if isinstance(value, tuple) and value[0].startswith(("UPDATE", "DELETE")) else "",
)
def test_what_does_not_fit_together_is_named(data, statements, told):
    db = sqlite3.connect(data / "bases" / "kyc.db")
    db.execute("PRAGMA foreign_keys = OFF")
    db.close()
    harm(data, *statements)
    faults = survey(data / "bases" / "kyc.db", lambda *_: None).faults
    if told is None:
        assert faults == []
    else:
        assert any(what == told[0] and told[1] in fault for what, fault in faults), faults


async def _snapshot(base):
    store = SqliteStore(base)
    try:
        await store.open()
        held = await store.load(lambda *_: None)
        audit = await store.audit(AuditQuery(brands=None, limit=1000))
        return held, audit[0], await store.events_after(0, 10_000)
    finally:
        await store.close()


def page_of(base, name):
    """Where the root page of a table or index begins, and how long pages are."""
    db = sqlite3.connect(base)
    (size,) = db.execute("PRAGMA page_size").fetchone()
    (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)).fetchone()
    db.close()
    return (root - 1) * size, size


def overwrite(base, at, content):
    with base.open("r+b") as file:
        file.seek(at)
        file.write(content)


def test_a_flipped_bit_in_an_index_that_no_query_reads_is_named(data):
    base = data / "bases" / "kyc.db"
    start, size = page_of(base, "audit_customer")
    last = base.read_bytes()[start + size - 2]  # the cells lie at the end of the page, the customer before the row
    overwrite(base, start + size - 2, bytes([last ^ 1]))
    db = sqlite3.connect(base)
    assert schema.quick_check(db) == ""
    db.close()
    told = survey(base, lambda *_: None)
    assert told.faults
    assert all(what == "kyc.db" and "audit_customer" in fault for what, fault in told.faults)
    assert told.counts["audit"] == 12


def test_a_table_that_cannot_be_read_is_named_though_nothing_else_can_be_told(data):
    base = data / "bases" / "kyc.db"
    start, size = page_of(base, "step")
    overwrite(base, start, b"\xff" * size)
    faults = survey(base, lambda *_: None).faults
    assert {what for what, _ in faults} == {"kyc.db"}
    assert any("table step: " in fault for _, fault in faults)
    assert "is damaged" in faults[-1][1]


def test_of_the_pages_of_a_large_base_is_told(data, monkeypatch):
    base, told = data / "bases" / "kyc.db", []
    monkeypatch.setattr("kycmanager.store.sqlite.survey._PAGES_TOLD", 2)
    survey_pages(base, lambda *given: told.append(given))
    pages = base.stat().st_size // page_of(base, "step")[1]
    assert told == [("pages of kyc.db", 0, pages), ("pages of kyc.db", pages, pages)]


def test_the_base_of_keys_is_looked_at_too(data, capsys, monkeypatch):
    base = data / "bases" / "keys.db"
    assert survey_pages(base, lambda *_: None) == []
    start, size = page_of(base, "brand_key")
    overwrite(base, start, b"\xff" * size)
    monkeypatch.chdir(data.parent)
    assert main(["verify", "--data", str(data)]) == 1
    assert "keys.db: table brand_key: " in capsys.readouterr().out
    base.write_bytes(b"no base")
    assert main(["verify", "--data", str(data)]) == 1
    assert "keys.db: " in capsys.readouterr().out


async def test_a_flipped_bit_is_noticed_or_harms_nothing(data, tmp_path):
    """Bits all over the file: either the base is refused, or every record, audit row and event is what it was."""
    base = data / "bases" / "kyc.db"
    whole = await _snapshot(base)
    content = base.read_bytes()
    chance = random.Random(7)
    harmed, refused = tmp_path / "harmed", 0
    for _ in range(150):
        shutil.rmtree(harmed, ignore_errors=True)
        harmed.mkdir()
        changed = bytearray(content)
        changed[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        (harmed / "kyc.db").write_bytes(changed)
        try:
            found = await _snapshot(harmed / "kyc.db")
        except (StoreRefused, RowDamaged, sqlite3.DatabaseError):
            refused += 1
        else:
            assert found == whole
    assert refused > 10


async def test_the_command_names_all_faults_of_a_base_that_no_longer_opens(data, run):
    harm(data, "UPDATE step SET status = 3", "UPDATE audit SET actor_id = 5 WHERE id = 2")
    code, out, err = await asyncio.to_thread(run, "verify", "--data", data)
    assert (code, "Traceback" in err) == (1, False)
    for number in (1, 2, 3):
        assert f"step {number}: is not as it was written" in out
    assert "audit row 2: was changed" in out
    assert "files: were not checked: the base does not open with the faults above" in out
    assert "restore what is named above" in out


async def test_the_command_checks_all_that_is_there(data, run):
    code, out, _ = await asyncio.to_thread(run, "verify", "--data", data)
    assert (code, out) == (0, "checked records 9, audit rows 12, files 2; faults 0\n")
    assert "is missing; name the data folder" in (await asyncio.to_thread(run, "verify", "--data", data / "no"))[2]
    (data / "audit" / "heads.log").unlink()
    code, out, _ = await asyncio.to_thread(run, "verify", "--data", data)
    assert (code, "heads.log cannot be read" in out) == (1, True)


async def test_a_running_daemon_goes_on_beside_the_check(daemon):
    await daemon.pending()
    found = survey(daemon.folder / "bases" / "kyc.db", lambda *_: None)
    assert (found.faults, found.counts["step"]) == ([], 1)
    assert isinstance(daemon.core, Core)
    assert from_table({}, {}).audit.head_seconds == 60
