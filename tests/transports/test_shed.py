"""What is refused at a glance is a write, and its answer is the one the slow way gives."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kycmanager.commands import TABLE
from kycmanager.commands.model import Kind
from kycmanager.transports import envelope, json_wire
from kycmanager.transports.shed import CROWDED, Shed

SHED = Shed(TABLE)
WRITES = sorted(command.name for command in TABLE if command.kind is Kind.WRITE)
OTHERS = sorted(command.name for command in TABLE if command.kind is not Kind.WRITE)
LINE = b'{"command":"MngSetKycRisk","data":{"customer_id":7},"extID":"a","__token":"x.y-z_0"}'


def slow(line):
    """The refusal as the slow way puts it together."""
    ext = envelope.from_line(line).ext
    return json_wire.error_reply(ext, CROWDED.code.status, CROWDED.code.wire_name, CROWDED.message)


@pytest.mark.parametrize("name", WRITES)
def test_every_write_is_recognised(name):
    line = LINE.replace(b"MngSetKycRisk", name.encode())
    assert SHED.sift([line]) == ([], slow(line), {name: 1})


@pytest.mark.parametrize("name", OTHERS)
def test_nothing_else_is(name):
    line = LINE.replace(b"MngSetKycRisk", name.encode())
    assert SHED.sift([line]) == ([line], b"", {})


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"\xff",
        LINE[:-1],
        LINE + b"}",
        LINE + b" ",
        b" " + LINE,
        LINE.replace(b":7", b':"\\""'),
        LINE.replace(b'"a"', b'"a b"'),
        LINE.replace(b'"a"', b"1.5"),
        LINE.replace(b'"a"', b"-0"),
        LINE.replace(b'"a"', b"null"),
        LINE.replace(b'"a"', b'"' + b"a" * 65 + b'"'),
        LINE.replace(b'"extID":"a",', b""),
        LINE.replace(b'","__token"', b'", "__token"'),
        LINE.replace(b'"}', b'","extID":"b"}'),
        LINE.replace(b"MngSetKycRisk", b"mngSetKycRisk"),
        LINE.replace(b'"command"', b'"Command"'),
        b'{"data":{},"command":"MngSetKycRisk","extID":"a","__token":"x"}',
        b'{"command":"MngSetKycRisk","data":{"a":{"x":1,"extID":"a","__token":"x"}}}',
    ],
)
def test_what_is_spelt_otherwise_is_left_alone(line):
    assert SHED.sift([line]) == ([line], b"", {})


def test_many_lines_keep_their_order():
    lines = [LINE.replace(b'"a"', b'"%d"' % number) for number in range(5)]
    ping = b'{"command":"Ping","extID":"p","__token":"x"}'
    sifted = SHED.sift([lines[0], ping, *lines[1:], b"{"])
    assert sifted.kept == [ping, b"{"]
    assert [json.loads(answer)["extID"] for answer in sifted.answers.splitlines()] == ["0", "1", "2", "3", "4"]
    assert sifted.counts == {"MngSetKycRisk": 5}


VALUES = st.recursive(
    st.none() | st.integers(-9, 9) | st.sampled_from(["", "a", '"', "\\", "extID", "__token", "}", '","extID":"z"']),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "extID", "__token"]), inner),
    max_leaves=6,
)


@given(
    st.permutations(["command", "data", "extID", "__token"]),
    st.sampled_from([*WRITES[:2], "Ping"]),
    VALUES,
    st.sampled_from(["r-1", "", 7, 'a"b', None]),
    st.sampled_from(["x.y.z", "", '"}', "{"]),
)  # fmt: skip
def test_what_is_recognised_reads_the_same(order, command, data, ext, token):
    whole = {"command": command, "data": {"d": data}, "extID": ext, "__token": token}
    line = json.dumps({key: whole[key] for key in order}, separators=(",", ":")).encode()
    sifted = SHED.sift([line])
    if sifted.answers:
        assert sifted.answers == slow(line)
        assert sifted.counts == {envelope.from_line(line).command: 1}
    else:
        assert sifted.kept == [line]
