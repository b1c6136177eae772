"""The editor of templates: as people edit it, as JSON, with faults at their fields, confirmed, and saved."""

import json
import re

import pytest
from editing import confirmed, form_in, save, typed
from msgspec.structs import replace

from kycmanager.commands.model import Access
from kycmanager.domain.session import DECIDERS

F0, F1, F2 = "sections[0].fields[0]", "sections[0].fields[1]", "sections[1].fields[0]"
SCHEMA = {
    "title": "About you",
    "sections": [
        {
            "title": "You",
            "fields": [
                {"name": "full_name", "type": "text", "required": True, "max_length": 80, "group": [1]},
                {"name": "born", "type": "date", "min": "1900-01-01", "required": False},
            ],
        },
        {
            "fields": [
                {"name": "job", "type": "select", "options": [{"value": "own", "label": "Own", "x": 1}, "paid", 3]},
                {"name": "firm", "type": "textarea", "shown_if": {"field": "job", "is": "own"}, "label": 5},
                {"name": "in", "type": "country", "labels": {"es": "País"}},
                {"name": "where", "type": "text", "shown_if": {"field": "in", "is": ["DE", "AT"]}},
            ],
        },
    ],
    "extra": {"kept": True},
}


def record(office, template_id=1):
    return office.app.core.cache.template(template_id)


@pytest.fixture
async def page(office, ann):
    await office.template(form_schema=SCHEMA, requirements={"documents": ["passport"], "x": 1}, description="a\nb")
    return await ann.get("/templates/1")


async def told(page):
    return dict(re.findall(r'<p class="wrong" id="[^"]*" data-slot="([^"]*)">([^<]+)</p>', page.text))


async def test_what_is_sent_as_it_came_changes_nothing(office, ann, page):
    before = record(office)
    shown = await typed(ann, page, "review", {})
    assert "Save “Identity” as version 2?" in shown.words
    assert "Nothing: it is saved as it was." in shown.words
    answer = await ann.post("/templates/draft", {**confirmed(shown), "do": "save"})
    assert answer.place == "/backoffice/templates/1"
    assert "The template “identity” is saved as version 2." in (await ann.follow(answer)).words
    assert replace(record(office), version=1, updated_time=before.updated_time) == before


async def test_every_input_arrives_in_the_template(office, ann, page):
    changes = {
        "code": "id2", "level": "2", "name": "Ünï", "description": "c", "step_type": "2", "required": "0",
        "sort_index": "-5", "documents": "passport\r\n\r\n bill ", "form.title": "", "form.hint": "Short",
        "sections[0].title": "Me", f"{F0}.name": "name", f"{F0}.type": "textarea", f"{F0}.required": None,
        f"{F0}.label": "Name", f"{F0}.hint": "a\r\nb", f"{F0}.max_length": "90", f"{F0}.min_length": "2",
        f"{F0}.pattern": "[a-z]+", f"{F0}.autocomplete": "name", f"{F1}.min": "", f"{F1}.max": "2030-01-01",
        f"{F1}.required": "1", f"{F2}.options[0].label": "", f"{F2}.options[1].label": "Paid",
        f"{F2}.options[2].value": "4", f"{F2}.name": "work", "sections[1].fields[1].shown_if.is.1": "1",
        "sections[1].fields[2].labels.es": "Pais", "sections[1].fields[3].shown_if.is": "ch",
    }  # fmt: skip
    assert (await save(ann, page, changes)).status == 303
    made = record(office)
    assert (made.code, made.level, made.name, made.description, made.step_type) == ("id2", 2, "Ünï", "c", 2)
    assert (made.required, made.sort_index, made.version) == (0, -5, 2)
    assert made.requirements == {"documents": ["passport", "bill"], "x": 1}
    you, money = made.form_schema["sections"]
    assert made.form_schema == {"hint": "Short", "sections": [you, money], "extra": {"kept": True}}
    assert you == {"title": "Me", "fields": [
        {"name": "name", "type": "textarea", "required": False, "max_length": 90, "group": [1], "label": "Name",
         "hint": "a\nb", "pattern": "[a-z]+", "autocomplete": "name", "min_length": 2},
        {"name": "born", "type": "date", "max": "2030-01-01", "required": True},
    ]}  # fmt: skip
    assert money["fields"] == [
        {"name": "work", "type": "select", "options": [{"value": "own", "x": 1}, {"value": "paid", "label": "Paid"}, "4"]},
        {"name": "firm", "type": "textarea", "shown_if": {"field": "work", "is": ["own", "paid"]}, "label": 5},
        {"name": "in", "type": "country", "labels": {"es": "Pais"}},
        {"name": "where", "type": "text", "shown_if": {"field": "in", "is": ["CH"]}},
    ]  # fmt: skip
    row = (await office.audit())[-1]
    assert (row.action, row.source, row.template_id) == ("template.updated", "backoffice", 1)


async def test_fields_choices_and_sections_are_added_moved_and_removed(office, ann, page):
    for do, focus in (
        ("add-field sections[0]", "sections-0-fields-2-label"),
        ("up sections[0].fields[2]", "sections-0-fields-1-up"),
        ("down sections[0].fields[2]", "sections-1-fields-0-down"),
        ("up sections[1].fields[0]", "sections-0-fields-2-up"),
        ("add-choice sections[1].fields[0]", "sections-1-fields-0-options-3-value"),
        ("up sections[1].fields[0].options[3]", "sections-1-fields-0-options-2-up"),
        ("up sections[1].fields[0].options[0]", "sections-1-fields-0-options-0-up"),
        ("remove sections[1].fields[0].options[0]", "sections-1-fields-0-add-options"),
        ("remove sections[1].fields[1]", "sections-1-add-fields"),
        ("add-section", "sections-2-title"),
        ("up sections[2]", "sections-1-up"),
        ("remove sections[0]", "add-sections"),
    ):
        page = await typed(ann, page, do, {})
        assert re.search(rf'id="{focus}"[^>]* autofocus', page.text), do
    assert page.text.count(" autofocus") == 1
    schema = json.loads(form_in(page)["form_schema"])
    assert [[field["name"] for field in section["fields"]] for section in schema["sections"]] == [
        ["field_8"], ["job", "in", "where"],
    ]  # fmt: skip
    assert schema["sections"][1]["fields"][0]["options"] == ["paid", {"value": "choice_4"}, 3]
    assert record(office).version == 1


NOTHING = (
    "up sections[9]", "remove sections[0].fields[9]", "add-choice sections[0]", "add-field sections[0].fields[0]",
    "add-choice sections[9].fields[0]", "add-field sections[7]", "remove", "up", "remove sections[0]x", "dance",
    "down sections[1]", "down sections[1].fields[3]", "up sections[0].fields[0]",
    "remove sections[0].fields[0].options[0]", "up sections[1].fields[0].options[0].options[0]",
)  # fmt: skip


async def test_a_button_that_means_nothing_here_changes_nothing(ann, page):
    for do in NOTHING:
        after = await typed(ann, page, do, {})
        assert json.loads(form_in(after)["form_schema"]) == SCHEMA, do


async def test_the_last_choice_that_goes_leaves_no_empty_list(ann, page):
    for _ in range(3):
        page = await typed(ann, page, "remove sections[1].fields[0].options[0]", {})
    assert "options" not in json.loads(form_in(page)["form_schema"])["sections"][1]["fields"][0]
    assert "Without a list of choices any text is taken." in page.words


async def test_texts_in_further_languages(ann, page):
    page = await typed(ann, page, "speak", {"language": " PT-br "})
    assert form_in(page)["languages"] == "es pt-br"
    page = await typed(ann, page, "redraw", {f"{F0}.labels.pt-br": "Nome", "sections[0].titles.es": "Usted"})
    schema = json.loads(form_in(page)["form_schema"])
    assert schema["sections"][0]["fields"][0]["labels"] == {"pt-br": "Nome"}
    assert "Question in pt-br" in page.words
    page = await typed(ann, page, "unspeak es", {})
    schema = json.loads(form_in(page)["form_schema"])
    assert "titles" not in schema["sections"][0]
    assert "labels" not in schema["sections"][1]["fields"][2]
    page = await typed(ann, page, "speak", {"language": "<x>"})
    assert (await told(page))["language"] == "must be a short code such as es or pt-br"


async def test_faults_stand_at_their_fields_and_in_a_summary(office, ann, page):
    changes = {
        "level": "0", "code": "a b", "sort_index": "x", "name": "n" * 201, f"{F0}.name": " ", f"{F1}.name": "job",
        f"{F0}.max_length": "many", f"{F2}.options[2].value": "v" * 1001,
    }  # fmt: skip
    page = await typed(ann, page, "review", changes)
    assert await told(page) == {
        "level": "expected int &gt;= 1",
        "code": "has a form that is not allowed",
        "name": "expected str of length &lt;= 200",
        "sort-index": "expected int, got str",
        "sections-0-fields-0-name": "must not be empty",
        "sections-1-fields-0-name": "is the name of an earlier field",
        "sections-0-fields-0-max-length": "must be a whole number from 1 on",
        "sections-1-fields-0-options-2-value": "has at most 1000 characters",
    }
    assert "8 faults to correct" in page.words
    assert "Section 2, field 1, choice 3 : has at most 1000 characters" in page.words
    assert re.findall(r'<a href="#([^"]*)">', page.text.partition('id="told"')[2])[0] in await told(page)
    assert page.text.count("aria-invalid") == 8
    assert page.text.count(" autofocus") == 1
    assert form_in(page)["sort_index"] == "x"
    assert form_in(page)[f"{F0}.max_length"] == "many"
    assert "It is counted as soon as brand and level are right." in page.words
    assert "Fields with faults are left out: 2." in page.words
    assert record(office).version == 1


async def test_a_check_answers_with_the_side_and_the_places_of_faults_alone(ann, page):
    sent = {**form_in(page), "level": "0"}
    part = await ann.post("/templates/draft", sent, headers={"HX-Request": "true", "HX-Target": "side"})
    assert "<html" not in part.text
    assert 'id="level-wrong" data-slot="level" hx-swap-oob="true">expected int &gt;= 1</p>' in part.text
    part = await ann.post("/templates/draft", sent, headers={"HX-Request": "true", "HX-Target": "editor"})
    assert "<html" not in part.text
    assert 'id="edit"' in part.text


async def test_the_json_view_and_the_fields_are_one(ann, page):
    page = await typed(ann, page, "view json", {"form.title": "You all"})
    sent = form_in(page)
    assert json.loads(sent["form_schema"]) == {**SCHEMA, "title": "You all"}
    assert json.loads(sent["requirements"]) == {"documents": ["passport"], "x": 1}
    assert f"{F0}.name" not in sent
    schema = {"sections": [{"fields": [{"name": "a", "type": "number"}]}]}
    page = await typed(ann, page, "view form", {"form_schema": json.dumps(schema)})
    assert json.loads(form_in(page)["form_schema"]) == schema
    assert form_in(page)[f"{F0}.name"] == "a"


WRONG_JSON = (
    ("{", "cannot be read as JSON: Expecting property name"),
    ('{"a": 1, "a": 2}', "cannot be read as JSON: "),
    ('{"a": 1e999}', "cannot be read as JSON: "),
    ("[" * 40, "cannot be read as JSON: "),
    ("[1]", "object"),
    ('{"sections": 5}', "sections must be an array"),
    ('{"sections": [{"fields": [5]}]}', "sections[0].fields[0] must be a JSON object"),
    ('{"sections": [{"fields": [{"name": "a", "type": "select", "options": [[]]}]}]}', "must be text, a number"),
    ('{"sections": ["x"]}', "sections[0] must be a JSON object"),
    ('{"sections": [{"fields": [{"name": 5, "type": []}]}]}', "sections[0].fields[0].name must be text"),
)


async def test_what_json_cannot_be_stays_to_be_corrected(office, ann, page):
    page = await typed(ann, page, "view json", {})
    for text, fault in WRONG_JSON:
        for do in ("review", "save", "add-section"):
            again = await typed(ann, page, do, {"form_schema": text})
            assert again.status == 200
            assert fault in (await told(again))["form-schema"], (text, do)
            sent = form_in(again)["form_schema"]
            assert sent == text or json.loads(sent) == json.loads(text)
        assert (await typed(ann, page, "view form", {"form_schema": text})).status == 200
    assert record(office).version == 1


async def test_the_preview_is_the_customers_form_and_keeps_nothing(office, ann, page):
    assert 'name="answer.0"' in page.text
    sent = {**form_in(page), **form_in(page, "try")}
    named = {"HX-Request": "true", "HX-Target": "preview"}
    part = await ann.post("/templates/draft", {**sent, "answer.1": "31.12.1990", "answer.5": "x"}, headers=named)
    assert "<html" not in part.text
    assert 'value="31.12.1990"' in part.text
    assert 'id="field-1-fault"' in part.text
    assert 'id="field-0-fault"' not in part.text
    part = await ann.post("/templates/draft", {**sent, "do": "hand-in", "preview_language": "es"}, headers=named)
    assert 'id="field-0-fault"' in part.text
    assert 'lang="es"' in part.text
    assert "País" in part.words
    part = await ann.post("/templates/draft", {**sent, "do": "hand-in", "answer.0": "Ann"}, headers=named)
    assert "These answers would be taken." in part.words
    assert 'name="handed_in" value="1"' in part.text
    part = await ann.post(
        "/templates/draft", {**sent, "do": "forget", "answer.0": "Ann", "handed_in": "1"}, headers=named
    )
    assert 'value="Ann"' not in part.text
    assert 'name="handed_in" value=""' in part.text


async def test_a_file_cannot_be_tried_and_is_no_fault(office, ann):
    await office.template(
        form_schema={"sections": [{"fields": [{"name": "f", "type": "file_reference", "required": True}]}]}
    )
    page = await ann.get("/templates/1")
    assert "These answers would be taken." in (await typed(ann, page, "hand-in", {})).words


async def test_a_new_template_is_made(office, ann):
    page = await ann.get("/templates/new")
    assert form_in(page)["brand"] == "acme"
    assert "New template" in page.words
    page = await typed(ann, page, "add-section", {"code": "one", "level": "3"})
    shown = await typed(ann, page, "review", {})
    assert "It is active at once: from now on level 3 of the brand acme asks for it." in shown.words
    back = await ann.post("/templates/draft", {**confirmed(shown), "do": "edit"})
    assert form_in(back)["code"] == "one"
    answer = await save(ann, back, {})
    assert answer.place == "/backoffice/templates/1"
    made = record(office)
    assert made.form_schema == {"sections": [{"fields": [{"name": "field_1", "type": "text"}]}]}
    page = await ann.get("/templates/new")
    taken = await save(ann, page, {"code": "one"})
    assert (await told(taken))["code"] == "is taken in this brand"


async def test_a_clone_is_a_new_template(office, ann, page):
    clone = await ann.get("/templates/new?from=1")
    assert form_in(clone)["code"] == "identity_copy"
    assert (await save(ann, clone, {})).place == "/backoffice/templates/2"
    assert (record(office, 2).form_schema, record(office, 2).version) == (SCHEMA, 1)
    assert record(office).version == 1
    assert (await ann.get("/templates/new?from=9")).status == 404


async def test_whom_it_concerns_is_told_before_it_is_saved(office, ann, page):
    boss = office.token(3, 99, None)
    for customer in (1, 2, 3):
        level = {"customer_id": customer, "brand": "acme", "level": 2}
        await office.rest("/manager/kyc/required-level", boss, level)
    fresh = await ann.get("/templates/new")
    shown = await typed(ann, fresh, "review", {"code": "more", "level": "2"})
    assert "0 profiles have a step made from it." in shown.words
    assert "3 more profiles would gain a step" in shown.words
    assert "3 profiles have a step made from it." in (await ann.get("/templates/1")).words
    assert "0 more profiles" in (await typed(ann, fresh, "redraw", {"code": "more", "level": "3"})).words


async def test_a_stale_version_is_refused_with_what_has_changed(office, ann, page):
    boss = office.token(3, 99, None)
    shown = await typed(ann, page, "review", {"name": "Mine", f"{F0}.name": "mine"})
    schema = {"sections": [{"fields": [{"name": "theirs", "type": "text"}]}]}
    await office.rest("/manager/kyc/templates", boss, {"brand": "acme", "code": "x", "level": 1})
    async with office_put(office, boss, {"name": "Theirs", "form_schema": schema, "status": 1}) as answer:
        assert answer.status == 200
    for stale in (
        await ann.post("/templates/draft", {**confirmed(shown), "do": "save"}),
        await typed(ann, page, "review", {"name": "Mine", f"{F0}.name": "mine"}),
    ):
        assert "Somebody has changed this template meanwhile; nothing of yours is saved yet" in stale.words
        theirs, _, mine = stale.words.partition("What saving yours would change now")
        for words in ("Name : Identity → Theirs", "Status : active → disabled", "Form"):
            assert words in theirs
        for words in ("Name : Theirs → Mine", "Field theirs : there → removed", "Field mine : added"):
            assert words in mine
        assert form_in(stale)["name"] == "Mine"
    again = await typed(ann, stale, "save", {})
    assert "Somebody has changed" in again.words
    page = await typed(ann, stale, "rebase", {})
    assert "Somebody has changed" not in page.words
    assert (await save(ann, page, {})).status == 303
    assert (record(office).name, record(office).version) == ("Mine", 3)


def office_put(office, token, data):
    import contextlib

    import aiohttp

    @contextlib.asynccontextmanager
    async def ask():
        headers = {"Authorization": token}
        async with (
            aiohttp.ClientSession(office.url) as http,
            http.put("/manager/kyc/templates/1", json=data, headers=headers) as answer,
        ):
            yield answer

    return ask()


async def test_who_may_only_look_sees_it_and_changes_nothing(office, ann, page):
    commands = office.app.core.executor.commands
    for name in ("MngAddKycStepTemplate", "MngUpdateKycStepTemplate", "MngDeleteKycStepTemplate"):
        commands[name] = replace(commands[name], access=Access(DECIDERS, commands[name].access.scope))
    page = await ann.get("/templates/1")
    assert "Your role may look at templates, not change them." in page.words
    for word in ("Review and save", "Add a field", "Clone", "Disable", "Archive"):
        assert word not in page.words
    assert '<fieldset class="plain" disabled>' in page.text
    assert "New template" not in (await ann.get("/templates")).words
    assert "Your role may look" in (await ann.get("/templates/1/status?to=archive")).words
    assert (await ann.post("/templates/1/status", {"to": "archive", "version": "1"})).status == 403
    commands["MngGetKycStepTemplates"] = replace(commands["MngGetKycStepTemplates"], access=Access(DECIDERS, None))
    assert (await ann.get("/templates")).status == 403
    for do in ("save", "review"):
        sent = {**form_in(page), "do": do}
        assert (await ann.post("/templates/draft", sent)).status == (403 if do == "save" else 200)
    assert record(office).version == 1
