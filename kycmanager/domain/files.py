"""Stored files: whose one is, who may read it, and who may publish it (manager API, section 6)."""

import re
from collections.abc import Mapping
from typing import TypeGuard

from msgspec import Struct

from kycmanager.domain.errors import Code, KycError, forbidden, invalid, not_found
from kycmanager.domain.records import FileFacts
from kycmanager.domain.session import DECIDERS, MANAGERS, Session

RENDITION_KINDS = ("thumb", "view", "full")
"""What a browser may be shown of a file, by size."""

PUBLIC_SCOPE = 3
"""Files of this scope may be read without a token, where the settings allow it."""

CUSTOMER = "customer"
"""The kind of owner a customer is."""

FILE_ID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
"""How the id of a file is spelled, as a pattern: a uuid in lower case."""

_FILE_ID = re.compile(FILE_ID)
_SCOPES = {str(scope): scope for scope in range(PUBLIC_SCOPE + 1)}
_BRAND = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def is_file_id(value: object) -> TypeGuard[str]:
    """Tell whether a value can be the id of a file."""
    return isinstance(value, str) and _FILE_ID.fullmatch(value) is not None


class FileOwner(Struct, frozen=True, gc=False):
    """Who uploaded a file: `kind` is "customer", "manager", or the session type of others in lower case."""

    kind: str
    id: int
    brand: str


class FileLabel(Struct, frozen=True, gc=False):
    """What an uploader says of a file beside its bytes; `owner` is None while a brand is still to be named."""

    owner: FileOwner | None
    purpose: str
    scope: int


def label_of(session: Session, fields: Mapping[str, str], *, public: bool, brand_may_follow: bool = False) -> FileLabel:
    """Return the label the fields `brand`, `purpose` and `scope` of an upload make; each may be missing.

    `public` tells whether the settings allow public files. Raises what `owner_of` and `scope_of` do; where the brand
    is missing and may follow, the label has no owner yet.
    """
    brand = fields.get("brand", "")
    return FileLabel(
        owner_so_far(session, brand) if brand_may_follow else owner_of(session, brand),
        fields.get("purpose", ""),
        scope_of(session, fields.get("scope", "0"), public=public),
    )


def owner_of(session: Session, brand: str) -> FileOwner:
    """Return who will own an upload; `brand` is what the caller named, or "".

    Raises INVALID_DATA naming `brand`, NOT_FOUND for a brand out of reach.
    """
    owner = owner_so_far(session, brand)
    if owner is None:
        raise invalid("brand", "is required: this token does not have exactly one")
    return owner


def owner_so_far(session: Session, brand: str) -> FileOwner | None:
    """Return who will own an upload, None where that hangs on a brand the caller has not named.

    A customer's file has the brand of the token. Others name a brand, unless the token has exactly one. Raises as
    `owner_of` for a brand that is named.
    """
    if session.is_customer:
        return FileOwner(CUSTOMER, session.sub, session.own_brand)
    kind = "manager" if session.type in MANAGERS else session.type.name.lower()
    if not brand:
        if session.brands is None or len(session.brands) != 1:
            return None
        return FileOwner(kind, session.sub, session.own_brand)
    if not _BRAND.fullmatch(brand):
        raise invalid("brand", "has a form that is not allowed")
    if not session.sees(brand):
        raise not_found("brand")
    return FileOwner(kind, session.sub, brand)


def scope_of(session: Session, text: str, *, public: bool) -> int:
    """Return the scope asked for; only managers publish files, and only where `public` files are allowed."""
    scope = _SCOPES.get(text)
    if scope is None:
        raise invalid("scope", f"expected 0 to {PUBLIC_SCOPE}")
    if scope == PUBLIC_SCOPE and not (public and session.type in MANAGERS):
        raise invalid("scope", "public files are not allowed here")
    return scope


def check_readable(session: Session, owner: FileOwner | None, *, held: bool) -> None:
    """Refuse who may not read a file; `owner` is None where there is no such file.

    To managers a file of another brand does not exist; to customers another's file is forbidden, a missing one is not
    found; nobody else reads files. One that is `held` back is read by those who decide on it: for all others
    INVALID_STATE.
    """
    if session.is_customer:
        if owner is None:
            raise not_found("file")
        if owner != FileOwner(CUSTOMER, session.sub, session.own_brand):
            raise forbidden()
    elif session.type not in MANAGERS:
        raise forbidden()
    elif owner is None or not session.sees(owner.brand):
        raise not_found("file")
    if held and session.type not in DECIDERS:
        raise held_back()


def held_back() -> KycError:
    """Build the answer where a file that is held back stands in the way."""
    return KycError(Code.INVALID_STATE, "File is held back: something active was found in it, and nobody released it")


def is_of_customer(file: FileFacts, customer_id: int, brand: str) -> bool:
    """Tell whether the customer uploaded the file: a manager's upload for the brand is not the customer's."""
    return file.owner_kind == CUSTOMER and file.owner_id == customer_id and file.brand == brand


def is_public(scope: int, *, public: bool, held: bool) -> bool:
    """Tell whether a file of this scope may be read without a token; `public` as in `label_of`."""
    return public and scope == PUBLIC_SCOPE and not held
