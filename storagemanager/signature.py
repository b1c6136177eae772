"""What libmagic takes a file for, by its first bytes."""

import threading

try:
    import magic
except ImportError:  # pragma: no cover - the system has no libmagic: take the one of the wheel
    import magic
    import pylibmagic  # noqa: F401 - its import puts the library where magic finds it

from storagemanager.structure.source import WINDOW_BYTES, Source


class Detector:
    """Finds MIME types by content; may be shared by threads, which take turns."""

    def __init__(self) -> None:
        self._magic = magic.Magic(mime=True)
        self._turn = threading.Lock()  # a handle of libmagic keeps state between calls

    def detect(self, source: Source) -> str:
        """Return the MIME type, "application/octet-stream" where nothing is known."""
        head = source.read(0, min(WINDOW_BYTES, source.size))
        with self._turn:
            return str(self._magic.from_buffer(head))
