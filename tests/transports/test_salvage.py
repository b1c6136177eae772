"""The extID of requests that are refused: found where it is clean, never at the price of a fault."""

import json
import time

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kycmanager.transports import salvage
from kycmanager.transports.envelope import EnvelopeError, from_frame, from_line
from kycmanager.transports.msgpack_wire import ITEMS_MAX

MIB = 1 << 20


def packed(*pairs):
    packer = msgpack.Packer(unicode_errors="surrogatepass")
    return packer.pack_map_header(len(pairs)) + b"".join(packer.pack(each) for pair in pairs for each in pair)


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "fault",
    [
        b'"a\\u0000b"',
        b'"a\x00b"',
        b'"a\x01b"',
        b"9223372036854775808",
        b"1" * 5000,
        b'"\\ud800"',
        b'"\xff"',
        b"NaN",
        b"-Infinity",
        b"1e999",
        b'{"a":1,"a":2}',
        b'{"extID":"inner","a":NaN}',
        b"[" * 40 + b"]" * 40,
        b"[" * 400 + b"]" * 400,
    ],
)
@pytest.mark.parametrize(
    ("ext", "echoed"), [(b'"r-1"', b'"r-1"'), ('"é\'"'.encode(), rb'"\u00e9\u0027"'), (b"7", b"7")]
)
def test_refused_lines_keep_their_ext_id(fault, ext, echoed):
    for line in (
        b'{"command":"Ping","data":{"x":%b},"extID":%b}' % (fault, ext),
        b'{"extID":%b,"command":"Ping","data":{"x":%b}}' % (ext, fault),
    ):
        with pytest.raises(EnvelopeError, match="Not valid JSON") as caught:
            from_line(line)
        assert caught.value.ext == echoed


def test_a_byte_order_mark_does_not_hide_it():
    with pytest.raises(EnvelopeError) as caught:
        from_line('\ufeff{"extID":1.5}'.encode())
    assert caught.value.ext == b"1.5"


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"hello",
        b'["extID"]',
        b'[{"extID":"r"}]',
        b'{"x":NaN}',
        b'{"x":{"extID":"inner"},"y":NaN}',
        b'{"extID":"r","x":NaN',
        b'{"extID":"r","extID":"s"}',
        b'{"extID":"r","\\u0065xtID":"r"}',
        b'{"extID":"a\\u0000"}',
        b'{"extID":"\\ud800"}',
        b'{"extID":"\xff"}',
        b'{"extID":NaN}',
        b'{"extID":1e999}',
        b'{"extID":9223372036854775808}',
        b'{"extID":%b}' % (b"1" * 5000),
        b'{"extID":null,"x":NaN}',
        b'{"extID":true,"x":NaN}',
        b'{"extID":["r"],"x":NaN}',
        b'{"extID":{"extID":"r"},"x":NaN}',
        b'{"extID":"r","x":%b}' % (b"[" * 5000 + b"]" * 5000),
    ],
)
def test_lines_without_an_ext_id_to_be_sure_of(line):
    assert salvage.from_line(line) is None


@pytest.mark.parametrize(
    "fault",
    [
        "a\0b",
        2**63,
        "\ud800",
        float("nan"),
        float("inf"),
        b"binary",
        msgpack.ExtType(5, b"x"),
        msgpack.Timestamp(1),
        {1: 2},
        nested(40),
    ],
)
@pytest.mark.parametrize(("ext", "echoed"), [("r-1", b"\xa3r-1"), (7, b"\x07")])
def test_refused_frames_keep_their_ext_id(fault, ext, echoed):
    with pytest.raises(EnvelopeError, match="Not valid msgpack") as caught:
        from_frame(packed(("command", "Ping"), ("data", {"x": fault}), ("extID", ext)))
    assert caught.value.ext == echoed


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\x81",
        b"\xc1",
        packed(("extID", "r")) + b"\0",
        packed(("extID", "r"), ("extID", "s")),
        packed(("extID", 2**64 - 1)),
        packed(("extID", "\ud800")),
        packed(("extID", float("nan"))),
        packed(("extID", b"r")),
        packed((b"extID", "r")),
        packed(("extID", msgpack.Timestamp(1))),
        packed(("extID", "r"), ("x", [0] * (ITEMS_MAX + 1))),
        b"\x82\xa5extID\xa1r\xa1x" + b"\x91" * 5000 + b"\xc0",
        msgpack.packb([{"extID": "r"}]),
    ],
)
def test_frames_without_an_ext_id_to_be_sure_of(frame):
    assert salvage.from_frame(frame, ITEMS_MAX) is None


pieces = st.lists(
    st.sampled_from(
        [b'{"extID":', b'"r"', b"NaN", b",", b"}", b"[", b"]", b'"', b"\\ud800", b"1e999", b"\xff", b"9" * 30, b'"a":']
    ),
    max_size=12,
).map(b"".join)


@given(pieces | st.binary(max_size=40))
@settings(deadline=None)
def test_nothing_is_raised(data):
    for found in (salvage.from_line(data), salvage.from_frame(data, ITEMS_MAX)):
        assert found is None or json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(
    "line",
    [
        b"[" * MIB,
        b'{"a":' * (MIB // 5),
        b"[]," * (MIB // 3),
        b"1," * (MIB // 2),
        b"9" * MIB,
        b'{"a":1},' * (MIB // 8),
    ],
    ids=["lists", "objects", "empty", "numbers", "digits", "members"],
)
def test_the_largest_line_costs_little(line):
    started = time.process_time()
    for end in (b"", b"NaN]}"):
        assert salvage.from_line(b'{"extID":"r","x":[' + line + end) in {None, "r"}
    assert time.process_time() - started < 5
