import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kycmanager.transports.json_strict import DecodeError, decode, decode_canonical, decode_strictly

ACCEPTED = [
    ("null", None),
    ("true", True),
    ("false", False),
    ('""', ""),
    ('"\x7f"', "\x7f"),
    ("0", 0),
    ("-0", 0),
    ("-1", -1),
    ("20e1", 200.0),
    ("1E+2", 100.0),
    ("1E-2", 0.01),
    ("123.456e78", 123.456e78),
    ("-0.5", -0.5),
    ("1e-400", 0.0),
    ("123.456e-789", 0.0),
    ("9223372036854775807", 9223372036854775807),
    ("-9223372036854775808", -9223372036854775808),
    ("[]", []),
    ("[ ]", []),
    ('[1,null,"a",{}]', [1, None, "a", {}]),
    ("{}", {}),
    ('{"":0}', {"": 0}),
    ('{"a":{"a":1},"b":{"a":2}}', {"a": {"a": 1}, "b": {"a": 2}}),
    (" \t\n\r[ 1 , 2 ] ", [1, 2]),
    (r'"\"\\\/\b\f\n\r\t"', '"\\/\b\f\n\r\t'),
    (r'"\u0041\u00e9\u20ac"', "Aé€"),
    (r'"\ud83d\ude00"', "😀"),
    (r'"\uD801\udc37"', "\U00010437"),
    (r'"\\ud800"', "\\ud800"),
    (r'"\\u0000"', "\\u0000"),
    (r'"\u0001\u007f"', "\x01\x7f"),
    (r'"\uFFFE\uFEFF"', "\ufffe\ufeff"),
    ('"\u2028\u2029 é 😀 \U0010ffff"', "\u2028\u2029 é 😀 \U0010ffff"),
    ('"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["', "[" * 40),
    ("[" + ",".join(["[]"] * 50) + "]", [[]] * 50),
]  # fmt: skip

REFUSED = [
    # duplicate keys, at any depth, however they are spelt
    '{"a":1,"a":1}',
    '{"a":1,"a":2}',
    '{"a":1,"b":{"c":1,"c":1}}',
    r'{"a":1,"\u0061":2}',
    '[{"a":1,"b":2,"a":3}]',
    # numbers
    "NaN", "-NaN", "Infinity", "-Infinity", "nan", "inf", "1e999", "-1e999", "1.5e+9999", "[-123123e100000]",
    "9223372036854775808", "-9223372036854775809", "18446744073709551616", "1" * 5000, "-" + "1" * 5000,
    "01", "-01", "+1", "1.", ".5", "-.5", "1.e1", "1e", "1e+", "0x1F", "0e", "1_000", "1 000", "-", "--1", "1ee2", "\uff11",
    # strings
    r'"\ud800"', r'"\uDFAA"', r'"\ud800\ud800"', r'"\ude00\ud83d"', r'"\ud800abc"', r'"\ud800\u0041"', r'{"\ud800":1}',
    r'"\u0000"', r'{"a\u0000":1}', r'[["\u0000"]]', '"\x00"', '"\n"', '"\t"', '"\x1f"',
    r'"\u00"', r'"\u00G0"', r'"\x41"', r'"\a"', '"\\', '"abc', "'a'", r'"\u+123"', r'"\U00000041"', '"\\\u00e9"',
    # structure
    "", " ", "[", "]", "{", "}", "[1", "[1,", "[,1]", "[1,]", "[1,,2]", "[1 2]", "[]]", '{"a"}', '{"a":}', '{"a":1,}', "{,}",
    "{a:1}", "{'a':1}", "{1:1}", '{"a" "b"}', '{"a"::1}', '{"a":1 "b":2}', '{"a":/**/1}', "[1]//", "nul", "True", "truefalse",
    "\u00a0[]", "\u2060", "[\x0c]", "[\x0b1]", "*", "<null>", "\x00", "1\x00", "{}\x00",
    # depth: the wrapping object and its data are two of the 32
    "[" * 31 + "]" * 31, '{"a":' * 31 + "1" + "}" * 31, "[" * 100_000, '[{"":' * 50_000, "[" * 500 + "]" * 500,
    # trailing garbage, a second value
    "1}", '1}"y":{', "{}{}",
]  # fmt: skip

REFUSED_BYTES = [
    b'"\xff"',
    b'"\xc0\x80"',
    b'"\xed\xa0\x80"',
    b'"\xed\xbf\xbf"',
    b'"\xf4\x90\x80\x80"',
    b'"\xe6\x97"',
    b'"\x80"',
    b'{"\xe9":1}',
    b'"\xfc\x83\xbf\xbf\xbf\xbf"',
    b"\xff",
    b"\xef\xbb\xbf{}",
    b'\xff\xfe[\x00"\x00]\x00',
]


def wrapped(text):
    return b'{"command":"c","data":{"x":' + text + b'},"extID":"1"}'


@pytest.mark.parametrize(("text", "value"), ACCEPTED)
def test_accepted(text, value):
    for line, expected in (
        (text, value),
        (wrapped(text.encode()).decode(), {"command": "c", "data": {"x": value}, "extID": "1"}),
    ):
        found = decode(line.encode())
        assert found == expected
        assert repr(found) == repr(expected)


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: ascii(text[:30]))
def test_refused(text):
    with pytest.raises(DecodeError):
        decode(wrapped(text.encode()))


@pytest.mark.parametrize("text", REFUSED_BYTES)
def test_refused_bytes(text):
    with pytest.raises(DecodeError):
        decode(wrapped(text))
    with pytest.raises(DecodeError):
        decode(text)


def test_depth_counts_containers():
    deepest = b"[" * 32 + b"]" * 32
    assert json.dumps(decode(deepest)).encode() == deepest
    with pytest.raises(DecodeError, match="nested deeper than 32 at character 32"):
        decode(b"[" + deepest + b"]")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"a":1,"a":2}', "duplicate key 'a'"),
        (b'{"a":"' + b"\xff" + b'"}', "invalid UTF-8 at byte 6"),
        (b"\xef\xbb\xbf{}", "a byte order mark is not accepted"),
        (b'{"a":NaN}', "NaN is no JSON value"),
        (b'{"a":1e999}', "a number is too large"),
        (b'{"a":9223372036854775808}', "an integer is outside 64 bit"),
        (b'{"a":1} x', "Extra data at character 8"),
        (b'{"a":"\\u0000"}', "NUL is not accepted in a string"),
        (b'{"a":"\\ud800"}', "a surrogate without its pair is not accepted"),
        (b'{"%s":1,"%s":2}' % (b"k" * 1000, b"k" * 1000), "duplicate key '" + "k" * 64 + "'"),
    ],
)
def test_messages_say_what_and_where(line, message):
    with pytest.raises(DecodeError) as caught:
        decode(line)
    assert str(caught.value) == message
    assert caught.value.__cause__ is None


def test_a_refusal_keeps_nothing_of_the_text_in_its_context():
    with pytest.raises(DecodeError) as caught:
        decode(b'{"a":"secret"')
    assert caught.value.__suppress_context__
    assert "secret" not in str(caught.value)


scalars = (
    st.none() | st.booleans() | st.integers(-(1 << 65), 1 << 65) | st.text(max_size=12) | st.floats(allow_nan=False)
)
keys = st.text('ab\u00e9\\"/\x01 😀', max_size=3)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
)
objects = st.dictionaries(keys, values, max_size=5)
spellings = st.sampled_from(
    [
        msgspec.json.encode,
        lambda value: json.dumps(value).encode(),
        lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass"),
    ]
)
FRAGMENTS = [
    b'"a":1', b',"a":1', b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\\u0000", b"\\ud800", b"\\u", b"\0", b" ", b"-", b"0", b"1",
    b"9223372036854775808", b"9" * 19, b".0", b"e9", b"1e999", b"NaN", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xc3\xa9", b"\n", b"/",
    b"true", b"null", b'{"a":1,"a":1}', b"'", b"\t",
]  # fmt: skip
edits = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 3), st.sampled_from(FRAGMENTS)), max_size=3)


def edited(text, edits):
    for at, cut, fragment in edits:
        start = at % (len(text) + 1)
        text = text[:start] + fragment + text[start + cut :]
    return text


@given(objects, spellings, edits)
@settings(max_examples=200, deadline=None)
def test_what_the_fast_decoder_accepts_the_strict_one_reads_the_same(value, spell, edits):
    text = edited(spell(value), edits)
    fast = decode_canonical(text)
    if fast is not None:
        assert repr(decode_strictly(text)) == repr(fast)


plain = st.dictionaries(
    st.text("abc", max_size=4),
    st.integers(-(1 << 63), (1 << 63) - 1)
    | st.text("abc é😀,'", max_size=9)
    | st.booleans()
    | st.none()
    | st.lists(st.integers(-9, 9)),
    max_size=6,
)


@given(plain, edits)
@settings(max_examples=200, deadline=None)
def test_near_misses_of_plain_requests_are_read_the_same(value, edits):
    text = msgspec.json.encode(value)
    assert decode_canonical(text) == value
    text = edited(text, edits)
    fast = decode_canonical(text)
    if fast is not None:
        assert repr(decode_strictly(text)) == repr(fast)


@given(objects, edits)
@settings(max_examples=200, deadline=None)
def test_refusals_are_decode_errors_and_values_obey_the_rules(value, edits):
    text = edited(json.dumps(value).encode(), edits)
    try:
        found = decode(text)
    except DecodeError:
        pass
    else:
        again = json.dumps(found, allow_nan=False, ensure_ascii=False).encode()
        assert repr(decode(again)) == repr(found)


@pytest.mark.parametrize(
    "line",
    [
        b'{"a":1,"a":1}',
        b'{"a": 1}',
        b' {"a":1}',
        b'{"a":1.0}',
        b'{"a":-0}',
        b'{"a":"\\/"}',
        b'{"a":"\\u0041"}',
        b"[]",
        b"1",
        b'{"a":[[[[1]]]]}',
    ],
)
def test_the_fast_decoder_leaves_the_rest_alone(line):
    assert decode_canonical(line) is None
