"""Whether a received file may stay: extension, real signature and structure, which must all tell the same."""

from storagemanager.errors import StorageError, StorageErrorCode
from storagemanager.formats import FORMATS, Format
from storagemanager.layout import is_extension
from storagemanager.model import StorageSettings
from storagemanager.signature import Detector
from storagemanager.structure.source import RefusedError, Source
from storagemanager.structure.tail import check_archive_end, check_document_head, check_tail

_UNKNOWN_TYPE = "application/octet-stream"


class Validator:
    """Judges files by the settings; may be shared by threads.

    ValueError where the settings name an extension that has no row in `FORMATS`.
    """

    def __init__(self, settings: StorageSettings) -> None:
        for extension in settings.extensions:
            if not is_extension(extension) or extension not in FORMATS:
                raise ValueError(f"extensions: {extension!r} is none of {', '.join(FORMATS)}")
        self._extensions = frozenset(settings.extensions)
        self._file_bytes_max = settings.file_bytes_max
        self._detector = Detector()

    def check_extension(self, extension: str) -> Format:
        """Return the format of an accepted extension; REFUSED_TYPE for any other."""
        if extension not in self._extensions:
            shown = f'"{extension[:16]}"' if extension else "no extension"
            raise StorageError(StorageErrorCode.REFUSED_TYPE, "file_name", f"{shown} is not an accepted type of file")
        return FORMATS[extension]

    def check_size(self, size: int) -> None:
        """Raise TOO_LARGE over the limit."""
        if size > self._file_bytes_max:
            raise StorageError(
                StorageErrorCode.TOO_LARGE, "file", f"the file is larger than {self._file_bytes_max} bytes"
            )

    def check_content(self, content: int | memoryview, size: int, extension: str) -> str:
        """Return the detected MIME type of a whole file of `size` > 0 bytes, given as `Source` takes it.

        SIGNATURE_MISMATCH or STRUCTURE where the content is not one well-formed file of its extension. Blocks; the
        memory used does not depend on `size`.
        """
        found = self.check_extension(extension)
        try:
            signature = self._agreed_signature(Source(content, size), found, extension)
        except RefusedError as refused:
            raise StorageError(StorageErrorCode.STRUCTURE, "file", str(refused)) from None
        return found.content_type if signature == _UNKNOWN_TYPE else signature

    def _agreed_signature(self, source: Source, found: Format, extension: str) -> str:
        signature = self._detector.detect(source)
        if signature not in found.signatures:
            raise StorageError(
                StorageErrorCode.SIGNATURE_MISMATCH, "file", f'the content is {signature}, not "{extension}"'
            )
        _check_structure(source, found)
        return signature


def _check_structure(source: Source, found: Format) -> None:
    end = found.walk(source)
    if found.sealed:
        return
    if not found.is_pdf:
        check_document_head(source)
    if not found.holds_archives:  # Word keeps the theme of a document as a ZIP in one of its streams
        check_archive_end(source)
    check_tail(source, end)
