"""Templates: added, changed, removed or archived."""

import pytest

from kycmanager.domain.errors import KycError

ADD, UPDATE, DELETE, SHOW, LIST = (
    "MngAddKycStepTemplate",
    "MngUpdateKycStepTemplate",
    "MngDeleteKycStepTemplate",
    "MngGetKycStepTemplate",
    "MngGetKycStepTemplates",
)
MISSING = (404, "RET_NOT_FOUND", "Template was not found")
TAKEN = (409, "DUPLICATE_RECORD", "code: this brand has a template with this code already")
SCHEMA = {"sections": [{"fields": [{"name": "city", "type": "text"}]}]}


async def test_adding_gives_the_whole_record(daemon):
    reply = await daemon.manager().call(ADD, {"brand": "acme", "code": "id", "level": 2})
    assert reply["template"] == {
        "id": 1, "brand": "acme", "level": 2, "code": "id", "name": "", "description": "", "step_type": 0,
        "required": 1, "status": 0, "sort_index": 0, "requirements": {}, "form_schema": {},
        "created_time": daemon.now, "updated_time": daemon.now, "version": 1,
    }  # fmt: skip


async def test_adding_keeps_every_field(daemon):
    given = {
        "brand": "acme", "code": "a.b-c:d", "level": 100, "name": "Ünïcode", "description": "d" * 4000,
        "step_type": 4, "required": 0, "sort_index": -5, "requirements": {"documents": ["passport"]},
        "form_schema": SCHEMA,
    }  # fmt: skip
    made = (await daemon.manager().call(ADD, given))["template"]
    await daemon.restart()
    (kept,) = (await daemon.manager().call(LIST))["rows"]
    assert kept == made
    assert {name: kept[name] for name in given} == given


async def test_one_is_shown_by_its_id(daemon):
    made = await daemon.template()
    assert await daemon.manager().call(SHOW, {"id": made["id"]}) == {"template": made}
    assert await daemon.manager().refused(SHOW, {"id": 99}) == MISSING
    assert await daemon.manager(("zeta",)).refused(SHOW, {"id": made["id"]}) == MISSING


async def test_unknown_keys_and_status_are_ignored(daemon):
    made = await daemon.template(status=2, file_name="x", __access={"session": 3})
    assert made["status"] == 0
    assert "file_name" not in made


async def test_adding_names_what_it_refuses(daemon):
    hidden = {"sections": [{"fields": [{"name": "a", "type": "text"}, {"type": "text"}]}]}
    for change, field in (
        ({"brand": "a b"}, "brand"),
        ({"brand": "a" * 65}, "brand"),
        ({"brand": ""}, "brand"),
        ({"brand": "acme\n"}, "brand"),
        ({"code": "with space"}, "code"),
        ({"code": "c" * 65}, "code"),
        ({"level": 0}, "level"),
        ({"level": 101}, "level"),
        ({"level": "1"}, "level"),
        ({"step_type": 5}, "step_type"),
        ({"required": 2}, "required"),
        ({"required": True}, "required"),
        ({"name": "n" * 201}, "name"),
        ({"description": "d" * 4001}, "description"),
        ({"sort_index": 2**31}, "sort_index"),
        ({"requirements": []}, "requirements"),
        ({"form_schema": []}, "form_schema"),
        ({"form_schema": {"sections": {}}}, "sections"),
        ({"form_schema": hidden}, "sections[0].fields[1].name"),
    ):
        data = {"brand": "acme", "code": "id", "level": 1, **change}
        status, name, message = await daemon.boss.refused(ADD, data)
        assert (status, name) == (400, "INVALID_DATA")
        assert message.startswith(f"{field}: ")
    for field in ("brand", "code", "level"):
        data = {"brand": "acme", "code": "id", "level": 1}
        del data[field]
        assert await daemon.boss.refused(ADD, data) == (400, "INVALID_DATA", f"{field}: is required")
    assert (await daemon.boss.call(LIST))["count"] == 0


async def test_a_code_is_taken_within_its_brand_only(daemon):
    await daemon.template("id")
    assert await daemon.manager().refused(ADD, {"brand": "acme", "code": "id", "level": 1}) == TAKEN
    assert (await daemon.template("id", brand="other"))["id"] == 2
    assert (await daemon.template("ID"))["id"] == 3


async def test_updating_changes_the_given_fields_only(daemon):
    made = await daemon.template("id", name="Old", sort_index=3)
    daemon.now += 60
    reply = await daemon.manager().call(UPDATE, {"id": made["id"], "name": "New", "status": 1})
    assert reply["template"] == {**made, "name": "New", "status": 1, "version": 2, "updated_time": daemon.now}


@pytest.mark.parametrize(
    "change",
    [
        {"brand": "other"}, {"code": "new"}, {"level": 9}, {"name": "N"}, {"description": "D"}, {"step_type": 4},
        {"required": 0}, {"status": 2}, {"sort_index": 7}, {"requirements": {"a": 1}}, {"form_schema": SCHEMA},
    ],
)  # fmt: skip
async def test_every_field_can_be_updated(daemon, change):
    made = await daemon.template("id")
    reply = await daemon.boss.call(UPDATE, {"id": made["id"], **change})
    assert reply["template"] == {**made, **change, "version": 2}
    for _ in range(2):
        assert (await daemon.boss.call(LIST))["rows"] == [reply["template"]]
        await daemon.restart()


async def test_updating_checks_the_schema_and_the_code(daemon):
    first, second = await daemon.template("one"), await daemon.template("two")
    data = {"id": first["id"], "form_schema": {"sections": [{"fields": [{"name": "", "type": "text"}]}]}}
    assert await daemon.boss.faults(UPDATE, data) == [("sections[0].fields[0].name", "required")]
    assert await daemon.boss.refused(UPDATE, {"id": second["id"], "code": "one"}) == TAKEN
    assert (await daemon.boss.call(UPDATE, {"id": second["id"], "code": "two"}))["template"]["version"] == 2


HALF = "x" * (128 * 1024)
LONG = "form_schema and requirements together have at most 256 KiB as JSON"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"form_schema": {"title": HALF + HALF}}, "form_schema"),
        ({"requirements": {"text": HALF + HALF}}, "requirements"),
        ({"form_schema": {"title": HALF + "1"}, "requirements": {"text": HALF}}, "form_schema"),
        ({"form_schema": {"title": HALF}, "requirements": {"text": HALF + "12"}}, "requirements"),
    ],
)
async def test_a_template_is_only_so_long(daemon, change, field):
    refusal = (400, "INVALID_DATA", f"{field}: {LONG}")
    assert await daemon.boss.refused(ADD, {"brand": "acme", "code": "id", "level": 1, **change}) == refusal
    made = await daemon.template("id")
    assert await daemon.boss.refused(UPDATE, {"id": made["id"], **change}) == refusal


async def test_an_update_counts_what_stays(daemon):
    made = await daemon.template("id", form_schema={"title": HALF}, requirements={"text": HALF[:-25]})
    change = {"id": made["id"], "form_schema": {"title": HALF + "123"}}
    assert await daemon.boss.refused(UPDATE, change) == (400, "INVALID_DATA", f"form_schema: {LONG}")
    change["form_schema"] = {"title": HALF + "12"}
    assert (await daemon.boss.call(UPDATE, change))["template"]["version"] == 2
    change = {"id": made["id"], "requirements": {"text": HALF[:-24]}}
    assert await daemon.boss.faults(UPDATE, change) == [("requirements", "too_long")]


async def test_a_freed_code_can_be_taken(daemon):
    first, second = await daemon.template("one"), await daemon.template("two")
    await daemon.boss.call(UPDATE, {"id": first["id"], "code": "free"})
    await daemon.boss.call(UPDATE, {"id": second["id"], "code": "one"})
    assert (await daemon.template("two"))["id"] == 3


async def test_a_template_goes_to_a_brand_in_reach_only(daemon):
    made = await daemon.template("id")
    assert await daemon.manager().refused(UPDATE, {"id": made["id"], "brand": "other"}) == MISSING
    await daemon.template("id", brand="other")
    data = {"id": made["id"], "brand": "other"}
    assert await daemon.manager(("acme", "other")).refused(UPDATE, data) == TAKEN


async def test_steps_keep_the_text_they_were_made_from(daemon):
    step_id = await daemon.step("id", form_schema=SCHEMA, requirements={"n": 1})
    await daemon.boss.call(UPDATE, {"id": 1, "form_schema": {}, "requirements": {"n": 2}, "name": "Other"})
    await daemon.restart()
    shown = await daemon.shown(step_id)
    assert (shown["form_schema"], shown["requirements"], shown["name"]) == (SCHEMA, {"n": 1}, "")
    assert shown["template_version"] == 1
    other = await daemon.step("id", customer=8)
    assert ((await daemon.shown(other))["requirements"], (await daemon.shown(other))["template_version"]) == (
        {"n": 2},
        2,
    )


async def test_an_unused_template_is_removed(daemon):
    made = await daemon.template("id")
    assert await daemon.manager().call(DELETE, {"id": made["id"]}) == {"accepted": True}
    assert (await daemon.boss.call(LIST))["rows"] == []
    assert await daemon.boss.refused(DELETE, {"id": made["id"]}) == MISSING
    assert (await daemon.template("id"))["id"] == 2
    await daemon.restart()
    assert [row["id"] for row in (await daemon.boss.call(LIST))["rows"]] == [2]


async def test_a_used_template_is_archived_and_keeps_its_code(daemon):
    step_id = await daemon.step("id")
    await daemon.boss.call("MngSkipKycStep", {"id": step_id})
    assert await daemon.manager().call(DELETE, {"id": 1}) == {"accepted": True}
    (row,) = (await daemon.boss.call(LIST))["rows"]
    assert (row["status"], row["version"]) == (2, 2)
    assert await daemon.boss.refused(ADD, {"brand": "acme", "code": "id", "level": 1}) == TAKEN
    await daemon.restart()
    assert await daemon.boss.refused(ADD, {"brand": "acme", "code": "id", "level": 1}) == TAKEN


@pytest.mark.parametrize("command", [UPDATE, DELETE])
async def test_bad_and_missing_ids(daemon, command):
    for bad in (0, -1, "1", 1.5, True, None, 2**53):
        assert await daemon.boss.refused(command, {"id": bad}) == (400, "INVALID_DATA", "Invalid template id")
    assert await daemon.boss.refused(command, {}) == (400, "INVALID_DATA", "Invalid template id")
    assert await daemon.boss.refused(command, {"id": 1}) == MISSING


async def test_a_code_swap_in_one_batch(daemon):
    one, two = await daemon.template("one"), await daemon.template("two")
    boss = daemon.boss
    calls = [
        boss.start(UPDATE, {"id": one["id"], "code": "free"}),
        boss.start(UPDATE, {"id": two["id"], "code": "one"}),
        boss.start(UPDATE, {"id": one["id"], "code": "two"}),
    ]
    assert [(await call)["template"]["code"] for call in calls] == ["free", "one", "two"]
    for _ in range(2):
        rows = (await boss.call(LIST))["rows"]
        assert {row["id"]: row["code"] for row in rows} == {1: "two", 2: "one"}
        with pytest.raises(KycError):
            await daemon.template("one")
        await daemon.restart()


async def test_made_changed_and_removed_in_one_batch(daemon):
    calls = [
        daemon.boss.start(ADD, {"brand": "acme", "code": "id", "level": 1}),
        daemon.boss.start(UPDATE, {"id": 1, "name": "x"}),
        daemon.boss.start(DELETE, {"id": 1}),
        daemon.boss.start(ADD, {"brand": "acme", "code": "id", "level": 2}),
    ]
    assert [await call for call in calls][3]["template"]["id"] == 2
    assert [event.kind for event in daemon.events] == [
        "template.added", "template.updated", "template.deleted", "template.added",
    ]  # fmt: skip
    for _ in range(2):
        assert [row["level"] for row in (await daemon.boss.call(LIST))["rows"]] == [2]
        await daemon.restart()
    assert daemon.rows("SELECT template_id, version FROM template_text") == [(2, 1)]
