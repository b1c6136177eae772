"""Requests that two servers could take apart differently: refused or read in one way, never the request hidden inside."""

import re

import pytest
from talk import Talk, answers

HIDDEN = b"GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n"
"""Nobody asks for this: where it is answered, something was smuggled."""

NEXT = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
POST = b"POST /manager/kyc/required-level HTTP/1.1\r\nHost: a\r\nAuthorization: TOKEN\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
SIZED = b"Content-Length: %d\r\n"
BODY = b'{"customer_id":7,"brand":"acme","level":1}'
CHUNK = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)


def length(size, name=b"Content-Length"):
    return b"%b: %d\r\n" % (name, size)


REFUSED = {
    # two lengths
    "length, then chunks": POST + length(4) + CHUNKED + b"\r\n" + b"0\r\n\r\n" + HIDDEN,
    "chunks, then length": POST + CHUNKED + length(5 + len(HIDDEN)) + b"\r\n" + b"0\r\n\r\n" + HIDDEN,
    "two lengths": POST + length(len(BODY)) + length(len(BODY) + len(HIDDEN)) + b"\r\n" + BODY + HIDDEN,
    "two equal lengths": POST + length(len(BODY)) * 2 + b"\r\n" + BODY + HIDDEN,
    "lengths in a list": POST + b"Content-Length: %d, %d\r\n\r\n" % (len(BODY), len(BODY)) + BODY + HIDDEN,
    # lengths that are none
    "a length with a plus": POST + b"Content-Length: +%d\r\n\r\n" % len(BODY) + BODY + HIDDEN,
    "a negative length": POST + b"Content-Length: -1\r\n\r\n" + HIDDEN,
    "a length in hex": POST + b"Content-Length: 0x10\r\n\r\n" + BODY + HIDDEN,
    "a length with an underscore": POST + b"Content-Length: 4_2\r\n\r\n" + BODY + HIDDEN,
    "a length in other digits": POST + "Content-Length: ４２\r\n\r\n".encode() + BODY + HIDDEN,
    "a length without end": POST + b"Content-Length: " + b"9" * 400 + b"\r\n\r\n" + BODY + HIDDEN,
    "an empty length": POST + b"Content-Length: \r\n\r\n" + BODY + HIDDEN,
    # codings that are none
    "gzip before chunks": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + CHUNK + HIDDEN,
    "chunks before identity": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n" + CHUNK + HIDDEN,
    "two codings": POST + CHUNKED * 2 + b"\r\n" + CHUNK + HIDDEN,
    "a coding nobody knows": POST + b"Transfer-Encoding: xchunked\r\n\r\n" + CHUNK + HIDDEN,
    "a coding in quotes": POST + b'Transfer-Encoding: "chunked"\r\n\r\n' + CHUNK + HIDDEN,
    "a coding after a tab": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n" + CHUNK + HIDDEN,
    "a coding in HTTP/1.0": POST.replace(b"1.1", b"1.0") + CHUNKED + length(5) + b"\r\n" + CHUNK + HIDDEN,
    # heads
    "a space before the colon": POST + b"Content-Length : %d\r\n\r\n" % len(HIDDEN) + HIDDEN,
    "a coding and a space": POST + length(5) + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a folded coding": POST + length(5) + b"X: a\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a folded value": b"GET /ping HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n",
    "a line without a colon": POST + b"Content-Length\r\n\r\n" + HIDDEN,
    "a line without a name": POST + b": 5\r\n\r\n" + HIDDEN,
    "NUL in a value": POST + length(len(BODY)) + b"X: a\x00b\r\n\r\n" + BODY + HIDDEN,
    "NUL in a name": POST + length(len(BODY)) + b"X\x00: a\r\n\r\n" + BODY + HIDDEN,
    "CR in a value": POST + length(len(BODY)) + b"X: a\rTransfer-Encoding: chunked\r\n\r\n" + BODY + HIDDEN,
    "a control character in a name": POST + b"X\x01: a\r\n" + length(len(BODY)) + b"\r\n" + BODY + HIDDEN,
    "two tokens": POST + b"Authorization: other\r\n" + length(len(BODY)) + b"\r\n" + BODY + HIDDEN,
    "100,000 lines": POST + b"X: a\r\n" * 100_000 + b"\r\n" + HIDDEN,
    "1,000 lines": b"GET /ping HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 1000 + b"\r\n" + HIDDEN,
    "a line of 10,000": b"GET /ping HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 10_000 + b"\r\n\r\n" + HIDDEN,
    "a line of 100,000": POST + b"X: " + b"a" * 100_000 + b"\r\n\r\n" + HIDDEN,
    "a path of 100,000": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n" + HIDDEN,
    # request lines
    "a space in the path": b"GET /pi ng HTTP/1.1\r\nHost: a\r\n\r\n" + HIDDEN,
    "a tab in the line": b"GET\t/ping\tHTTP/1.1\r\nHost: a\r\n\r\n" + HIDDEN,
    "no version": b"GET /ping\r\n\r\n" + HIDDEN,
    "another protocol": b"GET /ping ICY/1.1\r\nHost: a\r\n\r\n" + HIDDEN,
    "HTTP/2 at once": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + HIDDEN,
    "HTTP/0.9": b"GET /ping HTTP/0.9\r\nHost: a\r\n\r\n" + HIDDEN,
    "HTTP/3 in letters": b"GET /ping HTTP/3.0\r\nHost: a\r\n\r\n" + HIDDEN,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + HIDDEN,
    "a method of one's own": b"SMUGGLE /ping HTTP/1.1\r\nHost: a\r\n\r\n" + HIDDEN,
    "NUL in the method": b"GE\x00T /ping HTTP/1.1\r\nHost: a\r\n\r\n" + HIDDEN,
    # chunks
    "a size that is none": POST + CHUNKED + b"\r\nzz\r\n" + HIDDEN,
    "a size in 0x": POST + CHUNKED + b"\r\n0x2a\r\n" + BODY + b"\r\n0\r\n\r\n" + HIDDEN,
    "a negative size": POST + CHUNKED + b"\r\n-1\r\n" + HIDDEN,
    "a size with a plus": POST + CHUNKED + b"\r\n+2a\r\n" + BODY + b"\r\n0\r\n\r\n" + HIDDEN,
    "a size with a space": POST + CHUNKED + b"\r\n2 a\r\n" + BODY + b"\r\n0\r\n\r\n" + HIDDEN,
    "a size beyond 64 bit": POST + CHUNKED + b"\r\n" + b"f" * 17 + b"\r\n" + BODY + b"\r\n0\r\n\r\n" + HIDDEN,
    "no size": POST + CHUNKED + b"\r\n\r\n" + HIDDEN,
    "a chunk longer than it says": POST + CHUNKED + b"\r\n2\r\n" + BODY + b"\r\n0\r\n\r\n" + HIDDEN,
    "a bare LF after the size": POST + CHUNKED + b"\r\n%x\n%b\r\n0\r\n\r\n" % (len(BODY), BODY) + HIDDEN,
    "LF in an extension": POST + CHUNKED + b"\r\n%x;a\nb\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY) + HIDDEN,
    "a trailer with a length": POST + CHUNKED + b"\r\n2\r\n{}\r\n0\r\nContent-Length: 90\r\n\r\n" + HIDDEN,
    "endless trailers": POST + CHUNKED + b"\r\n2\r\n{}\r\n0\r\n" + b"X: a\r\n" * 100_000 + b"\r\n" + HIDDEN,
}
"""One refusal, and the connection is over: nothing behind it is looked at."""

TAKEN = {
    "chunks": POST + CHUNKED + b"\r\n" + CHUNK,
    "chunks of other letters": POST + b"TRANSFER-ENCODING: Chunked\r\n\r\n" + CHUNK,
    "a chunk with an extension": POST + CHUNKED + b"\r\n%x;a=b\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY),
    "one byte a chunk": POST + CHUNKED + b"\r\n" + b"".join(b"1\r\n%c\r\n" % each for each in BODY) + b"0\r\n\r\n",
    "a size with zeros": POST + CHUNKED + b"\r\n00%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY),
    "trailers": POST + CHUNKED + b"\r\n%x\r\n%b\r\n0\r\nX: a\r\n\r\n" % (len(BODY), BODY),
    "an endless extension": POST + CHUNKED + b"\r\n2;" + b"a" * 100_000 + b"\r\n{}\r\n0\r\n\r\n",
    "the hidden one as a body": POST + length(len(HIDDEN)) + b"\r\n" + HIDDEN,
    "the hidden one in chunks": POST + CHUNKED + b"\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN),
    "a body to a GET": b"GET /ping HTTP/1.1\r\nHost: a\r\n" + length(len(HIDDEN)) + b"\r\n" + HIDDEN,
    "a chunked body to a GET": b"GET /healthz HTTP/1.1\r\nHost: a\r\n"
    + CHUNKED
    + b"\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN),
    "a body to nowhere": b"POST /nowhere HTTP/1.1\r\nHost: a\r\n" + length(len(HIDDEN)) + b"\r\n" + HIDDEN,
    "a body without a token": POST.replace(b"Authorization: TOKEN\r\n", b"") + length(len(HIDDEN)) + b"\r\n" + HIDDEN,
    "a body to an upload without a token": b"POST /upload HTTP/1.1\r\nHost: a\r\n"
    + length(len(HIDDEN))
    + b"\r\n"
    + HIDDEN,
    "a length of other letters": POST + length(len(BODY), b"CONTENT-LENGTH") + b"\r\n" + BODY,
    "a length with zeros": POST + b"Content-Length: 00%d\r\n\r\n" % len(BODY) + BODY,
    "a host elsewhere": b"GET http://elsewhere/ping HTTP/1.1\r\nHost: a\r\n\r\n",
    "an asterisk": b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    "a name with an underscore": POST + b"Content_Length: 99\r\n" + length(len(BODY)) + b"\r\n" + BODY,
    "a hundred lines": b"GET /ping HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 90 + b"\r\n",
    "empty lines before": b"\r\n\r\nGET /ping HTTP/1.1\r\nHost: a\r\n\r\n",
    "a request to go on": POST + b"Expect: 100-continue\r\n" + length(len(BODY)) + b"\r\n" + BODY,
    "an upgrade": b"GET /ping HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
}
"""Odd and clear: one answer, and the next request is the next one."""

ALIVE = b'{"alive":true}'
READY = re.compile(rb'"ready":')


def talked(target, data, cut=None):
    """Send a request and the next one, in one piece or cut in two; return all answers until the server closes."""
    data = data.replace(b"TOKEN", target.token().encode()) + NEXT
    with Talk(target.http, 5) as talk:
        for piece in (data[:cut], data[cut:]) if cut else (data,):
            talk.send(piece)
        return [each for each in answers(talk.rest()) if each.status != 100]


def test_the_hidden_request_can_be_told(http):
    http.send(HIDDEN)
    assert READY.search(http.answer().body)


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_and_nothing_behind_it_is_answered(target, name):
    found = talked(target, REFUSED[name])
    assert [each.status for each in found] in ([400], [401]), found
    assert found[0].data["error"] in {"INVALID_DATA", "PERMISSION_DENIED"}
    with Talk(target.http) as talk:
        assert talk.request("GET", "/healthz").body == ALIVE


@pytest.mark.parametrize("name", TAKEN)
def test_it_is_one_request_and_the_next_is_the_next(target, name):
    size = len(TAKEN[name]) + len(target.token())
    for cut in (None, 1, size // 3, size // 2, size - 7):
        found = talked(target, TAKEN[name], cut)
        assert len(found) == 2, found
        assert not any(READY.search(each.body) for each in found)
        assert found[1].body == ALIVE


@pytest.mark.parametrize("parts", [9, 100_000])
def test_forms_of_many_parts_are_refused(target, parts):
    one = b'--b\r\nContent-Disposition: form-data; name="n%d"\r\n\r\nv\r\n'
    body = b"".join(one % number for number in range(parts)) + b"--b--\r\n"
    with Talk(target.http) as talk:
        kind = {"Content-Type": "multipart/form-data; boundary=b"}
        answer = talk.request("POST", "/upload", target.token(), body, kind)
        assert (answer.status, answer.data["message"]) == (400, "body: multipart: too many parts")
    assert target.left_over() == []


FILE = b'Content-Disposition: form-data; name="file"; filename="a.txt"'


def form(*heads):
    """Spell a form of one part."""
    return b"\r\n".join((b"--b", *heads, b"", b"a text", b"--b--", b""))


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (form(FILE), 200),
        (form(FILE)[:-6], 400),
        (b"--b", 400),
        (b"", 400),
        (form(FILE).replace(b"--b", b"--c"), 400),
        (form(FILE, b"X: " + b"a" * 9000), 400),
        (form(FILE, b"Content-Transfer-Encoding: base64"), 400),
        (form(FILE + b'; filename="b.txt"'), 400),
        (form(FILE, b'Content-Disposition: form-data; name="brand"'), 400),
        (form(FILE.replace(b"a.txt", b"a\x00.txt")), 200),
        (form(FILE.replace(b"a.txt", b"a\n.txt")), 400),
    ],
)
def test_broken_forms(target, sent, status):
    with Talk(target.http) as talk:
        kind = {"Content-Type": "multipart/form-data; boundary=b"}
        answer = talk.request("POST", "/upload", target.token(), sent, kind)
        assert answer.status == status, answer
    assert target.left_over() == []


@pytest.mark.parametrize("protocol", [b"h2c", b"TLS/1.0", b"tcp"])
def test_who_asks_for_another_protocol_is_answered_and_closed(target, protocol):
    """What came with it is lost to the parser; half of it must not become a request of its own."""
    head = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: %b\r\n\r\n" % protocol
    for behind in (b"", NEXT, POST + length(len(HIDDEN)) + b"\r\n"):
        with Talk(target.http, 5) as talk:
            talk.send(head + behind)
            answer = talk.answer()
            assert answer.body == ALIVE
            assert b"Connection: close" in answer.head
            talk.send(HIDDEN)
            assert talk.rest() == b""
