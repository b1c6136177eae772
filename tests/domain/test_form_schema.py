"""The rules of a form_schema, one row a rule."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kycmanager.domain.errors import Code, KycError
from kycmanager.domain.form_schema import (
    FAULTS_MAX,
    FIELD_TYPES,
    FIELDS_MAX,
    NAME_CHARS_MAX,
    OPTION_CHARS_MAX,
    OPTIONS_MAX,
    SECTIONS_MAX,
    Fault,
    Field,
    check,
    ensure,
    ensure_requirements,
    fields,
    refusal,
)

WITHOUT = object()


def one_field(**changes: Any) -> dict[str, Any]:
    field = {"name": "a", "type": "text"} | changes
    return {"sections": [{"fields": [{key: value for key, value in field.items() if value is not WITHOUT}]}]}


def with_options(*options: Any, kind: str = "select") -> dict[str, Any]:
    return one_field(type=kind, options=list(options))


def named(*names: str) -> list[dict[str, Any]]:
    return [{"name": name, "type": "text"} for name in names]


GOOD: list[tuple[str, dict[str, Any]]] = [
    ("empty", {}),
    ("no sections", {"title": "Passport", "version": 3}),
    ("empty sections", {"sections": []}),
    ("a section without fields", {"sections": [{}, {"title": {"en": "About you"}}]}),
    ("a section with empty fields", {"sections": [{"fields": []}]}),
    ("unknown keys of a field hold anything", one_field(label={"en": "Name"}, hint=None, x=[1, {"y": 2}])),
    ("required", one_field(required=True)),
    ("not required", one_field(required=False)),
    ("a name at the bound", one_field(name="n" * NAME_CHARS_MAX)),
    ("a name of any script", one_field(name="имя")),
    ("a choice without options", one_field(type="select")),
    ("no options yet", with_options()),
    ("options as objects", with_options({"value": "a", "label": "A"}, {"value": "b"}, {"value": "c", "group": 7})),
    ("options as plain values", with_options("a", 1, 2.5, True, "")),
    ("options as both", with_options("a", {"value": 1, "label": "One"}, kind="multi_select")),
    ("options of other types are not looked at", one_field(type="text", options="whatever")),
    ("an option at the bound", with_options("x" * OPTION_CHARS_MAX, 2**63 - 1, -(2**63))),
    ("options at the bound", with_options(*range(OPTIONS_MAX))),
    ("sections at the bound", {"sections": [{}] * SECTIONS_MAX}),
    (
        "fields at the bound",
        {
            "sections": [
                {"fields": named(*(f"a{n}" for n in range(FIELDS_MAX - 1)))},
                {"fields": named("b")},
                {"fields": []},
            ],
        },
    ),
]


@pytest.mark.parametrize("schema", [row[1] for row in GOOD], ids=[row[0] for row in GOOD])
def test_good(schema: dict[str, Any]) -> None:
    assert check(schema) == []
    ensure(schema)
    fields(schema)


@pytest.mark.parametrize("kind", FIELD_TYPES)
def test_every_type_is_good(kind: str) -> None:
    assert check(one_field(type=kind)) == []


def test_the_types() -> None:
    assert " ".join(FIELD_TYPES) == "text textarea date country file_reference number boolean select multi_select"


FIELD = "sections[0].fields[0]"
OBJECT = "must be a JSON object"
ARRAY = "must be an array"
TYPES = "must be one of text, textarea, date, country, file_reference, number, boolean, select, multi_select"
OPTION = "must be text, a number, a boolean or {value, label}"
RANGE = "must be a finite number of at most 64 bits"

BAD: list[tuple[object, str, str, str]] = [
    (None, "form_schema", "type", OBJECT),
    ([], "form_schema", "type", OBJECT),
    ("{}", "form_schema", "type", OBJECT),
    (3, "form_schema", "type", OBJECT),
    ({"sections": None}, "sections", "type", ARRAY),
    ({"sections": {}}, "sections", "type", ARRAY),
    ({"sections": [{}] * (SECTIONS_MAX + 1)}, "sections", "too_many", "has at most 100 items"),
    ({"sections": [None]}, "sections[0]", "type", OBJECT),
    ({"sections": [{}, []]}, "sections[1]", "type", OBJECT),
    ({"sections": [{"fields": None}]}, "sections[0].fields", "type", ARRAY),
    ({"sections": [{"fields": {}}]}, "sections[0].fields", "type", ARRAY),
    ({"sections": [{"fields": ["a"]}]}, FIELD, "type", OBJECT),
    ({"sections": [{"fields": [None]}]}, FIELD, "type", OBJECT),
    (one_field(name=WITHOUT), f"{FIELD}.name", "required", "is missing"),
    (one_field(name=None), f"{FIELD}.name", "required", "is missing"),
    (one_field(name=7), f"{FIELD}.name", "type", "must be text"),
    (one_field(name=["a"]), f"{FIELD}.name", "type", "must be text"),
    (one_field(name=""), f"{FIELD}.name", "required", "must not be empty"),
    (one_field(name=" \t\n"), f"{FIELD}.name", "required", "must not be empty"),
    (one_field(name="n" * (NAME_CHARS_MAX + 1)), f"{FIELD}.name", "too_long", "has at most 128 characters"),
    (one_field(type=WITHOUT), f"{FIELD}.type", "required", "is missing"),
    (one_field(type=None), f"{FIELD}.type", "required", "is missing"),
    (one_field(type=1), f"{FIELD}.type", "type", "must be text"),
    (one_field(type=["select"]), f"{FIELD}.type", "type", "must be text"),
    (one_field(type="string"), f"{FIELD}.type", "option", TYPES),
    (one_field(type="Text"), f"{FIELD}.type", "option", TYPES),
    (one_field(type=""), f"{FIELD}.type", "option", TYPES),
    (one_field(required=1), f"{FIELD}.required", "type", "must be true or false"),
    (one_field(required="true"), f"{FIELD}.required", "type", "must be true or false"),
    (one_field(required=None), f"{FIELD}.required", "type", "must be true or false"),
    (one_field(type="select", options=None), f"{FIELD}.options", "type", ARRAY),
    (one_field(type="multi_select", options={"a": "A"}), f"{FIELD}.options", "type", ARRAY),
    (one_field(type="select", options="ab"), f"{FIELD}.options", "type", ARRAY),
    (with_options(*range(OPTIONS_MAX + 1)), f"{FIELD}.options", "too_many", "has at most 1000 items"),
    (with_options(None), f"{FIELD}.options[0]", "required", "is missing"),
    (with_options("a", ["b"]), f"{FIELD}.options[1]", "type", OPTION),
    (with_options({"label": "A"}), f"{FIELD}.options[0].value", "required", "is missing"),
    (with_options({"value": None}), f"{FIELD}.options[0].value", "required", "is missing"),
    (with_options({"value": {}}), f"{FIELD}.options[0].value", "type", OPTION),
    (with_options({"value": []}), f"{FIELD}.options[0].value", "type", OPTION),
    (with_options({"value": "a", "label": 5}), f"{FIELD}.options[0].label", "type", "must be text"),
    (with_options({"value": "a", "label": None}), f"{FIELD}.options[0].label", "type", "must be text"),
    (with_options("x" * (OPTION_CHARS_MAX + 1)), f"{FIELD}.options[0]", "too_long", "has at most 1000 characters"),
    (with_options({"value": float("nan")}), f"{FIELD}.options[0].value", "range", RANGE),
    (with_options(float("inf")), f"{FIELD}.options[0]", "range", RANGE),
    (with_options(float("-inf")), f"{FIELD}.options[0]", "range", RANGE),
    (with_options(2**63), f"{FIELD}.options[0]", "range", RANGE),
    (with_options(-(2**63) - 1), f"{FIELD}.options[0]", "range", RANGE),
    (
        {"sections": [{"fields": named("a", "b", "a")}]},
        "sections[0].fields[2].name",
        "repeated",
        "is the name of an earlier field",
    ),
    (
        {"sections": [{"fields": named("a")}, {}, {"fields": named("b", "a")}]},
        "sections[2].fields[1].name",
        "repeated",
        "is the name of an earlier field",
    ),
    (
        {"sections": [{"fields": named(*(f"a{n}" for n in range(FIELDS_MAX + 1)))}]},
        "sections[0].fields",
        "too_many",
        "a schema has at most 1000 fields",
    ),
    (
        {"sections": [{"fields": named(*(f"a{n}" for n in range(FIELDS_MAX)))}, {"fields": named("b")}, {"fields": 0}]},
        "sections[1].fields",
        "too_many",
        "a schema has at most 1000 fields",
    ),
]


@pytest.mark.parametrize(("schema", "path", "code", "message"), BAD)
def test_bad(schema: object, path: str, code: str, message: str) -> None:
    assert check(schema) == [Fault(path, code, message)]
    with pytest.raises(KycError) as caught:
        ensure(schema)
    assert caught.value.code is Code.INVALID_DATA
    assert caught.value.message == f"{path}: {message}"
    assert caught.value.data == {"errors": [{"field": path, "code": code, "message": message}]}


def test_every_fault_is_told() -> None:
    schema = {
        "sections": [
            7,
            {"fields": [{}, {"name": "a", "type": "select", "required": 0, "options": [[], {"label": 1}]}]},
            {"fields": "none"},
            {"fields": [{"name": "a", "type": "number"}]},
        ],
    }
    assert [(fault.field, fault.code) for fault in check(schema)] == [
        ("sections[0]", "type"),
        ("sections[1].fields[0].name", "required"),
        ("sections[1].fields[0].type", "required"),
        ("sections[1].fields[1].required", "type"),
        ("sections[1].fields[1].options[0]", "type"),
        ("sections[1].fields[1].options[1].value", "required"),
        ("sections[1].fields[1].options[1].label", "type"),
        ("sections[2].fields", "type"),
        ("sections[3].fields[0].name", "repeated"),
    ]
    with pytest.raises(KycError, match=r"^sections\[0\]: must be a JSON object \(and 8 more\)$"):
        ensure(schema)


def test_a_hostile_schema_does_not_grow_into_a_larger_answer() -> None:
    schema = {"sections": [{"fields": [{"type": "select", "options": [None] * OPTIONS_MAX}] * FIELDS_MAX}]}
    assert len(check(schema)) == FAULTS_MAX


def test_fields() -> None:
    schema = {
        "sections": [
            {"fields": [{"name": "a", "type": "text", "label": "A"}]},
            {},
            {
                "fields": [
                    {"name": "b", "type": "select", "required": True, "options": ["x", {"value": 1, "label": "One"}]},
                    {"name": "c", "type": "date", "required": False},
                ],
            },
        ],
    }
    assert fields(schema) == (
        Field("a", "text", False, None),
        Field("b", "select", True, ["x", {"value": 1, "label": "One"}]),
        Field("c", "date", False, None),
    )
    assert fields({}) == ()


@pytest.mark.parametrize("requirements", [{}, {"documents": ["passport"]}, {"anything": {"deep": [1]}}])
def test_good_requirements(requirements: object) -> None:
    ensure_requirements(requirements)


@pytest.mark.parametrize("requirements", [None, [], "", 0, True])
def test_bad_requirements(requirements: object) -> None:
    with pytest.raises(KycError) as caught:
        ensure_requirements(requirements)
    assert caught.value.message == "requirements: must be a JSON object"
    assert caught.value.data == {"errors": [{"field": "requirements", "code": "type", "message": OBJECT}]}


def test_refusal() -> None:
    error = refusal([Fault("documents", "required", "attach a document first"), Fault("b", "type", "must be text")])
    assert error.message == "documents: attach a document first (and 1 more)"
    assert error.data == {
        "errors": [
            {"field": "documents", "code": "required", "message": "attach a document first"},
            {"field": "b", "code": "type", "message": "must be text"},
        ],
    }


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(FIELD_TYPES),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["sections", "fields", "name", "type", "required", "options", "value", "label", "x"]),
            inner,
            max_size=6,
        )
    ),
    max_leaves=25,
)


@settings(max_examples=200)
@given(
    sections=st.lists(st.fixed_dictionaries({"fields": st.lists(json_values, max_size=3)}) | json_values, max_size=3)
)
def test_any_json_is_judged_and_what_passes_can_be_flattened(sections: list[Any]) -> None:
    schema = {"sections": sections}
    faults = check(schema)
    json.dumps([fault.message for fault in faults])
    if not faults:
        assert len({field.name for field in fields(schema)}) == len(fields(schema))
