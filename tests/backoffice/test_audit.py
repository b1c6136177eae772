"""The audit explorer: filters, pages, who looked, the chain, and exports that are safe to open."""

import csv
import io
import re

import aiohttp
import msgspec
import pytest

from kycmanager.backoffice import audit, exports
from kycmanager.backoffice.audit import Filter, change_of, said
from kycmanager.backoffice.exports import guarded
from kycmanager.domain.errors import Code, KycError
from kycmanager.ports import AuditQuery


def shown(answer):
    """The actions of the rows, without the looks at the audit itself."""
    found = re.findall(r'data-row="audit-\d+".*?<code>([a-z_.]+)</code>', answer.text, re.DOTALL)
    return [action for action in found if action != "access.search"]


async def looks(office):
    return [row for row in await office.audit() if row.action.startswith("access.") and "audit" in row.details]


async def test_who_did_what_is_shown_newest_first_with_the_way_to_the_case(office, ann):
    kyc_id = await office.case(7, risk=3)
    await office.case(8, brand="zeta")
    page = await ann.get("/audit")
    assert shown(page)[:3] == ["step.submitted", "profile.risk", "profile.required_level"]
    assert f'<a href="/backoffice/cases/{kyc_id}">7</a>' in page.text
    assert "admin 99 rest profile.risk" in page.words
    assert "zeta" not in page.text
    assert "pending" in page.words
    (look,) = await looks(office)
    assert (look.actor_id, look.action, look.source, look.details) == (1, "access.search", "backoffice", {"audit": {}})


async def test_filters(office, ann):
    await office.case(7)
    await office.case(8)
    office.now += 90
    await office.case(9)
    every = {"customer": "8", "actor": "99", "action": "step.submitted", "brand": "acme"}
    assert shown(await ann.get("/audit?customer=9&action=step.submitted")) == ["step.submitted"]
    for query, count in (
        ("action=step.submitted", 3), ("action=step.submitted&customer=8", 1), ("case=2&action=step.submitted", 1),
        ("step=3&action=step.submitted", 1), ("document=1", 0), ("brand=zeta", 0), ("actor=7&action=step.submitted", 1),
        ("action=step.submitted&since=2027-01-15T08:01", 1), ("action=step.submitted&until=2027-01-15T08:00", 2),
        ("action=step.submitted&since=2027-01-15&until=2027-01-15", 3), ("until=2027-01-14", 0), ("nonsense=1&actor=8", 1),
        ("action=user.signed_in&actor=ann", 0), ("actor=Ann", 0),
    ):  # fmt: skip
        assert len(shown(await ann.get(f"/audit?{query}"))) == count, query
    page = await ann.get("/audit?customer=8&actor=99&action=step.required&brand=acme")
    assert 'value="8"' in page.text
    assert "<option selected>step.required</option>" in page.text
    assert Filter.of(every).given == every
    assert (await looks(office))[-1].details["audit"] == {**every, "action": "step.required"}


async def test_a_filter_that_cannot_be_is_told(office, ann):
    for query, told in (
        ("customer=x", "customer: must be a number above 0."), ("case=0", "case: must be a number above 0."),
        ("actor=nobody", "actor: is no user's name and no number above 0."),
        ("since=yesterday", "since: must be a day such as 2026-01-31"), ("until=1969-01-01", "until: must be a day"),
        ("brand=%3Cscript%3E", "brand: "), ("action=" + "a" * 65, "action: "),
    ):  # fmt: skip
        page = await ann.get(f"/audit?{query}")
        assert (page.status, told in page.words) == (200, True), query
        assert "<script>" not in page.text
    part = await ann.get("/audit/rows?after=x", headers={"HX-Request": "true"})
    assert (part.status, "after: " in part.words) == (400, True)


async def test_an_action_nobody_lists_stays_chosen(office, ann):
    page = await ann.get("/audit?action=of.yesterday")
    assert "<option selected>of.yesterday</option>" in page.text
    assert "Nothing was found." in page.words


async def test_rows_come_a_page_at_a_time_and_what_is_rare_is_looked_for_further_back(office, ann, monkeypatch):
    await office.template()
    for number in range(20):
        await office.case(number + 1)
    monkeypatch.setattr(audit, "LOOK", 15)
    page = await ann.get("/audit?action=template.added")
    assert "Nothing so far. Look further back" in page.words
    pages = 0
    while more := re.search(r'hx-get="(/backoffice/audit/rows\?[^"]+after=\d+)" hx-target', page.text):
        page = await ann.ask("GET", more[1].replace("&amp;", "&"), headers={"HX-Request": "true"})
        assert "<html" not in page.text
        pages += 1
    assert (shown(page), pages > 3) == (["template.added"], True)
    assert len(await looks(office)) == pages + 1


async def test_the_end_of_the_chain_is_shown(office, ann):
    head = office.app.core.store.audit_head()
    page = await ann.get("/audit")
    later = office.app.core.store.audit_head()
    assert later.audit_id == head.audit_id + 1
    assert later.hash in page.text
    assert "Written down outside the base not yet" in page.words
    await office.app.core.tell_head()
    assert "Written down outside the base 2027-01-15 08:00" in (await ann.get("/audit")).words


async def test_the_export_holds_what_the_filters_show_and_is_in_the_audit(office, ann):
    await office.case(7)
    await office.case(8)
    answer = await ann.get("/audit/export?as=jsonl&customer=8")
    assert answer.headers["Content-Type"] == "application/jsonl; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="audit-2027-01-15T080000Z.jsonl"'
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    rows = [msgspec.json.decode(line) for line in answer.text.splitlines()]
    kept, _, _ = await office.app.core.store.audit(AuditQuery(brands=None, customer_id=8))
    assert rows == [msgspec.to_builtins(row) for row in kept]
    (look,) = await looks(office)
    assert (look.action, look.details) == ("access.export", {"audit": {"customer": "8"}, "as": "jsonl"})
    table = list(csv.DictReader(io.StringIO((await ann.get("/audit/export?as=csv&customer=8")).text)))
    assert [row["action"] for row in table] == [row["action"] for row in rows]
    assert table[0]["time"] == "2027-01-15T08:00:00Z"
    assert table[0]["actor"] == "customer 8"
    assert table[0]["change"].endswith("pending")
    assert msgspec.json.decode(table[0]["details"]) == rows[0]["details"]


async def test_an_export_goes_out_in_chunks_and_leaves_nothing_out(office, ann, monkeypatch):
    monkeypatch.setattr(exports, "CHUNK_ROWS", 3)
    monkeypatch.setattr(exports, "LOOK", 7)
    for number in range(5):
        await office.case(number + 1)
    ids = [msgspec.json.decode(line)["id"] for line in (await ann.get("/audit/export?as=jsonl")).text.splitlines()]
    newest = (await looks(office))[-1].id
    mine = [row.id for row in await office.audit() if row.brand == "acme" and row.id <= newest]
    assert ids == mine[::-1]


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@x", "'@x"), ("\t=1", "'\t=1"), ("\r=1", "'\r=1"),
        (" =1", "' =1"), ("＝1", "'＝1"), ("plain", "plain"), ("1=1", "1=1"), (5, "5"), ("", ""), ("\n=1", "'\n=1"),
    ],
)  # fmt: skip
def test_no_cell_is_a_formula(value, cell):
    assert guarded(value) == cell


async def test_what_reviewers_wrote_reaches_no_spreadsheet_as_a_formula(office, ann):
    await office.case(7)
    data = {"id": 1, "reason": "=HYPERLINK(1)", "comment": '@a\n"b",c'}
    await office.rest("/manager/kyc/steps/1/reject", office.token(1, 5, ("acme",)), data)
    table = list(csv.DictReader(io.StringIO((await ann.get("/audit/export?as=csv&action=step.rejected")).text)))
    assert [(row["reason"], row["comment"]) for row in table] == [("'=HYPERLINK(1)", '\'@a\n"b",c')]


async def test_an_export_that_cannot_be_is_refused_before_it_begins(office, ann, monkeypatch):
    for query, told in (
        ("as=xml", "as: must be one of csv, jsonl"),
        ("as=csv&customer=x", "customer: must be"),
        ("", "as: "),
    ):
        answer = await ann.get(f"/audit/export?{query}")
        assert (answer.status, told in answer.words) == (400, True)
        assert "Content-Disposition" not in answer.headers
    assert await looks(office) == []
    monkeypatch.setattr(exports, "AT_ONCE", 0)
    answer = await ann.get("/audit/export?as=csv")
    assert (answer.status, "Too many exports are under way" in answer.words) == (429, True)


@pytest.mark.parametrize("error", [KycError(Code.OVERLOADED, "Full"), RuntimeError("broken")])
async def test_an_export_that_cannot_be_ended_breaks_off(office, ann, monkeypatch, error):
    from kycmanager.pages.gateway import Gateway

    monkeypatch.setattr(exports, "CHUNK_ROWS", 2)
    await office.case(7)
    whole, asked = Gateway.run, []

    async def run(self, session, command, data=None):
        asked.append(command)
        if asked.count("MngGetKycAudit") == 2:
            raise error
        return await whole(self, session, command, data)

    monkeypatch.setattr(Gateway, "run", run)
    with pytest.raises((aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError)):
        await ann.get("/audit/export?as=csv")


async def test_an_export_ends_with_the_sign_in(office, ann, monkeypatch):
    monkeypatch.setattr(exports, "CHUNK_ROWS", 2)
    await office.case(7)
    login = office.app.core.cache.users.logins()[-1].id
    pages = [page for page in office.app.backoffice._runner.app.router.routes() if "export" in page.resource.canonical]
    sent = []

    def lives(login_id):
        sent.append(login_id)
        return len(sent) < 2

    monkeypatch.setattr(pages[0].handler.__self__, "_lives", lives)
    with pytest.raises((aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError)):
        await ann.get("/audit/export?as=csv")
    assert sent == [login, login]


def test_what_became_of_a_status_is_told_in_words():
    def row(action, before, after):
        return {"action": action, "old_status": before, "new_status": after}

    assert change_of(row("step.approved", 1, 2)) == "pending → approved"
    assert change_of(row("step.saved", 1, 1)) == ""
    assert change_of(row("file.refused", 1, 2)) == "1 → 2"
    assert change_of(row("step.approved", 1, 99)) == "1 → 99"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (["a", 1], "a, 1"), ([], "none"), (True, "yes"), (False, "no"), (None, "none"), (5, "5"), ("x", "x"),
        ({"a": [1]}, '{"a":[1]}'), ({"a": 1, "b": "c"}, "a 1, b c"), ({}, "everything"), ([{"a": 1}], '[{"a":1}]'), (1.5, "1.5"),
    ],
)  # fmt: skip
def test_details_are_told_as_people_read_them(value, text):
    assert said(value) == text
