import json
import re

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kycmanager.transports import json_wire

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.text("',]} \u00e9😀\"\\", max_size=12)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=15,
)


def rewritten_by_the_php_client(text):
    return re.sub(r",\s*([\]}])", r"\1", text.replace("'", '"'))


@given(values)
@settings(max_examples=200, deadline=None)
def test_every_client_reads_what_was_meant(value):
    wire = json_wire.encode(value)
    assert json.loads(wire) == value
    assert wire.isascii()
    assert b"\n" not in wire
    text = wire.decode("ascii")
    assert rewritten_by_the_php_client(text) == text


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        ("it's", rb'"it\u0027s"'),
        ("a, ]b,}c,d, e,  }", rb'"a\u002c ]b\u002c}c,d, e\u002c  }"'),
        (",,]", rb'",\u002c]"'),
        ("é€😀", rb'"\u00e9\u20ac\ud83d\ude00"'),
        ("\u2028\x7f\\'", b'"\\u2028\x7f\\\\\\u0027"'),
        ({"k',]é": [1, "a,"]}, rb'{"k\u0027\u002c]\u00e9":[1,"a,"]}'),
        (["a", "]", ",", "}"], b'["a","]",",","}"]'),
        (None, b"null"),
    ],
)
def test_encode(value, wire):
    assert json_wire.encode(value) == wire
    assert json.loads(wire) == value


class Point(msgspec.Struct):
    x: int
    name: str


def test_structs_and_prepared_parts():
    prepared = msgspec.Raw(json_wire.encode(Point(1, "é")))
    assert json_wire.encode({"p": prepared}) == rb'{"p":{"x":1,"name":"\u00e9"}}'


def test_a_lone_surrogate_never_leaves():
    with pytest.raises(UnicodeEncodeError):
        json_wire.encode("\ud800")


def test_reply():
    assert json_wire.reply(b'"r-1"', 200, b'{"a":1}') == b'{"extID":"r-1","status":200,"data":{"a":1}}\r\n'
    assert json_wire.reply(None, 200, b"{}") == b'{"status":200,"data":{}}\r\n'
    assert json_wire.reply(b"7", 202, b"{}") == b'{"extID":7,"status":202,"data":{}}\r\n'
    assert json_wire.reply(None, 202, b"{}") == b'{"status":202,"data":{}}\r\n'


def test_the_parts_make_the_same_reply():
    parts = (json_wire.REPLY_EXT, b'"r"', json_wire.REPLY_DATA, b"{}", json_wire.REPLY_END)
    assert b"".join(parts) == json_wire.reply(b'"r"', 200, b"{}")


def test_error_reply():
    line = json_wire.error_reply(b'"r"', 404, "RET_NOT_FOUND", "Step wasn't found", {"field": "é"})
    assert (
        line
        == rb'{"extID":"r","status":404,"error":"RET_NOT_FOUND","message":"Step wasn\u0027t found","data":{"field":"\u00e9"}}'
        b"\r\n"
    )
    assert (
        json_wire.error_reply(None, 400, "INVALID_DATA", "m")
        == b'{"status":400,"error":"INVALID_DATA","message":"m","data":{}}\r\n'
    )


@given(values, st.sampled_from([200, 400, 503]))
@settings(max_examples=50, deadline=None)
def test_a_reply_is_one_line_without_the_key_event(ext, status):
    wire = json_wire.encode(ext)
    for line in (
        json_wire.reply(wire, status, b'{"event":1}'),
        json_wire.error_reply(wire, status, "E", "m", {"event": 1}),
    ):
        assert line.endswith(b"\r\n")
        assert line.count(b"\n") == 1
        found = json.loads(line)
        assert "event" not in found
        assert found["extID"] == ext
        assert found["status"] == status


def test_push():
    assert (
        json_wire.push("kyc:event", 1, {"brand": "l'or"})
        == rb'{"event":"kyc:event","type":1,"data":{"brand":"l\u0027or"}}' + b"\r\n"
    )
    with pytest.raises(ValueError, match="never named error"):
        json_wire.push("error", 0, {})


def test_a_notice_is_a_list():
    assert json_wire.message(["n", "m", "", "t", 0, 10, 1, 2, {}, 0]) == b'["n","m","","t",0,10,1,2,{},0]\r\n'
