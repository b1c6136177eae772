"""A form_schema drawn and read back: every type of field, faults at their place, nothing typed is lost."""

import re

import jinja2
import pytest

from kycmanager.domain import answers as answer_rules
from kycmanager.domain import form_schema as schema_rules
from kycmanager.domain.answers import TEXT_CHARS_MAX
from kycmanager.domain.countries import COUNTRIES
from kycmanager.pages.forms import draw, read
from kycmanager.pages.messages import Messages

MESSAGES = Messages(["kycmanager.pages"])
EN, ES = MESSAGES.of("en"), MESSAGES.of("es")

OPTIONS = [{"value": "salary", "label": "Salary", "labels": {"es": "Salario"}}, "other", 1, True]


def form(*fields, **section):
    made = {"sections": [{"fields": list(fields), **section}]}
    assert schema_rules.check(made) == []
    return made


def field(kind, **more):
    return {"name": "it", "type": kind, **more}


def drawn(kind, answer=None, *, words=EN, faults=(), files=None, **more):
    view = draw(form(field(kind, **more)), {"it": answer}, words, faults=faults, files=files)
    return view.sections[0].fields[0]


def rendered(view):
    loader = jinja2.PackageLoader("kycmanager.pages")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    page = environment.from_string(
        '{% from "parts/form.html" import summary, fields %}{{ summary(form) }}{{ fields(form) }}'
    )
    return page.render(form=view)


@pytest.mark.parametrize(
    ("kind", "more", "sent", "answer"),
    [
        ("text", {}, "Maria", "Maria"),
        ("text", {}, "  as typed ", "  as typed "),
        ("text", {}, "", None),
        ("textarea", {}, "two\r\nlines", "two\nlines"),
        ("date", {}, "2000-12-31", "2000-12-31"),
        ("date", {}, "31.12.2000", "31.12.2000"),
        ("country", {}, "PT", "PT"),
        ("country", {}, "Portugal", "Portugal"),
        ("number", {}, "12", 12),
        ("number", {}, "-12", -12),
        ("number", {}, " 1 200 000 ", 1_200_000),
        ("number", {}, "1,5", 1.5),
        ("number", {}, "1.25", 1.25),
        ("number", {}, "0.125", 0.125),
        ("number", {}, "1e3", 1000.0),
        ("number", {}, "1,000", "1,000"),
        ("number", {}, "1.000", "1.000"),
        ("number", {}, "1.000.000", "1.000.000"),
        ("number", {}, "a lot", "a lot"),
        ("number", {}, "1e999", "1e999"),
        ("number", {}, "9" * 30, int("9" * 30)),
        ("number", {}, "9" * 5000, "9" * 5000),
        ("number", {}, "١٢", "١٢"),
        ("boolean", {}, "yes", True),
        ("boolean", {}, "no", False),
        ("boolean", {}, "", None),
        ("boolean", {}, "maybe", "maybe"),
        ("select", {"options": OPTIONS}, "0", "salary"),
        ("select", {"options": OPTIONS}, "2", 1),
        ("select", {"options": OPTIONS}, "3", True),
        ("select", {"options": OPTIONS}, "4", "4"),
        ("select", {"options": OPTIONS}, "-1", "-1"),
        ("select", {"options": OPTIONS}, "", None),
        ("select", {"options": []}, "0", "0"),
        ("select", {}, "anything", "anything"),
        ("multi_select", {}, "one\r\n\r\n two ", ["one", "two"]),
        ("multi_select", {}, "", None),
        ("file_reference", {}, " 123e4567-e89b-12d3-a456-426614174000", "123e4567-e89b-12d3-a456-426614174000"),
    ],
)
def test_what_is_sent_becomes_an_answer_or_stays_as_it_was_typed(kind, more, sent, answer):
    found = read(form(field(kind, **more)), {"answer.0": sent})
    assert found == {"it": answer}
    assert type(found["it"]) is type(answer)


def test_of_many_choices_those_that_are_marked_are_sent():
    asked = form({"name": "first", "type": "text"}, field("multi_select", options=OPTIONS))
    assert read(asked, {"answer.1.0": "1", "answer.1.3": "1", "answer.0": "x"}) == {
        "first": "x",
        "it": ["salary", True],
    }
    assert read(asked, {}) == {"first": None, "it": None}


@pytest.mark.parametrize(
    ("kind", "more", "answer"),
    [
        ("text", {}, " <b>x</b> "),
        ("textarea", {}, "\n\nlines\nof text\n"),
        ("date", {}, "2000-12-31"),
        ("date", {}, "yesterday"),
        ("country", {}, "ES"),
        ("number", {}, 52_000),
        ("number", {}, 1.125),
        ("number", {}, -999.5),
        ("number", {}, 1e22),
        ("number", {}, 1e-7),
        ("boolean", {}, False),
        ("select", {"options": OPTIONS}, True),
        ("select", {"options": list(range(20))}, 7),
        ("select", {}, "free"),
        ("multi_select", {"options": OPTIONS}, [1, "other"]),
        ("multi_select", {}, ["free", "words"]),
        ("file_reference", {}, "123e4567-e89b-12d3-a456-426614174000"),
    ],
)
@pytest.mark.parametrize("required", [False, True])
def test_what_is_drawn_is_sent_back_as_it_was(kind, more, answer, required):
    view = drawn(kind, answer, required=required, **more)
    if view.choices and view.kind != "checks":
        sent = {view.name: next(each.value for each in view.choices if each.chosen)}
    elif view.kind == "checks":
        sent = {each.name: each.value for each in view.choices if each.chosen}
    else:
        sent = {view.name: view.value.replace("\n", "\r\n")}
    found = read(form(field(kind, required=required, **more)), sent)["it"]
    assert sorted(map(str, found)) == sorted(map(str, answer)) if kind == "multi_select" else found == answer


@pytest.mark.parametrize(
    ("kind", "more", "how"),
    [
        ("text", {}, "input"),
        ("textarea", {}, "textarea"),
        ("date", {}, "input"),
        ("country", {}, "select"),
        ("file_reference", {}, "file"),
        ("number", {}, "input"),
        ("boolean", {}, "radios"),
        ("select", {"options": OPTIONS}, "radios"),
        ("select", {"options": list(range(20))}, "select"),
        ("select", {}, "input"),
        ("multi_select", {"options": OPTIONS}, "checks"),
        ("multi_select", {}, "textarea"),
    ],
)
def test_each_type_has_its_way_of_being_drawn(kind, more, how):
    assert drawn(kind, **more).kind == how
    html = rendered(draw(form(field(kind, required=True, **more)), {}, EN))
    assert "(required)" in html
    assert 'name="answer.0' in html
    assert set(re.findall(r'for="([^"]+)"', html)) <= set(re.findall(r'id="([^"]+)"', html))


def test_every_type_of_the_rules_is_drawn():
    assert [drawn(kind).kind for kind in schema_rules.FIELD_TYPES]


@pytest.mark.parametrize(
    ("kind", "more", "attributes"),
    [
        ("text", {}, {"maxlength": str(TEXT_CHARS_MAX)}),
        ("text", {"max_length": 5, "min_length": 2, "pattern": "[a-z]+"}, {"maxlength": "5", "minlength": "2", "pattern": "[a-z]+"}),
        ("text", {"max_length": 10**9, "autocomplete": "given-name"}, {"maxlength": str(TEXT_CHARS_MAX), "autocomplete": "given-name"}),
        ("text", {"max_length": "5", "min_length": True, "pattern": 7, "autocomplete": 'x" onx="'}, {"maxlength": str(TEXT_CHARS_MAX)}),
        ("textarea", {"max_length": 5, "pattern": "x"}, {"maxlength": "5"}),
        ("number", {}, {"inputmode": "decimal"}),
        ("date", {"min": "1900-01-01", "max": "soon"}, {"type": "date", "min": "1900-01-01"}),
        ("boolean", {}, {}),
    ],
)  # fmt: skip
def test_limits_become_attributes(kind, more, attributes):
    assert drawn(kind, **more).attributes == attributes


def test_a_date_that_is_none_is_shown_as_it_was_typed():
    assert drawn("date", "31.12.2000").attributes["type"] == "text"
    assert drawn("date", "31.12.2000").value == "31.12.2000"


def test_words_follow_the_language_and_the_form():
    asked = form(
        field("select", options=OPTIONS, label="Source", labels={"es": "Origen", "en": 7}, hints={"es": "Uno"}),
        {"name": "first_name", "type": "text"},
        title="Money",
        titles={"es": "Dinero"},
    )
    asked |= {"title": "You", "titles": {"es": "Usted"}, "hint": "All of it"}
    english, spanish = draw(asked, {}, EN), draw(asked, {}, ES)
    assert (english.title, english.hint, spanish.title) == ("You", "All of it", "Usted")
    assert [section.title for section in (*english.sections, *spanish.sections)] == ["Money", "Dinero"]
    source, name = english.sections[0].fields
    assert (source.label, source.hint, name.label) == ("Source", "Uno", "First name")
    assert [each.label for each in source.choices] == ["Salary", "other", "1", "Yes", "No answer"]
    assert spanish.sections[0].fields[0].choices[0].label == "Salario"
    assert "(obligatorio)" not in rendered(spanish)
    assert "(opcional)" in rendered(spanish)


def test_countries_stand_in_the_order_of_their_names():
    spanish = drawn("country", "DE", words=ES)
    assert [each.value for each in spanish.choices if each.chosen] == ["DE"]
    assert {each.value for each in spanish.choices} == COUNTRIES
    names = [each.label for each in spanish.choices]
    assert names.index("Alemania") < names.index("España") < names.index("Zimbabue")
    assert names.index("Emiratos Árabes Unidos") > names.index("El Salvador")
    assert names.index("Filipinas") < names.index("Finlandia")


FAULTY = {
    "name": {"type": "text", "required": True},
    "born": {"type": "date"},
    "income": {"type": "number"},
    "source": {"type": "select", "options": OPTIONS},
    "office": {"type": "boolean", "required": True},
    "many": {"type": "multi_select", "options": OPTIONS},
}


def test_faults_of_the_rules_stand_at_their_fields_and_in_the_summary():
    asked = form(*[{"name": name, **rest} for name, rest in FAULTY.items()])
    sent = {"answer.1": "31.12.2000", "answer.2": "a lot", "answer.3": "pirate"}
    answers = read(asked, sent)
    faults = answer_rules.check(asked, answers, partial=False, files={}, customer_id=1, brand="acme")
    told = [{"field": each.field, "code": each.code} for each in faults]
    told += [
        {"field": "documents", "code": "required"},
        {"field": "required", "code": "unknown"},
        {"field": "x", "code": "new"},
    ]
    view = draw(asked, answers, EN, faults=told)
    faulty = {each.field: each for each in view.sections[0].fields if each.fault}
    assert {name: each.fault.split()[0:4] for name, each in faulty.items()} == {
        "name": ["Please", "answer", "this."],
        "born": ["Please", "enter", "the", "date"],
        "income": ["Please", "enter", "a", "number"],
        "source": ["Please", "choose", "from", "the"],
        "office": ["Please", "choose", "yes", "or"],
    }
    assert [(target, label) for target, label, _ in view.faults] == [
        ("field-0", "Name"), ("field-1", "Born"), ("field-2", "Income"), ("field-3-0", "Source"), ("field-4-0", "Office"),
        ("", ""), ("", ""), ("", ""),
    ]  # fmt: skip
    assert view.faults[5][2] == "Please add a file to this step first."
    assert "no question of this step" in view.faults[6][2]
    html = rendered(view)
    assert (
        'id="field-2" name="answer.2" value="a lot" inputmode="decimal" aria-describedby="field-2-hint field-2-fault" aria-invalid="true"'
        in html
    )
    assert 'id="field-2-fault"' in html
    assert '<a href="#field-4-0">Office</a>' in html
    assert 'role="alert"' in html


def test_the_codes_of_all_faults_have_words_in_every_language():
    from kycmanager.contract.rules import FAULT_CODES

    for words in MESSAGES.by_language.values():
        for code, _ in FAULT_CODES:
            assert f"fault.{code}" in words, (words.language, code)


def test_a_form_says_what_is_too_long():
    assert drawn("text", "x", faults=[{"field": "it", "code": "too_long"}]).fault.startswith(
        "This is too long: at most 10"
    )
    assert drawn("select", "x", faults=[{"field": "it", "code": "too_long"}]).fault.startswith(
        "This is too long: at most 1"
    )


@pytest.mark.parametrize(
    ("other", "condition", "values"),
    [
        ({"type": "boolean"}, {"is": True}, ("yes",)),
        ({"type": "boolean"}, {"is": [True, False]}, ("yes", "no")),
        ({"type": "country"}, {"is": ["PT", "nowhere"]}, ("PT",)),
        ({"type": "select", "options": OPTIONS}, {"is": ["other", True]}, ("1", "3")),
        ({"type": "multi_select", "options": OPTIONS}, {"is": "salary"}, ("0",)),
        ({"type": "select"}, {"is": "x"}, None),
        ({"type": "text"}, {"is": "x"}, None),
        ({"type": "boolean"}, {"is": "yes"}, None),
        ({"type": "boolean"}, {}, None),
    ],
)
def test_a_field_may_hang_on_a_choice(other, condition, values):
    asked = form({"name": "other", **other}, field("text", shown_if={"field": "other", **condition}))
    view = draw(asked, {}, EN).sections[0].fields[1]
    assert (view.condition and view.condition.values) == values
    if values:
        assert f'data-shown-if="answer.0" data-shown-is="{" ".join(values)}"' in rendered(draw(asked, {}, EN))


@pytest.mark.parametrize(
    "condition", [None, "other", {"field": "nowhere", "is": True}, {"field": "it", "is": True}, {"is": True}]
)
def test_a_condition_that_says_nothing_hides_nothing(condition):
    assert drawn("boolean", shown_if=condition).condition is None


def test_a_required_field_is_shown_whatever_stands_there():
    asked = form(
        {"name": "other", "type": "boolean"}, field("text", required=True, shown_if={"field": "other", "is": True})
    )
    assert draw(asked, {}, EN).sections[0].fields[1].condition is None


def test_nothing_of_a_form_or_an_answer_is_taken_as_html():
    evil = "\"'><script>alert(1)</script>"
    asked = form(
        field("text", label=evil, hint=evil, pattern=evil),
        {"name": evil, "type": "select", "options": [evil, {"value": 1, "label": evil}]},
        {"name": "file", "type": "file_reference"},
        {"name": "long", "type": "textarea"},
        {"name": "list", "type": "select", "options": [evil, *range(20)]},
        title=evil,
    )
    answers = {"it": evil, evil: evil, "file": evil, "long": f"{evil}</textarea>", "list": evil}
    html = rendered(draw(asked, answers, EN, faults=[{"field": evil, "code": evil}, {"field": "y", "code": evil}]))
    assert "<script" not in html
    assert "</textarea>&lt;" not in html
    assert html.count("&lt;script&gt;") >= 10


def test_the_name_of_a_file_is_shown_not_its_number():
    uuid = "123e4567-e89b-12d3-a456-426614174000"
    assert drawn("file_reference", uuid, files={uuid: "passport.png"}).file_name == "passport.png"
    assert drawn("file_reference", uuid).file_name == ""
    assert "disabled" in rendered(draw(form(field("file_reference")), {}, EN))


def test_a_form_that_asks_nothing_is_drawn():
    assert rendered(draw({}, {}, EN)).strip() == ""
    assert read({}, {"answer.0": "x"}) == {}


@pytest.mark.parametrize(
    ("wanted", "accepted", "language"),
    [
        (("es",), "", "es"),
        (("es-MX",), "", "es"),
        (("ES_mx",), "", "es"),
        (("", "xx"), "es;q=0.5, en;q=0.9", "en"),
        ((), "fr, es;q=0.5", "es"),
        ((), "es;q=0, fr", "en"),
        ((), "es;q=x, ,;;", "en"),
        ((), "*", "en"),
        ((), "", "en"),
    ],
)
def test_the_language_is_chosen_before_it_is_guessed(wanted, accepted, language):
    assert MESSAGES.chosen(*wanted, accepted=accepted).language == language


def test_every_language_says_the_same():
    first = MESSAGES.by_language["en"]
    for words in MESSAGES.by_language.values():
        assert words.keys() == first.keys()
        for key in sorted(first.keys()):
            assert set(re.findall(r"\{\w+\}", words(key))) == set(re.findall(r"\{\w+\}", first(key))), key
            assert words(key).strip()
    assert len(MESSAGES.by_language) >= 2


def test_a_text_that_is_not_there_is_a_fault_of_ours():
    with pytest.raises(KeyError):
        EN("no.such.text")
    assert EN.first("no.such.text") == ""
