"""What a session sees, and which kinds may do what."""

import pytest

from kycmanager.domain.enums import SessionType
from kycmanager.domain.session import ANYONE, CUSTOMERS, HOOK_CALLERS, MANAGERS, NOBODY, Session


@pytest.mark.parametrize(
    ("brands", "brand", "expected"),
    [
        (None, "acme", True),
        (frozenset({"acme"}), "acme", True),
        (frozenset({"acme"}), "ACME", False),
        (frozenset({"acme", "zeta"}), "zeta", True),
        (frozenset(), "acme", False),
        (frozenset(), "", False),
    ],
)
def test_sees(brands: frozenset[str] | None, brand: str, expected: bool) -> None:
    assert Session(sub=1, type=SessionType.MANAGER, brands=brands).sees(brand) is expected


@pytest.mark.parametrize(("brands", "brand"), [(frozenset({"acme"}), "acme"), (frozenset(), ""), (None, "")])
def test_own_brand(brands: frozenset[str] | None, brand: str) -> None:
    assert Session(sub=1, type=SessionType.CUSTOMER, brands=brands).own_brand == brand


def test_who_may_do_what() -> None:
    assert {kind.name for kind in MANAGERS} == {"MANAGER", "ADMIN", "DEALER", "CRM_MANAGER", "CRM_ADMIN"}
    assert {kind.name for kind in HOOK_CALLERS - MANAGERS} == {"SYSTEM"}
    assert {kind.name for kind in CUSTOMERS} == {"CUSTOMER"}
    assert set(SessionType) == ANYONE
    assert not NOBODY


FOLLOWED = [
    (SessionType.CUSTOMER, {"acme"}, 42, "acme", 42, True),
    (SessionType.CUSTOMER, {"acme"}, 42, "acme", 43, False),
    (SessionType.CUSTOMER, {"acme"}, 42, "beta", 42, False),
    (SessionType.MANAGER, {"acme"}, 1, "acme", 42, True),
    (SessionType.MANAGER, {"acme"}, 1, "beta", 42, False),
    (SessionType.CRM_ADMIN, None, 1, "beta", 42, True),
    (SessionType.SYSTEM, None, 1, "acme", 42, False),
    (SessionType.USER, None, 42, "acme", 42, False),
]


@pytest.mark.parametrize(("kind", "brands", "sub", "brand", "customer_id", "follows"), FOLLOWED)
def test_who_follows_whom(kind, brands, sub, brand, customer_id, follows):
    session = Session(sub=sub, type=kind, brands=None if brands is None else frozenset(brands))
    assert session.may_follow(brand, customer_id) is follows
