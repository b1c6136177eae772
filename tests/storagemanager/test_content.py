"""What decoders say of good, damaged, huge and active files."""

import io
import os
import struct
import subprocess
import sys
import tempfile
import zlib

import papers_office as p
import pikepdf
import pytest
import storage_samples as s
from PIL import Image
from polyglots import a_pdf, active_pdfs, carrier, real_files

from storagemanager import StorageError, StorageErrorCode, StorageManager, StorageSettings
from storagemanager.content.inspector import inspect
from storagemanager.content.model import DECODED, TEXTS, Finding, Inspect, Inspection
from storagemanager.formats import FORMATS
from storagemanager.judge import Judge, refuse_all
from storagemanager.model import InspectionSettings
from storagemanager.sandbox import Failure, FailureKind
from storagemanager.verdicts import FileState, Policy

GOOD = real_files()
DAMAGED = "the image cannot be decoded: it is damaged"


def look(content: bytes, extension: str, pixels_max: int = 40_000_000) -> Inspection:
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        return inspect(file.fileno(), Inspect(extension, pixels_max))


def found(content: bytes, extension: str) -> set[str]:
    told = look(content, extension)
    assert told.refusal == ""
    assert list(told.findings) == sorted(set(told.findings))
    return {finding.value for finding in told.findings}


def saved(image: Image.Image, kind: str, **more: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **more)
    return buffer.getvalue()


def test_every_format_has_a_decoder_or_is_text():
    assert set(FORMATS) - DECODED == {"txt", "csv", "svg"}
    assert set(TEXTS) == set(Finding)


@pytest.mark.parametrize("extension", sorted(DECODED))
def test_good_files_have_nothing_in_them(extension):
    assert look(GOOD[extension], extension) == Inspection()


@pytest.mark.parametrize("extension", ["png", "jpg", "gif", "webp", "tif", "ico", "heic"])
def test_pixels_that_are_cut_off_are_noticed(extension):
    whole = saved(Image.effect_noise((90, 70), 80).convert("RGB"), {"jpg": "JPEG", "tif": "TIFF", "heic": "HEIF"}.get(
        extension, extension.upper()))  # fmt: skip
    assert look(whole, extension) == Inspection()
    assert look(whole[: len(whole) * 2 // 3], extension).refusal == DAMAGED


def test_a_picture_of_another_format_is_not_opened():
    assert look(carrier("png"), "jpg").refusal == DAMAGED
    assert look(b"nothing", "png").refusal == DAMAGED


@pytest.mark.parametrize(
    ("content", "extension"),
    [
        (saved(Image.new("1", (2000, 1001)), "PNG"), "png"),
        (saved(Image.new("L", (2000, 1001)), "JPEG"), "jpg"),
        (saved(Image.new("1", (2000, 1001)), "TIFF", compression="group4"), "tif"),
        (
            saved(Image.new("L", (9, 9)), "TIFF", save_all=True, append_images=[Image.new("L", (2000, 1001))]),
            "tif",
        ),
        (saved(Image.new("L", (1500, 1000)), "GIF", save_all=True,
               append_images=[Image.new("L", (1500, 1000), n) for n in range(1, 22)]), "gif"),
    ],
    ids=["png", "jpg", "tif", "second page", "all pages"],
)  # fmt: skip
def test_more_pixels_than_allowed_are_refused_before_they_are_decoded(content, extension):
    assert look(content, extension, 2_000_000).refusal == "an image has more than 2 megapixels"
    assert look(content, extension).refusal == ""


def test_a_bomb_inside_an_icon_is_refused():
    """The list of an icon tells small sizes; the picture in it is another matter."""
    bomb = s.png_of(200)
    head = struct.pack(">II", 60_000, 60_000)
    bomb = bomb[:16] + head + bomb[24:]
    bomb = bomb[:29] + struct.pack(">I", zlib.crc32(bomb[12:29])) + bomb[33:]
    assert look(s.ico(bomb), "ico").refusal == "an image has more than 40 megapixels"


def test_too_many_pages_are_refused(monkeypatch):
    from storagemanager.content import images

    monkeypatch.setattr(images, "PAGES_MAX", 3)
    pages = [Image.new("1", (8, 8)) for _ in range(4)]
    assert look(saved(pages[0], "TIFF", save_all=True, append_images=pages[1:3]), "tif") == Inspection()
    told = look(saved(pages[0], "TIFF", save_all=True, append_images=pages[1:]), "tif")
    assert told.refusal == "the image has more than 3 pages"


@pytest.mark.parametrize(
    ("content", "finding"), [found[1:] for found in active_pdfs()], ids=[n for n, _, _ in active_pdfs()]
)
def test_active_pdfs_are_named(content, finding):
    assert finding in found(content, "pdf")


@pytest.mark.parametrize(
    "action",
    [
        pikepdf.Dictionary(S=pikepdf.Name.URI, URI="https://example.org/"),
        pikepdf.Dictionary(S=pikepdf.Name.GoTo, D=[0, pikepdf.Name.Fit]),
    ],
)
def test_what_a_click_opens_is_no_finding(action):
    def change(pdf: pikepdf.Pdf) -> None:
        link = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, Rect=[0, 0, 9, 9], A=action)
        pdf.pages[0].obj.Annots = pikepdf.Array([link])
        pdf.Root.OpenAction = pikepdf.Array([pdf.pages[0].obj, pikepdf.Name.Fit])
        pdf.Root.StructTreeRoot = pikepdf.Dictionary(
            Type=pikepdf.Name.StructTreeRoot,
            K=pikepdf.Dictionary(Type=pikepdf.Name.StructElem, S=pikepdf.Name.Sound),
        )
        pdf.Root.Marks = pikepdf.Dictionary(F=pikepdf.Name("/AAAAAA+Arial"))

    assert found(a_pdf(change), "pdf") == set()


def test_what_turns_pages_by_itself_is_no_finding():
    def change(pdf: pikepdf.Pdf) -> None:
        turn = pikepdf.Dictionary(S=pikepdf.Name.Named, N=pikepdf.Name.NextPage)
        pdf.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.GoTo, D=[0, pikepdf.Name.Fit], Next=turn)
        pdf.pages[0].obj.AA = pikepdf.Dictionary(O=turn)

    assert found(a_pdf(change), "pdf") == set()


def test_actions_that_follow_each_other_in_a_circle_are_no_turning_of_pages():
    def change(pdf: pikepdf.Pdf) -> None:
        action = pdf.make_indirect(pikepdf.Dictionary(S=pikepdf.Name.Named, N=pikepdf.Name.NextPage))
        action.Next = action
        pdf.Root.OpenAction = action

    assert found(a_pdf(change), "pdf") == {"automatic_action"}


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"%PDF-1.4\nnothing\n%%EOF", "the PDF cannot be read: it is damaged"),
        (
            a_pdf(encryption=pikepdf.Encryption(owner="a", user="b")),
            "the PDF needs a password: save it without one and send it again",
        ),
        (a_pdf(lambda pdf: pdf.pages.__delitem__(0)), "the PDF has no pages"),
        (
            a_pdf(lambda pdf: pdf.Root.__setitem__("/Deep", pikepdf.Object.parse(b"[" * 300 + b"/JS" + b"]" * 300))),
            "the PDF has objects within objects without end",
        ),
    ],
    ids=["damaged", "password", "no pages", "deep"],
)
def test_pdfs_that_cannot_be_read_are_refused(content, refusal):
    assert look(content, "pdf").refusal == refusal


def test_a_pdf_with_too_many_objects_is_refused(monkeypatch):
    from storagemanager.content import pdf

    monkeypatch.setattr(pdf, "OBJECTS_MAX", 3)
    assert look(a_pdf(), "pdf").refusal == "the PDF has more than 3 objects"


def test_a_pdf_whose_table_is_wrong_is_read_all_the_same():
    """Scanners write such files; what is found is what any reader finds."""
    made = a_pdf(object_stream_mode=pikepdf.ObjectStreamMode.disable).replace(b"startxref\n", b"startxref\n9")
    assert look(made, "pdf") == Inspection()


DDE = b"<w:p><w:r><w:instrText>DDEAUTO c:\\\\windows\\\\cmd.exe</w:instrText></w:r></w:p>"


@pytest.mark.parametrize(
    ("folder", "parts", "finding"),
    [
        ("word", {"word/vbaProject.bin": b"x"}, "macros"),
        ("xl", {"xl/macrosheets/sheet1.xml": b"<a/>"}, "macros"),
        ("word", {"[Content_Types].xml": b"<Types ContentType='application/vnd.ms-word.document.macroEnabled'/>"}, "macros"),
        ("xl", {"xl/activeX/activeX1.bin": b"x"}, "activex"),
        ("word", {"word/embeddings/oleObject1.bin": b"x"}, "embedded_file"),
        ("word", {"word/_rels/settings.xml.rels": p.relation("attachedTemplate")}, "external_content"),
        ("word", {"word/_rels/document.xml.rels": p.relation("oleObject")}, "external_content"),
        ("word", {"word/document.xml": b"<a/>" * 100_000 + DDE}, "external_content"),
        ("xl", {"xl/externalLinks/externalLink1.xml": b"<externalLink><ddeLink ddeService='cmd'/></externalLink>"},
         "external_content"),
    ],
)  # fmt: skip
def test_active_office_documents_are_named(folder, parts, finding):
    assert found(p.office(folder, parts), {"word": "docx", "xl": "xlsx"}[folder]) == {finding}


@pytest.mark.parametrize(
    "parts",
    [
        {"word/_rels/document.xml.rels": p.relation("hyperlink")},
        {"word/_rels/document.xml.rels": p.relation("oleObject", "Internal")},
        {"word/embeddings/Microsoft_Excel_Sheet1.xlsx": b"x"},
        {"word/document.xml": b"<w:t>DDEAUTO is a field of Word</w:t>"},
    ],
)
def test_harmless_parts_are_no_finding(parts):
    assert found(p.office("word", parts), "docx") == set()


def test_office_documents_that_cannot_be_unpacked_are_refused(monkeypatch):
    whole = p.office("word", {"word/media/a.png": os.urandom(5000)})
    at = whole.index(b"word/media/a.png") + 2000
    damaged = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
    assert look(damaged, "docx").refusal == "the document cannot be unpacked: it is damaged"
    assert look(b"no archive", "xlsx").refusal == "the document cannot be unpacked: it is damaged"
    from storagemanager.content import ooxml

    monkeypatch.setattr(ooxml, "UNPACKED_BYTES_MAX", 2**20)
    bomb = p.office("word", {"word/media/a.bmp": b"\0" * 2**21})
    assert look(bomb, "docx").refusal == "the document unpacks to more than 1 MiB"


@pytest.mark.parametrize(
    ("streams", "storages", "extension", "findings"),
    [
        ({"WordDocument": b"\xec\xa5" + b"\0" * 30}, (), "doc", set()),
        ({"WordDocument": b"\xec\xa5"}, ("Macros",), "doc", {"macros"}),
        ({"WordDocument": b"\xec\xa5" + b"\0" * 8 + b"\0\1"}, (), "doc", {"encrypted"}),
        ({"WordDocument": b"\xec\xa5", "\x01Ole10Native": b"x"}, (), "doc", {"embedded_file"}),
        ({"WordDocument": b"\xec\xa5", "\x03OCXNAME": b"x"}, (), "doc", {"activex"}),
        ({"Workbook": p.workbook(p.record(0x85, b"\0" * 8))}, (), "xls", set()),
        ({"Workbook": p.workbook(p.record(0x85, b"\0\0\0\0\0\1\0\0"))}, (), "xls", {"macros"}),
        ({"Workbook": p.workbook(p.record(0x2F, b"\0\0"))}, (), "xls", {"encrypted"}),
        ({"Book": p.workbook(p.record(0x85, b"\0\0\0\0\0\6\0\0"))}, ("_VBA_PROJECT_CUR",), "xls", {"macros"}),
        ({"Workbook": p.record(0x85, b"\0" * 5000)}, (), "xls", set()),
    ],
)
def test_compound_files_tell_what_runs_in_them(judge, streams, storages, extension, findings):
    content = p.compound(streams, storages)
    judge(content, extension)
    assert found(content, extension) == findings


def test_a_workbook_without_an_end_is_read_so_far(monkeypatch):
    from storagemanager.content import ole

    monkeypatch.setattr(ole, "RECORDS_MAX", 2)
    assert found(p.compound({"Workbook": p.record(1, b"") * 900}), "xls") == set()
    assert look(b"\xd0\xcf\x11\xe0" + b"\0" * 600, "doc").refusal == "the document cannot be read: it is damaged"


@pytest.mark.parametrize(
    ("failure", "code", "reason"),
    [
        (FailureKind.TIME, "STRUCTURE", "decoding it takes longer than 2 s; save it anew and send it again"),
        (
            FailureKind.MEMORY,
            "STRUCTURE",
            "decoding it takes more than 256 MiB of memory; save it anew and send it again",
        ),
        (FailureKind.CRASH, "STRUCTURE", "the decoder broke down over it; save it anew and send it again"),
        (FailureKind.FAULT, "STRUCTURE", "the decoder broke down over it; save it anew and send it again"),
        (FailureKind.UNAVAILABLE, "UNAVAILABLE", "the decoders do not run: why"),
    ],
)
def test_failures_become_refusals_with_a_reason(failure, code, reason):
    told = Judge(InspectionSettings(), refuse_all)._failed(Failure(failure, "why"))
    assert (told.code, told.field, told.reason) == (StorageErrorCode(code), "file", reason)


@pytest.mark.parametrize("policy", Policy)
def test_the_policy_decides_on_findings(policy):
    judge = Judge(InspectionSettings(), lambda brand: policy if brand == "alpha" else Policy.ACCEPT)
    findings = (Finding.ENCRYPTED, Finding.JAVASCRIPT)
    assert judge.decide((), "alpha") is None
    assert judge.decide(findings, "beta").state is FileState.ACCEPTED
    if policy is Policy.REFUSE:
        with pytest.raises(
            StorageError, match="the document contains encryption, JavaScript; send it without"
        ) as caught:
            judge.decide(findings, "alpha")
        assert caught.value.code is StorageErrorCode.ACTIVE_CONTENT
        return
    verdict = judge.decide(findings, "alpha")
    assert (verdict.held, verdict.findings) == (policy is Policy.QUARANTINE, ("encrypted", "javascript"))


async def test_an_upload_that_cannot_be_decoded_leaves_nothing(tmp_path, clock, put):
    bounds = InspectionSettings(pixels_max=100)
    storage = StorageManager(tmp_path, StorageSettings(inspection=bounds), clock)
    await storage.open()
    noise = saved(Image.effect_noise((40, 40), 90), "JPEG")
    for content, name, reason in (
        (carrier("png"), "a.png", "an image has more than 0.0001 megapixels"),
        (noise[: len(noise) // 2] + b"\xff\xd9", "a.jpg", "megapixels"),
        (s.jpeg(), "a.jpg", DAMAGED),
        (s.heic(), "a.heic", DAMAGED),
        (s.pdf(), "a.pdf", "the PDF cannot be read: it is damaged"),
        (next(active_pdfs())[1], "a.pdf", "the document contains JavaScript"),
    ):
        with pytest.raises(StorageError, match=reason):
            await put(storage, content, name)
    assert await put(storage, b"a letter", "a.txt")
    assert [path.name for path in (tmp_path / "storage").rglob("*") if path.is_file()] == [
        path.name for path in (tmp_path / "storage").glob("*.txt")
    ]
    assert (await storage.stats()).files == 1
    await storage.close()


AS_NOBODY = """
import os, sys
from storagemanager.content.inspector import inspect
from storagemanager.content.model import Inspect
from storagemanager.sandbox.confine import confine
from storagemanager.sandbox.model import Limits
descriptor = os.open(sys.argv[1], os.O_RDONLY)
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
confine(Limits())
print(inspect(descriptor, Inspect(sys.argv[2], 10**7)))
"""


@pytest.mark.parametrize("extension", ["heic", "jpg", "pdf"])
def test_decoders_run_with_next_to_no_rights_for_other_users_than_root(tmp_path, extension):
    """The decoder of HEIC starts a thread, which bounds on processes must not forbid."""
    (tmp_path / "file").write_bytes(GOOD[extension])
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, tmp_path / "file", extension],
        capture_output=True,
        text=True,
        env={"LANG": "C.UTF-8"},  # whoever measures coverage would want to write a file
        timeout=60,
        check=False,
    )
    assert (done.stdout.strip(), done.stderr) == (str(Inspection()), "")
