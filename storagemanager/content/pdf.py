"""PDF: every object is read, whatever it hangs on, and what a viewer would run is named."""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream

from storagemanager.content.model import Finding, Inspection
from storagemanager.structure.source import refuse

OBJECTS_MAX = 1_000_000
NEXT_MAX = 32
DEPTH_MAX = 100

_ACTIONS = {
    "/JavaScript": Finding.JAVASCRIPT,
    "/Launch": Finding.LAUNCH,
    "/SubmitForm": Finding.SUBMIT,
    "/ImportData": Finding.SUBMIT,
    "/Rendition": Finding.MEDIA,
    "/Movie": Finding.MEDIA,
    "/Sound": Finding.MEDIA,
    "/GoTo3DView": Finding.MEDIA,
    "/RichMediaExecute": Finding.MEDIA,
}
_KINDS = {
    "/FileAttachment": Finding.EMBEDDED,
    "/EmbeddedFile": Finding.EMBEDDED,
    "/RichMedia": Finding.MEDIA,
    "/3D": Finding.MEDIA,
    "/Movie": Finding.MEDIA,
    "/Sound": Finding.MEDIA,
    "/Screen": Finding.MEDIA,
}
_KEYS = {"/JS": Finding.JAVASCRIPT, "/EF": Finding.EMBEDDED, "/XFA": Finding.XFA}
_HARMLESS_BY_ITSELF = frozenset(
    {"/GoTo", "/Named", "/Hide", "/ResetForm", "/SetOCGState", "/Trans", "/Thread", *_ACTIONS}
)
"""What may run without a click: it stays inside the document, or is named by a finding of its own."""

# An object without one of these names needs no closer look. Names come without escapes: "/J#53" is "/JS" here.
_SUSPICIOUS = re.compile(
    rb"(?:%b)(?![^\s()<>\[\]/])"
    % b"|".join(re.escape(name.encode()) for name in sorted({*_ACTIONS, *_KINDS, *_KEYS, "/OpenAction", "/AA"}))
)


def inspect_pdf(file: BinaryIO) -> Inspection:
    """Walk over all objects; `RefusedError` where the document cannot be read, or not without a password."""
    try:
        with pikepdf.open(file, suppress_warnings=True) as document:
            if not len(document.pages):
                refuse("the PDF has no pages")
            found = {finding: None for item in _objects(document) for finding in _findings(item)}
            if document.is_encrypted:
                found[Finding.ENCRYPTED] = None
    except pikepdf.PasswordError:
        refuse("the PDF needs a password: save it without one and send it again")
    except (pikepdf.PdfError, ValueError, TypeError, LookupError, RuntimeError, AttributeError):
        refuse("the PDF cannot be read: it is damaged")
    return Inspection(findings=tuple(sorted(found)))


def _objects(document: pikepdf.Pdf) -> Iterator[Any]:
    """Yield the dictionaries that deserve a closer look, with all that lies in them."""
    for number, item in enumerate(document.objects):
        if number >= OBJECTS_MAX:
            refuse(f"the PDF has more than {OBJECTS_MAX} objects")
        if not isinstance(item, (Dictionary, Stream, Array)):
            continue
        text = item.stream_dict.unparse() if isinstance(item, Stream) else item.unparse(resolved=True)
        if _SUSPICIOUS.search(text):
            yield from _dictionaries(item, 0)
    yield from _dictionaries(document.trailer, 0)


def _dictionaries(item: Any, depth: int) -> Iterator[Any]:
    """Yield an object and what lies in it directly; what it points to is an object of its own."""
    if depth > DEPTH_MAX:
        refuse("the PDF has objects within objects without end")
    if isinstance(item, (Dictionary, Stream)):
        yield item
        inner = [value for _, value in item.items()]
    else:
        inner = list(item)
    for value in inner:
        if isinstance(value, (Dictionary, Array)) and not value.is_indirect:
            yield from _dictionaries(value, depth + 1)


def _findings(item: Any) -> Iterator[Finding]:
    yield from (finding for key, finding in _KEYS.items() if key in item)
    # An element of the document's outline of meaning has a free name where an action has its kind.
    action = "" if _name(item, "/Type") == "/StructElem" else _name(item, "/S")
    named = (_ACTIONS.get(action), _KINDS.get(_name(item, "/Type")), _KINDS.get(_name(item, "/Subtype")))
    yield from (finding for finding in named if finding is not None)
    if any(not _harmless(each) for each in _automatic(item)):
        yield Finding.AUTOMATIC


def _automatic(item: Any) -> Iterator[Any]:
    """Yield the actions that run without a click: when the document, a page or a field is opened or left."""
    opened = item.get("/OpenAction")
    if isinstance(opened, Dictionary):
        yield opened
    others = item.get("/AA")
    if isinstance(others, Dictionary):
        yield from (action for _, action in others.items() if isinstance(action, Dictionary))


def _harmless(action: Any) -> bool:
    """Tell whether an action and those that follow it stay inside the document."""
    waiting = [action]
    for _ in range(NEXT_MAX):
        if not waiting:
            return True
        action = waiting.pop()
        if not isinstance(action, Dictionary) or _name(action, "/S") not in _HARMLESS_BY_ITSELF:
            return False
        following = action.get("/Next")
        waiting += list(following) if isinstance(following, Array) else [following] if following is not None else []
    return False


def _name(item: Any, key: str) -> str:
    value = item.get(key)
    return str(value) if isinstance(value, Name) else ""
