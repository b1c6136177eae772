"""Whose a stored file is and who may read it (manager API, section 6), and what storage's errors are over HTTP."""

import re
from collections.abc import Callable

from kycmanager.commands.model import Brand
from kycmanager.domain.enums import SessionType
from kycmanager.domain.errors import Code, KycError, forbidden, invalid, not_found
from kycmanager.domain.session import MANAGERS, Session
from storagemanager import FileMeta, Owner, StorageError, StorageErrorCode

PUBLIC_SCOPE = 3
Faults = Callable[[str, BaseException], str]
"""Logs an unexpected exception of a named piece of work once and returns the correlation id of its line."""

_BRAND = re.compile(Brand.__metadata__[0].pattern)  # type: ignore[attr-defined]  # Annotated keeps it

_REFUSED_FILE = frozenset(
    {
        StorageErrorCode.EMPTY,
        StorageErrorCode.REFUSED_TYPE,
        StorageErrorCode.SIGNATURE_MISMATCH,
        StorageErrorCode.STRUCTURE,
    }
)
_ANSWERS = {
    StorageErrorCode.FULL: (Code.STORAGE_FULL, "The disk is full; nothing was stored"),
    StorageErrorCode.BUSY: (Code.OVERLOADED, "Too many uploads are under way; try again later"),
    StorageErrorCode.CLOSED: (Code.SHUTDOWN, "The daemon is stopping; try again in a moment"),
    StorageErrorCode.OUTCOME_UNKNOWN: (Code.OUTCOME_UNKNOWN, "The storage failed while writing; send the file again"),
}
_FAULTS = {
    StorageErrorCode.UNAVAILABLE: (Code.OVERLOADED, "The storage does not work at the moment; try again later"),
}
_FAULT = (Code.INTERNAL, "Something failed here; the log knows")


def owner_of(session: Session, brand: str) -> Owner:
    """Return who will own an upload; `brand` is what the caller named, or "".

    A customer's file has the brand of the token. Others name a brand, unless the token has exactly one. Raises
    INVALID_DATA naming `brand`, NOT_FOUND for a brand out of reach.
    """
    if session.type is SessionType.CUSTOMER:
        return Owner(kind="customer", id=session.sub, brand=session.own_brand)
    kind = "manager" if session.type in MANAGERS else session.type.name.lower()
    if not brand:
        if session.brands is None or len(session.brands) != 1:
            raise invalid("brand", "is required: this token does not have exactly one")
        return Owner(kind=kind, id=session.sub, brand=session.own_brand)
    if not _BRAND.fullmatch(brand):
        raise invalid("brand", "has a form that is not allowed")
    if not session.sees(brand):
        raise not_found("brand")
    return Owner(kind=kind, id=session.sub, brand=brand)


def readable(session: Session, meta: FileMeta | None) -> FileMeta:
    """Return the file if the caller may read it.

    To managers a file of another brand does not exist; to customers another's file is forbidden, a missing one is not
    found; nobody else reads files.
    """
    if session.type is SessionType.CUSTOMER:
        if meta is None:
            raise not_found("file")
        if (meta.owner_kind, meta.owner_id, meta.brand) != ("customer", session.sub, session.own_brand):
            raise forbidden()
        return meta
    if session.type not in MANAGERS:
        raise forbidden()
    if meta is None or not session.sees(meta.brand):
        raise not_found("file")
    return meta


def refused(error: StorageError, faults: Faults) -> KycError:
    """Return the answer to an error of the storage; what an operator has to look at is logged."""
    code = error.code
    if code in _REFUSED_FILE:
        return KycError(Code.INVALID_FILE, str(error), {"errors": [_named(error)]})
    if code is StorageErrorCode.TOO_LARGE:
        return KycError(Code.FILE_TOO_LARGE, str(error))
    if code is StorageErrorCode.INVALID:
        return invalid(error.field, error.reason)
    if code is StorageErrorCode.NOT_FOUND:
        return not_found("file")
    answer = _ANSWERS.get(code)
    if answer is not None:
        return KycError(*answer)
    return KycError(*_FAULTS.get(code, _FAULT), {"correlation_id": faults("storage", error)})


def _named(error: StorageError) -> dict[str, str]:
    return {"field": error.field, "code": error.code.lower(), "message": error.reason}
