import pytest
import storage_samples as s

from storagemanager import content_disposition
from storagemanager.names import ORIGINAL_NAME_CHARS_MAX, clean_name, extension_of

NAUGHTY = [
    "../../../etc/passwd.png",
    "..\\..\\windows\\system32\\x.png",
    "/etc/passwd\0.png",
    "a\r\nSet-Cookie: x=1.png",
    "photo\u202egnp.exe.png",
    "😀👨‍👩‍👧.png",
    "漢字.png",
    'żółw "quoted".png',
    "CON.png",
    "a" * 10_000 + ".png",
    "é" * 10_000 + ".PNG",
    "\ud800lone.png",
    "-rf *;$(id)`id`.png",
    "'; DROP TABLE files; --.png",
    "%00%2e%2e%2f.png",
    " .png",
    "....png",
    "a.b" * 5000 + ".png",
    "\u0130.png",
    "<script>alert(1)</script>.png",
]


@pytest.mark.parametrize("name", NAUGHTY)
async def test_any_name_is_data_only(manager, put, tmp_path, name):
    meta = await put(manager, s.png(), name)
    assert meta.extension == "png"
    assert len(meta.original_name) <= ORIGINAL_NAME_CHARS_MAX
    assert not any(c in meta.original_name for c in "\0\r\n")
    assert sorted(p.name for p in (tmp_path / "storage").iterdir()) == sorted([".tmp", meta.storage_name])
    await manager.close()
    await manager.open()
    assert (await manager.get(meta.uuid)).original_name == meta.original_name
    header = content_disposition(meta.original_name)
    assert header.startswith('attachment; filename="')
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2
    assert "/" not in header
    assert "\\" not in header
    assert "%E2%80%AE" not in header


def test_names_are_cut_before_the_extension():
    assert clean_name("a" * 300 + ".jpeg") == "a" * 250 + ".jpeg"
    assert clean_name("x" * 400) == "x" * 255
    assert clean_name("x." + "y" * 400) == "x." + "y" * 253
    assert extension_of("a.tar.PNG") == "png"
    assert extension_of("png") == ""
    assert extension_of(".png") == "png"


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("scan.pdf", 'attachment; filename="scan.pdf"'),
        ("my scan (1).pdf", 'attachment; filename="my scan (1).pdf"'),
        ("é.pdf", "attachment; filename=\"e.pdf\"; filename*=UTF-8''%C3%A9.pdf"),
        ("漢字.pdf", "attachment; filename=\"file.pdf\"; filename*=UTF-8''%E6%BC%A2%E5%AD%97.pdf"),
        ('a"b;c\\d.pdf', 'attachment; filename="d.pdf"'),
        ('a"b.pdf', "attachment; filename=\"a_b.pdf\"; filename*=UTF-8''a%22b.pdf"),
        ("100%.pdf", "attachment; filename=\"100_.pdf\"; filename*=UTF-8''100%25.pdf"),
        ("", 'attachment; filename="file"'),
        ("...", 'attachment; filename="file"'),
        ("漢", "attachment; filename=\"file\"; filename*=UTF-8''%E6%BC%A2"),
        ("a\r\nX: y", "attachment; filename=\"aX_ y\"; filename*=UTF-8''aX%3A%20y"),
    ],
)
def test_content_disposition(name, header):
    assert content_disposition(name) == header
