from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kycmanager.transports.framing import Framer, Outcome, Wire

LIMIT = 12


def feed_all(framer, stream, cuts):
    edges = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    frames = []
    for start, stop in pairwise(edges):
        frames += framer.feed(stream[start:stop])
        assert framer.held_bytes <= LIMIT + 4
    return frames


def lines_by_definition(stream):
    *lines, rest = stream.split(b"\n")
    frames = []
    for line in lines:
        if len(line) > LIMIT:
            return frames, Outcome.LINE_TOO_LONG
        if stripped := line.rstrip(b" \t\r"):
            frames.append(stripped)
    return frames, Outcome.LINE_TOO_LONG if len(rest) > LIMIT else Outcome.OPEN


def frames_by_definition(stream):
    frames = []
    while len(stream) >= 4:
        length = int.from_bytes(stream[:4], "big")
        if length > LIMIT:
            return frames, Outcome.LINE_TOO_LONG
        if len(stream) < 4 + length:
            break
        frames.append(stream[4 : 4 + length])
        stream = stream[4 + length :]
    return frames, Outcome.OPEN


cuts = st.lists(st.integers(0, 1000), max_size=30)
pieces = st.sampled_from([b"{}", b"\n", b"\r", b"\r\n", b" ", b"\t", b"\x00", b"abcde", b"x" * 11, b"\xff"])
line_streams = st.lists(pieces, max_size=25).map(lambda parts: b"{" + b"".join(parts))
frame_parts = st.binary(max_size=LIMIT).map(lambda body: len(body).to_bytes(4, "big") + body)
frame_streams = st.tuples(st.lists(frame_parts, max_size=6), st.binary(max_size=8)).map(
    lambda parts: b"\x00\x00\x00\x00" + b"".join(parts[0]) + parts[1]
)


@given(line_streams, cuts)
@settings(max_examples=200, deadline=None)
def test_chunks_never_change_the_lines(stream, cuts):
    framer = Framer(line_bytes_max=LIMIT)
    frames = feed_all(framer, stream, cuts)
    assert (frames, framer.outcome) == lines_by_definition(stream)
    assert framer.wire is Wire.JSON


@given(frame_streams, cuts)
@settings(max_examples=200, deadline=None)
def test_chunks_never_change_the_msgpack_frames(stream, cuts):
    framer = Framer(frame_bytes_max=LIMIT)
    frames = feed_all(framer, stream, cuts)
    assert (frames, framer.outcome) == frames_by_definition(stream)
    assert framer.wire is Wire.MSGPACK
    assert not framer.between_lines


def test_the_first_byte_decides_and_nothing_decides_nothing():
    framer = Framer()
    assert framer.feed(b"") == []
    assert framer.wire is None
    assert not framer.between_lines
    assert framer.feed(b"\r\n") == []
    assert framer.wire is Wire.JSON
    assert framer.feed(b"\x00\x00\x00\x01\x80\n") == [b"\x00\x00\x00\x01\x80"]


@pytest.mark.parametrize(
    ("chunk", "frames"),
    [
        (b"{}\r\n", [b"{}"]),
        (b"{}\n", [b"{}"]),
        (b"{}\r\n{}\n\r\n\n  \r\n[]\r\n", [b"{}", b"{}", b"[]"]),
        (b" \t\r\n", []),
        (b'{"a":"\r"}\n', [b'{"a":"\r"}']),
        (b"{}\x0b\n", [b"{}\x0b"]),
    ],
)
def test_lines(chunk, frames):
    framer = Framer()
    assert framer.feed(chunk) == frames
    assert framer.between_lines


def test_the_end_of_a_line_may_be_split():
    framer = Framer()
    assert framer.feed(b"{}\r") == []
    assert not framer.between_lines
    assert framer.feed(b"\n{") == [b"{}"]
    assert framer.feed(b"}\r\n") == [b"{}"]


def test_the_limit_is_of_the_line_not_of_the_chunk():
    framer = Framer(line_bytes_max=4)
    assert framer.feed(b"abcd\nabcd\nabcd\n") == [b"abcd"] * 3
    assert framer.outcome is Outcome.OPEN


@pytest.mark.parametrize(
    "chunks", [[b"ok\nabcde\nok\n"], [b"ok\nabc", b"de\nok\n"], [b"ok\nabcde"], [b"ok\n", b"abcde\n"]]
)
def test_a_long_line_ends_the_input(chunks):
    framer = Framer(line_bytes_max=4)
    assert [frame for chunk in chunks for frame in framer.feed(chunk)] == [b"ok"]
    assert framer.outcome is Outcome.LINE_TOO_LONG
    assert framer.feed(b"more\n" * 1000) == []
    assert framer.held_bytes == 0
    assert not framer.between_lines


def test_a_length_of_16_mib_is_too_long():
    framer = Framer()
    assert framer.feed(b"\x00\x00\x00\x01\x80\x01\x00\x00\x00") == [b"\x80"]
    assert framer.outcome is Outcome.LINE_TOO_LONG


@pytest.mark.parametrize("step", [1, 7, 65536])
def test_a_giant_line_in_small_chunks_is_kept_once(step):
    line = b'{"a":"' + b"x" * 300_000 + b'"}'
    framer = Framer()
    frames = []
    for start in range(0, len(line), step):
        frames += framer.feed(line[start : start + step])
    assert frames == []
    assert framer.held_bytes == len(line)
    assert framer.feed(b"\r\n") == [line]
    assert framer.held_bytes == 0


def test_a_giant_frame_in_small_chunks():
    body = bytes(200_000)
    stream = len(body).to_bytes(4, "big") + body
    framer = Framer()
    frames = [frame for start in range(0, len(stream), 3) for frame in framer.feed(stream[start : start + 3])]
    assert frames == [body]


@pytest.mark.parametrize("limits", [{"line_bytes_max": 0}, {"frame_bytes_max": 0}, {"frame_bytes_max": 1 << 24}])
def test_limits_have_limits(limits):
    with pytest.raises(ValueError, match="at least 1"):
        Framer(**limits)
