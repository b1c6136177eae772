"""What may follow a format's end mark: a camera's trailer or padding, never the start of another format."""

import re

from storagemanager.structure.source import Source, refuse

_END_RECORD = b"PK\x05\x06"
_END_RECORD_REACH = 22 + 65_535
"""ZIP readers look for the end record this far from the file's end, and no further."""

_HEAD_BYTES = 1024
_EXECUTABLES_MAX = 10_000
_LONGEST = 24

# A two-byte mark stands in any megabyte of noise by chance: those are judged only with what must follow them.
_FOREIGN = (
    (
        re.compile(
            rb"(?i)<(?:html|script|!doctype|iframe|body[\s>]|svg[\s>]|\?php|\?=[\s$\"'\w]{4}"
            rb"|%[@=!]?[\s\w\"'$();]{8})"
        ),
        "HTML or script",
    ),
    (re.compile(rb"PK(?:\x03\x04|\x05\x06)"), "a ZIP archive"),
    (re.compile(rb"Rar!\x1a\x07"), "a RAR archive"),
    (re.compile(rb"7z\xbc\xaf\x27\x1c"), "a 7z archive"),
    (re.compile(rb"%PDF-"), "a PDF document"),
    (re.compile(rb"\x7fELF[\x01\x02]"), "an ELF program"),
    (re.compile(rb"GIF8[79]a"), "a GIF image"),
)
_STARTS = ((b"MZ", "a Windows program"), (b"<%", "script"), (b"<?", "script"), (b"#!", "script"))
_NOT_PADDING = re.compile(rb"[^\x00\xff\s]")
_EXECUTABLE = re.compile(rb"MZ")


def check_tail(source: Source, end: int) -> None:
    """Refuse what another program would read behind `end`, where the format is over."""
    start = source.search(_NOT_PADDING, end, source.size)
    if start < 0:
        return
    head = source.read(start, min(2, source.size - start))
    for mark, name in _STARTS:
        if head == mark:
            refuse(f"{name} follows the end of the file's own format")
    for pattern, name in _FOREIGN:
        if source.search(pattern, start, source.size, _LONGEST) >= 0:
            refuse(f"{name} follows the end of the file's own format")
    _check_executables(source, start)


def check_archive_end(source: Source) -> None:
    """Refuse a file that ZIP readers would open too: they start from the end, and ignore what stands before."""
    if source.rfind(_END_RECORD, max(0, source.size - _END_RECORD_REACH)) >= 0:
        refuse("the file is a ZIP archive as well")


def check_document_head(source: Source) -> None:
    """Refuse a file that PDF readers would open too: they take a header anywhere in the first 1,024 bytes."""
    if b"%PDF-" in source.read(0, min(_HEAD_BYTES, source.size)):
        refuse("the file is a PDF document as well")


def _check_executables(source: Source, start: int) -> None:
    for _ in range(_EXECUTABLES_MAX):
        start = source.search(_EXECUTABLE, start, source.size)
        if start < 0:
            return
        if start + 64 <= source.size:
            header = start + int(source.unpack("<I", start + 60)[0])
            if header + 4 <= source.size and source.read(header, 4) == b"PE\x00\x00":
                refuse("a Windows program follows the end of the file's own format")
        start += 2
    refuse("what follows the end of the file's own format looks like programs")
