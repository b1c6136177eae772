"""What msgpack can say and a request must not, through the real door: each is refused and the connection lives."""

import msgpack
import pytest
from talk import Talk, framed

HEAD = b"\x83\xa7command\xa4Ping\xa7__token\xa0\xa4data"
"""A request up to the value of `data`."""

KEY = HEAD + b"\x81\xa1x"
"""A request up to the value of `data.x`."""

REFUSED = {
    "bin as a key": HEAD + b"\x81\xc4\x01x\x01",
    "bin as a value": KEY + b"\xc4\x01x",
    "bin of 16 bit": KEY + b"\xc5\x00\x01x",
    "a number as a key": HEAD + b"\x81\x01\x01",
    "nil as a key": HEAD + b"\x81\xc0\x01",
    "a list as a key": HEAD + b"\x81\x90\x01",
    "an extension": KEY + b"\xd4\x05\x00",
    "an empty extension": KEY + b"\xc7\x00\x07",
    "an extension as a key": HEAD + b"\x81\xd4\x05\x00\x01",
    "a timestamp": KEY + b"\xd6\xff\x00\x00\x00\x00",
    "a long timestamp": KEY + b"\xc7\x0c\xff" + bytes(12),
    "a byte nobody uses": KEY + b"\xc1",
    "a list of four thousand millions": KEY + b"\xdd\xff\xff\xff\xff",
    "a map of four thousand millions": KEY + b"\xdf\xff\xff\xff\xff",
    "a text of four thousand millions": KEY + b"\xdb\xff\xff\xff\xff",
    "bin of four thousand millions": KEY + b"\xc6\xff\xff\xff\xff",
    "an extension of four thousand millions": KEY + b"\xc9\xff\xff\xff\xff\x05",
    "lists of 65,535 in one another": KEY + b"\xdc\xff\xff" * 1000,
    "a list of 10,001": KEY + b"\xdc\x27\x11" + b"\xca\x00\x00\x00\x00" * 10_001,
    "33 lists in one another": KEY + b"\x91" * 31 + b"\x01",
    "half a million lists in one another": KEY + b"\x91" * 500_000,
    "maps in one another": KEY + b"\x81\xa1a" * 5000 + b"\x01",
    "cut off in a text": KEY + b"\xa5ab",
    "cut off before a value": KEY,
    "cut off in the head": b"\x83\xa7comm",
    "something behind it": KEY + b"\x01\x01",
    "a second map behind it": KEY + b"\x01\x80",
    "one key twice": HEAD + b"\x82\xa1x\x01\xa1x\x02",
    "the command twice": b"\x82\xa7command\xa4Ping\xa7command\xa8Describe",
    "one key twice in two forms": HEAD + b"\x82\xa1x\x01\xd9\x01x\x02",
    "NUL in a text": KEY + b"\xa3a\x00b",
    "NUL in a key": HEAD + b"\x81\xa1\x00\x01",
    "no UTF-8": KEY + b"\xa1\xff",
    "half a pair": KEY + b"\xa3\xed\xa0\x80",
    "an integer over 63 bits": KEY + b"\xcf\x80" + bytes(7),
    "not a number": KEY + b"\xcb\x7f\xf8" + bytes(6),
    "infinity": KEY + b"\xca\x7f\x80\x00\x00",
    "a list": b"\x91\x01",
    "a text": b"\xa4Ping",
    "nothing": b"",
    "nil": b"\xc0",
    "JSON": b'{"command":"Ping"}',
}


@pytest.fixture
def packed(target):
    with Talk(target.tcp) as talk:
        yield talk


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_and_the_connection_lives(target, packed, name):
    packed.send(framed(REFUSED[name]))
    answer = packed.frame()
    assert (answer["status"], answer["error"]) == (400, "INVALID_DATA")
    assert answer["message"].startswith(("Not valid msgpack: ", "A request must be"))
    assert packed.ask("Ping", token=target.token(), packed=True)["status"] == 200


def test_memory_is_not_given_to_claims(target, packed):
    """A thousand frames that claim much cost nothing that stays."""
    packed.ask("Ping", token=target.token(), packed=True)
    before = target.rss_bytes
    for content in REFUSED.values():
        times = 30 if len(content) < 100_000 else 2
        packed.send(framed(content) * times)
        for _ in range(times):
            assert packed.frame()["status"] == 400
    assert target.rss_bytes - before < 24 << 20


@pytest.mark.parametrize(
    "length",
    [
        b"\x00\x10\x00\x01",  # one byte over 1 MiB
        b"\x00\xff\xff\xff",
    ],
)
def test_a_giant_frame_is_answered_413_and_closed(packed, length):
    packed.send(length + b"\x81" * 1000)
    answer = packed.frame()
    assert (answer["status"], answer["error"]) == (413, "LINE_TOO_LONG")
    assert packed.rest() == b""


def test_a_length_that_is_no_length_is_a_line(target):
    """The first byte names the wire: a length of 16 MiB and more cannot begin a msgpack connection."""
    with Talk(target.tcp) as talk:
        talk.send(b"\xff\xff\xff\xff" + b"x" * 100 + b"\n")
        assert talk.line()["status"] == 400
        assert talk.ask("Ping", token=target.token())["status"] == 200


def test_what_is_said_twice_in_both_languages_is_the_same(target, packed):
    """A good request, so that the table above cannot pass for want of a token or a command."""
    packed.send(framed(msgpack.packb({"command": "Ping", "data": {"x": [1, "a", None]}, "__token": target.token()})))
    assert packed.frame()["status"] == 200
