"""What the spellings of a value share, what is hashed of answers, and which steps are found by theirs."""

import pytest

from kycmanager.domain.enums import StepStatus
from kycmanager.domain.lookup import (
    DIGEST_BYTES,
    VALUE_CHARS_MAX,
    digest,
    digests,
    findable,
    normal,
    parts,
    secret_of,
    words_for,
    words_of,
)
from kycmanager.domain.records import Step

SECRET = secret_of(b"k" * 32)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ann Example", "ann example"), ("  ANN \t\n eXample ", "ann example"), ("", ""), (" \u00a0\u2003 ", ""),
        ("Jose\u0301", "josé"), ("JOSÉ", "josé"), ("Straße", "strasse"), ("STRASSE", "strasse"), ("ΣΊΣΥΦΟΣ", "σίσυφοσ"),
        ("\uff21\uff11\uff12", "a12"), ("\ufb01le", "file"), ("Ⅻ", "xii"), ("a\u00a0b", "a b"), ("İ", "i\u0307"),
        ("Zażółć", "zażółć"), ("a-b.c", "a-b.c"), ("Æ", "æ"), ("\u1e9e", "ss"), ("ab\u200dc", "ab\u200dc"),
    ],
)  # fmt: skip
def test_spellings_of_a_text_become_one(text, expected):
    assert normal(text) == expected
    assert normal(expected) == expected


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("Ann", ["t:ann"]), ("2000-12-31", ["t:2000-12-31"]), ("", []), ("  ", []), (None, []), ({}, []),
        (True, ["t:true"]), (False, ["t:false"]), (7, ["n:7"]), (7.0, ["n:7"]), (-0.0, ["n:0"]), (1.5, ["n:1.5"]),
        (1e20, ["n:100000000000000000000"]), (1e-7, ["n:1e-07"]), (["DE", "fr", 1], ["t:de", "t:fr", "n:1"]), ([], []),
        ("x" * VALUE_CHARS_MAX, ["t:" + "x" * VALUE_CHARS_MAX]), ("x" * (VALUE_CHARS_MAX + 1), []),
    ],
)  # fmt: skip
def test_what_is_hashed_of_an_answer(answer, words):
    assert list(words_of(answer)) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("Ann", ["t:ann"]), ("", []), (" ", []), ("007", ["t:007", "n:7"]), ("7.00", ["t:7.00", "n:7"]), ("+7", ["t:+7", "n:7"]),
        ("-1.50", ["t:-1.50", "n:-1.5"]), ("1e3", ["t:1e3"]), ("\uff17", ["t:7", "n:7"]), ("1,5", ["t:1,5"]),
        ("2000-12-31", ["t:2000-12-31"]), ("2000-1-5", ["t:2000-1-5", "t:2000-01-05"]), ("2000.12.31", ["t:2000.12.31", "t:2000-12-31"]),
        ("31.12.2000", ["t:31.12.2000"]), ("1" * 400 + ".0", ["t:" + "1" * 400 + ".0", "n:inf"]), ("True", ["t:true"]),
    ],
)  # fmt: skip
def test_what_a_value_that_is_searched_for_may_be(value, words):
    assert words_for(value) == words


def test_a_hash_is_of_key_brand_field_and_word():
    base = (SECRET, "acme", "who", "t:ann")
    others = [
        (secret_of(b"o" * 32), *base[1:]),
        (SECRET, "zeta", "who", "t:ann"),
        (SECRET, "acme", "born", "t:ann"),
        (SECRET, "acme", "who", "n:1"),
        (SECRET, "acmew", "ho", "t:ann"),
    ]
    assert len({digest(*each) for each in (base, *others)}) == 6
    assert {len(digest(*each)) for each in others} == {DIGEST_BYTES}
    assert digest(*base) == digest(*base)
    assert SECRET != b"k" * 32


def test_answers_are_hashed_by_field_and_sorted():
    answers = {"who": "Ann", "lands": ["DE", "FR", "de"], "other": "x", "born": "2000-12-31"}
    joined = digests(SECRET, "acme", ("born", "lands", "missing", "who"), answers)
    expected = [("born", "t:2000-12-31"), ("lands", "t:de"), ("lands", "t:fr"), ("who", "t:ann")]
    assert parts(joined) == sorted(digest(SECRET, "acme", *each) for each in expected)
    assert digests(SECRET, "acme", ("who",), {}) == b""
    assert parts(b"") == []


def step(id_, status, *, code="a", submitted=1, updated=5, reviewed=0):
    fields = dict.fromkeys(Step.__struct_fields__, 0)
    return Step(
        **{
            **fields,
            "id": id_,
            "code": code,
            "status": StepStatus(status),
            "submitted_time": submitted,
            "updated_time": updated,
            "reviewed_time": reviewed,
        }
    )


@pytest.mark.parametrize(
    ("steps", "found"),
    [
        ([step(1, 1)], {1}), ([step(1, 2)], {1}), ([step(1, 4)], {1}), ([step(1, 0)], set()), ([step(1, 5)], set()),
        ([step(1, 3, updated=5, reviewed=5)], {1}), ([step(1, 3, updated=6, reviewed=5)], set()),
        ([step(1, 2, submitted=0)], set()), ([step(1, 4), step(2, 0, submitted=0)], {1}), ([step(1, 4), step(2, 1)], {2}),
        ([step(2, 1), step(1, 4)], {2}), ([step(1, 4), step(2, 3, updated=6, reviewed=5)], set()),
        ([step(1, 1), step(2, 1, code="b")], {1, 2}), ([], set()),
    ],
)  # fmt: skip
def test_found_is_what_was_handed_in_last(steps, found):
    assert findable(steps) == found
