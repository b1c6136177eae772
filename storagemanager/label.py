"""What is known of a file before its first byte, checked and cleaned."""

from msgspec import Struct

from storagemanager.errors import StorageError, StorageErrorCode
from storagemanager.model import Owner
from storagemanager.names import DECLARED_TYPE_CHARS_MAX, clean_label, clean_name, extension_of
from storagemanager.validation import Validator

LABEL_CHARS_MAX = 64
"""The longest purpose, owner kind and brand."""

_INTEGER_MAX = 2**63 - 1


class Label(Struct, frozen=True, kw_only=True):
    """The fields of `FileMeta` that do not come from the content."""

    uuid: str
    original_name: str
    extension: str
    content_type: str
    declared_type: str
    scope: int
    purpose: str
    owner_kind: str
    owner_id: int
    brand: str

    @property
    def owner(self) -> Owner:
        """Whose the file is."""
        return Owner(kind=self.owner_kind, id=self.owner_id, brand=self.brand)


def make_label(
    validator: Validator, *, uuid: str, original_name: str, declared_type: str, owner: Owner, purpose: str, scope: int
) -> Label:
    """Return the label of a new file; REFUSED_TYPE by its name, INVALID where a field cannot be stored as it is.

    The original name and the declared type are the client's words: cut and cleaned, never refused.
    """
    name = clean_name(original_name)
    extension = extension_of(name)
    found = validator.check_extension(extension)
    for field, text in (("purpose", purpose), ("owner", owner.kind), ("brand", owner.brand)):
        if clean_label(text, LABEL_CHARS_MAX) != text:
            raise StorageError(
                StorageErrorCode.INVALID, field, f"at most {LABEL_CHARS_MAX} characters, no control characters"
            )
    for field, number in (("scope", scope), ("owner", owner.id)):
        if not 0 <= number <= _INTEGER_MAX:
            raise StorageError(StorageErrorCode.INVALID, field, "an integer from 0 to 2^63-1")
    return Label(
        uuid=uuid,
        original_name=name,
        extension=extension,
        content_type=found.content_type,
        declared_type=clean_label(declared_type, DECLARED_TYPE_CHARS_MAX),
        scope=scope,
        purpose=purpose,
        owner_kind=owner.kind,
        owner_id=owner.id,
        brand=owner.brand,
    )
