"""Every move of a document, from a table written by hand."""

from collections.abc import Callable
from itertools import product

import pytest

from kycmanager.domain.document import DOCUMENTS_MAX, TRANSITIONS, USABLE, allows, amend, ensure_room, move
from kycmanager.domain.enums import DocumentStatus
from kycmanager.domain.errors import Code, KycError
from kycmanager.domain.records import Document

ALLOWED = {
    ("UPLOADED", "PENDING"),
    ("UPLOADED", "APPROVED"),
    ("UPLOADED", "REJECTED"),
    ("UPLOADED", "EXPIRED"),
    ("UPLOADED", "DELETED"),
    ("PENDING", "APPROVED"),
    ("PENDING", "REJECTED"),
    ("PENDING", "EXPIRED"),
    ("PENDING", "DELETED"),
    ("APPROVED", "EXPIRED"),
    ("APPROVED", "REJECTED"),
}


@pytest.mark.parametrize("status", DocumentStatus)
def test_room(document: Callable[..., Document], status: DocumentStatus) -> None:
    held = [document(status=DocumentStatus.DELETED), *[document(status=status)] * DOCUMENTS_MAX]
    ensure_room(held[:DOCUMENTS_MAX])
    if status.name in {"REJECTED", "EXPIRED", "DELETED"}:
        ensure_room(held)
        return
    with pytest.raises(KycError, match=f"^Profile has {DOCUMENTS_MAX} documents that are uploaded,") as caught:
        ensure_room(held)
    assert caught.value.code is Code.INVALID_STATE


PAIRS = list(product(DocumentStatus, DocumentStatus))


@pytest.mark.parametrize(("status", "to"), PAIRS, ids=lambda status: status.name)
def test_every_move(document: Callable[..., Document], status: DocumentStatus, to: DocumentStatus) -> None:
    before = document(status=status, version=8, updated_time=200)
    if (status.name, to.name) in ALLOWED:
        assert allows(before, to)
        after = move(before, to, now=300)
        assert after == document(status=to, version=9, updated_time=300)
        assert before == document(status=status, version=8, updated_time=200)
    else:
        assert not allows(before, to)
        with pytest.raises(KycError) as caught:
            move(before, to, now=300)
        assert caught.value.code is Code.INVALID_STATE
        assert caught.value.message == f"Document has status {status.name.lower()}; it cannot become {to.name.lower()}"


def test_every_status_has_its_row() -> None:
    assert set(TRANSITIONS) == set(DocumentStatus)


def test_a_move_carries_the_review(document: Callable[..., Document]) -> None:
    after = move(document(), DocumentStatus.REJECTED, now=300, reviewed_time=300, reviewed_by=9, reason="blurred")
    assert (after.reviewed_time, after.reviewed_by, after.reason) == (300, 9, "blurred")


def test_amend_keeps_the_status(document: Callable[..., Document]) -> None:
    assert amend(document(), now=300, step_id=3) == document(step_id=3, updated_time=300, version=2)


def test_usable() -> None:
    assert {status.name for status in USABLE} == {"UPLOADED", "PENDING", "APPROVED"}
