"""How a list request becomes a question to the indexes, and a page becomes the fields of a reply."""

from typing import Any

from msgspec import UNSET

from kycmanager.commands.model import ListRequest
from kycmanager.domain.session import Session
from kycmanager.ports import ListQuery, Page


def scope_of(session: Session, brand: Any) -> frozenset[str] | None:
    """Return the brands whose rows the caller may see of the one asked for, or of all."""
    if brand is UNSET or not brand:
        return session.brands
    return frozenset({brand}) if session.sees(brand) else frozenset()


def list_query(
    session: Session,
    request: ListRequest,
    *,
    brand: Any,
    updated_from: int = 0,
    updated_to: int = 0,
    order: str = "id",
    **filters: Any,
) -> ListQuery:
    """Build the question; a filter that is unset or -1 does not count."""
    return ListQuery(
        brands=scope_of(session, brand),
        filters={name: value for name, value in filters.items() if value is not UNSET and value != -1},
        updated_from=updated_from,
        updated_to=updated_to,
        order=order,
        limit=request.limit,
        offset=request.offset,
        after=request.after or None,
    )


def page_fields(page: Page) -> dict[str, Any]:
    """Return the fields every list reply has besides its rows."""
    fields: dict[str, Any] = {"count": page.count, "next": page.next}
    if page.capped:
        fields["count_capped"] = True
    return fields
