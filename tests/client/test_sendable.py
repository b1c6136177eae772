"""What the clients do not send: it is refused before, and its place named."""

import datetime as dt
import enum
import json

import pytest
from aiohttp import web
from msgspec import Struct

from kycmanager.client import BadRequest, ClientError, Encoding, RestClient, TcpClient
from kycmanager.client.sendable import DEPTH_MAX, check_data
from kycmanager.client.wire import Request, Wire
from kycmanager.transports.envelope import from_frame, from_line

BOTH = pytest.mark.parametrize("encoding", list(Encoding))


class Colour(enum.Enum):
    RED = "red"


class Point(Struct, rename="camel"):
    x_axis: object


def nested(depth):
    value = 1
    for _ in range(depth):
        value = [value]
    return value


BAD = [
    ({"answers": {"weight": float("nan")}}, "answers.weight: NaN and Infinity are not accepted"),
    ({"answers": {"list": [1, {"a": float("-inf")}]}}, "answers.list[1].a: NaN and Infinity are not accepted"),
    ({"id": 1 << 63}, "id: an integer is outside 64 bit"),
    ({"id": -(1 << 63) - 1}, "id: an integer is outside 64 bit"),
    ({"a": ("x", "y\0")}, "a[1]: NUL is not accepted in a string"),
    ({"a": "é\ud800"}, "a: a surrogate without its pair is not accepted"),
    ({"a": {"é\ud800": 1}}, "a.\\xe9\\ud800: a surrogate without its pair is not accepted"),
    ({"a": {"\0": 1}}, "a.\0: NUL is not accepted in a string"),
    ({"a": Point([float("nan")])}, "a.xAxis[0]: NaN and Infinity are not accepted"),
    ({"a": {1: {2.5, float("inf")}}}, "NaN and Infinity are not accepted"),
    ({"a": object()}, "a: Encoding objects of type object is unsupported"),
    ({"a": nested(DEPTH_MAX)}, "nested too deeply"),
]


@pytest.mark.parametrize(("data", "words"), BAD)
def test_what_cannot_be_sent(data, words):
    with pytest.raises(BadRequest) as caught:
        check_data(data)
    assert words in str(caught.value)
    assert isinstance(caught.value, ClientError)
    assert isinstance(caught.value, ValueError)


def test_a_circle_is_nested_too_deeply():
    circle = {}
    circle["a"] = Point(circle)
    with pytest.raises(BadRequest):
        check_data(circle)


@pytest.mark.parametrize(
    "value",
    [
        "é\U0001f600",
        "",
        -(1 << 63),
        (1 << 63) - 1,
        1.5,
        True,
        None,
        Colour.RED,
        dt.date(2020, 1, 2),
        nested(DEPTH_MAX - 1),
    ],
)
def test_what_can_be_sent_is_taken_by_the_daemon(value):
    request = Request("Ping", {"a": value}, "1", "t")
    sent = from_line(Wire(Encoding.JSON, 100).request(request)).data
    assert set(sent) == {"a"}
    assert from_frame(Wire(Encoding.MSGPACK, 100).request(request)[4:]).data == sent


@BOTH
async def test_over_tcp_nothing_is_sent(serve, pong, encoding):
    seen = []

    async def script(peer):
        seen.append(peer)
        await pong(peer)

    async with TcpClient(*await serve(script), token="t", encoding=encoding) as client:
        for data, words in BAD:
            with pytest.raises(BadRequest) as caught:
                await client.customer_save_kyc_answers(id=1, answers=data)
            assert words in str(caught.value)
        with pytest.raises(BadRequest, match="idempotency_key: NUL"):
            await client.mng_skip_kyc_step(id=1, idempotency_key="\0")
        with pytest.raises(BadRequest, match="command: a surrogate"):
            await client.call("\ud800", {}, dict)
        client.token = "\udc80"
        with pytest.raises(BadRequest, match="token: a surrogate"):
            await client.ping()
        client.token = "t"
        assert (await client.ping()).pong
    assert [request["command"] for request in seen[0].seen] == ["Ping"]


@BOTH
def test_a_request_is_as_long_as_the_daemon_takes(encoding):
    def request(size_max):
        return Wire(encoding, 100, size_max).request(Request("Ping", {"a": "x" * 300}, "1", "t"))

    # the daemon counts a line up to its line feed, a frame without its length
    counted = len(request(1000)) - 1 if encoding is Encoding.JSON else len(request(1000)) - 4
    assert request(counted)
    with pytest.raises(BadRequest, match=f"a request of {counted} bytes is longer than {counted - 1} bytes"):
        request(counted - 1)


async def test_over_rest_nothing_is_sent(http, tmp_path):
    seen = []

    async def handler(request):
        seen.append(request.path)
        return web.Response(body=json.dumps({"accepted": True}).encode())

    odd = tmp_path / "a\udcff.pdf"
    odd.write_bytes(b"x")
    async with http(handler) as url, RestClient(url, token="t", request_bytes_max=1000) as client:
        for data, words in BAD:
            with pytest.raises(BadRequest) as caught:
                await client.customer_save_kyc_answers(id=1, answers=data)
            assert words in str(caught.value)
        with pytest.raises(BadRequest, match="longer than 1000 bytes"):
            await client.customer_save_kyc_answers(id=1, answers={"a": "x" * 1000})
        with pytest.raises(BadRequest, match="brand: a surrogate"):
            await client.mng_get_kyc_step_templates(brand="\ud800")
        with pytest.raises(BadRequest, match="Idempotency-Key: a line break"):
            await client.mng_skip_kyc_step(id=1, idempotency_key="a\nb")
        with pytest.raises(BadRequest, match="brand: NUL"):
            await client.upload(b"x", filename="a.pdf", brand="\0")
        for raw in (True, False):
            with pytest.raises(BadRequest, match="filename: a surrogate"):
                await client.upload(odd, raw=raw)
        with pytest.raises(BadRequest, match="name: a surrogate"):
            await client.download("\ud800")
        client.token = "a\r\nb"
        with pytest.raises(BadRequest, match="Authorization: a line break"):
            await client.ping()
        assert seen == []
        client.token = "t"
        await client.mng_skip_kyc_step(id=1)
    assert seen == ["/manager/kyc/steps/1/skip"]
