"""The rules of answers, one row a rule."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kycmanager.domain.answers import TEXT_CHARS_MAX, check, ensure, file_references, is_empty, merge
from kycmanager.domain.errors import Code, KycError
from kycmanager.domain.form_schema import (
    FIELD_TYPES,
    FIELDS_MAX,
    NAME_CHARS_MAX,
    OPTION_CHARS_MAX,
    OPTIONS_MAX,
    Fault,
)
from kycmanager.domain.records import FileFacts

FILE = "0b8f9c62-6a3c-4f6e-9d4e-0f6c2d5a1b3c"
OTHER_FILE = "11111111-2222-4333-8444-555555555555"

NAN = float("nan")
INFINITY = float("inf")

OBJECTS = [{"value": "a", "label": "A"}, {"value": 1, "label": "One"}, {"value": True, "label": "Yes"}]
PLAIN = ["a", "b", "c"]


def schema_of(kind: str, *, required: bool = False, options: list[Any] | None = None) -> dict[str, Any]:
    field: dict[str, Any] = {"name": "f", "type": kind, "required": required}
    if options is not None:
        field["options"] = options
    return {"sections": [{"fields": [field]}]}


def judge(schema: dict[str, Any], answers: object, *, partial: bool = False, **files: FileFacts) -> list[Fault]:
    return check(schema, answers, partial=partial, files=files, customer_id=42, brand="acme")


GOOD: list[tuple[str, Any]] = [
    ("text", "Ann"),
    ("text", " "),
    ("text", ""),
    ("text", "x" * TEXT_CHARS_MAX),
    ("text", "Łódź 東京 🏠"),
    ("textarea", "line\nline"),
    ("number", 0),
    ("number", -1),
    ("number", 2.5),
    ("number", 1e308),
    ("number", 2**63 - 1),
    ("number", -(2**63)),
    ("boolean", True),
    ("boolean", False),
    ("date", "2000-12-31"),
    ("date", "2024-02-29"),
    ("date", "0001-01-01"),
    ("date", "9999-12-31"),
    ("country", "DE"),
    ("country", "AX"),
]


@pytest.mark.parametrize(("kind", "value"), GOOD)
@pytest.mark.parametrize("partial", [False, True])
def test_good(kind: str, value: Any, partial: bool) -> None:
    assert judge(schema_of(kind), {"f": value}, partial=partial) == []


TEXT = "must be text"
DATE = "must be a date such as 2000-12-31"
COUNTRY = "must be a country code of two capital letters (ISO 3166-1 alpha-2)"
FILE_ID = "must be the uuid of an uploaded file"
NO_FILE = "is no stored file of this customer"
NUMBER = "must be a number"
RANGE = "must be a finite number of at most 64 bits"
BOOLEAN = "must be true or false"
LIST = "must be a list"
OPTION = "must be one of the options"
SCALAR = "must be text, a number or a boolean"

BAD: list[tuple[str, Any, str, str]] = [
    *[("text", value, "type", TEXT) for value in (0, 1.5, True, False, [], ["a"], {})],
    ("text", "x" * (TEXT_CHARS_MAX + 1), "too_long", "has at most 10000 characters"),
    ("text", "a\x00b", "format", "must not contain NUL characters"),
    ("textarea", 5, "type", TEXT),
    ("textarea", "x" * (TEXT_CHARS_MAX + 1), "too_long", "has at most 10000 characters"),
    *[("number", value, "type", NUMBER) for value in (True, False, "1", "", [], [1], {})],
    *[("number", value, "range", RANGE) for value in (NAN, INFINITY, -INFINITY, 2**63, -(2**63) - 1, 10**400)],
    *[("boolean", value, "type", BOOLEAN) for value in (0, 1, "true", "", [], {})],
    *[("date", value, "type", TEXT) for value in (20001231, 1.0, True, [], {})],
    *[
        ("date", value, "format", DATE)
        for value in (
            "",
            " ",
            "2000-13-01",
            "2000-02-30",
            "2023-02-29",
            "0000-01-01",
            "20001231",
            "2000-W52-7",
            "2000-1-1",
            "31.12.2000",
            "2000/12/31",
            "2000-12-31T00:00:00",
            "2000-12-31 ",
            "2000-12-31\n",
            "٢٠٠٠-١٢-٣١",
            "-200-12-31",
        )
    ],
    *[("country", value, "type", TEXT) for value in (276, True, [], {})],
    *[
        ("country", value, "format", COUNTRY)
        for value in ("", "de", "De", "DEU", "XK", "UK", "EU", "ZZ", "DE ", "Germany")
    ],
    *[("file_reference", value, "type", TEXT) for value in (1, True, [], [FILE], {})],
    *[
        ("file_reference", value, "format", FILE_ID)
        for value in (
            "",
            FILE.upper(),
            FILE.replace("-", ""),
            f"{FILE}.pdf",
            f"{{{FILE}}}",
            f"{FILE}\n",
            "../x",
            "x" * 36,
        )
    ],
    ("file_reference", OTHER_FILE, "file", NO_FILE),
    *[("multi_select", value, "type", LIST) for value in ("a", "", 1, True, {})],
]


@pytest.mark.parametrize(("kind", "value", "code", "message"), BAD)
@pytest.mark.parametrize("partial", [False, True])
def test_bad(kind: str, value: Any, code: str, message: str, partial: bool) -> None:
    assert judge(schema_of(kind), {"f": value}, partial=partial) == [Fault("f", code, message)]


CHOICES: list[tuple[str, list[Any] | None, Any, str | None]] = [
    ("select", PLAIN, "a", None),
    ("select", PLAIN, "c", None),
    ("select", PLAIN, "d", "option"),
    ("select", PLAIN, "A", "option"),
    ("select", PLAIN, "", "option"),
    ("select", ["", "a"], "", None),
    ("select", PLAIN, ["a"], "type"),
    ("select", PLAIN, {"value": "a"}, "type"),
    ("select", OBJECTS, "a", None),
    ("select", OBJECTS, 1, None),
    ("select", OBJECTS, 1.0, None),
    ("select", OBJECTS, True, None),
    ("select", OBJECTS, "1", "option"),
    ("select", OBJECTS, False, "option"),
    ("select", OBJECTS, "A", "option"),
    ("select", [1], True, "option"),
    ("select", [True], 1, "option"),
    ("select", [0], False, "option"),
    ("select", [False], 0, "option"),
    ("select", [2.5], 2.5, None),
    ("select", [1], NAN, "range"),
    ("select", [], "a", "option"),
    ("select", None, "anything", None),
    ("select", None, 7, None),
    ("select", None, False, None),
    ("select", None, [], "type"),
    ("select", None, 2**63, "range"),
    ("select", None, "x" * OPTION_CHARS_MAX, None),
    ("select", None, "x" * (OPTION_CHARS_MAX + 1), "too_long"),
    ("select", None, "a\x00", "format"),
    ("multi_select", PLAIN, [], None),
    ("multi_select", PLAIN, ["a"], None),
    ("multi_select", PLAIN, ["c", "a", "b"], None),
    ("multi_select", PLAIN, ["a", "d"], "option"),
    ("multi_select", PLAIN, ["a", "a"], "repeated"),
    ("multi_select", PLAIN, ["d", "d"], "repeated"),
    ("multi_select", PLAIN, ["a", None], "type"),
    ("multi_select", PLAIN, ["a", ["b"]], "type"),
    ("multi_select", PLAIN, [{}], "type"),
    ("multi_select", OBJECTS, ["a", 1, True], None),
    ("multi_select", OBJECTS, [1, 1.0], "repeated"),
    ("multi_select", OBJECTS, [False], "option"),
    ("multi_select", [1, True], [True, 1], None),
    ("multi_select", [1], [True], "option"),
    ("multi_select", [True], [1], "option"),
    ("multi_select", [], ["a"], "option"),
    ("multi_select", None, ["a", 1], None),
    ("multi_select", None, ["a", "a"], "repeated"),
    ("multi_select", None, [INFINITY], "range"),
    ("multi_select", list(range(OPTIONS_MAX)), list(range(OPTIONS_MAX)), None),
    ("multi_select", None, list(range(OPTIONS_MAX + 1)), "too_long"),
]


@pytest.mark.parametrize(("kind", "options", "value", "code"), CHOICES)
def test_choices(kind: str, options: list[Any] | None, value: Any, code: str | None) -> None:
    faults = judge(schema_of(kind, options=options), {"f": value})
    assert [fault.code for fault in faults] == ([code] if code else [])


EMPTY: list[Any] = [None, "", " ", "\t\r\n", "\u3000", []]


@pytest.mark.parametrize("kind", FIELD_TYPES)
@pytest.mark.parametrize("answers", [{}, *({"f": value} for value in EMPTY)])
def test_required_means_present_and_not_empty(kind: str, answers: dict[str, Any]) -> None:
    assert judge(schema_of(kind, required=True), answers) == [Fault("f", "required", "is required")]


@pytest.mark.parametrize("kind", FIELD_TYPES)
@pytest.mark.parametrize("answers", [{}, {"f": None}])
@pytest.mark.parametrize(("required", "partial"), [(False, False), (False, True), (True, True)])
def test_absent_is_fine(kind: str, answers: dict[str, Any], required: bool, partial: bool) -> None:
    assert judge(schema_of(kind, required=required), answers, partial=partial) == []


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("number", 0),
        ("number", 0.0),
        ("boolean", False),
        ("text", "0"),
        ("select", False),
        ("select", 0),
        ("multi_select", [0]),
    ],
)
def test_zero_and_false_answer_a_required_field(kind: str, value: Any) -> None:
    options = [0, False] if "select" in kind else None
    assert judge(schema_of(kind, required=True, options=options), {"f": value}) == []


@pytest.mark.parametrize("value", EMPTY)
def test_empty(value: Any) -> None:
    assert is_empty(value)


@pytest.mark.parametrize("value", [0, False, 0.0, "0", " a ", [0], [None], {}])
def test_not_empty(value: Any) -> None:
    assert not is_empty(value)


def test_partial_lets_a_required_text_be_emptied() -> None:
    assert judge(schema_of("text", required=True), {"f": ""}, partial=True) == []


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({}, []),
        ({"owner_id": 43}, ["file"]),
        ({"owner_kind": "manager"}, ["file"]),
        ({"brand": "zeta"}, ["file"]),
        ({"brand": "ACME"}, ["file"]),
        ({"owner_kind": "manager", "owner_id": 43, "brand": "zeta"}, ["file"]),
    ],
)
def test_whose_file(file_facts: Callable[..., FileFacts], changes: dict[str, Any], codes: list[str]) -> None:
    faults = judge(schema_of("file_reference", required=True), {"f": FILE}, **{FILE: file_facts(**changes)})
    assert [fault.code for fault in faults] == codes


def test_a_foreign_file_looks_like_a_missing_one(file_facts: Callable[..., FileFacts]) -> None:
    schema = schema_of("file_reference")
    assert judge(schema, {"f": FILE}, **{FILE: file_facts(owner_id=43)}) == judge(schema, {"f": FILE})


@pytest.mark.parametrize("partial", [False, True])
@pytest.mark.parametrize("schema", [{}, schema_of("text")])
@pytest.mark.parametrize("value", [1, None])
def test_unknown_answers(schema: dict[str, Any], value: Any, partial: bool) -> None:
    assert judge(schema, {"g": value, "F": value}, partial=partial) == [
        Fault("g", "unknown", "is no field of this step"),
        Fault("F", "unknown", "is no field of this step"),
    ]


@pytest.mark.parametrize("answers", [None, [], "f", 1, True])
@pytest.mark.parametrize("partial", [False, True])
def test_answers_are_an_object(answers: object, partial: bool) -> None:
    assert judge({}, answers, partial=partial) == [Fault("answers", "type", "must be a JSON object")]


def test_a_flood_of_unknown_answers_is_one_fault() -> None:
    assert judge({}, dict.fromkeys(map(str, range(FIELDS_MAX + 1)))) == [
        Fault("answers", "too_many", "has at most 1000 fields"),
    ]
    assert len(judge({}, dict.fromkeys(map(str, range(FIELDS_MAX))))) == FIELDS_MAX


def test_a_long_unknown_name_is_cut() -> None:
    (fault,) = judge({}, {"n" * 5000: 1})
    assert fault.field == "n" * NAME_CHARS_MAX


FORM = {
    "sections": [
        {"fields": [{"name": "name", "type": "text", "required": True}, {"name": "born", "type": "date"}]},
        {
            "fields": [
                {"name": "front", "type": "file_reference", "required": True},
                {"name": "back", "type": "file_reference"},
                {"name": "note", "type": "text"},
            ],
        },
    ],
}


def test_every_fault_is_told_in_the_order_of_the_form() -> None:
    answers = {"extra": 1, "back": OTHER_FILE, "born": "yesterday", "name": " "}
    with pytest.raises(KycError) as caught:
        ensure(FORM, answers, partial=False, files={}, customer_id=42, brand="acme")
    assert caught.value.code is Code.INVALID_DATA
    assert caught.value.message == "name: is required (and 4 more)"
    assert caught.value.data == {
        "errors": [
            {"field": "name", "code": "required", "message": "is required"},
            {"field": "born", "code": "format", "message": DATE},
            {"field": "front", "code": "required", "message": "is required"},
            {"field": "back", "code": "file", "message": NO_FILE},
            {"field": "extra", "code": "unknown", "message": "is no field of this step"},
        ],
    }
    with pytest.raises(KycError, match=r"^born: must be a date such as 2000-12-31$"):
        ensure(FORM, {"born": "x"}, partial=True, files={}, customer_id=42, brand="acme")


def test_ensure_lets_good_answers_pass(file_facts: Callable[..., FileFacts]) -> None:
    answers = {"name": "Ann", "front": FILE, "back": FILE}
    ensure(FORM, answers, partial=False, files={FILE: file_facts()}, customer_id=42, brand="acme")


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({}, ()),
        ({"front": FILE}, (FILE,)),
        ({"back": FILE, "front": OTHER_FILE}, (OTHER_FILE, FILE)),
        ({"back": FILE, "front": FILE}, (FILE,)),
        ({"front": "x", "back": 7}, ()),
        ({"front": None, "back": [FILE]}, ()),
        ({"note": FILE, "extra": FILE}, ()),
        (None, ()),
        ([FILE], ()),
    ],
)
def test_file_references(answers: object, expected: tuple[str, ...]) -> None:
    assert file_references(FORM, answers) == expected


@pytest.mark.parametrize(
    ("saved", "given", "expected"),
    [
        ({}, {}, {}),
        ({"a": 1}, {}, {"a": 1}),
        ({}, {"a": 1}, {"a": 1}),
        ({"a": 1, "b": 2}, {"a": 3}, {"a": 3, "b": 2}),
        ({"a": 1, "b": 2}, {"a": None}, {"b": 2}),
        ({}, {"a": None}, {}),
        ({"a": 1}, {"a": ""}, {"a": ""}),
        ({"a": 1}, {"a": False}, {"a": False}),
        ({"a": [1]}, {"a": []}, {"a": []}),
    ],
)
def test_merge(saved: dict[str, Any], given: dict[str, Any], expected: dict[str, Any]) -> None:
    before = (dict(saved), dict(given))
    assert merge(saved, given) == expected
    assert (saved, given) == before


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.sampled_from(["a", "DE", FILE]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=6,
)


@settings(max_examples=300)
@given(
    kind=st.sampled_from(FIELD_TYPES),
    required=st.booleans(),
    partial=st.booleans(),
    options=st.none() | st.lists(st.sampled_from(["a", "b", 1, True, 2.5, {"value": "c"}]), max_size=4),
    value=json_values,
)
def test_any_json_gets_one_fault_or_none(
    kind: str,
    required: bool,
    partial: bool,
    options: list[Any] | None,
    value: Any,
) -> None:
    schema = schema_of(kind, required=required, options=options)
    faults = judge(schema, {"f": value}, partial=partial)
    assert len(faults) <= 1
    if not faults and not partial:
        assert judge(schema, {"f": value}, partial=True) == []
