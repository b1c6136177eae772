import json
import struct

import msgpack
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kycmanager.transports import json_strict, msgpack_wire
from kycmanager.transports.json_strict import DecodeError

A = b"\x81\xa1a"  # a map of one member, a

ACCEPTED = [
    (b"\x80", {}),
    (b"\xde\x00\x00", {}),
    (b"\xdf\x00\x00\x00\x00", {}),
    (A + b"\x01", {"a": 1}),
    (A + b"\xd3" + (5).to_bytes(8, "big"), {"a": 5}),
    (A + b"\xcf" + ((1 << 63) - 1).to_bytes(8, "big"), {"a": (1 << 63) - 1}),
    (A + b"\xd3" + b"\x80" + bytes(7), {"a": -(1 << 63)}),
    (A + b"\xce\x00\x01\x00\x00", {"a": 65536}),
    (A + b"\xcb" + struct.pack(">d", 1.5), {"a": 1.5}),
    (A + b"\xca" + struct.pack(">f", -2.0), {"a": -2.0}),
    (A + b"\xc0", {"a": None}),
    (A + b"\xc3", {"a": True}),
    (A + b"\xa2\xc3\xa9", {"a": "é"}),
    (A + b"\xd9\x01x", {"a": "x"}),
    (A + b"\x92\x01\x81\xa1b\xa0", {"a": [1, {"b": ""}]}),
    (b"\xde\x00\x02\xa1a\x01\xa1b\xa2\\0", {"a": 1, "b": "\\0"}),
    (b"\x82\xa1a\xa2\\0\xa1b\xcd\x01\x00", {"a": "\\0", "b": 256}),
    (A + b"\x91" * 31 + b"\x01", None),
]

REFUSED = [
    (b"", "a frame must hold one map"),
    (b"\x01", "a frame must hold one map"),
    (b"\x90", "a frame must hold one map"),
    (b"\xc0", "a frame must hold one map"),
    (b"\xc1", "a frame must hold one map"),
    (A, "malformed"),
    (A + b"\xc1", "malformed"),
    (A + b"\x01\x00", "malformed"),
    (b"\x80\x80", "malformed"),
    (b"\x82\xa1a\x01", "malformed"),
    (b"\x82\xa1a\x01\xa1a\x01", "duplicate key 'a'"),
    (A + b"\x82\xa1b\x01\xa1b\x02", "duplicate key 'b'"),
    (b"\x81\xc4\x01a\x01", "keys of a map must be strings"),
    (b"\x81\x01\x01", "malformed"),
    (b"\x81\xc0\x01", "malformed"),
    (b"\x81\x90\x01", "malformed"),
    (b"\x81\xd4\x05\x00\x01", "extension type 5"),
    (A + b"\xc4\x01a", "binary values"),
    (A + b"\xc4\x00", "binary values"),
    (A + b"\xd4\x05\x00", "extension type 5"),
    (A + b"\xc7\x00\x07", "extension type 7"),
    (A + b"\xd6\xff\x00\x00\x00\x00", "timestamps"),
    (A + b"\xd7\xff" + bytes(8), "timestamps"),
    (A + b"\xc7\x0c\xff" + bytes(12), "timestamps"),
    (A + b"\xcf" + (1 << 63).to_bytes(8, "big"), "outside 64 bit"),
    (A + b"\xcb" + struct.pack(">d", float("nan")), "NaN and Infinity"),
    (A + b"\xcb" + struct.pack(">d", float("inf")), "NaN and Infinity"),
    (A + b"\xca" + struct.pack(">f", float("-inf")), "NaN and Infinity"),
    (A + b"\xa3x\x00y", "NUL"),
    (b"\x81\xa2a\x00\x01", "NUL"),
    (A + b"\x91\x81\xa1\x00\x01", "NUL"),
    (A + b"\xa1\xff", "invalid UTF-8"),
    (A + b"\xa3\xed\xa0\x80", "invalid UTF-8"),
    (b"\x81\xa1\xff\x01", "invalid UTF-8"),
    (A + b"\x91" * 32 + b"\x01", "nested deeper than 32"),
    (A + b"\x81\xa1a" * 32 + b"\x01", "nested deeper than 32"),
    (A + b"\x91" * 5000 + b"\x01", "nested deeper than 32"),
    (A + b"\x91" * 500_000, "nested deeper than 32"),
    # lengths that promise far more than the frame holds
    (A + b"\xdd\xff\xff\xff\xff", "malformed"),
    (A + b"\xdc\xff\xff" * 1000, "malformed"),
    (A + b"\xdf\xff\xff\xff\xff", "malformed"),
    (b"\xdf\xff\xff\xff\xff", "malformed"),
    (A + b"\xdb\xff\xff\xff\xff", "malformed"),
    (A + b"\xc6\xff\xff\xff\xff", "malformed"),
    (A + b"\xc9\xff\xff\xff\xff\x05", "malformed"),
]


@pytest.mark.parametrize(("frame", "value"), ACCEPTED)
def test_accepted(frame, value):
    found = msgpack_wire.decode(frame)
    assert found == (msgpack.unpackb(frame) if value is None else value)
    assert repr(msgpack_wire.decode_strictly(frame)) == repr(found)


@pytest.mark.parametrize(("frame", "message"), REFUSED, ids=lambda value: ascii(value[:20]))
def test_refused(frame, message):
    with pytest.raises(DecodeError, match=message):
        msgpack_wire.decode(frame)
    assert msgpack_wire.decode_canonical(frame) is None


@pytest.mark.parametrize("frame", [b"\x90", b"\x01"])
def test_the_strict_decoder_stands_alone(frame):
    with pytest.raises(DecodeError, match="one map"):
        msgpack_wire.decode_strictly(frame)


def test_items_are_bounded():
    assert len(msgpack_wire.decode(msgpack.packb({"a": [0.5] * 10}), items_max=10)["a"]) == 10
    with pytest.raises(DecodeError, match="malformed"):
        msgpack_wire.decode(msgpack.packb({"a": [0.5] * 11}), items_max=10)


texts = st.text("ab\x00é😀\\", max_size=5)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1) | texts | st.floats() | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts | st.binary(max_size=2), inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(texts, values, max_size=5)
fragments = st.sampled_from(
    [
        b"\xa1a",
        b"\x80",
        b"\x81",
        b"\x82",
        b"\x90",
        b"\x91",
        b"\xc0",
        b"\xc1",
        b"\xc4",
        b"\xcb",
        b"\xcf",
        b"\xd3",
        b"\x00",
        b"\xff",
        b"\xd9\x01",
    ]
)
edits = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 3), fragments), max_size=3)


@given(objects, edits)
@settings(max_examples=200, deadline=None)
def test_what_the_fast_decoder_accepts_the_strict_one_reads_the_same(value, edits):
    frame = msgpack.packb(value)
    for at, cut, fragment in edits:
        start = at % (len(frame) + 1)
        frame = frame[:start] + fragment + frame[start + cut :]
    fast = msgpack_wire.decode_canonical(frame)
    if fast is not None:
        assert repr(msgpack_wire.decode_strictly(frame)) == repr(fast)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), 1 << 63) | texts | st.floats(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def outcome(decode, encoded):
    try:
        return decode(encoded)
    except DecodeError:
        return "refused"


@given(st.dictionaries(texts, json_values, max_size=4))
@settings(max_examples=200, deadline=None)
def test_both_wires_accept_and_refuse_the_same_values(value):
    by_json = outcome(json_strict.decode, json.dumps(value).encode())
    assert repr(outcome(msgpack_wire.decode, msgpack.packb(value))) == repr(by_json)


@pytest.mark.parametrize("depth", [31, 32])
def test_both_wires_have_the_same_depth(depth):
    value = 1
    for _ in range(depth):
        value = [value]
    value = {"a": value}
    by_json = outcome(json_strict.decode, json.dumps(value).encode())
    assert outcome(msgpack_wire.decode, msgpack.packb(value)) == by_json
    assert (by_json == "refused") == (depth == 32)


@given(st.binary(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_read_or_refused(body):
    try:
        found = msgpack_wire.decode(b"\x82" + body)
    except DecodeError:
        return
    assert len(found) == 2


def unframed(frame):
    assert int.from_bytes(frame[:4], "big") == len(frame) - 4
    return msgpack.unpackb(frame[4:])


class Point(msgspec.Struct):
    x: int
    name: str


def test_reply():
    data = msgpack_wire.encode(Point(1, "é"))
    ext = msgpack_wire.encode("r-1")
    for status in (200, 202, 503):
        assert list(unframed(msgpack_wire.reply(ext, status, data)).items()) == [
            ("extID", "r-1"),
            ("status", status),
            ("data", {"x": 1, "name": "é"}),
        ]
        assert unframed(msgpack_wire.reply(None, status, data)) == {"status": status, "data": {"x": 1, "name": "é"}}


def test_error_reply():
    ext = msgpack_wire.encode(7)
    assert unframed(msgpack_wire.error_reply(ext, 404, "RET_NOT_FOUND", "Step was not found", {"id": 1})) == {
        "extID": 7,
        "status": 404,
        "error": "RET_NOT_FOUND",
        "message": "Step was not found",
        "data": {"id": 1},
    }
    assert unframed(msgpack_wire.error_reply(None, 400, "INVALID_DATA", "m")) == {
        "status": 400,
        "error": "INVALID_DATA",
        "message": "m",
        "data": {},
    }


def test_push_and_message():
    assert unframed(msgpack_wire.push("kyc:event", 1, {"seq": 1})) == {
        "event": "kyc:event",
        "type": 1,
        "data": {"seq": 1},
    }
    assert unframed(msgpack_wire.message(["n", 1])) == ["n", 1]
    with pytest.raises(ValueError, match="never named error"):
        msgpack_wire.push("error", 0, {})
