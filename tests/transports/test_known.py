"""Lines under a known token: read as the strict decoder reads them, or left to it."""

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kycmanager.transports import envelope
from kycmanager.transports.framing import Framer
from kycmanager.transports.known import KnownLines, lines_under

TOKEN = "eyJh.bGci-Oi_J.sig"
END = b',"__token":"%b"}\r\n' % TOKEN.encode()
KNOWN = KnownLines(TOKEN)

names = st.sampled_from(["command", "data", "extID", "__token", "id", "x"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=3),
    max_leaves=5,
)
requests = st.fixed_dictionaries(
    {"command": st.text(max_size=8), "data": st.dictionaries(names, values, max_size=3), "extID": st.text(max_size=6)}
)


def line(value):
    """A request as a client writes it, with the token last."""
    return msgspec.json.encode(value)[:-1] + END


@given(requests)
@example({"command": "Ping", "data": {}, "extID": "'"})
@example({"command": "Ping", "data": {}, "extID": "é"})
def test_what_is_read_is_what_the_strict_decoder_reads(value):
    chunk = line(value)
    found = KNOWN.read(chunk)
    if found is not None:
        assert found == envelope.from_line(chunk.rstrip(b"\r\n"))
        assert len(Framer().feed(chunk)) == 1


def test_usual_requests_are_read():
    chunk = line({"command": "MngApproveKycStep", "data": {"id": 7, "comment": "fine, é"}, "extID": "a7"})
    found = KNOWN.read(chunk)
    assert (found.command, found.data, found.ext) == ("MngApproveKycStep", {"id": 7, "comment": "fine, é"}, b'"a7"')
    assert found.token == TOKEN


@pytest.mark.parametrize(
    "chunk",
    [
        b"{" + END,  # no object without the token
        b'{"command":"Ping","data":{},"extID":"1","__token":"x"' + END,  # two tokens
        b'{"command":"Ping","command":"Ping","data":{},"extID":"1"' + END,  # a key that comes twice
        b'{"command":"Ping", "data":{},"extID":"1"' + END,  # a space: somebody else has to look
        b'{"command":"Ping","data":{},"extID":"\\ud800"' + END,
        b'{"command":"Ping","data":{"n":1e999},"extID":"1"' + END,
        b'{"command":"Ping","data":{"n":18446744073709551616},"extID":"1"' + END,
        b'{"command":"Ping","data":{},"extID":1' + END,  # a number as extID
        b'{"command":"Ping","data":[],"extID":"1"' + END,
        b'{"command":5,"data":{},"extID":"1"' + END,
        b'{"command":"Ping","data":{}' + END,  # without an extID
        b'{"a":1}\n{"command":"Ping","data":{},"extID":"1"' + END,  # two lines
        b'{"command":"Ping","data":{},"extID":"1","__token":"%b"}\n' % TOKEN.encode(),  # another end of line
        b'{"command":"Ping","data":{},"extID":"1","__token":"other"}\r\n',
    ],
)
def test_everything_else_is_left_to_others(chunk):
    assert KNOWN.read(chunk) is None


def test_a_token_of_odd_characters_is_never_known():
    assert lines_under('a"b') is None
    assert lines_under("a\\b") is None
    assert lines_under(TOKEN) is lines_under(TOKEN)
