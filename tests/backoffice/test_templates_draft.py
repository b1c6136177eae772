"""What the editor keeps of what it does not know, and what differences are called."""

import pytest

from kycmanager.backoffice import templates_changes, templates_draft, templates_fields
from kycmanager.backoffice.templates_checks import slot, sound, title
from kycmanager.domain import form_schema
from kycmanager.domain.form_schema import Fault

TEMPLATE = {
    "id": 1, "brand": "acme", "level": 1, "code": "id", "name": "Id", "description": "", "step_type": 1, "required": 1,
    "status": 0, "sort_index": 0, "requirements": {}, "form_schema": {}, "created_time": 1, "updated_time": 1, "version": 3,
}  # fmt: skip


def schema(*fields, **more):
    return {"sections": [{"fields": list(fields)}], **more}


def changes(old, new):
    before, after = ({**TEMPLATE, "form_schema": each} for each in (old, new))
    return [(each.what, each.before, each.after) for each in templates_changes.between(before, after)]


def test_differences_of_forms():
    a, b = {"name": "a", "type": "text"}, {"name": "b", "type": "date"}
    assert changes(schema(a), schema(a)) == []
    assert changes(schema(a, b), schema(b, a)) == [("Fields", "", "in another order")]
    assert changes(schema(a), schema(a, title="x")) == [("Form", "", "its titles, sections or other texts")]
    assert changes(schema(a), schema({**a, "type": "date", "hint": "x"})) == [("Field a", "", "changed: hint, type")]
    assert changes({}, schema(b)) == [("Field b", "", "added")]


def test_differences_of_fields():
    new = {**TEMPLATE, "required": 0, "step_type": 2, "requirements": {"x": 1}}
    assert [(each.what, each.before, each.after) for each in templates_changes.between(TEMPLATE, new)] == [
        ("Kind", "questionnaire", "mixed"), ("Required", "yes", "no"), ("What to bring", "", ""),
    ]  # fmt: skip
    origin = templates_draft.origin_of(TEMPLATE)
    assert [each.what for each in templates_changes.since(origin, {**new, "status": 2})] == [
        "Kind", "Required", "Status", "What to bring",
    ]  # fmt: skip


def test_a_draft_gives_back_the_template_it_was_made_of():
    draft = templates_draft.of_template(TEMPLATE)
    assert draft.data == {name: TEMPLATE[name] for name in draft.data}
    like = templates_draft.clone({**TEMPLATE, "code": "c" * 64})
    assert (like.id, like.version, like.origin, len(like.texts["code"])) == (0, 0, {}, 64)


def test_what_to_bring_that_is_no_list_of_lines_is_left_alone():
    for given in ({"documents": [{"type": "passport"}]}, {"documents": "x"}, {"documents": ["a\nb"]}):
        assert templates_draft.of_template({**TEMPLATE, "requirements": given}).documents is None
    sent = {"form_schema": "{}", "requirements": '{"a": 1}', "documents": "\n"}
    assert templates_draft.read(sent).requirements == {"a": 1}
    assert templates_draft.read({**sent, "documents": "x"}).requirements == {"a": 1, "documents": ["x"]}
    assert templates_draft.read({**sent, "requirements": "[]"}).requirements == []


def test_what_is_of_another_kind_than_text_is_kept():
    field = {"name": "a", "type": "select", "labels": 5, "options": [{"value": 1}, True], "shown_if": "odd"}
    path = "sections[0].fields[0]"
    sent = {
        f"{path}.name": "a",
        f"{path}.type": "select",
        f"{path}.options[0].value": "1",
        f"{path}.options[1].value": "true",
    }
    assert templates_fields.read(schema(field), sent, ("es",)) == (schema(field), [])
    sent |= {f"{path}.options[0].value": "2", f"{path}.options[1].labels.es": "Sí", f"{path}.shown_if.field": ""}
    found = templates_fields.read(schema(field), sent, ("es",))[0]["sections"][0]["fields"][0]
    assert found["options"] == [{"value": "2"}, {"value": True, "labels": {"es": "Sí"}}]
    assert "shown_if" not in found


def test_a_condition_follows_the_new_name_of_its_field_though_it_has_no_input():
    held = schema(
        {"name": "a", "type": "boolean"}, {"name": "b", "type": "text", "shown_if": {"field": "a", "is": True}}
    )
    path = "sections[0].fields[0].name"
    assert templates_fields.read(held, {path: "c"}, ())[0]["sections"][0]["fields"][1]["shown_if"]["field"] == "c"
    sent = {"sections[0].fields[1].shown_if.field": "a", "sections[0].fields[1].shown_if.is.0": "1"}
    assert templates_fields.read(held, sent, ())[0] == held


@pytest.mark.parametrize(
    ("held", "drawable"),
    [
        ({}, True), (schema(), True), (schema({}), True), ([], False), ({"sections": {}}, False), ({"sections": [1]}, False),
        ({"sections": [{"fields": 1}]}, False), (schema({"type": "select", "options": 1}), False),
        (schema({"type": "select", "options": [{"value": 1}]}), True), (schema({"type": "select", "options": [{}]}), False),
        (schema({"type": "text", "options": 1}), True),
    ],
)  # fmt: skip
def test_what_fields_can_show(held, drawable):
    assert templates_fields.is_drawable(held) is drawable


def test_what_can_be_drawn_of_a_form_with_faults():
    good, bad = {"name": "a", "type": "text"}, {"name": "a", "type": "x"}
    for held, found in (
        (schema(good, bad), schema(good)), ({"sections": [1, {"fields": 2}, {"title": "x"}]}, {"sections": [{"title": "x", "fields": []}]}),
        ({"sections": [1] * 101}, {}), ([], {}), ({"sections": 1}, {}),
    ):  # fmt: skip
        assert sound(held, form_schema.check(held)) == found


def test_what_paths_are_called():
    assert slot("sections[0].fields[2].labels.pt-br") == "sections-0-fields-2-labels-pt-br"
    assert title("sections[0].fields[2].options[1]") == "Section 1, field 3, choice 2"
    assert title("sections[0].fields[2].max_length") == "Section 1, field 3: max length"
    assert (title("form_schema"), title("language"), title("")) == ("Form", "Language", "")


def test_a_fault_of_a_field_that_was_typed_wrong_keeps_the_text():
    held = schema({"name": "a", "type": "text", "max_length": 5})
    path = "sections[0].fields[0]"
    for text in ("0", "-1", "x", "1.5", "9" * 20):
        found, faults = templates_fields.read(held, {f"{path}.name": "a", f"{path}.max_length": text}, ())
        assert found["sections"][0]["fields"][0]["max_length"] == text
        assert faults == [Fault(f"{path}.max_length", "type", "must be a whole number from 1 on")]
