"""Answers as people read them: every type, in the order of the form, with what is wrong about them."""

from kycmanager.backoffice.case_answers import answered, files_of
from kycmanager.pages.messages import Messages

WORDS = Messages(("kycmanager.pages",)).of("en")
FILE = "0b8f9c62-6a3c-4f6e-9d4e-0f6c2d5a1b3c"
OPTIONS = [{"value": "a", "label": "The first"}, "plain", 3, True, {"value": 1.5}]


def field(name, kind, **more):
    return {"name": name, "type": kind, **more}


def step(fields, answers, status=1, **more):
    schema = {"sections": [{"title": "Part", "fields": fields}]}
    return {"form_schema": schema, "answers": answers, "status": status, "customer_id": 7, "brand": "acme", **more}


def lines(fields, answers, **more):
    parts = answered(step(fields, answers, **more), {FILE: "bill.pdf"}, WORDS)
    return [(line.label, list(line.texts), line.fault) for part in parts for line in part.lines]


def test_every_type_is_read_by_people():
    fields = [
        field("full_name", "text"), field("story", "textarea", label="Tell us"), field("born", "date"),
        field("country", "country"), field("proof", "file_reference"), field("income", "number"),
        field("share", "number"), field("pep", "boolean"), field("one", "select", options=OPTIONS),
        field("many", "multi_select", options=OPTIONS), field("free", "multi_select"), field("open", "select"),
        field("none", "text"),
    ]  # fmt: skip
    answers = {
        "full_name": "Ann O'Neill", "story": "one\ntwo", "born": "1980-02-03", "country": "DE", "proof": FILE,
        "income": 1_234_567, "share": 0.5, "pep": False, "one": "a", "many": ["plain", 3, True, 1.5],
        "free": ["x", "y"], "open": "z",
    }  # fmt: skip
    assert lines(fields, answers) == [
        ("Full name", ["Ann O'Neill"], ""), ("Tell us", ["one\ntwo"], ""), ("Born", ["1980-02-03"], ""),
        ("Country", ["Germany (DE)"], ""), ("Proof", ["bill.pdf"], ""), ("Income", ["1\u202f234\u202f567"], ""),
        ("Share", ["0.5"], ""), ("Pep", ["No"], ""), ("One", ["The first"], ""),
        ("Many", ["plain", "3", "Yes", "1.5"], ""), ("Free", ["x", "y"], ""), ("Open", ["z"], ""), ("None", [], ""),
    ]  # fmt: skip


def test_faults_are_told_where_they_are():
    fields = [
        field("name", "text", required=True), field("born", "date"), field("country", "country"),
        field("one", "select", options=OPTIONS), field("proof", "file_reference"), field("done", "boolean"),
    ]  # fmt: skip
    answers = {"born": "yesterday", "country": "XX", "one": "other", "proof": "no uuid", "done": "yes", "more": [1]}
    assert lines(fields, answers) == [
        ("Name", [], "is required"), ("Born", ["yesterday"], "must be a date such as 2000-12-31"),
        ("Country", ["XX"], "must be a country code of two capital letters (ISO 3166-1 alpha-2)"),
        ("One", ["other"], "must be one of the options"),
        ("Proof", ["Open the file"], "must be the uuid of an uploaded file"), ("Done", ["yes"], "must be true or false"),
        ("more", ["[1]"], "is no field of this step"),
    ]  # fmt: skip


def test_what_is_not_handed_in_is_not_missing():
    assert lines([field("name", "text", required=True)], {}, status=0) == [("Name", [], "")]


def test_sections_keep_their_order_and_empty_ones_are_left_out():
    schema = {"sections": [{"title": "B", "fields": [field("b", "text")]}, {}, {"fields": [field("a", "text")]}]}
    asked = {**step([], {}), "form_schema": schema, "answers": {"a": "1"}}
    assert [(part.title, len(part.lines)) for part in answered(asked, {}, WORDS)] == [("B", 1), ("", 1)]
    assert answered({**asked, "form_schema": {}, "answers": {}}, {}, WORDS) == ()


def test_the_files_of_answers_are_named():
    assert files_of(step([field("proof", "file_reference"), field("x", "text")], {"proof": FILE, "x": FILE})) == (FILE,)
