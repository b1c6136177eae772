"""Search by answers through the core: what is found, when it goes, and what stays true whatever ends the daemon."""

import asyncio
import contextlib
import shutil
import sqlite3

import msgspec
import pytest

from kycmanager.commands import lookup as lookup_rows
from kycmanager.domain.errors import KycError
from kycmanager.domain.lookup import DIGEST_BYTES, WHOLE
from kycmanager.key_files import KeyFileError
from kycmanager.ports import OutcomeUnknown, StoreFull, StoreRefused
from kycmanager.store.sqlite.survey import survey
from kycmanager.vault import index

FIELDS = {"who": "text", "born": "date", "size": "number", "lands": "multi_select", "org.name": "text"}
FORM = {"sections": [{"fields": [{"name": name, "type": kind} for name, kind in FIELDS.items()]}]}
SEARCHED = {"backoffice": {"search_fields": ["who", "born", "size", "lands", "org.name"]}}


async def fill(daemon, customer=7, brand="acme", code="form", **answers):
    """Have a customer hand a form in; return the step's id."""
    step_id = await daemon.step(code, customer, brand, form_schema=FORM)
    await daemon.customer(customer, brand).call("CustomerSubmitKycStep", {"id": step_id, "answers": answers})
    return step_id


async def search(daemon, value, field="who", caller=None, **more):
    return await (caller or daemon.boss).call("MngSearchKyc", {"field": field, "value": value, **more})


async def found(daemon, value, field="who", caller=None):
    answer = await search(daemon, value, field, caller)
    assert answer["count"] == len(answer["rows"])
    return [row["customer_id"] for row in answer["rows"]]


def kept(daemon):
    return daemon.rows("SELECT step_id, length(digests) FROM lookup ORDER BY step_id")


def mark(daemon):
    return daemon.rows("SELECT key, fields, cursor FROM lookup_mark")


async def reset(daemon, **settings):
    """Start again with other settings, and index."""
    daemon._settings = settings
    await daemon.restart()
    await daemon.core.safe.index()


def sound(daemon):
    return survey(daemon.folder / "bases" / "kyc.db", lambda *_: None).faults


@pytest.fixture
async def searched(open_daemon):
    daemon = await open_daemon(**SEARCHED)
    await daemon.core.safe.index()
    return daemon


async def test_without_fields_nothing_is_kept_and_no_key_made(daemon):
    await fill(daemon, who="Ann")
    await daemon.core.safe.index()
    assert (kept(daemon), mark(daemon)) == ([], [])
    assert not daemon.core.cache.lookup.live
    assert daemon.core.safe.vault.keyring.lookup_keys() == []
    assert (await daemon.boss.call("MngGetKycSearchFields"))["fields"] == []
    told = await daemon.boss.refused("MngSearchKyc", {"field": "who", "value": "Ann"})
    assert told[1:] == ("INVALID_DATA", "field: answers to it may not be searched; backoffice.search_fields names none that may")  # fmt: skip


async def test_what_is_handed_in_is_found_however_it_is_spelt(searched):
    step_id = await fill(
        searched,
        **{"who": "Ann  Example", "born": "2000-01-05", "size": 1.5, "lands": ["DE", "FR"], "org.name": "ACME ß"},
    )
    for field, values in {
        "who": ["Ann Example", " ANN example"], "born": ["2000-01-05", "2000-1-5"], "size": ["1.5", "1.50"],
        "lands": ["de", "FR"], "org.name": ["acme SS"],
    }.items():  # fmt: skip
        for value in values:
            assert await found(searched, value, field) == [7], (field, value)
    for field, value in [("who", "Ann"), ("born", "Ann Example"), ("size", "15"), ("lands", "DE FR"), ("who", "1.5")]:
        assert await found(searched, value, field) == [], (field, value)
    assert kept(searched) == [(step_id, 6 * DIGEST_BYTES)]
    assert await searched.boss.call("MngGetKycSearchFields") == {"fields": list(FIELDS)}


async def test_drafts_are_not_found_and_corrections_take_the_place_of_what_was(searched):
    step_id = await searched.step("form", form_schema=FORM)
    customer = searched.customer()
    await customer.call("CustomerSaveKycAnswers", {"id": step_id, "answers": {"who": "Draft"}})
    assert (await found(searched, "Draft"), kept(searched)) == ([], [])
    await customer.call("CustomerSubmitKycStep", {"id": step_id, "answers": {}})
    assert await found(searched, "Draft") == [7]
    searched.now += 10
    await searched.boss.call("MngRejectKycStep", {"id": step_id, "reason": "blurred"})
    assert await found(searched, "Draft") == [7]
    searched.now += 10
    await customer.call("CustomerSaveKycAnswers", {"id": step_id, "answers": {"who": "Second"}})
    assert (await found(searched, "Draft"), await found(searched, "Second"), kept(searched)) == ([], [], [])
    await customer.call("CustomerSubmitKycStep", {"id": step_id, "answers": {"who": "Third"}})
    await searched.boss.call("MngApproveKycStep", {"id": step_id})
    assert [await found(searched, name) for name in ("Draft", "Second", "Third")] == [[], [], [7]]
    await searched.restart()
    assert [await found(searched, name) for name in ("Draft", "Second", "Third")] == [[], [], [7]]


async def test_what_ran_out_is_found_until_it_is_handed_in_anew(searched):
    first = await fill(searched, who="Ann Old")
    await searched.boss.call("MngApproveKycStep", {"id": first, "expire_time": searched.now + 5})
    searched.now += 10
    await searched.core.expire_due()
    assert await found(searched, "Ann Old") == [7]
    second = await fill(searched, who="Ann New")
    assert second != first
    assert [await found(searched, name) for name in ("Ann Old", "Ann New")] == [[], [7]]
    await reset(searched)
    await reset(searched, **SEARCHED)
    assert [await found(searched, name) for name in ("Ann Old", "Ann New")] == [[], [7]]


async def test_brands_do_not_see_each_other(searched):
    await fill(searched, 7, who="Ann")
    await fill(searched, 8, "zeta", who="Ann")
    assert await found(searched, "Ann") == [7, 8]
    assert await found(searched, "Ann", caller=searched.manager(("acme",))) == [7]
    assert await found(searched, "Ann", caller=searched.manager(("zeta", "none"))) == [8]
    assert await found(searched, "Ann", caller=searched.manager(("none",))) == []
    assert (await search(searched, "Ann", brand="zeta"))["count"] == 1
    digests = searched.rows("SELECT digests FROM lookup")
    assert digests[0] != digests[1]


async def test_a_value_of_two_steps_and_many_profiles(searched):
    first = await fill(searched, 7, who="Ann", born="2000-01-01")
    await fill(searched, 7, code="more", who="ann")
    await fill(searched, 8, who="Ann")
    await fill(searched, 9, who="Ann")
    assert await found(searched, "Ann") == [7, 8, 9]
    rows = await search(searched, "Ann", limit=2)
    assert [row["customer_id"] for row in (await search(searched, "Ann", limit=2, after=rows["next"]))["rows"]] == [9]
    assert (await search(searched, "Ann", customer_id=8))["count"] == 1
    searched.now += 5
    await searched.boss.call("MngRejectKycStep", {"id": first, "reason": "blurred"})
    await searched.customer().call("CustomerSubmitKycStep", {"id": first, "answers": {"who": "Bea"}})
    assert (await found(searched, "Ann"), await found(searched, "Bea")) == ([7, 8, 9], [7])
    for customer in (7, 8):
        await searched.local("SysEraseKycCustomer", {"customer_id": customer, "brand": "acme"})
    assert (await found(searched, "Ann"), await found(searched, "Bea")) == ([9], [])
    await searched.local("SysEraseKycCustomer", {"customer_id": 9, "brand": "acme"})
    assert (await found(searched, "Ann"), kept(searched)) == ([], [])
    assert (searched.core.cache.lookup._found, searched.core.cache.lookup._held) == ({}, {})


async def test_an_erased_customer_leaves_no_row_even_where_the_index_is_not_in_use(open_daemon):
    daemon = await open_daemon(**SEARCHED)
    await daemon.core.safe.index()
    await fill(daemon, 7, who="Ann")
    step_id = await fill(daemon, 8, who="Bea")
    (digests,) = [bytes(row[0]) for row in daemon.rows("SELECT digests FROM lookup WHERE step_id <> ?", step_id)]
    daemon._settings = {"backoffice": {"search_fields": ["born"]}}
    await daemon.restart()  # a command of the operator without a daemon: nobody indexes
    assert (await search(daemon, "Ann", "born"))["partial"]
    await daemon.local("SysEraseKycCustomer", {"customer_id": 7, "brand": "acme"})
    assert [row[0] for row in kept(daemon)] == [step_id]
    await daemon.core.close()
    assert not [path for path in (daemon.folder / "bases").glob("kyc.db*") if digests in path.read_bytes()]


async def test_the_audit_names_the_field_and_never_the_value(searched):
    await fill(searched, who="Ann")
    await search(searched, "Ann")
    await search(searched, "Ann", customer_id=7)
    rows = [row.details for row in await searched.audit() if row.action == "access.search"]
    assert rows == [{"field": "who", "found": 1}, {"customer_id": 7, "field": "who", "found": 1}]
    told = searched.rows("SELECT count(*) FROM audit WHERE details LIKE '%Ann%'")
    assert told == [(0,)]


@pytest.mark.parametrize(
    ("asked", "field", "message"),
    [
        ({"field": "who"}, "value", "value: is needed with a field"),
        ({"field": "who", "value": " "}, "value", "value: is needed with a field"),
        ({"value": "Ann"}, "field", "field: is needed with a value"),
        ({"field": "other", "value": "Ann"}, "field", "only those to who, born, size, lands, org.name may"),
        ({"field": "who", "value": "x" * 1001}, "value", "value"),
    ],
)
async def test_what_is_refused(searched, asked, field, message):
    assert await searched.boss.faults("MngSearchKyc", asked) == [(field, "invalid")]
    assert message in (await searched.boss.refused("MngSearchKyc", asked))[2]
    assert [row for row in await searched.audit() if row.action == "access.search"] == []


async def test_the_index_is_made_of_what_is_there_and_is_partial_until_then(daemon, monkeypatch):
    monkeypatch.setattr(index, "PROFILES_AT_ONCE", 3)
    for customer in range(1, 8):
        await fill(daemon, customer, who=f"name {customer}")
    daemon._settings = SEARCHED
    await daemon.restart()
    assert await search(daemon, "name 1") | {"extID": 0} == {
        "extID": 0, "rows": [], "count": 0, "next": None, "partial": True
    }  # fmt: skip
    assert (await daemon.boss.call("MngGetKycSearchFields"))["partial"] is True
    told = []
    await daemon.core.safe._index.follow(lambda *given: told.append(given))
    assert told == [("answers", done, 7) for done in (3, 6, 7, 7)]
    assert [await found(daemon, f"name {customer}") for customer in range(1, 8)] == [[each] for each in range(1, 8)]
    assert "partial" not in await search(daemon, "name 1")
    (key,) = daemon.core.safe.vault.keyring.lookup_keys()
    assert mark(daemon) == [(key, '["born","lands","org.name","size","who"]', WHOLE)]
    assert [row.action for row in await daemon.audit() if "index" in row.action] == []
    assert sound(daemon) == []


async def test_another_list_has_another_index_and_key_and_none_has_none(searched):
    await fill(searched, who="Ann", born="2000-01-01")
    (key,) = searched.core.safe.vault.keyring.lookup_keys()
    await reset(searched, backoffice={"search_fields": ["born"]})
    assert (await found(searched, "2000-01-01", "born"), kept(searched)[0][1]) == ([7], DIGEST_BYTES)
    assert await searched.boss.faults("MngSearchKyc", {"field": "who", "value": "Ann"}) == [("field", "invalid")]
    (other,) = searched.core.safe.vault.keyring.lookup_keys()
    assert other != key
    keys = sqlite3.connect(searched.folder / "bases" / "keys.db")
    assert keys.execute("SELECT id FROM brand_key").fetchall() == [(other,)]
    await reset(searched)
    assert (kept(searched), mark(searched), searched.core.safe.vault.keyring.lookup_keys()) == ([], [], [])
    assert keys.execute("SELECT id FROM brand_key").fetchall() == []
    keys.close()
    assert sound(searched) == []


async def test_the_order_of_the_list_does_not_matter(searched):
    await fill(searched, who="Ann")
    before = mark(searched)
    await reset(searched, backoffice={"search_fields": sorted(FIELDS, reverse=True)})
    assert (mark(searched), await found(searched, "Ann")) == (before, [7])


class CutError(Exception):
    """The process is killed here."""


@pytest.mark.parametrize("after", range(4))
@pytest.mark.parametrize("when", ["before", "after"])
async def test_cut_off_at_any_part_and_gone_on_with(daemon, monkeypatch, after, when):
    monkeypatch.setattr(index, "PROFILES_AT_ONCE", 2)
    for customer in range(1, 6):
        await fill(daemon, customer, who=f"name {customer}")
    daemon._settings = SEARCHED
    await daemon.restart()
    safe, count = daemon.core.safe, 0
    run = safe._index._run

    async def cut(command, data):
        nonlocal count
        count += 1
        if count > after and when == "before":
            raise CutError
        await run(command, data)
        if count > after:
            raise CutError

    monkeypatch.setattr(safe._index, "_run", cut)
    with pytest.raises(CutError):
        await safe.index()
    await fill(daemon, 3, code="more", who="meanwhile")
    await daemon.local("SysEraseKycCustomer", {"customer_id": 4, "brand": "acme"})
    await daemon.restart()
    assert sound(daemon) == []
    await daemon.core.safe.index()
    assert [await found(daemon, f"name {customer}") for customer in range(6)] == [[], [1], [2], [3], [], [5]]
    assert await found(daemon, "meanwhile") == [3]
    assert len(daemon.core.safe.vault.keyring.lookup_keys()) == 1
    assert sound(daemon) == []


@pytest.mark.parametrize("part", range(1, 5))
async def test_what_may_not_have_arrived_is_made_anew(daemon, monkeypatch, part):
    monkeypatch.setattr(index, "PROFILES_AT_ONCE", 2)
    for customer in range(1, 4):
        await fill(daemon, customer, who=f"name {customer}")
    daemon._settings = SEARCHED
    await daemon.restart()
    store, count = daemon.core.store, 0
    commit = store.commit

    async def lost(batch):
        nonlocal count
        count += batch.lookup is not None
        if count == part:
            count += 1
            raise OutcomeUnknown("lost")
        await commit(batch)

    monkeypatch.setattr(store, "commit", lost)
    await daemon.core.safe.index()
    assert daemon.core.safe._index._doubtful
    while not daemon.core.strand.healthy:
        await asyncio.sleep(0)
    await daemon.core.safe.index()
    for _ in range(2):
        assert [await found(daemon, f"name {customer}") for customer in range(1, 4)] == [[1], [2], [3]]
        assert len(daemon.core.safe.vault.keyring.lookup_keys()) == 1
        await daemon.restart()


async def test_a_full_disk_is_waited_for(daemon, monkeypatch):
    await fill(daemon, who="Ann")
    daemon._settings = SEARCHED
    await daemon.restart()
    with monkeypatch.context() as patch:

        async def full(_batch):
            raise StoreFull

        patch.setattr(daemon.core.store, "commit", full)
        await daemon.core.safe.index()
    assert (await search(daemon, "Ann"))["partial"]
    await daemon.core.safe.index()
    assert await found(daemon, "Ann") == [7]
    assert len(daemon.core.safe.vault.keyring.lookup_keys()) == 1


async def test_a_rotation_keeps_the_index_and_old_age_the_key(searched):
    await fill(searched, who="Ann")
    before = mark(searched)
    assert (await searched.local("SysRotateKeys", {}))["keys"] == 2
    lines = (searched.folder / "keys" / "master.key").read_text().split()
    (searched.folder / "keys" / "master.key").write_text(lines[0] + "\n")
    searched.now += 30 * 86_400
    await searched.restart()
    await searched.core.safe.retire()
    await searched.restart()
    await searched.core.safe.index()
    assert (mark(searched), await found(searched, "Ann")) == (before, [7])


async def test_an_older_base_of_keys_makes_the_index_anew(daemon):
    await fill(daemon, who="Ann")
    await daemon.core.close()
    shutil.copy(daemon.folder / "bases" / "keys.db", daemon.folder / "old.db")
    await reset(daemon, **SEARCHED)
    before = mark(daemon)
    await daemon.core.close()
    shutil.copy(daemon.folder / "old.db", daemon.folder / "bases" / "keys.db")
    await daemon.restart()
    assert (await search(daemon, "Ann"))["partial"]
    await daemon.core.safe.index()
    assert await found(daemon, "Ann") == [7]
    assert mark(daemon) != before


async def test_a_damaged_key_makes_the_index_anew(searched):
    await fill(searched, who="Ann")
    await searched.core.close()
    with contextlib.closing(sqlite3.connect(searched.folder / "bases" / "keys.db")) as keys:
        keys.execute("UPDATE brand_key SET wrapped = zeroblob(length(wrapped))")
        keys.commit()
    await searched.restart()
    assert (await search(searched, "Ann"))["partial"]
    await searched.core.safe.index()
    assert await found(searched, "Ann") == [7]
    assert len(searched.core.safe.vault.keyring.lookup_keys()) == 1


async def test_lost_keys_stop_the_start_and_come_back_with_the_files(searched):
    await fill(searched, who="Ann")
    before = mark(searched)
    await searched.core.close()
    for place, fault in (("keys/master.key", KeyFileError), ("bases/keys.db", StoreRefused)):
        kept = (searched.folder / place).rename(searched.folder / "aside")
        with pytest.raises(fault, match=r"is missing"):
            await searched.restart()
        await searched.core.close()
        kept.rename(searched.folder / place)
    await searched.restart()
    assert (mark(searched), await found(searched, "Ann")) == (before, [7])


async def test_in_clear_it_works_too_and_encryption_makes_it_anew(open_daemon):
    daemon = await open_daemon(**SEARCHED, encryption={"enabled": False})
    await daemon.core.safe.index()
    await fill(daemon, 7, who="Ann")
    await fill(daemon, 8, who="Ann")
    await daemon.local("SysEraseKycCustomer", {"customer_id": 8, "brand": "acme"})
    assert (await found(daemon, "Ann"), mark(daemon)[0][0], len(kept(daemon))) == ([7], b"", 1)
    (before,) = daemon.rows("SELECT digests FROM lookup")
    await daemon.restart()
    assert await found(daemon, "Ann") == [7]
    await reset(daemon, **SEARCHED)
    assert (await found(daemon, "Ann"), len(mark(daemon)[0][0])) == ([7], 8)
    assert daemon.rows("SELECT digests FROM lookup") != [before]
    await daemon.local("SysSealOld", {})
    assert await found(daemon, "Ann") == [7]
    await reset(daemon, **SEARCHED, encryption={"enabled": False})
    assert await found(daemon, "Ann") == [7]


async def test_answers_that_do_not_open_keep_nobody_from_finding_others(daemon):
    first, second = await fill(daemon, 7, who="Ann"), await fill(daemon, 8, who="Bea")
    await daemon.core.close()
    daemon._settings = SEARCHED
    daemon.core = daemon._made()
    await daemon.core.open()
    steps = daemon.core.cache.steps
    steps[first] = msgspec.structs.replace(steps[first], answers=steps[second].answers)
    daemon.core.cache._steps_of[steps[first].kyc_id] = (steps[first],)
    await daemon.core.safe.index()
    assert (await found(daemon, "Ann"), await found(daemon, "Bea")) == ([], [8])


async def test_fields_are_looked_up_in_the_forms(daemon, monkeypatch):
    monkeypatch.setattr(lookup_rows, "TEMPLATES_AT_ONCE", 1)
    await daemon.template("first")
    assert (await daemon.local("SysCheckFields", {"fields": ["who"]}))["unknown"] == {}
    await daemon.template("other", brand="zeta")
    await daemon.step("form", form_schema=FORM)
    told = (await daemon.local("SysCheckFields", {"fields": ["who", "bornn", "xyzxyz", "org.name"]}))["unknown"]
    assert told == {"bornn": "born", "xyzxyz": ""}
    with pytest.raises(KycError):
        await daemon.local("SysIndexAnswers", {"action": "begin", "key": "x"})
