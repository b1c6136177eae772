"""The client's end of the wire and the daemon's understand each other."""

import asyncio

import pytest

from kycmanager.client.connection import Connection
from kycmanager.client.wire import Answer, Encoding, Push, Request, Wire
from kycmanager.commands.system import Pong
from kycmanager.transports.envelope import CODECS, HotReads
from kycmanager.transports.framing import Framer
from kycmanager.transports.framing import Wire as DaemonWire

ENDS = pytest.mark.parametrize(
    ("encoding", "daemon"), [(Encoding.JSON, DaemonWire.JSON), (Encoding.MSGPACK, DaemonWire.MSGPACK)]
)
TEXT = "it's ü, ]}\u2028 \U0001f600"


def body_of(encoding, message):
    return message.rstrip(b"\r\n") if encoding is Encoding.JSON else message[4:]


@ENDS
def test_the_daemon_reads_requests(encoding, daemon):
    sent = Wire(encoding, 1000).request(Request("Ping", {"text": TEXT}, "e1", "jwt"))
    framer = Framer()
    (frame,) = framer.feed(sent)
    assert framer.wire is daemon
    envelope = CODECS[daemon].read(frame)
    assert (envelope.command, envelope.data, envelope.token) == ("Ping", {"text": TEXT}, "jwt")
    assert envelope.ext == CODECS[daemon].encode("e1")


def test_reads_of_profiles_are_written_as_the_fast_path_knows_them():
    wire = Wire(Encoding.JSON, 1000)
    sent = b"".join(wire.request(Request("MngGetKycProfile", {"id": each}, str(each), "jwt")) for each in (5, 6))
    assert HotReads("jwt").match(sent) == [(b"5", b'"5"', b"jwt"), (b"6", b'"6"', b"jwt")]


@ENDS
def test_the_client_reads_what_the_daemon_sends(encoding, daemon):
    wire, codec = Wire(encoding, 1000), CODECS[daemon]
    answer = wire.message(body_of(encoding, codec.reply(codec.encode("e1"), 200, codec.encode({"text": TEXT}))))
    assert isinstance(answer, Answer)
    assert (answer.status, answer.ext_id) == (200, "e1")
    assert wire.data(answer, dict[str, str]) == {"text": TEXT}
    refused = wire.message(body_of(encoding, codec.error_reply(None, 404, "RET_NOT_FOUND", TEXT, {"a": 1})))
    assert (refused.ext_id, refused.status, refused.error, refused.message) == (None, 404, "RET_NOT_FOUND", TEXT)
    assert wire.data(refused, dict[str, int]) == {"a": 1}
    push = wire.message(body_of(encoding, codec.push("kyc:event", 1, {"text": TEXT})))
    assert push == Push("kyc:event", 1, {"text": TEXT})


async def test_an_answer_that_came_with_the_end_still_counts(serve):
    async def script(peer):
        await peer.reader.read()

    _, writer = await asyncio.open_connection(*await serve(script))
    reader = asyncio.StreamReader()
    connection = Connection(reader, writer, Wire(Encoding.JSON, 1000), print, lambda: None)
    call = asyncio.create_task(connection.call("Ping", {}, "t", Pong))
    await asyncio.sleep(0)
    reader.feed_data(b'{"extID":"1","status":200,"data":{"pong":true,"time":5}}\r\n')
    reader.feed_eof()
    assert (await call).time == 5
    assert str(connection.lost) == "the daemon closed the connection"
    await connection.close()
