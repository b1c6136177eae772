"""The reach of a session: which object a request names, and whether it exists for the caller (section 2).

For managers an object of a brand outside their scope is answered exactly like a missing one. For customers an
existing object of somebody else is 403, a missing one 404.
"""

from collections.abc import Callable
from typing import Any

from msgspec import UNSET

from kycmanager.domain.case import may_take_over
from kycmanager.domain.enums import DocumentStatus
from kycmanager.domain.errors import forbidden, invalid, not_found
from kycmanager.domain.records import Document, Profile, Step, Template
from kycmanager.domain.session import MANAGERS, Session
from kycmanager.ports import Records


def anything(_records: Records, _session: Session, _request: Any) -> None:
    """Let the request through: it names no object, or its rows are filtered by the caller's brands."""


def template(records: Records, session: Session, request: Any) -> Template:
    """Find the template a manager names by id."""
    found = records.template(request.id)
    if found is None or not session.sees(found.brand):
        raise not_found("template")
    return found


def step(records: Records, session: Session, request: Any) -> Step:
    """Find the step a manager names by id."""
    found = records.step(request.id)
    if found is None or not session.sees(found.brand):
        raise not_found("step")
    return found


def document(records: Records, session: Session, request: Any) -> Document:
    """Find the document a manager names by id."""
    found = records.document(request.id)
    if found is None or not session.sees(found.brand):
        raise not_found("document")
    return found


def _profile(records: Records, session: Session, kyc_id: int, customer_id: int, brand: str, field: str) -> Profile:
    if kyc_id:
        found = records.profile(kyc_id)
    elif customer_id and brand:
        found = records.profile_of(customer_id, brand)
    else:
        raise invalid(field, f"give {field}, or customer_id and brand")
    if found is None or not session.sees(found.brand):
        raise not_found("profile")
    return found


def profile(records: Records, session: Session, request: Any) -> Profile:
    """Find the profile a manager names by id, or by customer and brand."""
    return _profile(records, session, request.id, request.customer_id, request.brand, "id")


def profile_of_document(records: Records, session: Session, request: Any) -> Profile:
    """Find the profile a manager attaches a document to."""
    return _profile(records, session, request.kyc_id, request.customer_id, request.brand, "kyc_id")


def profile_named(records: Records, session: Session, request: Any) -> Profile:
    """Find the profile a manager names by kyc_id."""
    return reached_profile(records, session, request.kyc_id)


def reached_profile(records: Records, session: Session, kyc_id: int) -> Profile:
    """Find a profile the caller reaches."""
    return _profile(records, session, kyc_id, 0, "", "kyc_id")


def claimable(records: Records, session: Session, request: Any) -> Profile:
    """Find the case a manager claims; taking it from somebody is for those who may."""
    if request.take_over and not may_take_over(session):
        raise forbidden()
    return profile_named(records, session, request)


def looked_at(records: Records, session: Session, request: Any) -> Profile | None:
    """Find the profile a manager has looked at, by itself or by its document; None when neither is named."""
    found = reached_profile(records, session, request.kyc_id) if request.kyc_id else None
    if request.document_id:
        held = records.document(request.document_id)
        if held is None or not session.sees(held.brand) or (found is not None and held.kyc_id != found.id):
            raise not_found("document")
        found = records.profile(held.kyc_id)
    return found


def template_to_be(records: Records, session: Session, request: Any) -> Template | None:
    """Find the template a manager thinks of changing, None for a new one; its brand must be in reach."""
    if not session.sees(request.brand):
        raise not_found("template")
    return template(records, session, request) if request.id else None


def named_brand(noun: str) -> Callable[[Records, Session, Any], None]:
    """Make the scope of a write that may name a brand; outside it the noun "was not found"."""

    def scope(_records: Records, session: Session, request: Any) -> None:
        if request.brand is not UNSET and not session.sees(request.brand):
            raise not_found(noun)

    return scope


def brand(noun: str) -> Callable[[Records, Session, Any], Any]:
    """Make the scope of a write that names a brand; outside it the noun "was not found"."""

    def scope(_records: Records, session: Session, request: Any) -> None:
        if not session.sees(request.brand):
            raise not_found(noun)

    return scope


def customer_profile(noun: str) -> Callable[[Records, Session, Any], Profile | None]:
    """Make the scope of a write to a customer who may have no profile yet; the target is the profile or None."""

    def scope(records: Records, session: Session, request: Any) -> Profile | None:
        if not session.sees(request.brand):
            raise not_found(noun)
        return records.profile_of(request.customer_id, request.brand)

    return scope


def seen_profile(records: Records, session: Session, request: Any) -> Profile | None:
    """Find the profile of a customer, None alike when there is none or when its brand is out of reach."""
    return records.profile_of(request.customer_id, request.brand) if session.sees(request.brand) else None


def _own(session: Session, record: Profile | Step | Document | None, noun: str) -> None:
    if record is None:
        raise not_found(noun)
    if record.customer_id != session.sub or record.brand != session.own_brand:
        raise forbidden()


def own_step(records: Records, session: Session, request: Any) -> Step:
    """Find a step of the customer."""
    found = records.step(request.id)
    _own(session, found, "step")
    assert found is not None
    return found


def own_document(records: Records, session: Session, request: Any) -> Document:
    """Find a document of the customer; one that was deleted is not there for customers."""
    found = records.document(request.id)
    _own(session, found, "document")
    assert found is not None
    if found.status is DocumentStatus.DELETED:
        raise not_found("document")
    return found


def own_profile(records: Records, session: Session, _request: Any) -> Profile | None:
    """Find the profile of the customer, if there is one yet."""
    return records.profile_of(session.sub, session.own_brand)


def own_profile_named(records: Records, session: Session, request: Any) -> Profile:
    """Find the profile the customer names by kyc_id."""
    found = records.profile(request.kyc_id)
    _own(session, found, "profile")
    assert found is not None
    return found


def own_step_filter(records: Records, session: Session, request: Any) -> Profile | None:
    """Find the profile of the customer; a step named as a filter must be the customer's too."""
    if request.step_id:
        _own(session, records.step(request.step_id), "step")
    return own_profile(records, session, request)


def channels(_records: Records, session: Session, request: Any) -> tuple[str, ...]:
    """Keep the channels that mean something here; a customer's must be the own one, others need a manager."""
    wanted = tuple(name for name in (*request.chanels, *request.channels) if name == "kyc" or name.startswith("kyc:"))
    if session.is_customer:
        if any(name != f"kyc:{session.own_brand}:{session.sub}" for name in wanted):
            raise forbidden()
    elif wanted and session.type not in MANAGERS:
        raise forbidden()
    return wanted
