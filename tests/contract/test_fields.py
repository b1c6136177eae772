"""Types, bounds and examples of fields, for all kinds of types a row may use."""

from typing import Annotated, Any, Literal

import pytest
from msgspec import UNSET, Meta, Struct, UnsetType

from kycmanager.commands.model import ID_MAX, ListRequest, Request, WriteRequest
from kycmanager.contract.examples import by_type, field_example, full_example, request_example
from kycmanager.contract.fields import bounds_text, classes_in, fields_of, reachable, type_text
from kycmanager.contract.glossary import meaning
from kycmanager.domain.enums import RiskLevel, StepType


class Inner(Struct):
    number: float


class Sample(Struct, kw_only=True):
    plain: int
    least: Annotated[int, Meta(ge=1)] = 1
    most: Annotated[int, Meta(le=9)] = 1
    between: Annotated[int, Meta(ge=0, le=ID_MAX)] = 0
    text: Annotated[str, Meta(max_length=3)] = ""
    form: Annotated[str, Meta(pattern=r"^a(?![\s\S])")] = "a"
    either: Annotated[str, Meta(pattern="^b$")] | Literal[""] = ""
    many: Annotated[list[Annotated[str, Meta(min_length=2)]], Meta(max_length=5)] = []
    named: dict[str, Inner] = {}
    kind: StepType = StepType.MIXED
    choice: Literal["x", "y"] = "x"
    perhaps: Inner | None = None
    maybe: bool | UnsetType = UNSET
    anything: Any = None


FIELDS = {field.name: field for field in fields_of(Sample)}


@pytest.mark.parametrize(
    ("name", "text", "bounds"),
    [
        ("plain", "int", ""),
        ("least", "int", "at least 1"),
        ("most", "int", "at most 9"),
        ("between", "int", "0..2^53-1"),
        ("text", "str", "at most 3 characters"),
        ("form", "str", "form `^a$`"),
        ("either", "str", "form `^b$`, or empty"),
        ("many", "list[str]", "at most 5 items, at least 2 characters each"),
        ("named", "dict[str, Inner]", ""),
        ("kind", "StepType", "0 document, 1 questionnaire, 2 mixed, 3 provider, 4 manual"),
        ("choice", 'Literal["x", "y"]', ""),
        ("perhaps", "Inner | None", ""),
        ("maybe", "bool", ""),
        ("anything", "Any", ""),
    ],
)
def test_type_and_bounds(name, text, bounds):
    assert type_text(FIELDS[name].type) == text
    assert bounds_text(FIELDS[name].type) == bounds


def test_required_comes_first_and_defaults_are_known():
    assert next(iter(FIELDS)) == "plain"
    assert FIELDS["plain"].required
    assert FIELDS["plain"].default is UNSET
    assert FIELDS["many"].default == []
    assert FIELDS["maybe"].default is UNSET
    assert FIELDS["plain"].doc == ""


def test_classes():
    assert classes_in(FIELDS["named"].type) == [Inner]
    assert classes_in(FIELDS["many"].type) == []
    assert classes_in(FIELDS["perhaps"].type) == [Inner]
    assert reachable([Sample]) == [Inner, StepType]


def test_examples_come_from_types_when_no_word_fits():
    assert request_example(Sample) == {"plain": 1, "least": 1}
    made = full_example(Sample)
    assert made["kind"] == 0  # the example of `kind` is a word, not a number
    assert made["choice"] == "x"
    assert made["perhaps"] == {"number": 1.5}
    assert made["many"] == ["text"]
    assert made["anything"] is None
    assert "maybe" not in made
    assert by_type(FIELDS["maybe"].type) is True
    assert field_example(Sample, "plain") == 1


class Filters(ListRequest, frozen=True, kw_only=True):
    status: int
    risk_level: RiskLevel


class Change(WriteRequest, frozen=True, kw_only=True):
    status: int


class Look(Request, frozen=True, kw_only=True):
    version: int


def test_a_word_means_what_its_place_says():
    assert "-1 is any" in meaning(Filters, "status")
    assert meaning(Change, "status") == "Where the record stands"
    assert meaning(Change, "version").startswith("Refuse")
    assert meaning(Sample, "version").startswith("How often")
    assert meaning(Sample, "nonsense") == ""
