"""What a customer is told of a rejection."""

from pathlib import Path

import pytest

from kycmanager import portal
from kycmanager.domain.reasons import USUAL, Reason, Reasons, text_in

TEXTS = {"en": "again", "pt-BR": "de novo", "de": "nochmal"}
REASONS = Reasons([Reason(code="a", kind="retry", label="A", customer_text=TEXTS)], "de")


@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "again"), ("EN-us", "again"), ("pt_br", "de novo"), ("pt", "nochmal"), ("", "nochmal"), ("xx", "nochmal")],
)
def test_the_nearest_language_is_told(language, text):
    assert REASONS.text("acme", "a", language) == text


def test_without_the_language_of_the_settings_the_first_is_told():
    assert (
        Reasons([Reason(code="a", kind="retry", label="A", customer_text={"fr": "non"})]).text("b", "a", "pl") == "non"
    )


def test_an_unknown_code_and_one_without_texts_tell_nothing():
    assert REASONS.text("acme", "b", "en") == ""
    assert Reasons([Reason(code="a", kind="final", label="A")]).text("acme", "a", "en") == ""


def test_the_reason_of_a_brand_goes_before_that_of_all():
    both = Reasons(
        [
            Reason(code="a", kind="retry", label="mine", customer_text={"en": "mine"}, brand="acme"),
            Reason(code="a", kind="retry", label="all", customer_text={"en": "all"}),
        ]
    )
    assert [reason.label for reason in both.of("acme")] == ["mine"]
    assert [reason.label for reason in both.of("beta")] == ["all"]
    assert (both.text("acme", "a", "en"), both.text("beta", "a", "en")) == ("mine", "all")


def test_the_usual_reasons_are_told_in_every_language_of_the_customers_pages():
    shipped = {path.stem for path in Path(portal.__file__).parent.glob("messages/*.json")}
    assert len(shipped) > 1
    for reason in USUAL:
        assert set(reason.customer_text) == shipped, reason.code
        assert len(set(reason.customer_text.values())) == len(shipped), reason.code


@pytest.mark.parametrize(
    ("languages", "text"),
    [(("es",), "no"), (("pt-BR", "es-MX"), "no"), (("EN_us",), "nope"), (("pt", "ru"), "nope"), ((), "nope")],
)
def test_a_text_is_in_the_first_language_that_there_is(languages, text):
    assert text_in({"en": "nope", "es": "no"}, *languages) == text
    assert text_in({}, *languages) == ""


def test_the_usual_reasons_have_a_code_each():
    assert len({reason.code for reason in USUAL}) == len(USUAL)
