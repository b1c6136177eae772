"""Whose a file is, who may read it, who may publish it: as tables."""

import re
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kycmanager.commands.model import Brand
from kycmanager.domain import files
from kycmanager.domain.enums import SessionType as S
from kycmanager.domain.errors import Code, KycError
from kycmanager.domain.files import FileLabel, FileOwner
from kycmanager.domain.session import MANAGERS, Session

OTHERS = (S.USER, S.SYSTEM, S.FIX)
NEEDED = (Code.INVALID_DATA, "brand: is required: this token does not have exactly one")
MALFORMED = (Code.INVALID_DATA, "brand: has a form that is not allowed")
UNKNOWN_BRAND = (Code.NOT_FOUND, "Brand was not found")
UNKNOWN_FILE = (Code.NOT_FOUND, "File was not found")
FORBIDDEN = (Code.FORBIDDEN, "This session may not do that")


def caller(kind, brands, sub=3):
    return Session(sub=sub, type=kind, brands=None if brands is None else frozenset(brands))


def outcome(rule, *given, **named):
    """Return what a rule returns, or (code, message) of what it raises."""
    try:
        return rule(*given, **named)
    except KycError as error:
        return error.code, error.message


@pytest.mark.parametrize(
    ("brands", "named", "brand"),
    [
        (("a",), "", "a"),
        (("a",), "a", "a"),
        (("a", "b"), "b", "b"),
        (None, "any.brand-1_X", "any.brand-1_X"),
    ],
)
def test_an_upload_has_the_brand_that_is_named_or_the_only_one(brands, named, brand):
    for kind in MANAGERS:
        assert files.owner_of(caller(kind, brands), named) == FileOwner("manager", 3, brand)
    for kind in OTHERS:
        assert files.owner_of(caller(kind, brands), named) == FileOwner(kind.name.lower(), 3, brand)


@pytest.mark.parametrize("named", ["", "a", "b", "no brand", "\0"])
def test_a_customers_upload_is_the_customers_whatever_is_named(named):
    customer = caller(S.CUSTOMER, ("a",), 7)
    assert files.owner_of(customer, named) == FileOwner("customer", 7, "a")
    assert files.owner_so_far(customer, named) == FileOwner("customer", 7, "a")


@pytest.mark.parametrize(
    ("brands", "named", "refusal"),
    [
        (("a", "b"), "", NEEDED),
        ((), "", NEEDED),
        (None, "", NEEDED),
        (("a",), "b", UNKNOWN_BRAND),
        (("a", "b"), "c", UNKNOWN_BRAND),
        ((), "a", UNKNOWN_BRAND),
        (("a",), "A", UNKNOWN_BRAND),
        (None, "no brand", MALFORMED),
        (None, "a\n", MALFORMED),
        (None, "\u00e9", MALFORMED),
        (None, "x" * 65, MALFORMED),
        (("a",), "a ", MALFORMED),
    ],
)
def test_brands_that_will_not_do(brands, named, refusal):
    for kind in (*MANAGERS, *OTHERS):
        session = caller(kind, brands)
        assert outcome(files.owner_of, session, named) == refusal
        assert outcome(files.owner_so_far, session, named) == (None if refusal is NEEDED else refusal)


@given(st.text(max_size=70) | st.text("aZ9_.-", max_size=70))
def test_a_brand_has_one_form_everywhere(text):
    pattern = get_args(Brand)[1].pattern
    allowed = outcome(files.owner_of, caller(S.ADMIN, None), text or " ") != MALFORMED
    assert allowed == bool(re.search(pattern, text))


@pytest.mark.parametrize("text", ["", "4", "-1", "00", " 1", "1.0", "x", "\u0661", "9" * 5000])
def test_texts_that_are_no_scope(text):
    for kind in S:
        refusal = outcome(files.scope_of, caller(kind, ("a",)), text, public=True)
        assert refusal == (Code.INVALID_DATA, "scope: expected 0 to 3")


@pytest.mark.parametrize("kind", S)
@pytest.mark.parametrize("public", [False, True])
def test_only_managers_publish_and_only_where_it_is_allowed(kind, public):
    session = caller(kind, ("a",))
    for scope in (0, 1, 2):
        assert files.scope_of(session, str(scope), public=public) == scope
        assert not files.is_public(scope, public=public, held=False)
    expected = 3 if public and kind in MANAGERS else (Code.INVALID_DATA, "scope: public files are not allowed here")
    assert outcome(files.scope_of, session, "3", public=public) == expected
    assert files.is_public(3, public=public, held=False) == public
    assert not files.is_public(3, public=public, held=True)


@pytest.mark.parametrize(
    ("owner", "manager", "everywhere", "nowhere", "customer", "other"),
    [
        (FileOwner("customer", 7, "a"), None, None, UNKNOWN_FILE, None, FORBIDDEN),
        (FileOwner("customer", 7, "b"), UNKNOWN_FILE, None, UNKNOWN_FILE, FORBIDDEN, FORBIDDEN),
        (FileOwner("customer", 8, "a"), None, None, UNKNOWN_FILE, FORBIDDEN, FORBIDDEN),
        (FileOwner("manager", 7, "a"), None, None, UNKNOWN_FILE, FORBIDDEN, FORBIDDEN),
        (FileOwner("user", 7, "b"), UNKNOWN_FILE, None, UNKNOWN_FILE, FORBIDDEN, FORBIDDEN),
        (None, UNKNOWN_FILE, UNKNOWN_FILE, UNKNOWN_FILE, UNKNOWN_FILE, FORBIDDEN),
    ],
)
def test_who_may_read(owner, manager, everywhere, nowhere, customer, other):
    def read(session):
        return outcome(files.check_readable, session, owner, held=False)

    for kind in MANAGERS:
        assert read(caller(kind, ("a",), 7)) == manager
        assert read(caller(kind, None, 7)) == everywhere
        assert read(caller(kind, (), 7)) == nowhere
    assert read(caller(S.CUSTOMER, ("a",), 7)) == customer
    for kind in OTHERS:
        for brands in (("a",), None, ()):
            assert read(caller(kind, brands, 7)) == other


@pytest.mark.parametrize("kind", S)
def test_a_file_that_is_held_back_is_read_by_those_who_decide_on_it(kind):
    owner, session = FileOwner("customer", 7, "a"), caller(kind, ("a",), 7)
    clear = outcome(files.check_readable, session, owner, held=False)
    held = outcome(files.check_readable, session, owner, held=True)
    if clear is not None or kind in {S.ADMIN, S.CRM_ADMIN}:
        assert held == clear
    else:
        assert held[0] is Code.INVALID_STATE
    assert outcome(files.check_readable, caller(kind, (), 7), None, held=True) != held or clear is not None


def test_every_session_type_is_in_the_tables():
    assert {*MANAGERS, *OTHERS, S.CUSTOMER} == set(S)


@pytest.mark.parametrize(
    ("fields", "now", "later"),
    [
        ({}, NEEDED, FileLabel(None, "", 0)),
        ({"purpose": "p", "scope": "2"}, NEEDED, FileLabel(None, "p", 2)),
        ({"brand": "", "file": "x"}, NEEDED, FileLabel(None, "", 0)),
        ({"brand": "a", "scope": "3"}, *[FileLabel(FileOwner("manager", 3, "a"), "", 3)] * 2),
        ({"brand": "c"}, UNKNOWN_BRAND, UNKNOWN_BRAND),
        ({"scope": "x"}, NEEDED, (Code.INVALID_DATA, "scope: expected 0 to 3")),
    ],
)
def test_the_label_of_an_upload(fields, now, later):
    session = caller(S.MANAGER, ("a", "b"))
    assert outcome(files.label_of, session, fields, public=True) == now
    assert outcome(files.label_of, session, fields, public=True, brand_may_follow=True) == later
