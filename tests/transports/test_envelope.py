import json
from itertools import permutations

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kycmanager.transports.envelope import CODECS, HOT_COMMAND, Envelope, EnvelopeError, HotReads, from_frame, from_line
from kycmanager.transports.framing import Framer, Wire

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0.c2lnbmF0dXJl-_"
FULL = {"command": "MngGetKycStep", "data": {"id": 7}, "extID": "r-1", "__token": TOKEN}


@pytest.mark.parametrize("keys", list(permutations(FULL)))
def test_any_order_of_keys(keys):
    request = {key: FULL[key] for key in keys}
    expected = Envelope("MngGetKycStep", {"id": 7}, b'"r-1"', TOKEN)
    assert from_line(json.dumps(request, separators=(",", ":")).encode()) == expected
    assert from_line(json.dumps(request).encode()) == expected
    assert from_frame(msgpack.packb(request)) == Envelope("MngGetKycStep", {"id": 7}, b"\xa3r-1", TOKEN)


@pytest.mark.parametrize(
    ("line", "envelope"),
    [
        (b'{"command":"Ping"}', Envelope("Ping", {}, None, None)),
        (b'{"command":"Ping","data":{}}', Envelope("Ping", {}, None, None)),
        (b'{"command":"Ping","extID":""}', Envelope("Ping", {}, b'""', None)),
        (b'{"command":"","other":[1],"extID":"1"}', Envelope("", {}, b'"1"', None)),
        (b'{"command":"Ping","__token":7}', Envelope("Ping", {}, None, None)),
        (b'{"command":"Ping","__token":null}', Envelope("Ping", {}, None, None)),
        (b'{"command":"Ping","__token":""}', Envelope("Ping", {}, None, "")),
        (b'{"command":"Ping","extID":12}', Envelope("Ping", {}, b"12", None)),
        (b'{"command":"Ping","extID":null}', Envelope("Ping", {}, b"null", None)),
        (b'{"command":"Ping","extID":1.5}', Envelope("Ping", {}, b"1.5", None)),
        (b'{"command":"Ping","extID":{"b":[1,"a"],"a":true}}', Envelope("Ping", {}, b'{"b":[1,"a"],"a":true}', None)),
        ('{"command":"Ping","extID":"é\',]"}'.encode(), Envelope("Ping", {}, rb'"\u00e9\u0027\u002c]"', None)),
        (b'{"command":"Ping","data":{"a":{"b":[1.5]}}}', Envelope("Ping", {"a": {"b": [1.5]}}, None, None)),
    ],
)
def test_from_line(line, envelope):
    assert from_line(line) == envelope


@pytest.mark.parametrize(
    ("line", "message", "ext"),
    [
        (b"hello", "Not valid JSON: Expecting value at character 0", None),
        (b"[]", "A request must be an object", None),
        (b"1", "A request must be an object", None),
        (b"null", "A request must be an object", None),
        (b'"x"', "A request must be an object", None),
        (b"{}", "`command` must be a string", None),
        (b'{"extID":"r"}', "`command` must be a string", b'"r"'),
        (b'{"command":7,"extID":"r"}', "`command` must be a string", b'"r"'),
        (b'{"command":"c","data":null,"extID":"r"}', "`data` must be an object", b'"r"'),
        (b'{"command":"c","data":[]}', "`data` must be an object", None),
        (b'{"command":"c","data":"{}","extID":3}', "`data` must be an object", b"3"),
        (b'{"command":"c","data":{"id":1,"id":2},"extID":"r"}', "Not valid JSON: duplicate key 'id'", b'"r"'),
        (b'{"command":"c","command":"d"}', "Not valid JSON: duplicate key 'command'", None),
    ],
)
def test_refused_lines(line, message, ext):
    with pytest.raises(EnvelopeError) as caught:
        from_line(line)
    assert (str(caught.value), caught.value.ext) == (message, ext)


@pytest.mark.parametrize(
    ("frame", "message", "ext"),
    [
        (b"\x90", "Not valid msgpack: a frame must hold one map", None),
        (b"\x80", "`command` must be a string", None),
        (b"\x81\xa5extID\x07", "`command` must be a string", b"\x07"),
        (b"\x82\xa7command\xa1c\xa4data\x90", "`data` must be an object", None),
    ],
)
def test_refused_frames(frame, message, ext):
    with pytest.raises(EnvelopeError) as caught:
        from_frame(frame)
    assert (str(caught.value), caught.value.ext) == (message, ext)


@pytest.mark.parametrize("wire", Wire)
def test_a_codec_reads_and_answers(wire):
    codec = CODECS[wire]
    framer = Framer()
    (request,) = framer.feed(codec.message({"command": "Ping", "extID": "x", "data": {"a": 1}, "pad": "x" * 300}))
    assert framer.wire is wire
    envelope = codec.read(request)
    assert (envelope.command, envelope.data, envelope.token) == ("Ping", {"a": 1}, None)
    replies = [
        codec.reply(envelope.ext, 200, codec.encode({"ok": True})),
        codec.error_reply(envelope.ext, 405, "RET_INVALID_METHOD", "No such command", None),
        codec.push("kyc:event", 0, {}),
    ]
    first, second, third = (
        json.loads(frame) if wire is Wire.JSON else msgpack.unpackb(frame) for frame in map(content(wire), replies)
    )
    assert first == {"extID": "x", "status": 200, "data": {"ok": True}}
    assert second == {
        "extID": "x",
        "status": 405,
        "error": "RET_INVALID_METHOD",
        "message": "No such command",
        "data": {},
    }
    assert third == {"event": "kyc:event", "type": 0, "data": {}}


def content(wire):
    return (lambda reply: reply) if wire is Wire.JSON else (lambda reply: reply[4:])


def hot(profile_id, ext="r-1", token=TOKEN):
    return b'{"command":"MngGetKycProfile","data":{"id":%d},"extID":"%b","__token":"%b"}\r\n' % (
        profile_id,
        ext.encode(),
        token.encode(),
    )


def test_hot_reads_of_a_whole_chunk():
    reads = HotReads(TOKEN)
    chunk = b"".join(hot(index + 1, f"r:{index}.-_A") for index in range(16))
    found = reads.match(chunk)
    assert found == [(b"%d" % (index + 1), b'"r:%d.-_A"' % index, TOKEN.encode()) for index in range(16)]
    assert reads.match(hot(999_999_999_999_999, "")) == [(b"999999999999999", b'""', TOKEN.encode())]


@pytest.mark.parametrize(
    "chunk",
    [
        b"",
        b"\r\n",
        b"x" + hot(1),
        hot(1)[:-1],
        hot(1) + b"{",
        hot(1) + b"\r\n" + hot(2),
        hot(1) + hot(2)[:-3],
        hot(1) + b'{"command":"Ping"}\r\n' + hot(2),
        hot(1) + hot(2, token="x" * len(TOKEN)),
        hot(1, token=TOKEN[:-1]),
        hot(1, token=TOKEN + "x"),
        hot(0),
        hot(-1),
        hot(10**15),
        hot(1).replace(b'"id":1', b'"id":01'),
        hot(1).replace(b'"id":1', b'"id":1,"id":1'),
        hot(1).replace(b'"id":1', b'"id":"1"'),
        hot(1).replace(b'"id":1', b'"id": 1'),
        hot(1).replace(b"Profile", b"Profiles"),
        hot(1).replace(b"\r\n", b"\n"),
        hot(1, "a b"),
        hot(1, "\\u0041"),
        hot(1, "é"),
        hot(1, "x" * 65),
        hot(1).replace(b"}\r\n", b',"__token":"x"}\r\n'),
    ],
)
def test_everything_else_is_left_alone(chunk):
    assert HotReads(TOKEN).match(chunk) is None


@pytest.mark.parametrize("token", ["", "a b", 'a"', "a\\", "é", "x" * 4097, "a\n"])
def test_only_plain_tokens(token):
    with pytest.raises(ValueError, match="plain token"):
        HotReads(token)


edits = st.lists(
    st.tuples(
        st.integers(0, 1000),
        st.integers(0, 3),
        st.sampled_from([b"", b"\r\n", b'"', b"}", b"1", b"x", b" ", b"\\", b'"__token":"', hot(5)]),
    ),
    max_size=2,
)


@given(st.lists(st.tuples(st.integers(0, 10**16), st.text('ab1.:-_ "', max_size=5)), min_size=1, max_size=4), edits)
@settings(max_examples=200, deadline=None)
def test_what_hot_reads_accept_the_envelope_reads_the_same(requests, edits):
    chunk = b"".join(hot(profile_id, ext) for profile_id, ext in requests)
    for at, cut, fragment in edits:
        start = at % (len(chunk) + 1)
        chunk = chunk[:start] + fragment + chunk[start + cut :]
    found = HotReads(TOKEN).match(chunk)
    if found is not None:
        framer = Framer()
        envelopes = [from_line(line) for line in framer.feed(chunk)]
        assert framer.between_lines
        assert envelopes == [
            Envelope(HOT_COMMAND, {"id": int(profile_id)}, ext, token.decode()) for profile_id, ext, token in found
        ]
