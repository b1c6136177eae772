"""The base as an auditor sees it."""

import sqlite3

import msgspec
import pytest

from kycmanager.domain import lookup, outbound, records, statistics, users, verification, wallets
from kycmanager.store.sqlite import history, schema
from kycmanager.store.sqlite import outbound as deliveries
from kycmanager.store.sqlite import statements as sql
from kycmanager.store.sqlite.columns import COLUMNS

TABLES = {
    "template": records.Template,
    "template_text": records.TemplateText,
    "profile": records.Profile,
    "step": records.Step,
    "document": records.Document,
    "audit": records.AuditRow,
    "event": records.Event,
    "idempotency": records.IdempotencyRecord,
    "revocation": records.Revocation,
    "claim": records.Claim,
    "note": records.Note,
    "queue_filter": records.SavedFilter,
    "identity": wallets.Identity,
    "callback": wallets.Callback,
    "challenge": wallets.UsedChallenge,
    "verification": verification.Verification,
    "user": users.User,
    "login": users.Login,
    "outbound": outbound.Delivery,
    "tally": statistics.KeptTally,
    "tally_mark": statistics.TallyMark,
    "lookup_mark": lookup.LookupMark,
}


@pytest.fixture
def db(path):
    db = sqlite3.connect(path)
    schema.migrate(db, path)
    yield db
    db.close()


def columns(db, table):
    return {row[1] for row in db.execute(f"PRAGMA table_info({table})")}


@pytest.mark.parametrize("table", TABLES)
def test_each_table_has_a_column_for_each_field(db, table):
    extra = {"id"} if table in {"idempotency", "revocation"} else set()
    sums = {"chunk"} if table == "event" else {"sum"}
    of_profile = {"customer_id", "brand"} if table == "note" else set()
    fields = {field.name for field in msgspec.structs.fields(TABLES[table])} - of_profile
    assert columns(db, table) == fields | extra | sums


@pytest.mark.parametrize("table", COLUMNS)
def test_the_sum_covers_every_column_but_numbers_of_rows_and_what_the_profile_tells(db, table):
    apart = {"idempotency": {"id"}, "revocation": {"id"}}.get(table, set())
    apart |= {"customer_id", "brand"} if table in {"step", "document"} else set()
    covered = {name.strip() for name in COLUMNS[table].split(",")}
    assert covered | apart | {"sum"} == columns(db, table)
    assert not covered & apart


def test_the_tables_views_and_indexes_are_these(db):
    found = {(kind, name) for kind, name in db.execute("SELECT type, name FROM sqlite_master WHERE sql IS NOT NULL")}
    names = {*TABLES, "counter", "feed", "audit_link", "file_key", "vault"} - {"event"}
    names |= {"outbound_cursor", "outbound_mark", "lookup"}
    tables = {("table", name) for name in names}
    assert found == tables | {("view", "customer"), ("view", "event"), ("index", "audit_customer")} | {
        ("index", f"outbound_{name}") for name in ("customer", "kept", "ended")
    }
    unique = db.execute("SELECT tbl_name FROM sqlite_master WHERE type = 'index' AND sql IS NULL").fetchall()
    assert {name for (name,) in unique} == {
        "template", "template_text", "profile", "counter", "identity", "verification",
    }  # fmt: skip


def test_every_migration_is_numbered_and_sets_its_number():
    scripts = schema.migrations()
    for number, script in enumerate(scripts, 1):
        assert script.name.startswith(f"{number:04}_")
        assert script.read_text().rstrip().endswith(f"PRAGMA user_version = {number};")


def test_migrating_twice_changes_nothing(db, path):
    before = db.execute("SELECT * FROM sqlite_master").fetchall()
    schema.migrate(db, path)
    assert db.execute("SELECT * FROM sqlite_master").fetchall() == before


def test_the_customer_view_is_the_profile(db):
    db.execute("INSERT INTO profile VALUES (9, 1001, 'alpha', 3, 1, 2, 4, 11, 12, 5, x'')")
    cursor = db.execute("SELECT * FROM customer")
    assert [column[0] for column in cursor.description] == [
        "customer_id", "brand", "kyc_status", "kyc_current_level", "kyc_required_level", "risk_level", "kyc_profile_id",
        "kyc_updated_time",
    ]  # fmt: skip
    assert cursor.fetchall() == [(1001, "alpha", 3, 1, 2, 4, 9, 12)]


def plan(db, statement, values):
    return [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {statement}", values)]


@pytest.mark.parametrize("name", ["TEMPLATE", "PROFILE", "STEP", "DOCUMENT"])
def test_updates_find_their_rows_by_id(db, name):
    text = getattr(sql, f"UPDATE_{name}")
    assert plan(db, text, [None] * (len(COLUMNS[name.lower()].split(",")) + 1)) == [
        f"SEARCH {name.lower()} USING INTEGER PRIMARY KEY (rowid=?)",
    ]


def test_the_audit_of_a_customer_uses_the_index_and_all_else_walks_the_ids(db):
    names = (
        "brands kyc_id step_id document_id action actor_id time_from time_to lowest highest customer_id limit offset"
    )
    values = dict.fromkeys([*names.split(), "count_max"], 1)
    for statements in (history._ROWS, history._COUNT):
        assert any("USING INDEX audit_customer (customer_id=?" in s for s in plan(db, statements[True], values))
        assert any("USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)" in s for s in plan(db, statements[False], values))
        assert not any("TEMP B-TREE FOR ORDER" in s for s in plan(db, statements[True], values))


def test_the_events_of_an_older_base_come_into_the_feed(path, kit):
    db = sqlite3.connect(path, isolation_level=None)
    db.executescript(schema.migrations()[0].read_text())
    record = msgspec.structs.replace(kit.profile(3), brand="ö")
    for seq in range(1, 601):
        text = msgspec.json.encode(msgspec.structs.replace(record, version=seq)).decode()
        db.execute("INSERT INTO event VALUES (?, 5, 'ö', 6, 3, 'profile.updated', ?)", (seq, text))
    schema.migrate(db, path)
    events = history.events_after(db, 0, 1_000)
    assert [(event.seq, event.record.version) for event in events] == [(seq, seq) for seq in range(1, 601)]
    assert events[0] == records.Event(1, 5, "ö", 6, 3, "profile.updated", record)
    assert db.execute("SELECT seq, record ->> 'version' FROM event WHERE seq > 598").fetchall() == [
        (599, 599),
        (600, 600),
    ]
    assert schema.counters(db)["event"] == 601
    db.close()


@pytest.mark.parametrize(("by", "index"), [("customer", "outbound_customer"), ("kept", "outbound_kept")])
def test_deliveries_are_found_by_an_index(db, by, index):
    values = dict.fromkeys(("customer_id", "before", "brands", "channel", "state", "limit", "count_max"), 1)
    for question in (deliveries._ROWS[by], deliveries._COUNT[by]):
        plan = " ".join(row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {question}", values))
        assert index in plan
        assert "TEMP B-TREE" not in plan
