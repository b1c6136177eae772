"""The parser of forms, the reader of Content-Disposition, ranges and tags: pure functions."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kycmanager.transports.rest import disposition, ranges
from kycmanager.transports.rest.multipart import Multipart, MultipartError, Part, PartEnd, boundary_of, is_form

HEAD = b'Content-Disposition: form-data; name="%b"\r\n'


def body(*parts: tuple[bytes, bytes], boundary: bytes = b"b") -> bytes:
    pieces = [b"--%b\r\n%b\r\n%b\r\n" % (boundary, HEAD % name, content) for name, content in parts]
    return b"".join(pieces) + b"--%b--\r\n" % boundary


def parse(data: bytes, cuts: list[int] | None = None, **limits: int) -> list[tuple[str, bytes]]:
    parser = Multipart(b"b", **limits)
    found: list[tuple[str, bytes]] = []
    ended = True
    places = [0, *sorted(cuts or []), len(data)]
    for start, stop in pairwise(places):
        for event in parser.feed(data[start:stop]):
            if isinstance(event, Part):
                assert ended
                ended = False
                found.append((event.name, b""))
            elif isinstance(event, PartEnd):
                ended = True
            else:
                assert len(event) > 0
                found[-1] = (found[-1][0], found[-1][1] + bytes(event))
    parser.close()
    assert ended
    return found


CONTENT = st.one_of(
    st.binary(max_size=40),
    st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"--", b"-", b"\r\n--", b"\r\n-", b"b", b"x"])).map(b"".join),
).filter(lambda content: b"\r\n--b" not in b"\r\n" + content and not (b"\r\n" + content + b"\r\n").count(b"\r\n--b"))


@given(st.lists(CONTENT, max_size=4), st.lists(st.integers(0, 300), max_size=12), st.sampled_from([b"", b"\r\n"]))
def test_however_a_form_is_cut_its_parts_are_the_same(contents: list[bytes], cuts: list[int], before: bytes) -> None:
    parts = [(b"n%d" % index, content) for index, content in enumerate(contents)]
    data = before + body(*parts) + b"an epilogue\r\n--b\r\n"
    if not parts:
        data = before + b"--b--"
    assert parse(data, [cut % (len(data) + 1) for cut in cuts]) == [(name.decode(), content) for name, content in parts]


def test_padding_after_a_boundary() -> None:
    assert parse(b"--b \t\r\n" + HEAD % b"a" + b"\r\nx\r\n--b--") == [("a", b"x")]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"x", "must begin with its boundary"),
        (b"preamble\r\n--b\r\n", "must begin with its boundary"),
        (b"--bx\r\n", "malformed delimiter"),
        (b"--b" + b" " * 9000, "malformed delimiter"),
        (body((b"a", b"x\r\n--bad")), "malformed delimiter"),
        (b"--b\r\n" + b"x: " + b"y" * 9000, "the head of a part is too long"),
        (b"--b\r\n\r\n\r\n--b--", "malformed head of a part"),
        (b"--b\r\nno colon\r\n\r\n", "malformed head of a part"),
        (b"--b\r\n name: x\r\n\r\n", "malformed head of a part"),
        (b"--b\r\nA: 1\r\na: 1\r\n\r\n", "malformed head of a part"),
        (b"--b\r\nA: \xff\r\n\r\n", "the head of a part is not UTF-8"),
        (b"--b\r\nContent-Type: a\r\n\r\n", "Content-Disposition of a part: no kind"),
        (b"--b\r\nContent-Disposition: attachment; name=a\r\n\r\n", "every part needs"),
        (b"--b\r\nContent-Disposition: form-data\r\n\r\n", "every part needs"),
        (b"--b\r\n" + HEAD % b"a" + b"Content-Transfer-Encoding: base64\r\n\r\n", "Content-Transfer-Encoding"),
        (body(*[(b"n%d" % n, b"") for n in range(9)]), "too many parts"),
        (body((b"a", b"x"))[:-6], "ends before its last boundary"),
        (b"", "ends before its last boundary"),
        (b"--b", "ends before its last boundary"),
        (b"--b\r", "ends before its last boundary"),
    ],
)
def test_forms_that_are_refused(data: bytes, said: str) -> None:
    for cuts in ([], list(range(0, len(data), 3))):
        with pytest.raises(MultipartError) as refused:
            parse(data, cuts)
        assert str(refused.value).startswith(said)


def test_a_hundred_thousand_parts_are_refused_at_the_ninth() -> None:
    data = body(*[(b"n", b"")] * 100_000)
    parser = Multipart(b"b")
    with pytest.raises(MultipartError, match="too many parts"):
        list(parser.feed(data))


@pytest.mark.parametrize(
    ("header", "boundary"),
    [
        ("multipart/form-data; boundary=abc", b"abc"),
        ('multipart/form-data; boundary="a b"', b"a b"),
        ("Multipart/Form-Data; charset=utf-8; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW", b"----WebKit"),
        ("multipart/form-data", None),
        ("multipart/form-data; boundary=", None),
        ('multipart/form-data; boundary="a "', None),
        ("multipart/form-data; boundary=" + "x" * 71, None),
        ("multipart/form-data; boundary=é", None),
    ],
)
def test_boundaries(header: str, boundary: bytes | None) -> None:
    assert is_form(header)
    if boundary is None:
        with pytest.raises(MultipartError):
            boundary_of(header)
    else:
        assert boundary_of(header).startswith(boundary)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="a b.png"', "a b.png"),
        ("attachment; filename=a.png", "a.png"),
        ("attachment;filename=a.png;", "a.png"),
        ('Attachment; FileName="a\\"b\\\\c.png"', 'a"b\\c.png'),
        ('attachment; filename="C:\\docs\\a.png"', "C:\\docs\\a.png"),
        ('attachment; filename="a;b=c.png"; x=y', "a;b=c.png"),
        ("attachment; filename=\"plain.png\"; filename*=UTF-8''%e2%82%ac.png", "€.png"),
        ("attachment; filename*=iso-8859-1'de'%E4.png", "ä.png"),
        ('attachment; filename="päss.png"', "päss.png"),
        ('attachment; filename="a\r\nb.png"', "a\r\nb.png"),
        ("attachment", None),
        ("form-data; name=a", None),
    ],
)
def test_file_names(header: str, name: str | None) -> None:
    assert disposition.file_name(disposition.parse(header)[1]) == name


@pytest.mark.parametrize(
    "header",
    [
        "",
        ";",
        "attachment filename=a",
        'attachment; filename="a',
        "attachment; filename",
        "attachment; filename=a; filename=b",
        "attachment; filename*=a",
        "attachment; filename*=utf-16''a",
        "attachment; filename*=UTF-8''%ff",
    ],
)
def test_dispositions_that_cannot_be_read(header: str) -> None:
    with pytest.raises(disposition.DispositionError):
        disposition.file_name(disposition.parse(header)[1])


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=0-", (0, 10)),
        ("Bytes= 2-4 ", (2, 3)),
        ("bytes=8-99", (8, 2)),
        ("bytes=-3", (7, 3)),
        ("bytes=-99", (0, 10)),
        ("bytes=-", None),
        ("bytes=4-2", None),
        ("bytes=0-1,3-4", None),
        ("items=0-1", None),
        ("bytes=٠-1", None),
        ("", None),
    ],
)
def test_ranges(header: str, part: tuple[int, int] | None) -> None:
    assert ranges.wanted(header, 10) == part


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=99-100", "bytes=-0"])
def test_ranges_outside_the_file(header: str) -> None:
    with pytest.raises(ranges.UnsatisfiableError):
        ranges.wanted(header, 10)


@pytest.mark.parametrize(
    ("header", "same"),
    [('"a"', True), ('W/"a"', True), ('"b", "a"', True), ("*", True), ('"b"', False), ("a", False), ("", False)],
)
def test_tags(header: str, same: bool) -> None:
    assert ranges.matches(header, '"a"') is same
