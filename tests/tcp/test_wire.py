"""What every client of the wire relies on, and each trap one of them is known to fall into."""

import json
from itertools import permutations

import msgpack
import pytest

from kycmanager.domain.enums import SessionType

TRAPS = "l'été, ] — {a, }  𝄞"


async def test_reply_is_one_line_with_the_same_ext_id(client):
    client.send(client.line("Ping", extID="é-1"))
    reply = await client.message()
    assert reply["extID"] == "é-1"
    assert reply["status"] == 200
    assert reply["data"]["pong"] is True
    assert client.raw[0].startswith(b'{"extID":"\\u00e9-1","status":200,"data":{')


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b" \r\n", b"\r\n\r\n\n \r\n"])
async def test_line_ends_and_blank_lines(client, end):
    client.send(client.line("Ping", end=end) + client.line("Ping", extID="last"))
    assert [reply["extID"] for reply in await client.messages(2)] == ["x", "last"]


@pytest.mark.parametrize("order", list(permutations(["command", "data", "extID", "__token"])))
async def test_keys_stand_in_any_order(client, order):
    full = {"command": "Ping", "data": {}, "extID": "o", "__token": client.token}
    client.send(json.dumps({key: full[key] for key in order}).encode() + b"\n")
    assert (await client.message())["status"] == 200


@pytest.mark.parametrize("ext", [5, 1.5, True, [1, {"a": "b"}], {"k": TRAPS}, "", TRAPS, "a" * 500])
async def test_ext_id_comes_back_as_it_came_on_errors_too(client, ext):
    for command, status in (("Ping", 200), ("Nope", 405), ("MngGetKycStep", 400)):
        client.send(client.line(command, extID=ext))
        reply = await client.message()
        assert (reply["extID"], reply["status"]) == (ext, status)
    client.send(json.dumps({"command": 1, "extID": ext}).encode() + b"\r\n")
    assert (await client.message())["extID"] == ext


async def test_null_is_an_ext_id_too(client):
    client.send(b'{"command":"Nope","extID":null}\r\n')
    assert (await client.message())["extID"] is None


async def test_no_ext_id_no_ext_id(client):
    for line in (client.line("Ping", extID=None), b'{"command":"Nope"}\n', b"[]\n", b"x\n"):
        client.send(line)
        assert "extID" not in await client.message()


async def test_missing_data_is_empty_data(client):
    client.send(json.dumps({"command": "Ping", "__token": client.token, "extID": 1}).encode() + b"\r\n")
    assert (await client.message())["status"] == 200


@pytest.mark.parametrize(
    ("line", "status", "error"),
    [
        (b'{"command":"Nope","extID":"e"}', 405, "RET_INVALID_METHOD"),
        (b"hello", 400, "INVALID_DATA"),
        (b"[1]", 400, "INVALID_DATA"),
        (b'{"command":"Ping","extID":"e","data":[]}', 400, "INVALID_DATA"),
        (b'{"command":"Ping","extID":"e","extID":"f"}', 400, "INVALID_DATA"),
        (b'{"command":"Ping","extID":"\\ud800"}', 400, "INVALID_DATA"),
        (b'{"command":"Ping","extID":NaN}', 400, "INVALID_DATA"),
        (b'{"command":"Ping","extID":"e\xff"}', 400, "INVALID_DATA"),
        (b'{"command":"Ping","extID":"e"}', 401, "PERMISSION_DENIED"),
        (b'{"command":"Ping","extID":"e","__token":5}', 401, "PERMISSION_DENIED"),
        (b'{"command":"Ping","extID":"e","__token":"a.b.c"}', 401, "PERMISSION_DENIED"),
    ],
)
async def test_refusals_leave_the_connection_open(client, line, status, error):
    client.send(line + b"\r\n")
    reply = await client.message()
    assert (reply["status"], reply["error"]) == (status, error)
    assert reply["message"]
    assert isinstance(reply["data"], dict)
    assert (await client.ask("Ping"))["status"] == 200


async def test_what_the_strict_decoder_refuses_is_answered_to_its_caller(daemon, client, pack_client, framed):
    client.send(b'{"command":"Ping","data":{"a":NaN,"b":"\\u0000"},"extID":"e\'"}\r\n')
    reply = await client.message()
    assert (reply["extID"], reply["status"], reply["error"]) == ("e'", 400, "INVALID_DATA")
    assert b"'" not in client.raw[-1]
    packing = await daemon.connect(kind=pack_client)
    packing.send(framed(msgpack.packb({"command": "Ping", "extID": 5, "data": {"a": 2**63}})))
    reply = await packing.message()
    assert (reply["extID"], reply["status"], reply["error"]) == (5, 400, "INVALID_DATA")


async def test_the_scheme_word_before_a_token_is_taken(daemon, client):
    kyc_id, _ = await daemon.profile(client)
    bare = client.token
    for word in ("Bearer ", "bearer  "):
        client.token = word + bare
        for _ in range(3):
            assert (await client.good("MngGetKycProfile", {"id": kyc_id}))["profile"]["id"] == kyc_id
    for token in ("Bearer ", "Bearer", f"Basic {bare}", f"Bearer {bare}x", f"Bearer Bearer {bare}"):
        assert (await client.ask("Ping", __token=token))["status"] == 401
    assert (await client.ask("Ping", __token=bare))["status"] == 200


async def test_unknown_keys_and_claims_in_data_change_nothing(daemon):
    customer = await daemon.connect(daemon.token(SessionType.CUSTOMER, 42))
    reply = await customer.ask("MngGetKycProfiles", {"__access": {"session": 1, "sub": 7}, "more": 1})
    assert (reply["status"], reply["error"]) == (403, "PERMISSION_DENIED")
    assert (await customer.good("CustomerGetKycStatus", {"__access": {"sub": 1}}))["profile"] is None


async def test_local_rows_are_out_of_reach(client):
    reply = await client.ask("SysRevokeToken", {"jti": "j", "expires": 0})
    assert (reply["status"], reply["error"]) == (403, "PERMISSION_DENIED")


async def test_traps_in_values_keys_and_errors(daemon, client):
    schema = {"sections": [{"fields": [{"name": TRAPS, "type": "text"}]}], TRAPS: TRAPS}
    data = {"brand": "acme", "code": "c", "level": 1, "name": TRAPS, "form_schema": schema, "step_type": 1}
    template = (await client.good("MngAddKycStepTemplate", data, extID=TRAPS))["template"]
    assert template["name"] == TRAPS
    assert template["form_schema"][TRAPS] == TRAPS
    await client.good("MngRequireKycStep", {"customer_id": 42, "brand": "acme", "step_code": "c"})
    found = await client.good("MngGetKycProfile", {"customer_id": 42, "brand": "acme"})
    for _ in range(2):
        client.send(client.line("MngGetKycProfile", {"id": found["profile"]["id"]}))
        assert (await client.message())["data"] == found
    customer = await daemon.connect(daemon.token(SessionType.CUSTOMER, 42))
    reply = await customer.ask("CustomerSubmitKycStep", {"id": found["steps"][0]["id"], "answers": {"l', ]": 1}})
    assert reply["status"] == 400
    for line in client.raw + customer.raw:
        assert line.isascii()
        assert b"'" not in line
        for end in (b", ]", b",]", b", }", b",}"):
            assert end not in line
        assert "event" not in json.loads(line)


async def test_half_lines_and_pipelining(client):
    line = client.line("Ping", extID="slow")
    for place in range(len(line)):
        client.send(line[place : place + 1])
        if place % 40 == 0:
            await client.writer.drain()
    assert (await client.message())["extID"] == "slow"
    client.send(b"".join(client.line("Ping", extID=str(number)) for number in range(1000)))
    assert [reply["extID"] for reply in await client.messages(1000)] == [str(number) for number in range(1000)]


async def test_msgpack_by_the_first_byte(daemon, pack_client, framed):
    client = await daemon.connect(kind=pack_client)
    assert (await client.good("Ping", extID=7))["pong"] is True
    await daemon.profile(client)
    for _ in range(3):
        found = await client.good("MngGetKycProfile", {"customer_id": 42, "brand": "acme"})
    assert found["profile"]["customer_id"] == 42
    refused = (
        msgpack.packb({"command": "Ping", "extID": b"bin"}),
        msgpack.packb({b"command": "Ping"}),
        msgpack.packb({"command": "Ping", "data": {"t": msgpack.ExtType(4, b"x")}}),
        msgpack.packb([1]),
        b"\x81\xa1",
        b"",
    )
    for content in refused:
        client.send(framed(content))
        reply = await client.message()
        assert (reply["status"], reply["error"]) == (400, "INVALID_DATA")
    assert (await client.ask("Nope", extID="e"))["status"] == 405
    assert (await client.ask("Ping"))["status"] == 200


@pytest.mark.parametrize("whole", [True, False])
async def test_line_over_the_limit(serve, whole):
    daemon = await serve(line_bytes_max=2048, discard_seconds=1)
    client = await daemon.connect()
    client.send(client.line("Ping") + b"{" + b"x" * 4096 + (b"\r\n" if whole else b""))
    assert (await client.message())["status"] == 200
    reply = await client.message()
    assert (reply["status"], reply["error"]) == (413, "LINE_TOO_LONG")
    for _ in range(50):
        client.send(b"y" * 8192 + b"\r\n")
    assert await client.ended(3) == b""


async def test_frame_over_the_limit(serve, pack_client):
    daemon = await serve(frame_bytes_max=2048, discard_seconds=1)
    client = await daemon.connect(kind=pack_client)
    client.send(b"\x00\xff\xff\xff")
    reply = await client.message()
    assert (reply["status"], reply["error"]) == (413, "LINE_TOO_LONG")
    assert await client.ended(3) == b""


async def test_idempotency_key_in_data(client):
    data = {"brand": "acme", "code": "c", "level": 1, "step_type": 4, "idempotency_key": "k1"}
    first = await client.good("MngAddKycStepTemplate", data)
    assert await client.good("MngAddKycStepTemplate", data) == first


async def test_wrong_tokens_are_limited_good_ones_never(daemon, client):
    wrong = client.token[:-4] + "AAAA"
    statuses = [(await client.ask("Ping", __token=wrong))["status"] for _ in range(40)]
    assert statuses[0] == 401
    assert statuses[-1] == 429
    assert (await client.ask("Ping"))["status"] == 200
    assert (await client.ask("Ping", __token=None))["status"] == 401


async def test_customer_of_two_brands(daemon, client):
    # nobody can issue such a token here; an issuer with a key of its own can
    import jwt

    claims = {"sub": "5", "session": 9, "brands": ["a", "b"], "exp": daemon.clock() + 60}
    token = jwt.encode(claims, daemon._keys.signing.material, algorithm="HS256")
    for sent in (token, f"Bearer {token}"):
        reply = await client.ask("Ping", __token=sent)
        assert (reply["status"], reply["error"]) == (400, "INVALID_CUSTOMER")
