"""The names of SEP-9, and what is sent for them."""

import pytest

from kycmanager.domain import sep9
from kycmanager.domain.countries import COUNTRIES, THREE_LETTERS
from kycmanager.domain.errors import KycError
from kycmanager.domain.form_schema import FIELD_TYPES, Field


def field(name="x", type_="text", options=None):
    return Field(name, type_, False, options)


def test_there_are_as_many_as_the_standard_has():
    prefixes = {name.partition(".")[0] for name in sep9.FIELDS if "." in name}
    assert prefixes == {"organization", "card"}
    assert {kind for kind, _ in sep9.FIELDS.values()} == {"string", "binary", "date", "number"}
    assert sep9.FIELDS["organization.photo_proof_address"][0] == "binary"
    assert sep9.FIELDS["birth_date"][0] == "date"
    assert sep9.FIELDS["organization.clabe_number"][0] == "string"
    assert len(sep9.FIELDS) == 36 + 14 + 17 + 14 + 11


def test_countries_of_three_letters():
    assert set(THREE_LETTERS.values()) == COUNTRIES
    assert (THREE_LETTERS["DEU"], THREE_LETTERS["GBR"], THREE_LETTERS["CHE"], THREE_LETTERS["ZAF"]) == (
        "DE", "GB", "CH", "ZA",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("given", "sent", "answer"),
    [
        (field(), " Ann ", "Ann"), (field(type_="number"), "1.5", 1.5), (field(type_="number"), "-3", -3),
        (field(type_="number"), "many", "many"), (field(type_="number"), 7, 7), (field(type_="boolean"), "TRUE", True),
        (field(type_="boolean"), "no", "no"), (field(type_="country"), "deu", "DE"), (field(type_="country"), "", ""),
        (field(type_="select", options=[1, {"value": True, "label": "Yes"}]), "1", 1),
        (field(type_="select", options=[{"value": True}]), "true", True), (field(type_="select"), "a", "a"),
        (field(type_="multi_select", options=["a", 2]), "a, 2,", ["a", 2]),
        (field("address_country_code"), "DEU", "DEU"), (field("sex"), "female", "female"), (field("sex"), "", ""),
    ],
)  # fmt: skip
def test_what_is_sent_becomes_an_answer(given, sent, answer):
    assert sep9.answer_of(given, sent) == answer


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (field("email_address"), "x"), (field("organization.email"), "a b@c"), (field("mobile_number"), "call me"),
        (field("language_code"), "eng"), (field("card.expiration_date"), "29-13"), (field("sex"), "m"),
        (field("bank_account_type"), "x"), (field("birth_country_code"), "XYZ"), (field(type_="country"), "X"),
        (field(type_="text"), 5), (field(type_="date"), True),
    ],
)  # fmt: skip
def test_what_sep_9_writes_otherwise(given, sent):
    with pytest.raises(KycError):
        sep9.answer_of(given, sent)


def test_what_is_never_stored():
    for name in ("card.number", "card.cvc"):
        with pytest.raises(KycError, match=r"card\.token"):
            sep9.refuse_never_stored(name)
    sep9.refuse_never_stored("card.token")


def test_descriptions_and_kinds():
    assert sep9.description_of("first_name", None, "en") == "Given or first name"
    assert sep9.description_of("mine", None, "en") == "mine"
    assert sep9.description_of("mine", {"de": "Meins", "x": 5}, "fr") == "Meins"
    assert sep9.description_of("mine", {}, "fr") == "mine"
    assert {sep9.kind_of(kind) for kind in FIELD_TYPES} == {"string", "number", "date", "binary"}
    assert sep9.choices_of("x", [1, {"value": "a"}], "multi_select") == ["1", "a"]
    assert sep9.choices_of("sex", None, "text") == ["male", "female", "other"]
    assert sep9.choices_of("x", None, "text") is None
