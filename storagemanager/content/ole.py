"""doc and xls: the streams of a compound file, and what of them runs."""

import struct
from collections.abc import Iterator
from typing import BinaryIO

import olefile

from storagemanager.content.model import Finding, Inspection
from storagemanager.structure.source import refuse

RECORDS_MAX = 10_000
_MACROS = frozenset({"macros", "_vba_project_cur", "vba", "_vba_project"})
_WORD, _BOOKS = "WordDocument", ("Workbook", "Book")
_HEAD_BYTES = 4 * 1024 * 1024
_WORD_FLAGS_AT, _WORD_ENCRYPTED = 10, 0x0100
_SHEET, _PASSWORD, _END, _LINK = 0x0085, 0x002F, 0x000A, 0x01AE
_MACRO_SHEETS = frozenset({1, 6})
"""Kinds of a sheet: macros of Excel 4, and modules of Excel 5."""


def inspect_ole(file: BinaryIO) -> Inspection:
    """Name macros, embedded objects and encryption; `RefusedError` where the streams cannot be read."""
    try:
        with olefile.OleFileIO(file) as compound:
            found = dict.fromkeys(_findings(compound))
    except (OSError, ValueError, struct.error, LookupError, TypeError, AttributeError, RecursionError):
        refuse("the document cannot be read: it is damaged")
    return Inspection(findings=tuple(sorted(found)))


def _findings(compound: olefile.OleFileIO) -> Iterator[Finding]:
    for path in compound.listdir(streams=True, storages=True):
        name = path[-1].lower()
        if name in _MACROS:
            yield Finding.MACROS
        elif name == "\x01ole10native" or path[0].lower().startswith("mbd"):
            yield Finding.EMBEDDED
        elif name == "\x03ocxname":
            yield Finding.ACTIVE_X
    if compound.exists(_WORD):
        head = _head(compound, _WORD)
        if len(head) > _WORD_FLAGS_AT + 1 and struct.unpack_from("<H", head, _WORD_FLAGS_AT)[0] & _WORD_ENCRYPTED:
            yield Finding.ENCRYPTED
    for book in _BOOKS:
        if compound.exists(book):
            yield from _of_workbook(_head(compound, book))


def _head(compound: olefile.OleFileIO, name: str) -> bytes:
    with compound.openstream(name) as stream:
        return bytes(stream.read(_HEAD_BYTES))


def _of_workbook(records: bytes) -> Iterator[Finding]:
    """Read the records that stand before the first sheet: they list the sheets."""
    at = 0
    for _ in range(RECORDS_MAX):
        if at + 4 > len(records):
            return
        kind, length = struct.unpack_from("<HH", records, at)
        if kind == _END:
            return
        if kind == _SHEET and at + 10 <= len(records) and records[at + 9] in _MACRO_SHEETS:
            yield Finding.MACROS
        elif kind == _PASSWORD:
            yield Finding.ENCRYPTED
        at += 4 + length
