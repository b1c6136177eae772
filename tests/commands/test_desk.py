"""Notes, reasons and filters: for reviewers, and what customers are told."""

import sqlite3

import pytest

from kycmanager.domain.enums import SessionType

SECRET_WORDS = "their brother called"


@pytest.fixture
async def waiting(daemon):
    await daemon.pending()
    return daemon


async def test_a_note_is_written_read_and_told_to_reviewers(waiting):
    me = waiting.manager(sub=5)
    rows, kinds = await waiting.traces(lambda: me.call("MngAddKycNote", {"kyc_id": 1, "text": SECRET_WORDS}))
    assert (rows, kinds) == (["note.added"], ["note.added"])
    waiting.now += 1
    second = await waiting.boss.call("MngAddKycNote", {"kyc_id": 1, "text": "yes"})
    assert second == {
        "note": {
            "id": 2, "kyc_id": 1, "customer_id": 7, "brand": "acme", "time": waiting.now, "author_id": 1,
            "author_session": 1, "text": "yes",
        }
    }  # fmt: skip
    found = (await me.call("MngGetKycNotes", {"kyc_id": 1}))["rows"]
    assert [(row["author_id"], row["text"]) for row in found] == [(5, SECRET_WORDS), (1, "yes")]
    assert (await waiting.manager(("beta",)).refused("MngGetKycNotes", {"kyc_id": 1}))[0] == 404
    assert (await waiting.customer().refused("MngGetKycNotes", {"kyc_id": 1}))[0] == 403


async def test_notes_are_sealed_in_the_base_and_survive_a_restart(waiting):
    await waiting.boss.call("MngAddKycNote", {"kyc_id": 1, "text": SECRET_WORDS})
    assert type(waiting.core.cache.desk.note(1).content) is bytes
    await waiting.restart()
    assert (await waiting.boss.call("MngGetKycNotes", {"kyc_id": 1}))["rows"][0]["text"] == SECRET_WORDS
    await waiting.core.close()
    for file in (waiting.folder / "bases").glob("kyc.db*"):
        assert SECRET_WORDS.encode() not in file.read_bytes()
    with sqlite3.connect(waiting.folder / "bases" / "kyc.db") as db:
        assert db.execute("SELECT typeof(content) FROM note").fetchall() == [("blob",)]
    db.close()
    await waiting.restart()


async def test_notes_are_in_clear_where_nothing_is_sealed(open_daemon):
    daemon = await open_daemon(encryption={"enabled": False})
    await daemon.pending()
    await daemon.boss.call("MngAddKycNote", {"kyc_id": 1, "text": "plain"})
    assert daemon.rows("SELECT content FROM note") == [('{"text":"plain"}',)]
    assert (await daemon.boss.call("MngGetKycNotes", {"kyc_id": 1}))["rows"][0]["text"] == "plain"


async def test_notes_of_one_batch_and_a_repeated_one(waiting):
    calls = [waiting.boss.start("MngAddKycNote", {"kyc_id": 1, "text": str(n)}, key=f"k{n // 2}") for n in (0, 2, 2)]
    answers = [(await call)["note"]["id"] for call in calls]
    assert answers == [1, 2, 2]
    found = (await waiting.boss.call("MngGetKycNotes", {"kyc_id": 1}))["rows"]
    assert [(row["id"], row["text"]) for row in found] == [(1, "0"), (2, "2")]


REASONS = [
    {"code": "blurred", "kind": "retry", "label": "Blurred", "customer_text": {"en": "Again", "de": "Nochmal"}},
    {"code": "fraud", "kind": "final", "label": "Fraud", "customer_text": {"fr": "Non"}},
    {"code": "blurred", "kind": "retry", "label": "Unsharp", "customer_text": {"en": "Once more"}, "brand": "beta"},
    {"code": "silent", "kind": "final", "label": "Silent"},
]


async def test_reasons_are_those_of_the_brand_and_of_all(open_daemon):
    daemon = await open_daemon(backoffice={"reasons": REASONS})

    async def labels(brand):
        return [row["label"] for row in (await daemon.boss.call("MngGetKycReasons", {"brand": brand}))["rows"]]

    assert await labels("acme") == ["Blurred", "Fraud", "Silent"]
    assert await labels("beta") == ["Fraud", "Unsharp", "Silent"]
    assert (await daemon.manager().call("MngGetKycReasons", {"brand": "beta"})) == {"rows": []}


async def test_there_are_usual_reasons(daemon):
    rows = (await daemon.boss.call("MngGetKycReasons", {"brand": "acme"}))["rows"]
    assert {row["kind"] for row in rows} == {"retry", "final"}
    assert all(row["customer_text"]["en"] and row["label"] for row in rows)


async def test_customers_are_told_why_in_their_language(open_daemon):
    daemon = await open_daemon(backoffice={"reasons": REASONS, "language": "de"})
    step = await daemon.pending()
    document = (await daemon.document(step_id=step))["id"]
    customer = daemon.customer()

    async def told(lang):
        status = await customer.call("CustomerGetKycStatus", {"lang": lang})
        shown = await customer.call("CustomerGetKycStep", {"id": step, "lang": lang})
        (listed,) = (await customer.call("CustomerGetKycDocuments", {"lang": lang}))["rows"]
        assert shown["step"] == status["steps"][0]
        assert shown["documents"][0] == status["documents"][0] == listed
        return shown["step"]["reason_text"], listed["reason_text"]

    assert await told("") == ("", "")
    await daemon.boss.call("MngRejectKycStep", {"id": step, "reason": "blurred"})
    await daemon.boss.call("MngRejectKycDocument", {"id": document, "reason": "fraud"})
    assert await told("") == ("Nochmal", "Non")
    assert await told("en-GB") == ("Again", "Non")
    assert await told("pl") == ("Nochmal", "Non")
    await customer.call("CustomerSubmitKycStep", {"id": step})
    await daemon.boss.call("MngApproveKycStep", {"id": step, "reason": "blurred"})
    assert (await told(""))[0] == ""


async def test_filters_belong_to_one_reviewer(daemon):
    me, admin = daemon.manager(sub=5), daemon.manager(sub=5, type=SessionType.ADMIN)
    for name in ("b", "a"):
        assert await daemon.traces(lambda name=name: me.call("MngSaveKycFilter", {"name": name, "filter": {}})) == (
            ["filter.saved"],
            [],
        )
    daemon.now += 1
    kept = {"brand": "acme", "level": 2, "order": "age", "assignee": 0}
    await me.call("MngSaveKycFilter", {"name": "b", "filter": kept})
    rows = (await me.call("MngGetKycFilters"))["rows"]
    assert [(row["name"], row["filter"], row["updated_time"]) for row in rows] == [
        ("a", {}, daemon.now - 1),
        ("b", kept, daemon.now),
    ]
    assert await admin.call("MngGetKycFilters") == {"rows": []}
    assert (await admin.refused("MngDeleteKycFilter", {"name": "a"})) == (404, "RET_NOT_FOUND", "Filter was not found")
    await me.call("MngDeleteKycFilter", {"name": "a"})
    await daemon.restart()
    assert [row["name"] for row in (await daemon.manager(sub=5).call("MngGetKycFilters"))["rows"]] == ["b"]


async def test_a_filter_is_saved_and_forgotten_in_one_batch(daemon):
    me = daemon.manager(sub=5)
    calls = [
        me.start("MngSaveKycFilter", {"name": "a", "filter": {}}),
        me.start("MngDeleteKycFilter", {"name": "a"}),
        me.start("MngSaveKycFilter", {"name": "b", "filter": {}}),
    ]
    for call in calls:
        await call
    assert [row["name"] for row in (await me.call("MngGetKycFilters"))["rows"]] == ["b"]
    assert daemon.rows("SELECT name FROM queue_filter") == [("b",)]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"limit": 1}, "filter.limit"),
        ({"x": 1}, "filter.x"),
        ({"level": "1"}, "filter.level"),
        ({"order": "x"}, "filter.order"),
    ],
)
async def test_a_filter_that_the_queue_would_refuse_is_not_kept(daemon, given, field):
    assert await daemon.boss.faults("MngSaveKycFilter", {"name": "a", "filter": given}) == [(field, "invalid")]


async def test_a_reviewer_keeps_so_many_filters(daemon):
    calls = [daemon.boss.start("MngSaveKycFilter", {"name": f"f{n}", "filter": {}}) for n in range(50)]
    for call in calls:
        await call
    status, _, message = await daemon.boss.refused("MngSaveKycFilter", {"name": "one more", "filter": {}})
    assert (status, message) == (409, "50 filters are kept already; delete one first")
    await daemon.boss.call("MngSaveKycFilter", {"name": "f7", "filter": {"level": 1}})
