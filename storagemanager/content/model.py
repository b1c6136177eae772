"""The question to the decoders and their answer; imports no decoder."""

from enum import StrEnum

from msgspec import Struct

from storagemanager.sandbox.model import Task


class Finding(StrEnum):
    """What makes a document more than a picture of itself; the names are stored and shown."""

    JAVASCRIPT = "javascript"
    LAUNCH = "launch_action"
    SUBMIT = "submit_form"
    """An action that sends what is filled in to an address, or reads data from one."""
    AUTOMATIC = "automatic_action"
    """An action that runs without a click and does more than turn a page: opens an address or another file."""
    EMBEDDED = "embedded_file"
    ENCRYPTED = "encrypted"
    """Opens without a password, but others may not be able to check or archive it."""
    XFA = "xfa_form"
    """A form in XML that brings scripts of its own and that no browser shows."""
    MEDIA = "media"
    """Sound, film, 3D: played by old plug-ins, and scripted."""
    MACROS = "macros"
    ACTIVE_X = "activex"
    EXTERNAL = "external_content"
    """A template, frame, object or data that is fetched from elsewhere when the document is opened."""


TEXTS: dict[Finding, str] = {
    Finding.JAVASCRIPT: "JavaScript",
    Finding.LAUNCH: "an action that starts a program",
    Finding.SUBMIT: "a form that sends its data away",
    Finding.AUTOMATIC: "an action that runs by itself",
    Finding.EMBEDDED: "an embedded file",
    Finding.ENCRYPTED: "encryption",
    Finding.XFA: "an XFA form",
    Finding.MEDIA: "sound, film or 3D",
    Finding.MACROS: "macros",
    Finding.ACTIVE_X: "ActiveX",
    Finding.EXTERNAL: "content that is fetched from elsewhere",
}


class Inspect(Struct, frozen=True):
    """Which decoder to use, and how many pixels one image or page may have."""

    extension: str
    pixels_max: int


class Inspection(Struct, frozen=True):
    """What was found; `refusal` says why the file cannot be decoded, "" where it can."""

    refusal: str = ""
    findings: tuple[Finding, ...] = ()


INSPECT = Task("inspect", Inspect, Inspection)

DECODED = frozenset(
    {"png", "jpg", "jpeg", "gif", "webp", "ico", "tif", "tiff", "heic", "pdf", "doc", "xls", "docx", "xlsx"}
)
"""The extensions that have a decoder. The others are text: the structure walk reads every character of it."""
