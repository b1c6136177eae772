"""The index behind the search: which profiles hold a document with a checksum, a name, or of a type."""

from collections.abc import Iterable

from pyroaring import BitMap64

from kycmanager.domain.records import Document

_NONE = BitMap64()


class Finder:
    """Profiles by what their documents are, whatever became of those. Most values have one profile: it stands alone."""

    def __init__(self) -> None:
        self._checksums: dict[str, int | BitMap64] = {}
        self._names: dict[str, int | BitMap64] = {}
        self._types: dict[str, int | BitMap64] = {}

    def add(self, documents: Iterable[Document]) -> None:
        """Learn of new documents; none of what is indexed ever changes."""
        checksums, names, types = self._checksums, self._names, self._types
        for document in documents:
            kyc_id = document.kyc_id
            for table, value in (
                (checksums, document.checksum),
                (names, document.file_name),
                (types, document.type),
            ):
                held = table.setdefault(value, kyc_id)
                if held is not kyc_id and held != kyc_id:
                    if isinstance(held, int):
                        table[value] = BitMap64((held, kyc_id))
                    else:
                        held.add(kyc_id)

    def sharing(self, checksum: str) -> BitMap64:
        """Return the ids of the profiles with a file; none where it is in one profile only. Not to be changed."""
        held = self._checksums.get(checksum)
        return held if isinstance(held, BitMap64) else _NONE

    def find(self, *, checksum: str, file_name: str, document_type: str) -> list[BitMap64]:
        """Return the ids of the profiles for each value that is not empty; not to be changed."""
        asked = ((self._checksums, checksum), (self._names, file_name), (self._types, document_type))
        return [as_set(table.get(value)) for table, value in asked if value]


def as_set(held: int | BitMap64 | None) -> BitMap64:
    """Return the ids that are kept under a value; not to be changed."""
    if held is None:
        return _NONE
    return BitMap64((held,)) if isinstance(held, int) else held
